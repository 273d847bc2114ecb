"""One worker thread for everything heavy, so that ROS callbacks stay short."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from magic3d_ros.cpu_sharing import give_way

_log = logging.getLogger(__name__)


class JobFailed(RuntimeError):
    """A job raised an error of its own; the message is that error's."""


class WorkQueue:
    """Works frames (bounded, the oldest is dropped when full) and jobs (never dropped, before frames) on one thread.

    work: called with each frame. idle: called after every piece of work and at least every `idle_interval` seconds, for what is
    to be done now and then. dropped: called with a frame that made room for a newer one, on the thread that put the newer one.
    background: the thread gives way to others where they want the processor.
    """

    def __init__(self, work: Callable[[Any], None], idle: Callable[[], None], dropped: Callable[[Any], None],
                 capacity: int = 8, idle_interval: float = 0.2, background: bool = False) -> None:
        self.capacity = capacity
        self._work, self._idle, self._dropped = work, idle, dropped
        self._idle_interval = idle_interval
        self._background = background
        self._frames: deque[Any] = deque()
        self._jobs: deque[Callable[[], None]] = deque()
        self._wake = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="magic3d worker", daemon=True)

    def start(self) -> None:
        """Start working."""
        self._thread.start()

    def __len__(self) -> int:
        """Frames waiting."""
        return len(self._frames)

    def put(self, frame: Any) -> None:
        """Queue a frame; drops the oldest ones beyond `capacity`."""
        overflow = []
        with self._wake:
            self._frames.append(frame)
            while len(self._frames) > self.capacity:
                overflow.append(self._frames.popleft())
            self._wake.notify()
        for old in overflow:
            self._dropped(old)

    def take(self, count: int) -> list[Any]:
        """Up to so many of the waiting frames, the oldest first, for a worker that works several at once."""
        with self._wake:
            return [self._frames.popleft() for _ in range(min(count, len(self._frames)))]

    def submit(self, job: Callable[[], Any], done: Callable[[Any, Exception | None], None]) -> None:
        """Run `job` on the worker before any further frame; `done(result, error)` is called there afterwards.

        After `stop`, `done` is called at once with an error.
        """
        with self._wake:
            if not self._stopping:
                self._jobs.append(lambda: _run_job(job, done))
                self._wake.notify()
                return
        done(None, JobFailed("the node is shutting down"))

    def clear(self) -> None:
        """Drop all waiting frames."""
        with self._wake:
            waiting = list(self._frames)
            self._frames.clear()
        for frame in waiting:
            self._dropped(frame)

    def stop(self, timeout: float = 30.0) -> bool:
        """Finish the piece of work under way, answer waiting jobs, join the thread. False when it did not end in time."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        self.clear()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        if self._background:
            give_way()
        while True:
            frame, job = None, None
            with self._wake:
                if not (self._jobs or self._frames or self._stopping):
                    self._wake.wait(self._idle_interval)
                if self._jobs:
                    job = self._jobs.popleft()
                elif self._stopping:
                    return
                elif self._frames:
                    frame = self._frames.popleft()
            try:
                if job is not None:
                    job()
                elif frame is not None:
                    self._work(frame)
                if not self._stopping:
                    self._idle()
            except Exception:  # whatever one frame or job does, the thread must live on for the next; the traceback is logged
                _log.exception("the worker met an error that nobody handled; it goes on with the next frame")


def _run_job(job: Callable[[], Any], done: Callable[[Any, Exception | None], None]) -> None:
    try:
        result, error = job(), None
    except Exception as caught:  # the error is the answer: `done` tells whoever asked
        result, error = None, caught
    done(result, error)
