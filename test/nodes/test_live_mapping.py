from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np
import pytest

from magic3d_ros.config import Settings
from magic3d_ros.frames import CueFrame, FrameError, RGBDFrame
from magic3d_ros.geometry.camera import Camera
from magic3d_ros.nodes.frame_counts import FrameCounts
from magic3d_ros.nodes.live_mapping import Incoming, LiveMapping, NotReady
from magic3d_ros.scene import Scene


def frame(stamp: int) -> RGBDFrame:
    camera = Camera(8, 6, 10, 10, 3.5, 2.5)
    return RGBDFrame(stamp, np.zeros((6, 8, 3), np.uint8), np.full((6, 8), 2.0, np.float32), camera, np.eye(4))


def incoming(stamp: int, decode: Callable[[], RGBDFrame] | None = None) -> Incoming:
    return Incoming(stamp, decode or (lambda: frame(stamp)), time.monotonic(), "optical", np.eye(4))


class Pipeline:
    """Stands in for ScenePipeline: remembers what it was given; every other frame is a keyframe."""

    def __init__(self) -> None:
        self.scene = Scene.empty()
        self.added: list[int] = []
        self.cues: list[int] = []
        self.waiting_pictures = 0
        self.thoroughness: list[bool] = []
        self.thinking, self.think_on = threading.Event(), threading.Event()
        self.think_on.set()

    def integrate(self, given: RGBDFrame) -> bool:
        given.check()
        self.added.append(given.stamp)
        return len(self.added) % 2 == 1

    add = integrate

    def add_cues(self, given: RGBDFrame, cues: CueFrame) -> None:
        assert given.stamp == cues.stamp
        self.cues.append(cues.stamp)

    def understand(self, thorough: bool = False) -> Scene:
        self.thoroughness.append(thorough)
        if thorough:
            self.waiting_pictures = 0
        self.thinking.set()
        assert self.think_on.wait(5)
        self.scene = Scene.empty()
        return self.scene


def until(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 5
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return condition()


@pytest.fixture
def make():
    made = []

    def build(pipeline: Pipeline | Exception, send=None, **ros) -> LiveMapping:
        settings = Settings()
        settings.instances.update_interval = 0.0
        for name, value in ros.items():
            settings.set(f"ros.{name}", value)

        def load() -> Pipeline:
            if isinstance(pipeline, Exception):
                raise pipeline
            return pipeline

        made.append(LiveMapping(settings, load, FrameCounts(), send))  # type: ignore[arg-type]
        made[-1].start()
        return made[-1]

    yield build
    for mapping in made:
        assert mapping.stop()


def put(mapping: LiveMapping, item: Incoming) -> None:
    mapping.counts.arrived()
    mapping.put(item)


def test_frames_are_used_or_dropped_with_a_reason(make):
    pipeline = Pipeline()
    mapping = make(pipeline)
    assert until(lambda: mapping.pipeline is not None)

    def broken() -> RGBDFrame:
        raise FrameError("encoding", "rgb: encoding 'yuv' is not a colour image")

    put(mapping, incoming(1))
    put(mapping, incoming(2, broken))
    put(mapping, incoming(3, lambda: 1 // 0))  # type: ignore[arg-type,return-value]
    put(mapping, incoming(4))
    assert until(lambda: mapping.counts.waiting == 0)
    assert pipeline.added == [1, 4]
    assert (mapping.counts.used, dict(mapping.counts.dropped)) == (2, {"encoding": 1, "error": 1})
    assert "yuv" in mapping.counts.why["encoding"]
    assert mapping.depth_range == (2.0, 2.0, 2.0)


def test_the_scene_is_brought_up_to_date_beside_the_mapping(make):
    pipeline = Pipeline()
    pipeline.think_on.clear()
    mapping = make(pipeline)
    put(mapping, incoming(1))
    assert pipeline.thinking.wait(5)
    put(mapping, incoming(2))
    assert until(lambda: pipeline.added == [1, 2])
    answers: list[object] = []
    mapping.ask(lambda p: p.added[0], lambda result, error: answers.append((result, error)))
    assert until(lambda: answers == [(1, None)])
    assert mapping.version == 0
    assert mapping.busy_for > 0
    pipeline.think_on.set()
    assert until(lambda: mapping.version > 0)


def test_models_that_cannot_be_loaded_are_named(make):
    mapping = make(ImportError("the embedded tier needs the package x: pip install x"))
    assert until(lambda: bool(mapping.failure))
    put(mapping, incoming(1))
    assert until(lambda: mapping.counts.waiting == 0)
    assert dict(mapping.counts.dropped) == {"not_ready": 1}
    answers: list[object] = []
    mapping.ask(lambda p: p, lambda result, error: answers.append(error))
    assert until(lambda: len(answers) == 1)
    assert isinstance(answers[0], NotReady)
    assert "pip install x" in str(answers[0])


def test_cues_from_elsewhere_meet_their_keyframe(make):
    sent: list[int] = []
    pipeline = Pipeline()
    mapping = make(pipeline, lambda keyframe: sent.append(keyframe.stamp), cue_timeout=0.3)
    for stamp in (1, 2, 3):
        put(mapping, incoming(stamp))
    assert until(lambda: sent == [1, 3])
    mapping.add_cues(CueFrame(3))
    mapping.add_cues(CueFrame(77))
    assert until(lambda: pipeline.cues == [3])
    assert until(lambda: mapping.counts.others["cues_missing"] == 1)
    mapping.add_cues(CueFrame(1))
    assert until(lambda: mapping.counts.others["cues_too_late"] == 2)
    assert (mapping.counts.others["cues_sent"], mapping.counts.others["cues_joined"]) == (2, 1)


def test_pictures_that_wait_are_looked_at_once_the_stream_rests(make) -> None:
    pipeline = Pipeline()
    mapping = make(pipeline)
    mapping.put(incoming(1))
    assert until(lambda: pipeline.thoroughness == [False])
    pipeline.waiting_pictures = 3
    assert until(lambda: pipeline.thoroughness == [False, True])
    assert pipeline.waiting_pictures == 0
