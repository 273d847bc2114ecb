"""Service callbacks that wait for the worker without blocking the executor."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.node import Node
from rclpy.task import Future


class Answers:
    """Hands results of worker jobs to coroutines of the executor.

    A result arrives on the worker's thread; a guard condition wakes the executor, which then completes the future on its own
    thread. Nothing blocks and no lock is held while anything waits.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._finished: deque[tuple[Future, Any, Exception | None]] = deque()
        self._closed = threading.Event()
        # A group of its own: the group of the waiting service is busy until this callback has run.
        self._wake = node.create_guard_condition(self._deliver, MutuallyExclusiveCallbackGroup())

    async def of(self, submit: Callable[[Callable[[Any, Exception | None], None]], None]) -> Any:
        """Await a job: `submit(done)` queues it; raises what the job raised."""
        future: Future = Future()

        def done(result: Any, error: Exception | None) -> None:
            self._finished.append((future, result, error))
            if not self._closed.is_set():
                self._wake.trigger()

        submit(done)
        return await future

    def close(self) -> None:
        """No more waking: the node goes down."""
        self._closed.set()
        self._node.destroy_guard_condition(self._wake)

    def _deliver(self) -> None:
        while self._finished:
            future, result, error = self._finished.popleft()
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(result)
