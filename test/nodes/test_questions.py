"""Questions over DDS to the real service with the real pipeline: good ones, and all that is wrong, late or too much."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import numpy as np
import pytest
import rclpy
from magic3d_ros.srv import QueryScene
from rclpy.context import Context
from rclpy.executors import MultiThreadedExecutor
from rclpy.node import Node
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from magic3d_ros.config import Settings
from magic3d_ros.geometry.camera import Camera
from magic3d_ros.nodes.client import SceneClient
from magic3d_ros.nodes.conversions import image_message
from magic3d_ros.nodes.frame_counts import FrameCounts
from magic3d_ros.nodes.live_mapping import LiveMapping
from magic3d_ros.nodes.scene_services import SceneServices
from magic3d_ros.pipeline import ScenePipeline

pytestmark = pytest.mark.ros
Served = tuple[LiveMapping, SceneClient]


@pytest.fixture(scope="module")
def serve(ros_domain: int) -> Iterator[Callable[..., Served]]:
    """serve(name, build): the services of a node of that name, with the pipeline that `build` makes, and a client of it."""
    context = Context()
    rclpy.init(context=context)
    open_ones: list[tuple[LiveMapping, MultiThreadedExecutor, threading.Thread, SceneServices, Node, SceneClient]] = []

    def start(name: str, build: Callable[[], ScenePipeline]) -> Served:
        settings = Settings()
        mapping = LiveMapping(settings, build, FrameCounts())
        mapping.start()
        node = rclpy.create_node(name, context=context)
        services = SceneServices(node, settings, mapping, SimpleNamespace(publish_heat=lambda cloud: None),
                                 lambda frame, stamp: np.eye(4))
        executor = MultiThreadedExecutor(2, context=context)
        executor.add_node(node)
        thread = threading.Thread(target=executor.spin)
        thread.start()
        client = SceneClient(name, timeout=60.0)
        open_ones.append((mapping, executor, thread, services, node, client))
        return mapping, client

    yield start
    for mapping, executor, thread, services, node, client in open_ones:
        client.close()
        assert mapping.stop()
        executor.shutdown(timeout_sec=2.0)
        thread.join(5.0)
        services.close()
        node.destroy_node()
    context.try_shutdown()


@pytest.fixture(scope="module")
def client(serve, mapped_room) -> SceneClient:
    return serve("scene_mapper", lambda: mapped_room[0])[1]


def ask(client: SceneClient, **request: object) -> QueryScene.Response:
    return client._call(QueryScene, "query_scene", QueryScene.Request(**request))


def square(side: int, other: int | None = None) -> Image:
    return image_message(np.zeros((other or side, side, 3), np.uint8), Header())


@pytest.mark.parametrize(("request_", "said"), [
    ({}, "the question is empty"),
    ({"text": " \t\n"}, "the question is empty"),
    ({"text": "?!"}, "no word"),
    ({"text": "x" * 10_000}, "10000 characters"),
    ({"negatives": ["chair", "table"]}, "only what is not meant"),
    ({"text": "chair", "negatives": ["x"] * 51}, "51 negatives"),
    ({"image": square(1)}, "at least 8 pixels"),
    ({"image": square(7680, 4320)}, "at most 4096"),
    ({"image": Image(height=8, width=8, encoding="no_such_thing", step=24, data=bytes(192))}, "encoding 'no_such_thing'"),
    ({"image": Image(height=8, width=8, encoding="32FC1", step=32, data=bytes(256))}, "encoding '32FC1'"),
    ({"image": Image(height=4000, width=4000, encoding="rgb8", step=12000, data=bytes(100))}, "image"),
    ({"text": "chair", "max_age": -1.0}, "max_age"),
    ({"text": "chair", "max_age": float("nan")}, "max_age"),
    ({"text": "chair", "use_region": True, "region_min": {"x": 1.0}}, "region_min"),
    ({"text": "chair", "use_region": True, "region_max": {"x": float("nan")}}, "region_min"),
    ({"text": "chair", "use_viewpoint": True, "viewpoint": {"z": float("inf")}}, "viewpoint"),
])
def test_what_cannot_be_asked_is_invalid_and_says_how_to_ask(client, request_, said):
    request = QueryScene.Request()
    for name, value in request_.items():
        if isinstance(value, dict):
            for axis, number in value.items():
                setattr(getattr(request, name), axis, number)
        else:
            setattr(request, name, value)
    answer = client._call(QueryScene, "query_scene", request)
    assert answer.status == QueryScene.Response.INVALID
    assert said in answer.why
    assert len(answer.objects) == 0


@pytest.mark.parametrize("text", ["椅子", "где можно сесть", "🪑 chair", "/etc/passwd", "../../map.json", "$(reboot)",
                                  "chair'; DROP TABLE objects"])
def test_any_words_are_answered_and_never_a_path(client, text):
    answer = client.query(text)
    assert answer["status"] in ("found", "ambiguous", "not_found")
    assert answer["why"]
    assert 1 <= len(answer["objects"]) <= 5


@pytest.mark.parametrize(("wanted", "given"), [(0, 5), (2, 2), (10**6, 6)])
def test_as_many_as_wanted_or_known(client, wanted, given):
    assert len(client.query("a chair", max_results=wanted)["objects"]) == given


def test_a_region_outside_of_the_map_holds_nothing(client):
    answer = client.query("a chair", region=np.array([[100.0, 100, 100], [101, 101, 101]]))
    assert (answer["status"], answer["objects"], "in that region" in answer["why"]) == ("not_found", [], True)


def test_by_region_time_and_place(client):
    everything = client.query("a chair", max_results=100)["objects"]
    center = np.array(everything[0]["centroid"])
    around = client.query("a chair", max_results=100, region=np.stack([center - 0.01, center + 0.01]))
    assert [thing["id"] for thing in around["objects"]] == [everything[0]["id"]]
    newest = max(thing["last_seen"] for thing in everything)
    assert len(client.query("a chair", seen_after=newest + 1)["objects"]) == 0
    assert {thing["last_seen"] for thing in client.query("a chair", max_age=1e-6)["objects"]} == {newest}
    placed = client.query("what is on the floor", relations=True)
    best = placed["objects"][0]
    assert (placed["status"], best["kind"], best["support"] >= 0) == ("found", "object", True)
    assert placed["why"].startswith('read as anything on "floor": ')
    assert f"it is on object {best['support']} " in placed["why"]


def test_words_and_a_cut_out_picture_together(client, mapped_room):
    thing = next(o for o in mapped_room[0].scene.objects if o.kind == "object" and o.views)
    _, picture = client.get_object(thing.id, image=True)
    by_picture = client.query(image=picture)
    assert by_picture["objects"][0]["id"] == thing.id
    both = client.query("giraffe", image=picture)
    assert both["objects"][0]["probability"] < by_picture["objects"][0]["probability"]
    without = client.query(image=picture, negatives=[thing.label])
    assert without["objects"][0]["probability"] <= by_picture["objects"][0]["probability"]


def test_a_view_says_what_is_guessed(client, mapped_room):
    camera_to_world = next(iter(mapped_room[0].mapper.keyframes)).camera_to_world
    rgb, depth, guessed = client.render_with_guesses(camera_to_world, Camera(64, 48, 60.0, 60.0, 31.5, 23.5))
    assert (guessed.shape, guessed.dtype, rgb.shape) == (depth.shape, bool, (48, 64, 3))
    assert not guessed.any()  # the sensor saw this room; test_guessed_surface has one with holes


def test_an_empty_map_and_one_whose_models_load_are_not_ready(serve, mapped_room):
    loading = threading.Event()

    def build() -> ScenePipeline:
        loading.wait(30.0)
        return ScenePipeline(Settings(), mapped_room[0].extractor)

    mapping, client = serve("loading", build)
    client.wait(30.0)
    pending = client._ready_client(QueryScene, "query_scene", 10.0).call_async(QueryScene.Request(text="chair"))
    assert not client._spin_until(pending.done, 0.5, "")  # waits for the models, and keeps nobody else waiting
    invalid = ask(client, text="")
    assert invalid.status == QueryScene.Response.INVALID
    loading.set()
    assert client._spin_until(pending.done, 30.0, "")
    assert pending.result().status == QueryScene.Response.NOT_READY
    assert "nothing has been mapped yet" in pending.result().why
    assert mapping.pipeline is not None


def test_models_that_cannot_be_loaded_are_named(serve):
    def build() -> ScenePipeline:
        raise OSError("no such weights")

    answer = serve("without_models", build)[1].query("chair")
    assert (answer["status"], answer["objects"]) == ("not_ready", [])
    assert "no such weights" in answer["why"]
