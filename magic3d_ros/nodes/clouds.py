"""Point clouds: numpy columns to PointCloud2 and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from sensor_msgs.msg import PointCloud2, PointField
from std_msgs.msg import Header

from magic3d_ros.nodes.conversions import byte_array

if TYPE_CHECKING:
    from magic3d_ros.scene import Scene

_KINDS = {"int8": PointField.INT8, "uint8": PointField.UINT8, "int16": PointField.INT16, "uint16": PointField.UINT16,
          "int32": PointField.INT32, "uint32": PointField.UINT32, "float32": PointField.FLOAT32, "float64": PointField.FLOAT64}
_TYPES = {number: name for name, number in _KINDS.items()}


def cloud_message(head: Header, points: np.ndarray, columns: Mapping[str, np.ndarray]) -> PointCloud2:
    """points (N, 3) as x y z float32, then further columns: name -> (N,) values. `rgb` is (N, 3) uint8 and becomes the packed
    float that RViz and PCL know."""
    packed = {"x": points[:, 0], "y": points[:, 1], "z": points[:, 2]}
    packed = {name: np.asarray(values, np.float32) for name, values in packed.items()}
    for name, values in columns.items():
        packed[name] = _packed_color(values) if name == "rgb" else np.asarray(values)
    layout = np.dtype([(name, values.dtype) for name, values in packed.items()])
    table = np.empty(len(points), layout)
    for name, values in packed.items():
        table[name] = values
    fields = [PointField(name=name, offset=layout.fields[name][1], datatype=_KINDS[layout[name].name], count=1)  # type: ignore[index]
              for name in packed]
    return PointCloud2(header=head, height=1, width=len(points), fields=fields, is_bigendian=False, is_dense=True,
                       point_step=layout.itemsize, row_step=layout.itemsize * len(points), data=byte_array(table.view(np.uint8)))


def cloud_columns(message: PointCloud2) -> dict[str, np.ndarray]:
    """The columns of a cloud by name; `rgb` as (N, 3) uint8. Raises ValueError when data and layout contradict each other."""
    count = message.width * message.height
    if len(message.data) < message.row_step * message.height or message.row_step < message.point_step * message.width:
        raise ValueError(f"the cloud holds {len(message.data)} bytes, {message.width}x{message.height} points of "
                         f"{message.point_step} bytes need more")
    order = ">" if message.is_bigendian else "<"
    layout = np.dtype({"names": [f.name for f in message.fields], "offsets": [f.offset for f in message.fields],
                       "formats": [order + np.dtype(_TYPES[f.datatype]).str[1:] for f in message.fields],
                       "itemsize": message.point_step})
    rows = np.frombuffer(message.data, np.uint8)[:message.row_step * message.height].reshape(message.height, message.row_step)
    table = np.ascontiguousarray(rows[:, :message.point_step * message.width]).reshape(-1).view(layout)
    columns = {name: np.ascontiguousarray(table[name]) for name in layout.names or ()}
    if "rgb" in columns:
        bits = columns["rgb"].view(np.uint32)
        columns["rgb"] = np.stack([bits >> 16, bits >> 8, bits], 1).astype(np.uint8).reshape(count, 3)
    return columns


def scene_cloud(scene: Scene, head: Header) -> PointCloud2:
    """Every surface point: x y z rgb instance label confidence.

    instance: id of its thing, -1 = none. label: index of the thing's name in `label_names(scene)`, -1 = none. confidence: of the
    thing being one separate thing, 0 where there is none.
    """
    names = {name: i for i, name in enumerate(label_names(scene))}
    label = _by_object(scene, {o.id: names[o.label] for o in scene.objects if o.label}, -1, np.int32)
    confidence = _by_object(scene, {o.id: o.confidence for o in scene.objects}, 0.0, np.float32)
    return cloud_message(head, scene.surface.vertices, {
        "rgb": scene.surface.colors, "instance": scene.labels.astype(np.int32), "label": label, "confidence": confidence})


def label_names(scene: Scene) -> list[str]:
    """The distinct names of the scene's things in alphabetical order: what the cloud's `label` counts."""
    return sorted({o.label for o in scene.objects if o.label})


def instance_cloud(scene: Scene, head: Header) -> PointCloud2:
    """The points that belong to a thing: x y z rgb (the thing's colour) instance."""
    known = scene.labels >= 0
    ids = scene.labels[known].astype(np.int32)
    return cloud_message(head, scene.surface.vertices[known], {"rgb": id_colors(ids), "instance": ids})


def object_cloud(scene: Scene, object_id: int, head: Header) -> PointCloud2:
    """The points of one thing: x y z rgb."""
    chosen = scene.points_of(object_id)
    return cloud_message(head, scene.surface.vertices[chosen], {"rgb": scene.surface.colors[chosen]})


def heat_cloud(scene: Scene, heat: np.ndarray, head: Header) -> PointCloud2:
    """Similarity of every surface point to a question: x y z rgb (blue to red) similarity (0..1)."""
    import cv2

    scaled = np.round(np.clip(heat, 0, 1) * 255).astype(np.uint8)
    colors = cv2.applyColorMap(scaled[:, None], cv2.COLORMAP_TURBO)[:, 0, ::-1]
    return cloud_message(head, scene.surface.vertices, {"rgb": colors, "similarity": heat.astype(np.float32)})


def id_colors(ids: np.ndarray) -> np.ndarray:
    """(N, 3) uint8 colours that belong to ids for good: hues a golden ratio apart, so that neighbouring ids differ most."""
    import cv2

    ids = np.asarray(ids, np.int64)
    hsv = np.empty((len(ids), 1, 3), np.uint8)
    hsv[:, 0, 0] = np.round((ids * 0.6180339887498949) % 1.0 * 179)
    hsv[:, 0, 1] = np.where(ids % 2 == 0, 200, 150)
    hsv[:, 0, 2] = np.where(ids // 2 % 2 == 0, 255, 200)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[:, 0] if len(ids) else np.zeros((0, 3), np.uint8)


def _packed_color(colors: np.ndarray) -> np.ndarray:
    wide = np.asarray(colors, np.uint32)
    return (wide[:, 0] << 16 | wide[:, 1] << 8 | wide[:, 2]).astype(np.uint32).view(np.float32)


def _by_object(scene: Scene, values: Mapping[int, float], default: float, kind: type) -> np.ndarray:
    """A value for every vertex by its thing's id."""
    ids, where = np.unique(scene.labels, return_inverse=True)
    return np.array([values.get(int(i), default) for i in ids], kind)[where] if len(ids) else np.zeros(0, kind)
