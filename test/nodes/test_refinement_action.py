"""The action over DDS, with a pipeline that only pretends to refine: the real one is in test_scenario."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest
import rclpy
from rclpy.executors import SingleThreadedExecutor

from magic3d_ros.config import Settings
from magic3d_ros.nodes.client import RequestFailed, SceneClient
from magic3d_ros.nodes.frame_counts import FrameCounts
from magic3d_ros.nodes.live_mapping import LiveMapping
from magic3d_ros.nodes.refinement_action import RefinementAction
from magic3d_ros.scene import Scene

pytestmark = pytest.mark.ros


class Pipeline:
    """Refines in steps of 20 ms until the time is up or it is told to stop."""

    def __init__(self) -> None:
        self.mapper = SimpleNamespace(keyframes=[0])
        self.scene = Scene.empty()
        self.waiting_pictures = 0
        self.wanted: dict[str, bool] = {}
        self.refining = threading.Event()

    def refine(self, seconds: float, cancelled: Callable[[], bool], progress: Callable[[str, float, float], None],
               **wanted: bool) -> SimpleNamespace:
        self.wanted = wanted
        self.refining.set()
        start = time.monotonic()
        while (spent := time.monotonic() - start) < seconds and not cancelled():
            progress("poses" if spent < seconds / 2 else "appearance", spent / seconds, 1.0 - spent / seconds)
            time.sleep(0.02)
        self.scene = Scene.empty()
        return SimpleNamespace(success=True, message=f"refined for {spent:.2f} s", keyframes_moved=7, mean_correction=0.01,
                               depth_error_before=0.02, depth_error_after=0.01, psnr_before=math.nan, psnr_after=math.nan,
                               seconds_spent=spent)


@pytest.fixture
def served(ros_context: object) -> Iterator[tuple[Pipeline, LiveMapping, SceneClient]]:
    pipeline = Pipeline()
    mapping = LiveMapping(Settings(), lambda: pipeline, FrameCounts())  # type: ignore[arg-type,return-value]
    mapping.start()
    node = rclpy.create_node("scene_mapper", context=ros_context)
    action = RefinementAction(node, mapping)
    executor = SingleThreadedExecutor(context=ros_context)
    executor.add_node(node)
    thread = threading.Thread(target=executor.spin)
    thread.start()
    while mapping.pipeline is None:
        time.sleep(0.01)
    with SceneClient(timeout=20.0) as client:
        yield pipeline, mapping, client
    assert mapping.stop()
    executor.shutdown(timeout_sec=2.0)
    thread.join(5.0)
    action.close()
    node.destroy_node()


def test_a_map_is_refined_with_feedback(served):
    pipeline, mapping, client = served
    heard: list[tuple[str, float, float]] = []
    result = client.refine(0.6, calibration=True, appearance=False, progress=lambda *told: heard.append(told))
    assert (result["success"], result["keyframes_moved"], result["depth_error_after"]) == (True, 7, pytest.approx(0.01))
    assert math.isnan(result["psnr_after"])
    assert result["seconds_spent"] == pytest.approx(0.6, abs=0.5)
    assert pipeline.wanted == {"poses": True, "calibration": True, "appearance": False}
    assert (heard[0][0], heard[-1][0]) == ("poses", "appearance")
    assert len(heard) <= 6  # not one for each of the thirty steps
    assert mapping.version == 1  # whoever shows the scene shows it anew


def test_cancelling_keeps_what_was_reached(served):
    _, _, client = served

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    result = client.refine(60.0, progress=interrupt)
    assert result["success"]
    assert result["seconds_spent"] < 30


def test_goals_that_cannot_be_say_why(served):
    for seconds in (0.0, -1.0, math.nan, 3601.0):
        with pytest.raises(RequestFailed, match="seconds must lie above 0 and not beyond 3600"):
            served[2].refine(seconds)


def test_a_goal_that_names_no_part_means_the_usual_ones(served):
    pipeline, _, client = served
    assert client.refine(0.1, poses=False, appearance=False)["success"]
    assert pipeline.wanted == {}


def test_an_empty_map_is_not_refined(served):
    served[0].mapper.keyframes = []
    with pytest.raises(RequestFailed, match="nothing has been mapped yet"):
        served[2].refine(5.0)


def test_one_refinement_at_a_time_and_none_survives_its_map(served):
    pipeline, mapping, client = served
    results: list[dict] = []

    def first() -> None:
        with SceneClient(timeout=20.0) as other:
            results.append(other.refine(60.0))

    thread = threading.Thread(target=first)
    thread.start()
    assert pipeline.refining.wait(20.0)
    with pytest.raises(RequestFailed, match="another refinement is under way"):
        client.refine(5.0)
    mapping.submit(lambda _: mapping.replace(Pipeline()), lambda result, error: None)  # type: ignore[arg-type]
    thread.join(20.0)
    assert results[0]["seconds_spent"] < 30


def test_an_error_inside_is_told(served, monkeypatch: pytest.MonkeyPatch):
    def broken(*_: object, **__: object) -> None:
        raise MemoryError("4 GB")

    monkeypatch.setattr(served[0], "refine", broken)
    with pytest.raises(RequestFailed, match="unexpected MemoryError: 4 GB"):
        served[2].refine(5.0)
