"""The main job with real processes over DDS: a player, a mapper, and a client that asks."""

from __future__ import annotations

import os
import pathlib
import time
from collections.abc import Callable

import cv2
import numpy as np
import pytest
import rclpy
from magic3d_ros.msg import ObjectArray
from nav_msgs.msg import OccupancyGrid, Path
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import CameraInfo, Image, PointCloud2
from visualization_msgs.msg import Marker, MarkerArray

from magic3d_ros.child_process import Child
from magic3d_ros.config import Settings
from magic3d_ros.nodes.client import RequestFailed, SceneClient
from magic3d_ros.nodes.clouds import cloud_columns
from magic3d_ros.nodes.conversions import header, nanoseconds, pose_stamped
from magic3d_ros.nodes.scene_topics import LATCHED
from magic3d_ros.sources.image_codec import decode_depth
from magic3d_ros.sources.open import open_source
from magic3d_ros.sources.room import open_room

pytestmark = [pytest.mark.ros, pytest.mark.slow]

TOPICS = {"points": PointCloud2, "instances": PointCloud2, "objects": ObjectArray, "object_markers": MarkerArray, "mesh": Marker,
          "occupancy": OccupancyGrid, "instance_mask": Image, "instance_overlay": Image, "rendered/rgb": Image,
          "rendered/depth": Image, "rendered/camera_info": CameraInfo, "distractor_mask": Image, "uncertainty": Image,
          "moving_points": PointCloud2}
OF_EVERY_FRAME = ("distractor_mask", "uncertainty", "moving_points")
START_SECONDS, MAP_SECONDS = 120.0, 120.0


def eventually(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True


def counts(client: SceneClient) -> dict[str, int]:
    values = client.diagnostics(20.0)["input"].values
    return {name: int(value) for name, value in values.items() if value.isdigit()}


def room_frames() -> list:
    return list(open_source("room:tiny", Settings()))


class Ear:
    """Listens to the mapper's topics in a context of its own."""

    def __init__(self) -> None:
        from rclpy.context import Context
        from rclpy.executors import SingleThreadedExecutor

        self.context = Context()
        rclpy.init(context=self.context)
        self.node = rclpy.create_node("ear", context=self.context)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.heard: dict[str, list[bytes]] = {}

    def listen(self, *names: str) -> None:
        for name in names:
            self.node.create_subscription(
                TOPICS[name], f"/scene_mapper/{name}", lambda raw, name=name: self.heard.setdefault(name, []).append(raw),
                10 if name in OF_EVERY_FRAME else LATCHED, raw=True)

    def hear(self, condition: Callable[[], bool], seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while not condition() and time.monotonic() < deadline:
            self.executor.spin_once(timeout_sec=0.1)
        return condition()

    def message(self, name: str, which: int = -1):
        return deserialize_message(self.heard[name][which], TOPICS[name])

    def stamps(self, name: str) -> list[int]:
        return [nanoseconds(self.message(name, i).header.stamp) for i in range(len(self.heard[name]))]

    def close(self) -> None:
        self.executor.shutdown(timeout_sec=1.0)
        self.node.destroy_node()
        self.context.try_shutdown()


@pytest.fixture(scope="module")
def played(start_node, tmp_path_factory: pytest.TempPathFactory):
    """A mapper that has mapped what a player played, the player's process, a client, an ear, and where maps are kept."""
    maps = tmp_path_factory.mktemp("maps")
    mapper = start_node("scene_mapper", "--ros-args", "-p", f"ros.map_directory:={maps}", "-p", "ros.queue_size:=100",
                        "-p", "instances.update_interval:=0.5", "-p", "ros.publish_interval:=0.2")
    player = start_node("player", "room:tiny", "--rate", "0.5", "--wait", str(START_SECONDS))
    ear = Ear()
    ear.listen(*TOPICS)
    with SceneClient(timeout=START_SECONDS) as client:
        client.wait(START_SECONDS)
        total = len(room_frames())
        assert ear.hear(lambda: not mapper.running or counts(client)["used"] == total, MAP_SECONDS), (
            client.diagnostics()["input"], mapper.last_lines(), player.last_lines())
        yield mapper, player, client, ear, maps
    ear.close()


def test_no_frame_is_lost_without_being_counted(played):
    _, player, client, _, _ = played
    assert eventually(lambda: not player.running, 30), player.last_lines()
    assert player.returncode == 0
    total = len(room_frames())
    assert f"sent {total} frames" in player.last_lines()
    seen = counts(client)
    assert seen["received"] + seen.get("rgb_lost_in_transport", 0) == total
    assert seen["received"] == seen["used"] + seen["dropped"]
    assert (seen["waiting"], seen["depth_received"], seen["keyframes"] > 0) == (0, total, True)


def test_the_scene_is_published(played):
    _, _, client, ear, _ = played
    assert ear.hear(lambda: TOPICS.keys() <= ear.heard.keys() and len(ear.message("objects").objects) > 0, 60), ear.heard.keys()
    cloud = ear.message("points")
    assert [field.name for field in cloud.fields] == ["x", "y", "z", "rgb", "instance", "label", "confidence"]
    columns = cloud_columns(cloud)
    assert len(columns["x"]) > 1000
    assert cloud.header.frame_id == "map"
    ids = {thing["id"] for thing in client.list_objects(structure=True)}
    assert set(np.unique(columns["instance"])) <= ids | {-1}
    assert len(ear.message("mesh").points) % 3 == 0
    assert len(ear.message("mesh").points) == len(ear.message("mesh").colors) > 0
    assert ear.message("object_markers").markers[0].action == Marker.DELETEALL
    assert {int(v) for v in np.unique(np.asarray(ear.message("occupancy").data))} <= {-1, 0, 100}
    mask = ear.message("instance_mask")
    assert mask.encoding == "32SC1"
    assert set(np.unique(np.frombuffer(mask.data, np.int32))) <= ids | {-1}
    assert (ear.message("instance_overlay").encoding, ear.message("instance_overlay").width) == ("rgb8", mask.width)


def test_the_map_is_shown_from_where_the_camera_is(played):
    ear = played[3]
    frames = room_frames()
    assert ear.hear(lambda: len(ear.heard["distractor_mask"]) == len(frames), 20)
    frame, stamp = frames[-1], ear.stamps("distractor_mask")[-1]
    assert ear.hear(lambda: ear.stamps("rendered/depth")[-1] == stamp == ear.stamps("instance_mask")[-1], 60), (
        stamp, ear.stamps("rendered/depth")[-3:], ear.stamps("instance_mask")[-3:])
    rgb, info = ear.message("rendered/rgb"), ear.message("rendered/camera_info")
    assert (rgb.encoding, rgb.width, rgb.height) == ("rgb8", info.width, info.height)
    assert info.width == min(320, frame.camera.width)
    depth = decode_depth(ear.message("rendered/depth"))
    seen = cv2.resize(frame.depth, (info.width, info.height), interpolation=cv2.INTER_NEAREST)
    both = (depth > 0) & (seen > 0) & (seen < 4)
    assert both.mean() > 0.5
    assert np.median(np.abs(depth - seen)[both]) < 0.02
    for name in ("rendered/rgb", "rendered/depth", "instance_mask", "instance_overlay"):
        assert ear.message(name).header.frame_id == "camera_color_optical_frame"


def test_what_moves_is_told_of_every_frame(played):
    _, _, client, ear, _ = played
    total = len(room_frames())
    assert ear.hear(lambda: all(len(ear.heard.get(name, ())) == total for name in OF_EVERY_FRAME), 20), {
        name: len(messages) for name, messages in ear.heard.items()}
    stamps = ear.stamps("distractor_mask")
    room, both = open_room("tiny", Settings()), np.zeros(2)
    assert stamps == sorted(set(stamps)) == ear.stamps("uncertainty") == ear.stamps("moving_points")
    for which in range(total):
        mask, beta = ear.message("distractor_mask", which), ear.message("uncertainty", which)
        assert (mask.encoding, beta.encoding) == ("mono8", "32FC1")
        assert (mask.width, mask.height, mask.header) == (beta.width, beta.height, beta.header)
        assert mask.header.frame_id == "camera_color_optical_frame"
        assert ear.message("moving_points", which).header.frame_id == "map"
        told = np.asarray(mask.data).reshape(mask.height, mask.width)
        assert set(np.unique(told)) <= {0, 255}
        truth = room.render(which).truth.distractor
        both += np.array([((told == 255) & truth).sum(), ((told == 255) | truth).sum()])
        found = np.stack([cloud_columns(ear.message("moving_points", which))[axis] for axis in "xyz"], 1)
        if truth.mean() > 0.1:
            assert len(found) > 10
        if not truth.any():
            assert len(found) == 0
    assert both[0] / both[1] > 0.7  # somebody walks through this room
    assert client.list_moving() == []  # and is gone in the last frame


def test_who_comes_late_hears_the_last_scene(played):
    late = Ear()
    late.listen("points", "objects")
    assert late.hear(lambda: {"points", "objects"} <= late.heard.keys(), 20)
    late.close()


def test_the_surface_lies_where_the_room_is(played):
    client = played[2]
    frame = room_frames()[4]
    rgb, depth = client.render(frame.camera_to_world, frame.camera)
    assert rgb.shape == frame.rgb.shape
    both = (depth > 0) & (frame.depth > 0) & (frame.depth < 4)
    assert both.mean() > 0.5
    assert np.median(np.abs(depth - frame.depth)[both]) < 0.02


def test_questions_are_answered(played):
    _, _, client, _, _ = played
    answer = client.query("a table", max_results=3, points=True)
    assert answer["status"] in ("found", "ambiguous", "not_found")
    assert answer["frame"] == "map"
    assert 1 <= len(answer["objects"]) <= 3
    best = answer["objects"][0]
    assert best["points"].shape == (best["n_points"], 3)
    probabilities = [thing["probability"] for thing in answer["objects"]]
    assert probabilities == sorted(probabilities, reverse=True)


@pytest.mark.parametrize("text", ["", "   ", "x" * 10_000])
def test_questions_that_cannot_be_answered_say_how_to_ask(played, text: str):
    answer = played[2].query(text)
    assert answer["status"] == "invalid"
    assert answer["why"]


def test_a_path_is_only_words(played):
    assert played[2].query("/etc/passwd")["status"] in ("found", "ambiguous", "not_found")


def test_one_object_and_its_picture(played):
    client = played[2]
    thing = client.list_objects()[0]
    again, picture = client.get_object(thing["id"], points=True, image=True)
    assert (again["id"], again["label"]) == (thing["id"], thing["label"])
    assert again["points"].shape == (thing["n_points"], 3)
    assert picture.ndim == 3
    with pytest.raises(RequestFailed, match="there is no object 4711; known ids"):
        client.get_object(4711)


def test_points_named_by_labels(played):
    client = played[2]
    columns = client.segment(["floor", "table"])
    assert set(np.unique(columns["label"])) <= {-1, 0, 1}
    with pytest.raises(RequestFailed, match="1 to 200 labels"):
        client.segment([])


def test_the_map_is_refined_in_the_background(played):
    client = played[2]
    heard: list[str] = []
    result = client.refine(4.0, appearance=False, progress=lambda stage, share, loss: heard.append(stage))
    assert result["success"], result["message"]
    assert heard[0] == "poses"
    assert result["depth_error_after"] < 0.02
    assert client.diagnostics()["refinement"].values["last_refinement"] == result["message"]


def test_corrected_poses_move_what_was_mapped(played):
    _, _, client, ear, _ = played
    before = {thing["id"]: thing["centroid"] for thing in client.list_objects()}
    away = np.eye(4)
    away[1, 3] = 1.0
    corrected = Path(header=header(0, "map"), poses=[
        pose_stamped(away @ frame.camera_to_world, header(stamp, "map"))
        for stamp, frame in zip(ear.stamps("distractor_mask"), room_frames(), strict=True)])
    corrected.poses.append(pose_stamped(away, header(12345, "map")))
    publisher = ear.node.create_publisher(Path, "/pose_corrections", 10)
    assert ear.hear(lambda: publisher.get_subscription_count() == 1, 20)
    publisher.publish(corrected)
    assert ear.hear(lambda: client.diagnostics()["refinement"].values["corrections_unknown"] == "1", 60)
    after = {thing["id"]: thing["centroid"] for thing in client.list_objects()}
    kept = before.keys() & after.keys()
    assert len(kept) >= 0.7 * len(before)
    shift = np.array([np.subtract(after[i], before[i]) for i in kept])
    np.testing.assert_allclose(np.median(shift, axis=0), [0, 1, 0], atol=0.03)


def test_save_reset_and_load(played):
    _, _, client, _, maps = played
    before = client.list_objects()
    assert "saved as room_1" in client.save_map("room_1")
    assert (maps / "room_1" / "map.json").is_file()
    assert client.export_map("out") == ["out/mesh.ply", "out/points.ply", "out/objects.json"]
    client.reset_map()
    assert client.list_objects() == []
    client.load_map("room_1")
    after = client.list_objects()
    assert [(o["id"], o["n_points"]) for o in after] == [(o["id"], o["n_points"]) for o in before]
    for name in ("../room_1", "/tmp/x", ".room", ""):
        with pytest.raises(RequestFailed, match="not a map's name"):
            client.save_map(name)
    with pytest.raises(RequestFailed):
        client.load_map("never_saved")
    assert len(client.list_objects()) == len(before)


def test_the_mapper_ends_cleanly_on_interrupt(played):
    """Last in this module: afterwards nobody answers."""
    mapper: Child = played[0]
    pid = mapper._process.pid
    mine = shared_memory(pid) - shared_memory(os.getpid())
    mapper.stop(patience=40.0)
    assert mapper.returncode == 0, mapper.last_lines()
    assert not pathlib.Path(f"/proc/{pid}").exists()
    assert "Traceback" not in mapper.log.read_text(encoding="utf-8")
    assert mine, "Fast DDS speaks through shared memory on one machine"
    assert not [path for path in mine if path.exists()]


def shared_memory(pid: int) -> set[pathlib.Path]:
    """Segments of Fast DDS that a process has mapped."""
    lines = pathlib.Path(f"/proc/{pid}/maps").read_text(encoding="utf-8").splitlines()
    paths = {pathlib.Path(line.split(maxsplit=5)[5]) for line in lines if "/dev/shm/fastdds_" in line}
    return {path for path in paths if not path.name.startswith("fastdds_port")}  # those belong to all of the domain
