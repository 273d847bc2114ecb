"""Map a whole recorded source, as fast as it can be read."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np

from magic3d_ros.evaluation.holdout import is_held_out
from magic3d_ros.frames import FrameError, RGBDFrame
from magic3d_ros.pipeline import ScenePipeline
from magic3d_ros.sources.source import FrameSource

_log = logging.getLogger(__name__)


@dataclass
class MappingRun:
    """What became of a source's frames.

    used: integrated. keyframes: of these, seen by the 2D models. held_out: kept for evaluation, never integrated. skipped: not
    usable, by short reason (from the source and from the pipeline). seconds: wall clock, reading included. stages: seconds spent
    by stage, `read` included.
    """

    source: str
    total: int
    used: int = 0
    keyframes: int = 0
    held_out: list[RGBDFrame] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    stages: dict[str, float] = field(default_factory=dict)
    stage_calls: dict[str, int] = field(default_factory=dict)
    things: int = 0

    @property
    def seen(self) -> int:
        """Frames dealt with so far."""
        return self.used + len(self.held_out) + sum(self.skipped.values())

    @property
    def rate(self) -> float:
        """Frames integrated a second of wall clock."""
        return self.used / self.seconds if self.seconds > 0 else 0.0

    def statistics(self) -> dict[str, Any]:
        """The figures as map.json keeps them."""
        return {"source": self.source, "frames": {"total": self.total, "used": self.used, "keyframes": self.keyframes,
                                                  "held_out": len(self.held_out), "skipped": dict(self.skipped)},
                "seconds": round(self.seconds, 3), "frames_per_second": round(self.rate, 3),
                "stages": {name: {"seconds": round(seconds, 3), "calls": self.stage_calls.get(name, 0)}
                           for name, seconds in self.stages.items()}}


def map_source(pipeline: ScenePipeline, source: FrameSource, hold_out: int = 0, max_frames: int = 0,
               progress: Callable[[MappingRun], None] = lambda run: None,
               used: Callable[[RGBDFrame], None] = lambda frame: None) -> MappingRun:
    """Put every frame of a source into the pipeline, understanding the scene as a live run would: whenever
    `instances.update_interval` has passed in the time of the recording, and at the end.

    hold_out: n > 1 keeps every n-th frame out of the map, see evaluation.holdout. max_frames: stop after that many; 0 = all.
    progress: called after every frame with the run so far. used: called with every frame that has just joined the map
    (`pipeline.last_verdict` is about it). A frame that cannot be used is logged, counted and skipped.
    """
    run = MappingRun(source.name, min(len(source), max_frames) if max_frames else len(source))
    start = time.perf_counter()
    before = {name: (sum(spent), len(spent)) for name, spent in pipeline.timings.items()}
    interval = int(pipeline.settings.instances.update_interval * 1e9)
    reading, understood_at, last = 0.0, None, None
    frames = enumerate(islice(source, max_frames or None))
    while True:
        begin = time.perf_counter()
        number, frame = next(frames, (0, None))
        reading += time.perf_counter() - begin
        if frame is None:
            break
        last = frame
        if hold_out > 1 and is_held_out(number, hold_out):
            run.held_out.append(frame)
        else:
            try:
                run.keyframes += pipeline.add(frame)
                run.used += 1
                used(frame)
            except FrameError as error:
                run.skipped[error.reason] += 1
                _log.warning("frame %d is left out: %s", frame.index, error)
        if understood_at is None:
            understood_at = frame.stamp
        elif frame.stamp - understood_at >= interval:
            run.things = count_things(pipeline)
            understood_at = frame.stamp
        run.seconds = time.perf_counter() - start
        progress(run)
    run.skipped.update(source.skipped)
    if last is not None and run.used:
        run.things = count_things(pipeline, thorough=True)
    run.seconds = time.perf_counter() - start
    run.stages = {"read": reading}
    run.stage_calls = {"read": run.seen}
    for name, spent in pipeline.timings.items():
        seconds, calls = before.get(name, (0.0, 0))
        run.stages[name] = float(np.sum(spent)) - seconds
        run.stage_calls[name] = len(spent) - calls
    progress(run)
    return run


def count_things(pipeline: ScenePipeline, thorough: bool = False) -> int:
    """Understand the scene; how many separate objects (structure not counted) it has."""
    return sum(thing.kind == "object" for thing in pipeline.understand(thorough).objects)
