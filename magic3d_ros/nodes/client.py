"""Asking a running scene_mapper from plain Python."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.action import ActionClient
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from std_msgs.msg import Header

from magic3d_ros import srv
from magic3d_ros.action import RefineMap
from magic3d_ros.geometry.box import OrientedBox
from magic3d_ros.language.answer import Status
from magic3d_ros.msg import Object
from magic3d_ros.nodes import environment
from magic3d_ros.nodes.clouds import cloud_columns
from magic3d_ros.nodes.conversions import (
    camera_info_message,
    header,
    image_message,
    nanoseconds,
    point_message,
    pose_matrix,
    pose_stamped,
    time_message,
)
from magic3d_ros.sources.image_codec import decode_color, decode_depth
from magic3d_ros.storage.records import box_record, rounded


class ServiceUnavailable(RuntimeError):
    """No scene_mapper answers; the message says what to check."""


class RequestFailed(RuntimeError):
    """The scene_mapper answered that it could not do it, and why."""


@dataclass(frozen=True)
class DiagnosticStatus:
    """One line of diagnostics. level: 0 fine, 1 warning, 2 error, 3 stale."""

    name: str
    level: int
    message: str
    values: dict[str, str]


class SceneClient:
    """Speaks with one scene_mapper; has its own ROS context, so it needs no node and disturbs none. Use it in a `with`.

    node_name: name of the scene_mapper. timeout: seconds an answer may take. progress: called about twice a second with a
    sentence while something is waited for.
    """

    def __init__(self, node_name: str = "scene_mapper", timeout: float = 60.0,
                 progress: Callable[[str], None] | None = None) -> None:
        environment.prepare()
        self.node_name = node_name.strip("/")
        self.timeout = timeout
        self._progress = progress or (lambda _: None)
        self._context = Context()
        rclpy.init(context=self._context)
        self._node = rclpy.create_node("magic3d_client", context=self._context, start_parameter_services=False)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._clients: dict[str, Any] = {}
        self._diagnostics: dict[str, DiagnosticStatus] = {}
        self._diagnostics_at = 0.0
        self._listening: Any = None
        self._refining: ActionClient | None = None

    def __enter__(self) -> SceneClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave the ROS graph."""
        self._executor.shutdown(timeout_sec=1.0)
        if self._refining is not None:
            self._refining.destroy()
        self._node.destroy_node()
        self._context.try_shutdown()

    def wait(self, timeout: float = 10.0) -> None:
        """Wait until the scene_mapper is there. Raises ServiceUnavailable."""
        self._ready_client(srv.QueryScene, "query_scene", timeout)

    def query(self, text: str = "", image: np.ndarray | None = None, negatives: Sequence[str] = (),
              region: np.ndarray | None = None, max_results: int = 0, points: bool = False, heatmap: bool = False,
              timeout: float | None = None, relations: bool = False, viewpoint: np.ndarray | None = None, seen_after: int = 0,
              max_age: float = 0.0) -> dict[str, Any]:
        """Ask where something is, in words, as a (H, W, 3) uint8 picture, or both.

        region: (2, 3) lowest and highest corner in the scene's frame, or None. max_results: 0 = query.max_results. timeout:
        seconds to wait for the service, ten unless told. relations, viewpoint (3,), seen_after (ns), max_age (seconds): as in
        language.answer.Question. Returns the record that `magic3d query --json` prints, with status
        found, ambiguous, not_found, not_ready or invalid, `frame`, `stamp` (ns) and, in each object, `approach_poses` (4x4, robot
        to frame).
        """
        request = srv.QueryScene.Request(text=text, negatives=list(negatives), max_results=max_results, include_points=points,
                                         publish_heatmap=heatmap, relations=relations, seen_after=time_message(seen_after),
                                         max_age=max_age)
        if image is not None:
            request.image = image_message(image, Header())
        if viewpoint is not None:
            request.use_viewpoint, request.viewpoint = True, point_message(viewpoint)
        if region is not None:
            request.use_region = True
            for corner, values in zip((request.region_min, request.region_max), np.asarray(region, float), strict=True):
                corner.x, corner.y, corner.z = (float(v) for v in values)
        reply = self._call(srv.QueryScene, "query_scene", request, timeout)
        return {"status": Status(reply.status).name.lower(), "why": reply.why, "objects": [_record(o) for o in reply.objects],
                "frame": reply.header.frame_id, "stamp": nanoseconds(reply.header.stamp)}

    def list_objects(self, structure: bool = False, min_confidence: float = 0.0) -> list[dict[str, Any]]:
        """Records of all separate things known, by id; floor and walls too with `structure`."""
        request = srv.ListObjects.Request(include_structure=structure, min_confidence=min_confidence)
        return [_record(o) for o in self._call(srv.ListObjects, "list_objects", request).objects.objects]

    def list_moving(self) -> list[dict[str, Any]]:
        """Records of what moves in the newest frame, largest first; ids are not kept from call to call."""
        reply = self._call(srv.ListObjects, "list_objects", srv.ListObjects.Request(include_moving=True))
        return [_record(o) for o in reply.moving.objects]

    def get_object(self, object_id: int, points: bool = False, image: bool = False) -> tuple[dict[str, Any], np.ndarray | None]:
        """One thing's record (with `points`, (n, 3), where asked for) and its best view as (H, W, 3) uint8, or None.

        Raises RequestFailed for an id nobody knows.
        """
        reply = self._call(srv.GetObject, "get_object",
                           srv.GetObject.Request(id=object_id, include_points=points, include_image=image))
        _check(reply)
        return _record(reply.object), decode_color(reply.image) if len(reply.image.data) else None

    def segment(self, labels: Sequence[str]) -> dict[str, np.ndarray]:
        """The columns x y z rgb label confidence of the surface points; label is the index into `labels`, -1 = none of them."""
        reply = self._call(srv.SegmentByLabels, "segment_by_labels", srv.SegmentByLabels.Request(labels=list(labels)))
        _check(reply)
        return cloud_columns(reply.points)

    def render(self, camera_to_world: np.ndarray, camera: Any = None) -> tuple[np.ndarray, np.ndarray]:
        """(H, W, 3) uint8 colour and (H, W) float32 depth of the map from a pose; camera None = the last one seen."""
        return self.render_with_guesses(camera_to_world, camera)[:2]

    def render_with_guesses(self, camera_to_world: np.ndarray, camera: Any = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The same, and (H, W) bool where no depth sensor saw anything and a network guessed."""
        request = srv.RenderView.Request(camera_pose=pose_stamped(camera_to_world, Header()))
        if camera is not None:
            request.camera_info = camera_info_message(camera, header(0, ""))
        reply = self._call(srv.RenderView, "render_view", request)
        _check(reply)
        guessed = np.frombuffer(reply.guessed.data, np.uint8).reshape(reply.guessed.height, reply.guessed.width) > 0
        return decode_color(reply.rgb), decode_depth(reply.depth), guessed

    def save_map(self, name: str) -> str:
        """Save the map under a name. Returns what the mapper said; raises RequestFailed."""
        return _check(self._call(srv.SaveMap, "save_map", srv.SaveMap.Request(name=name)))

    def load_map(self, name: str) -> str:
        """Replace the map by a saved one. Returns what the mapper said; raises RequestFailed."""
        return _check(self._call(srv.LoadMap, "load_map", srv.LoadMap.Request(name=name)))

    def export_map(self, name: str) -> list[str]:
        """Write mesh.ply, points.ply and objects.json; returns their names below the mapper's ros.map_directory."""
        reply = self._call(srv.ExportMap, "export_map", srv.ExportMap.Request(name=name))
        _check(reply)
        return list(reply.files)

    def reset_map(self) -> str:
        """Forget the scene. Returns what the mapper said; raises RequestFailed."""
        return _check(self._call(srv.ResetMap, "reset_map", srv.ResetMap.Request()))

    def refine(self, seconds: float, poses: bool = True, calibration: bool = False, appearance: bool = True,
               progress: Callable[[str, float, float], None] = lambda stage, share, loss: None) -> dict[str, Any]:
        """Improve the map for so many seconds; mapping goes on meanwhile. Returns the fields of RefineMap's result. With neither
        of poses, calibration and appearance it is poses and appearance that are improved.

        progress: called with the stage, the share of the time that has passed, and the stage's loss. A KeyboardInterrupt, from
        there or from Ctrl-C, cancels: what was reached is kept, and returned. Raises RequestFailed with the reason.
        """
        name = f"/{self.node_name}/refine_map"
        if self._refining is None:
            self._refining = ActionClient(self._node, RefineMap, name)
        if not self._spin_until(self._refining.server_is_ready, min(10.0, self.timeout), f"waiting for {name}"):
            raise ServiceUnavailable(self._absent("does not refine maps"))
        goal = RefineMap.Goal(seconds=float(seconds), poses=poses, calibration=calibration, appearance=appearance)
        silent: list[bool] = []
        sent = self._refining.send_goal_async(goal, lambda m: None if silent else progress(
            m.feedback.stage, m.feedback.progress, m.feedback.loss))
        try:
            result = self._refined(sent, name, seconds + self.timeout)
        except KeyboardInterrupt:
            silent.append(True)
            self._await(sent, name, self.timeout)
            sent.result().cancel_goal_async()  # type: ignore[union-attr]
            result = self._refined(sent, name, self.timeout)
        _check(result)
        return {field: getattr(result, field) for field in result.get_fields_and_field_types()}

    def diagnostics(self, timeout: float = 5.0) -> dict[str, DiagnosticStatus]:
        """The mapper's newest diagnostics by part ("input", "poses", ...), sent after this call. Raises ServiceUnavailable."""
        if self._listening is None:
            self._listening = self._node.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, 10)
        asked = time.monotonic()
        if not self._spin_until(lambda: self._diagnostics_at > asked, timeout, f"waiting for diagnostics of /{self.node_name}"):
            raise ServiceUnavailable(self._absent("sends no diagnostics"))
        return dict(self._diagnostics)

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            owner, _, part = status.name.partition(": ")
            if owner.strip("/") == self.node_name:
                level = status.level[0] if isinstance(status.level, bytes) else int(status.level)
                self._diagnostics[part] = DiagnosticStatus(part, level, status.message, {v.key: v.value for v in status.values})
                self._diagnostics_at = time.monotonic()

    def _refined(self, sent: Any, name: str, timeout: float) -> RefineMap.Result:
        self._await(sent, name, self.timeout)
        if not sent.result().accepted:
            raise RequestFailed(f"{name} does not take goals: the node is going down")
        finished = sent.result().get_result_async()
        self._await(finished, name, timeout)
        return finished.result().result

    def _call(self, service: Any, name: str, request: Any, wait: float | None = None) -> Any:
        client = self._ready_client(service, name, min(10.0, self.timeout) if wait is None else wait)
        future = client.call_async(request)
        try:
            self._await(future, f"/{self.node_name}/{name}", self.timeout)
        except ServiceUnavailable:
            client.remove_pending_request(future)
            raise
        return future.result()

    def _await(self, future: Any, name: str, timeout: float) -> None:
        if not self._spin_until(future.done, timeout, f"waiting for the answer of {name}"):
            raise ServiceUnavailable(f"{name} did not answer within {timeout:.0f} s: the mapper is busy or has stopped; see its "
                                     "diagnostics")

    def _ready_client(self, service: Any, name: str, timeout: float) -> Any:
        client = self._clients.get(name)
        if client is None:
            client = self._clients[name] = self._node.create_client(service, f"/{self.node_name}/{name}")
        if not self._spin_until(client.service_is_ready, timeout, f"waiting for /{self.node_name}"):
            raise ServiceUnavailable(self._absent("offers no service"))
        return client

    def _absent(self, what: str) -> str:
        domain = self._context.get_domain_id()
        return (f"/{self.node_name} {what} in ROS domain {domain}: is scene_mapper running, with the same ROS_DOMAIN_ID and "
                "RMW_IMPLEMENTATION, and may the two machines discover each other (ROS_AUTOMATIC_DISCOVERY_RANGE)?")

    def _spin_until(self, condition: Callable[[], bool], timeout: float, text: str) -> bool:
        started = told = time.monotonic()
        while not condition():
            now = time.monotonic()
            if now - started > timeout:
                return False
            if now - told > 0.5:
                told = now
                self._progress(f"{text} ({now - started:.0f} s)")
            self._executor.spin_once(timeout_sec=0.1)
        return True


def _check(reply: Any) -> str:
    if not reply.success:
        raise RequestFailed(reply.message)
    return reply.message


def _record(message: Object) -> dict[str, Any]:
    box = pose_matrix(message.box.pose)
    size = message.box.size
    record = {
        "id": message.id, "kind": message.kind, "label": message.label, "score": rounded(message.score),
        "probability": rounded(message.probability), "confidence": rounded(message.confidence),
        **box_record(OrientedBox(box[:3, 3], np.array([size.x, size.y, size.z]), box[:3, :3])),
        "centroid": rounded([message.centroid.x, message.centroid.y, message.centroid.z]), "n_points": message.n_points,
        "n_views": message.n_views, "first_seen": nanoseconds(message.first_seen), "last_seen": nanoseconds(message.last_seen),
        "support": message.support, "approach_poses": [rounded(pose_matrix(p.pose), 6) for p in message.approach_poses]}
    if len(message.points.data):
        columns = cloud_columns(message.points)
        record["points"] = np.stack([columns["x"], columns["y"], columns["z"]], 1)
    return record
