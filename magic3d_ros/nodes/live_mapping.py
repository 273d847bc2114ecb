"""The scene and the threads that work on it: one maps, one understands, one answers, one draws, one refines. Knows no ROS."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from magic3d_ros.config import Settings
from magic3d_ros.frames import CueFrame, FrameError, RGBDFrame
from magic3d_ros.nodes.frame_counts import FrameCounts
from magic3d_ros.nodes.work_queue import WorkQueue
from magic3d_ros.pipeline import ScenePipeline
from magic3d_ros.scene import Scene

_log = logging.getLogger(__name__)


class NotReady(RuntimeError):
    """The models are still loading, or could not be loaded."""


@dataclass(frozen=True)
class Incoming:
    """A frame that has all its parts but is not decoded yet. arrival: time.monotonic() when its colour image came. frame_id: of
    its colour image. camera_to_world: (4, 4), as the decoded frame will have it."""

    stamp: int
    decode: Callable[[], RGBDFrame]
    arrival: float
    frame_id: str
    camera_to_world: np.ndarray


@dataclass(frozen=True)
class Mapped:
    """A frame that has joined the map, and the frame_id of its colour image."""

    frame: RGBDFrame
    frame_id: str


Done = Callable[[Any, Exception | None], None]
"""Called with a job's result, or with None and the error it raised, on the thread that ran it."""


class LiveMapping:
    """Owns the pipeline and its threads.

    newest: the last frame that joined the map. latest: the last that came; it may still wait, or prove to be unusable.

    build: makes an empty pipeline; slow (it loads models), so it runs on the worker. send_keyframe: where keyframes go whose cues
    come from elsewhere (ros.external_cues); None when the pipeline's own extractor looks at them. mapped: called on the worker
    after each frame that was used.
    """

    def __init__(self, settings: Settings, build: Callable[[], ScenePipeline], counts: FrameCounts,
                 send_keyframe: Callable[[RGBDFrame], None] | None = None,
                 mapped: Callable[[ScenePipeline, Mapped], None] = lambda pipeline, newest: None) -> None:
        self.settings = settings
        self.counts = counts
        self.pipeline: ScenePipeline | None = None
        self.failure = ""
        self.version = 0
        self.newest: Mapped | None = None
        self.latest: Incoming | None = None
        self.depth_range = (0.0, 0.0, 0.0)
        self._build, self._send_keyframe, self._mapped = build, send_keyframe, mapped
        self._waiting_cues: dict[int, tuple[RGBDFrame, float]] = {}
        self._fresh_frames = self._fresh_keyframes = 0
        self._last_update = time.monotonic()
        self._update_seconds = 0.0
        self._stopped = threading.Event()
        self._correcting = threading.Lock()
        self._corrections = 0
        self._understanding_since: float | None = None
        self._queue = WorkQueue(self._add, self._forget_late_keyframes, self._queue_full, settings.ros.queue_size)
        self._thinking = WorkQueue(lambda _: None, self._understand_when_due, lambda _: None)
        self._answers, self._drawing = (WorkQueue(lambda _: None, lambda: None, lambda _: None) for _ in range(2))
        self._refining = WorkQueue(lambda _: None, lambda: None, lambda _: None, background=True)
        self._queue.submit(self._load, self._loaded)

    def start(self) -> None:
        """Start the threads; the worker loads the models first."""
        for thread in (self._queue, self._thinking, self._answers, self._drawing, self._refining):
            thread.start()

    def stop(self) -> bool:
        """End the threads; False when a piece of work did not end within half a minute."""
        self._stopped.set()
        return all([thread.stop() for thread in (self._refining, self._drawing, self._answers, self._queue, self._thinking)])

    @property
    def scene(self) -> Scene:
        """The newest scene; a snapshot."""
        return self.pipeline.scene if self.pipeline is not None else Scene.empty()

    @property
    def queued(self) -> int:
        """Frames waiting to be worked on."""
        return len(self._queue)

    @property
    def busy_for(self) -> float:
        """Seconds for which things and names are being brought up to date already; 0 = they are not."""
        since = self._understanding_since
        return 0.0 if since is None else time.monotonic() - since

    def put(self, frame: Incoming) -> None:
        """Queue a frame; the oldest waiting one is dropped, and counted, when there are too many."""
        self._queue.capacity = self.settings.ros.queue_size
        self.latest = frame
        self._queue.put(frame)

    @property
    def stopping(self) -> bool:
        """Whether the threads were told to end: long jobs look at it now and then."""
        return self._stopped.is_set()

    def submit(self, job: Callable[[ScenePipeline], Any], done: Done) -> None:
        """Run a job on the worker with the pipeline, before further frames."""
        self._queue.submit(lambda: job(self._ready_pipeline()), done)

    def ask(self, job: Callable[[ScenePipeline], Any], done: Done) -> None:
        """Run a job that only reads `pipeline.scene` and its models, beside the mapping: questions need not wait for it.

        While the models are loading it waits for them.
        """
        self._beside(self._answers, job, done)

    def draw(self, job: Callable[[ScenePipeline], Any], done: Done) -> None:
        """Run a job that makes pictures, beside mapping and questions."""
        self._beside(self._drawing, job, done)

    def refine(self, job: Callable[[ScenePipeline, Callable[[], bool]], Any], done: Done) -> None:
        """Run a long job that improves the map through the pipeline's own locks, beside everything else.

        It is given a function that says whether it should end early: the node goes down, the map was replaced, or corrected poses
        wait, by which everything will move.
        """
        def work(pipeline: ScenePipeline) -> Any:
            return job(pipeline, lambda: self.stopping or self._corrections > 0 or self.pipeline is not pipeline)

        self._beside(self._refining, self._telling(work), done)

    def correct(self, job: Callable[[ScenePipeline], Any], done: Done) -> None:
        """Run a job that moves what was mapped, after the refinement under way has ended early for it."""
        with self._correcting:
            self._corrections += 1

        def ended(result: Any, error: Exception | None) -> None:
            with self._correcting:
                self._corrections -= 1
            done(result, error)

        self._beside(self._refining, self._telling(job), ended)

    def add_cues(self, cues: CueFrame) -> None:
        """Cues from elsewhere for a keyframe that waits for them; late or unknown ones are counted. Any thread."""
        self._queue.submit(lambda: self._join_cues(cues), _log_failure)

    def understand(self, thorough: bool = False) -> Scene:
        """Bring the scene up to date now, `thorough` with every picture. Any thread; waits for an update that is under way."""
        pipeline = self._ready_pipeline()
        started = self._understanding_since = time.monotonic()
        before = pipeline.scene
        self._fresh_frames = self._fresh_keyframes = 0
        try:
            scene = pipeline.understand(thorough)
        finally:
            self._understanding_since = None
            self._last_update = time.monotonic()
            self._update_seconds = self._last_update - started
        if scene is not before:
            self.version += 1
        return scene

    def replace(self, pipeline: ScenePipeline) -> None:
        """Go on with another pipeline (a loaded map, an empty one). On the worker only (as part of a job)."""
        self.pipeline = pipeline
        self._waiting_cues.clear()
        self._fresh_frames = self._fresh_keyframes = 0
        self.version += 1

    def rebuild(self) -> None:
        """Begin anew with an empty scene and the same models. On the worker only."""
        pipeline = self._ready_pipeline()
        self.replace(ScenePipeline(self.settings, pipeline.extractor))

    def _beside(self, thread: WorkQueue, job: Callable[[ScenePipeline], Any], done: Done) -> None:
        if self.pipeline is None:
            self.submit(job, done)
        else:
            thread.submit(lambda: job(self._ready_pipeline()), done)

    def _telling(self, job: Callable[[ScenePipeline], Any]) -> Callable[[ScenePipeline], Any]:
        """The job, after which a new scene that it made counts as a new version."""
        def work(pipeline: ScenePipeline) -> Any:
            before = pipeline.scene
            try:
                return job(pipeline)
            finally:
                if pipeline.scene is not before and self.pipeline is pipeline:
                    self.version += 1

        return work

    def _ready_pipeline(self) -> ScenePipeline:
        if self.pipeline is None:
            raise NotReady(self.failure or "the models are still loading: ask again in a few seconds")
        return self.pipeline

    def _load(self) -> ScenePipeline:
        return self._build()

    def _loaded(self, pipeline: ScenePipeline | None, error: Exception | None) -> None:
        if error is not None:
            self.failure = f"the models could not be loaded: {error}"
            _log.error("%s", self.failure)
        else:
            self.pipeline = pipeline

    def _add(self, incoming: Incoming) -> None:
        if self.pipeline is None:
            self.counts.drop("not_ready", self.failure or "frames came while the models were loading")
            return
        try:
            frame = incoming.decode()
            self._observe_depth(frame.depth)
            keyframe = self._integrate(self.pipeline, frame)
        except FrameError as error:
            self.counts.skip(error)
            return
        except Exception as error:
            self.counts.drop("error", f"{type(error).__name__}: {error}")
            _log.exception("frame %d could not be used", incoming.stamp)
            return
        self.newest = Mapped(frame, incoming.frame_id)
        self._fresh_frames += 1
        self._fresh_keyframes += keyframe
        self.counts.use(keyframe, time.monotonic() - incoming.arrival)
        self._mapped(self.pipeline, self.newest)

    def _integrate(self, pipeline: ScenePipeline, frame: RGBDFrame) -> bool:
        if self._send_keyframe is None:
            return pipeline.add(frame)
        keyframe = pipeline.integrate(frame)
        if keyframe:
            self._waiting_cues[frame.stamp] = (frame, time.monotonic() + self.settings.ros.cue_timeout)
            self._send_keyframe(frame)
            self.counts.note("cues_sent")
        return keyframe

    def _join_cues(self, cues: CueFrame) -> None:
        self._forget_late_keyframes()
        waiting = self._waiting_cues.pop(cues.stamp, None)
        if waiting is None:
            self.counts.note("cues_too_late")
            return
        self._ready_pipeline().add_cues(waiting[0], cues)
        self._fresh_keyframes += 1
        self.counts.note("cues_joined")

    def _forget_late_keyframes(self) -> None:
        if not self._waiting_cues:
            return
        now = time.monotonic()
        for stamp in [s for s, (_, deadline) in self._waiting_cues.items() if deadline < now]:
            del self._waiting_cues[stamp]
            self.counts.note("cues_missing")

    def _understand_when_due(self) -> None:
        if self.pipeline is None or self._stopped.is_set():
            return
        resting = not self._fresh_frames and not len(self._queue)
        fresh = self._fresh_keyframes or (self._fresh_frames and not len(self._queue)) or self.pipeline.waiting_pictures
        # At most half of the time goes into understanding: mapping needs the processor too.
        pause = max(self.settings.instances.update_interval, self._update_seconds)
        if fresh and time.monotonic() - self._last_update >= pause:
            self.understand(thorough=resting)

    def _observe_depth(self, depth: np.ndarray) -> None:
        valid = depth[::8, ::8]
        valid = valid[valid > 0]
        self.depth_range = ((float(valid.min()), float(np.median(valid)), float(valid.max())) if valid.size else (0.0, 0.0, 0.0))

    def _queue_full(self, _: Incoming) -> None:
        if self._stopped.is_set():
            self.counts.drop("shutdown", "the node was shut down before the frame's turn came")
        else:
            self.counts.drop("queue_full", "the mapper is slower than the camera: the oldest waiting frame made room "
                       "(lower the camera's rate, raise map.voxel_size, or raise ros.queue_size for short bursts)")


def _log_failure(_: Any, error: Exception | None) -> None:
    if error is not None and not isinstance(error, NotReady):
        _log.error("cues could not be used: %s", error)
