from __future__ import annotations

import numpy as np
import pytest
from magic3d_ros.msg import Cues
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import PointCloud2
from visualization_msgs.msg import Marker

from magic3d_ros.frames import CueFrame, FeatureGrid, FrameError, MonocularGeometry
from magic3d_ros.geometry.box import OrientedBox
from magic3d_ros.mapping.free_space import OccupancyGrid
from magic3d_ros.mapping.surface import Surface
from magic3d_ros.nodes import clouds
from magic3d_ros.nodes.box_markers import box_corners, object_markers
from magic3d_ros.nodes.conversions import header, pose_matrix
from magic3d_ros.nodes.cue_messages import cue_frame, cues_message
from magic3d_ros.nodes.mesh_message import mesh_message, plain_mesh_message
from magic3d_ros.nodes.object_messages import object_array, object_message, occupancy_message
from magic3d_ros.scene import Scene
from magic3d_ros.scene_object import SceneObject

pytestmark = pytest.mark.ros

HEAD = header(3_000_000_007, "map")


def surface(count: int = 6, triangles: int = 2) -> Surface:
    rng = np.random.default_rng(1)
    vertices, faces = rng.random((count, 3)).astype(np.float32), rng.integers(0, count, (triangles, 3)).astype(np.int32)
    colors = rng.integers(0, 256, (count, 3)).astype(np.uint8)
    return Surface(vertices, faces, np.zeros((count, 3), np.float32), colors, np.ones(count, np.float32))


def thing(number: int, kind: str = "object", label: str = "chair", confidence: float = 0.75) -> SceneObject:
    quarter_turn = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    box = OrientedBox(np.array([1.0, 2, 3]), np.array([0.2, 0.4, 0.6]), quarter_turn)
    return SceneObject(number, kind, label, 0.5, confidence, box, np.array([1.0, 2.0, 3.5]), 10, 4, 1_000_000_001, 2_000_000_002,
                       support=9)


def scene() -> Scene:
    return Scene(3_000_000_007, surface(), np.array([4, 4, -1, 9, 9, 9], np.int32),
                 (thing(4), thing(9, "structure", "floor", 0.25)), np.array([0.0, 0, 1]))


def test_a_cloud_keeps_its_columns():
    points = np.array([[1, 2, 3], [4, 5, 6]], np.float32)
    colors = np.array([[255, 0, 7], [1, 2, 3]], np.uint8)
    ids = np.array([-1, 70000], np.int32)
    message = deserialize_message(serialize_message(clouds.cloud_message(HEAD, points, {"rgb": colors, "id": ids})), PointCloud2)
    assert (message.width, message.height, message.point_step) == (2, 1, 20)
    columns = clouds.cloud_columns(message)
    np.testing.assert_array_equal(np.stack([columns["x"], columns["y"], columns["z"]], 1), points)
    np.testing.assert_array_equal(columns["rgb"], colors)
    np.testing.assert_array_equal(columns["id"], ids)


def test_a_cloud_that_is_cut_off_is_refused():
    message = clouds.cloud_message(HEAD, np.zeros((3, 3), np.float32), {})
    message.data = message.data[:-1]
    with pytest.raises(ValueError, match="35 bytes"):
        clouds.cloud_columns(message)


def test_a_cloud_without_points():
    columns = clouds.cloud_columns(clouds.cloud_message(HEAD, np.zeros((0, 3), np.float32), {"rgb": np.zeros((0, 3), np.uint8)}))
    assert {name: len(values) for name, values in columns.items()} == {"x": 0, "y": 0, "z": 0, "rgb": 0}


def test_the_scenes_points_know_their_thing_label_and_confidence():
    columns = clouds.cloud_columns(clouds.scene_cloud(scene(), HEAD))
    np.testing.assert_array_equal(columns["instance"], [4, 4, -1, 9, 9, 9])
    assert clouds.label_names(scene()) == ["chair", "floor"]
    np.testing.assert_array_equal(columns["label"], [0, 0, -1, 1, 1, 1])
    np.testing.assert_array_equal(columns["confidence"], np.array([0.75, 0.75, 0, 0.25, 0.25, 0.25], np.float32))
    np.testing.assert_array_equal(columns["rgb"], scene().surface.colors)


def test_the_instances_cloud_leaves_out_what_is_no_thing():
    columns = clouds.cloud_columns(clouds.instance_cloud(scene(), HEAD))
    np.testing.assert_array_equal(columns["instance"], [4, 4, 9, 9, 9])
    assert (columns["rgb"][0] == columns["rgb"][1]).all()
    assert (columns["rgb"][0] != columns["rgb"][2]).any()


def test_colours_of_ids_are_stable_and_distinct():
    colors = clouds.id_colors(np.arange(40))
    assert len(np.unique(colors, axis=0)) == 40
    np.testing.assert_array_equal(clouds.id_colors(np.array([17]))[0], colors[17])


@pytest.mark.parametrize("frame", ["map", "odom_combined", "m"])
@pytest.mark.parametrize("triangles", [0, 1, 7])
def test_the_mesh_in_bytes_is_the_mesh_in_messages(frame: str, triangles: int):
    head = header(5_000_000_001, frame)
    ours = deserialize_message(mesh_message(surface(9, triangles), head), Marker)
    reference = deserialize_message(serialize_message(plain_mesh_message(surface(9, triangles), head)), Marker)
    assert ours == reference
    assert len(ours.points) == 3 * triangles


def test_a_mesh_that_is_too_large_becomes_coarser():
    steps = np.linspace(0, 1, 101, dtype=np.float32)
    x, y = np.meshgrid(steps, steps)
    vertices = np.stack([x.ravel(), y.ravel(), np.zeros(101 * 101, np.float32)], 1)
    corner = (np.arange(100)[:, None] * 101 + np.arange(100)).ravel()
    faces = np.concatenate([corner[:, None] + [0, 1, 101], corner[:, None] + [1, 102, 101]])
    plane = Surface(vertices, faces.astype(np.int32), np.zeros_like(vertices), np.full(vertices.shape, 9, np.uint8),
                    np.ones(len(vertices), np.float32))
    marker = deserialize_message(mesh_message(plane, HEAD, max_triangles=5000), Marker)
    points = np.array([[p.x, p.y, p.z] for p in marker.points]).reshape(-1, 3, 3)
    assert 2000 < len(points) <= 5000
    area = np.linalg.norm(np.cross(points[:, 1] - points[:, 0], points[:, 2] - points[:, 0]), axis=1).sum() / 2
    assert 0.9 < area <= 1.0 + 1e-6


def test_an_object_with_its_box():
    message = object_message(thing(4))
    assert (message.id, message.kind, message.label, message.n_points, message.n_views) == (4, "object", "chair", 10, 4)
    assert (message.first_seen.sec, message.first_seen.nanosec, message.last_seen.nanosec) == (1, 1, 2)
    assert message.support == 9
    assert (message.box.size.x, message.box.size.y, message.box.size.z) == (0.2, 0.4, 0.6)
    np.testing.assert_allclose(pose_matrix(message.box.pose)[:3, :3], thing(4).box.rotation, atol=1e-12)
    assert message.centroid.z == 3.5


def test_lists_of_objects_leave_out_what_is_not_wanted():
    assert [o.id for o in object_array(scene(), HEAD).objects] == [4, 9]
    assert [o.id for o in object_array(scene(), HEAD, structure=False).objects] == [4]
    assert [o.id for o in object_array(scene(), HEAD, min_confidence=0.5).objects] == [4]


def test_markers_show_a_box_and_a_name_for_every_thing():
    markers = object_markers(scene().objects, scene().up, HEAD).markers
    assert [(m.action, m.ns, m.id) for m in markers] == [
        (Marker.DELETEALL, "", 0), (Marker.ADD, "boxes", 4), (Marker.ADD, "names", 4)]
    assert len(markers[1].points) == 24
    corners = box_corners(thing(4).box)
    # A quarter turn about z: the 0.2 m side lies along y, the 0.4 m side along x.
    np.testing.assert_allclose(corners.min(0), [0.8, 1.9, 2.7])
    np.testing.assert_allclose(corners.max(0), [1.2, 2.1, 3.3])
    assert markers[2].pose.position.z > 3.3
    assert "chair 4" in markers[2].text


def test_occupancy_keeps_cells_rows_and_tilt():
    cells = np.array([[0, 100, -1], [-1, 0, 0]], np.int8)
    tilt = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
    grid = OccupancyGrid(cells=cells, resolution=0.1, origin=np.array([1.0, 2.0, 3.0]), rotation=tilt)
    message = occupancy_message(grid, HEAD)
    assert (message.info.width, message.info.height) == (3, 2)
    assert message.info.resolution == pytest.approx(0.1)
    assert list(message.data) == [0, 100, -1, -1, 0, 0]
    origin = pose_matrix(message.info.origin)
    np.testing.assert_allclose(origin[:3, 3], [1, 2, 3])
    np.testing.assert_allclose(origin[:3, :3], tilt, atol=1e-12)


def test_cues_come_back_as_float16():
    grid = FeatureGrid(np.arange(2 * 3 * 4, dtype=np.float32).reshape(2, 3, 4) / 7, 32.0, 16.0, 15.5, 7.5)
    normals = np.zeros((4, 6, 3), np.float32)
    normals[..., 2] = -1
    normals[0, 0] = np.nan
    sent = CueFrame(123_000_000_456, features=grid, language=None, normals=normals, timings={"net": 12.5})
    message = deserialize_message(serialize_message(cues_message(sent, header(sent.stamp, "c"), "model", 1, 48, 32)), Cues)
    assert (message.model, message.shard) == ("model", 1)
    back = cue_frame(message)
    assert back.stamp == sent.stamp
    np.testing.assert_array_equal(back.features.values, grid.values.astype(np.float16))
    assert (back.features.stride_x, back.features.stride_y, back.features.offset_x, back.features.offset_y) == (32, 16, 15.5, 7.5)
    assert back.language is None
    np.testing.assert_array_equal(back.normals, normals)
    assert back.timings == {"net": 12.5}


def test_masks_edges_and_guessed_geometry_come_back():
    edges = np.array([[0, 128, 255], [7, 1, 254]], np.uint8)
    masks = np.array([[-1, 0, 1], [65534, 2, -1]], np.int32)
    guess = MonocularGeometry(np.array([[1.5, np.nan]], np.float32), "affine_inverse", np.full((1, 2, 3), 0.5, np.float32),
                              np.array([[0.25, 0.5]], np.float32))
    sent = cues_message(CueFrame(5, masks=masks, monocular=guess, edges=edges), header(5, "c"), "model", 0, 3, 2)
    back = cue_frame(deserialize_message(serialize_message(sent), Cues))
    np.testing.assert_array_equal(back.masks, masks)
    np.testing.assert_array_equal(back.edges, edges)
    assert back.monocular.kind == "affine_inverse"
    for name in ("depth", "normals", "uncertainty"):
        np.testing.assert_array_equal(getattr(back.monocular, name), getattr(guess, name))
    nothing = cue_frame(cues_message(CueFrame(5), header(5, "c"), "model", 0, 3, 2))
    assert nothing.monocular is None and nothing.edges is None


def test_masks_that_are_no_picture_and_unknown_kinds_of_depth_are_refused():
    message = cues_message(CueFrame(5, masks=np.zeros((4, 4), np.int32)), header(5, "c"), "model", 0, 4, 4)
    whole = bytes(message.masks)
    for broken, reason in ((b"x" * 40, "not a PNG"), (whole[:16] + b"\x00\x0f\xff\xff" + whole[20:], "16 bits|100 million"),
                           (whole[:16] + b"\x7f\xff\xff\xff" * 2 + whole[24:], "100 million"), (whole[:30], "16 bits")):
        message.masks = broken
        with pytest.raises(FrameError, match=reason):
            cue_frame(message)
    message.masks = b""
    for broken, reason in ((b"x" * 40, "edges are not a PNG"), (whole, "edges are not a PNG of one channel of 8 bits")):
        message.edges = broken
        with pytest.raises(FrameError, match=reason):
            cue_frame(message)
    guess = MonocularGeometry(np.ones((1, 2), np.float32), "feet")
    with pytest.raises(FrameError, match="'feet'"):
        cue_frame(cues_message(CueFrame(5, monocular=guess), header(5, "c"), "model", 0, 3, 2))


def test_cues_whose_sizes_contradict_their_data_are_refused():
    message = Cues()
    message.language.height, message.language.width, message.language.channels = 2, 2, 4
    with pytest.raises(FrameError, match="holds 0 bytes"):
        cue_frame(message)
