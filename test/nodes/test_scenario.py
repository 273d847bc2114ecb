"""The main job with real processes over DDS: a player, a mapper, and a client that asks."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rclpy
from magic3d_ros.msg import ObjectArray
from nav_msgs.msg import OccupancyGrid
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import Image, PointCloud2
from visualization_msgs.msg import Marker, MarkerArray

from magic3d_ros.child_process import Child
from magic3d_ros.config import Settings
from magic3d_ros.nodes.client import RequestFailed, SceneClient
from magic3d_ros.nodes.clouds import cloud_columns
from magic3d_ros.nodes.scene_topics import LATCHED
from magic3d_ros.sources.open import open_source

pytestmark = [pytest.mark.ros, pytest.mark.slow]

TOPICS = {"points": PointCloud2, "instances": PointCloud2, "objects": ObjectArray, "object_markers": MarkerArray, "mesh": Marker,
          "occupancy": OccupancyGrid, "instance_mask": Image, "instance_overlay": Image}
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
        self.heard: dict[str, bytes] = {}

    def listen(self, *names: str) -> None:
        for name in names:
            self.node.create_subscription(TOPICS[name], f"/scene_mapper/{name}",
                                          lambda raw, name=name: self.heard.update({name: raw}), LATCHED, raw=True)

    def hear(self, condition: Callable[[], bool], seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while not condition() and time.monotonic() < deadline:
            self.executor.spin_once(timeout_sec=0.1)
        return condition()

    def message(self, name: str):
        return deserialize_message(self.heard[name], TOPICS[name])

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
        assert eventually(lambda: not mapper.running or counts(client)["used"] == total, MAP_SECONDS), (
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
    mapper.stop(patience=40.0)
    assert mapper.returncode == 0, mapper.last_lines()
    assert not Path(f"/proc/{pid}").exists()
    assert "Traceback" not in mapper.log.read_text(encoding="utf-8")
