"""A real refinement over the action, cancelled in the middle of each of its stages: nothing is lost, and mapping goes on."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest
import rclpy
from rclpy.executors import SingleThreadedExecutor

from magic3d_ros.config import Settings
from magic3d_ros.cues.extractor import CueExtractor
from magic3d_ros.frames import RGBDFrame
from magic3d_ros.nodes.client import SceneClient
from magic3d_ros.nodes.frame_counts import FrameCounts
from magic3d_ros.nodes.live_mapping import Incoming, LiveMapping
from magic3d_ros.nodes.refinement_action import RefinementAction
from magic3d_ros.pipeline import ScenePipeline
from magic3d_ros.sources.room import open_room

pytestmark = pytest.mark.ros


@pytest.fixture
def served(ros_context: object) -> Iterator[tuple[LiveMapping, SceneClient, list[RGBDFrame]]]:
    settings = Settings()
    settings.map.device = "cpu"
    settings.ros.queue_size = 100
    settings.instances.update_interval = 60.0  # the map is to be compared with itself, not to be understood
    frames = list(open_room("tiny", settings))
    mapping = LiveMapping(settings, lambda: ScenePipeline(settings, CueExtractor(settings)), FrameCounts())
    mapping.start()
    node = rclpy.create_node("scene_mapper", context=ros_context)
    action = RefinementAction(node, mapping)
    executor = SingleThreadedExecutor(context=ros_context)
    executor.add_node(node)
    thread = threading.Thread(target=executor.spin)
    thread.start()
    with SceneClient(timeout=60.0) as client:
        yield mapping, client, frames
    assert mapping.stop()
    executor.shutdown(timeout_sec=2.0)
    thread.join(5.0)
    action.close()
    node.destroy_node()


def give(mapping: LiveMapping, frames: list[RGBDFrame]) -> None:
    """Map some frames and wait until they are in the map."""
    used = mapping.counts.summary().get("used", 0)
    for frame in frames:
        mapping.put(Incoming(frame.stamp, lambda frame=frame: frame, time.monotonic(), "camera",  # type: ignore[misc]
                             frame.camera_to_world))
    deadline = time.monotonic() + 120.0
    while mapping.counts.summary().get("used", 0) < used + len(frames):
        assert time.monotonic() < deadline, mapping.counts.why
        time.sleep(0.05)


def known(mapping: LiveMapping) -> dict[str, np.ndarray]:
    """Everything that refining may change."""
    parts = ("mapper.", "keyframes.poses", "keyframes.cameras", "calibration.")
    return {name: values for name, values in mapping.pipeline.state().items() if name.startswith(parts)}


def cancel_in(client: SceneClient, stage: str, **wanted: bool) -> dict:
    reached = threading.Event()

    def interrupt(now: str, share: float, loss: float) -> None:
        if now == stage:
            reached.set()
            raise KeyboardInterrupt

    result = client.refine(300.0, progress=interrupt, **wanted)
    assert reached.is_set()
    return result


def test_a_real_refinement_is_cancelled_in_every_stage(served: tuple[LiveMapping, SceneClient, list[RGBDFrame]]):
    mapping, client, frames = served
    half = len(frames) // 2
    give(mapping, frames[:half])
    before, unchanged = known(mapping), 0
    for stage, wanted in (("calibration", {"calibration": True}), ("poses", {}), ("fusing", {})):
        result = cancel_in(client, stage, **wanted)
        assert result["message"].startswith("cancelled; ") and result["seconds_spent"] < 100.0
        if "in 0 rounds" in result["message"]:  # else a whole round was over before the cancelling came, and counts
            after, unchanged = known(mapping), unchanged + 1
            assert before.keys() == after.keys()
            for name, values in before.items():
                np.testing.assert_array_equal(values, after[name], err_msg=f"{name} after cancelling in {stage}")
        before = known(mapping)
    assert unchanged
    result = cancel_in(client, "appearance", poses=False)
    assert result["message"] == "cancelled; appearance trained" and result["seconds_spent"] < 100.0
    for name, values in known(mapping).items():
        np.testing.assert_array_equal(values, before[name], err_msg=name)
    assert mapping.pipeline.mapper.field.steps > 0  # what was learned stays
    surface = len(mapping.pipeline.scene.surface)
    assert surface > 0
    give(mapping, frames[half:])
    assert mapping.counts.summary()["used"] == len(frames)
    again = client.refine(2.0, poses=False, calibration=False, appearance=True)
    assert again["message"] == "appearance trained"
    assert len(mapping.pipeline.scene.surface) > surface
