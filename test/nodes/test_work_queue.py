from __future__ import annotations

import os
import threading

import pytest

from magic3d_ros.nodes.work_queue import JobFailed, WorkQueue


class Gate:
    """Work that waits until it is let through, and records what came."""

    def __init__(self) -> None:
        self.seen: list[int] = []
        self.begun, self.go = threading.Event(), threading.Event()

    def work(self, frame: int) -> None:
        self.begun.set()
        assert self.go.wait(5)
        self.seen.append(frame)


def test_the_oldest_frame_is_dropped_and_told_when_full():
    gate, dropped = Gate(), []
    queue = WorkQueue(gate.work, lambda: None, dropped.append, capacity=2)
    queue.start()
    queue.put(0)
    assert gate.begun.wait(5)
    for frame in (1, 2, 3, 4):
        queue.put(frame)
    assert (dropped, len(queue)) == ([1, 2], 2)
    gate.go.set()
    finished = threading.Event()
    queue.put(5)
    queue.submit(lambda: None, lambda _, __: None)
    while len(queue):
        finished.wait(0.01)
    assert queue.stop()
    assert sorted(gate.seen + dropped) == [0, 1, 2, 3, 4, 5]


def test_jobs_go_before_frames_and_return_results_and_errors():
    gate, order = Gate(), []
    queue = WorkQueue(gate.work, lambda: None, lambda _: None)
    queue.start()
    queue.put(0)
    assert gate.begun.wait(5)
    queue.put(1)
    done = threading.Event()
    queue.submit(lambda: list(gate.seen), lambda result, error: order.append((result, error)))
    queue.submit(lambda: 1 // 0, lambda result, error: (order.append((result, type(error))), done.set()))
    gate.go.set()
    assert done.wait(5)
    assert queue.stop()
    assert order == [([0], None), (None, ZeroDivisionError)]


def test_after_stop_jobs_fail_at_once():
    queue = WorkQueue(lambda _: None, lambda: None, lambda _: None)
    queue.start()
    assert queue.stop()
    answers = []
    queue.submit(lambda: 1, lambda result, error: answers.append(error))
    with pytest.raises(JobFailed, match="shutting down"):
        raise answers[0]


def test_frames_that_still_wait_at_the_end_are_told_as_dropped():
    gate, dropped = Gate(), []
    queue = WorkQueue(gate.work, lambda: None, dropped.append)
    queue.start()
    queue.put(0)
    assert gate.begun.wait(5)
    queue.put(1)
    queue.put(2)
    threading.Timer(0.05, gate.go.set).start()
    assert queue.stop()
    assert (gate.seen, dropped) == ([0], [1, 2])


def test_an_error_in_one_frame_does_not_end_the_worker(caplog: pytest.LogCaptureFixture):
    done = threading.Event()

    def work(frame: int) -> None:
        if frame == 0:
            raise RuntimeError("broken")
        done.set()

    queue = WorkQueue(work, lambda: None, lambda _: None)
    queue.start()
    queue.put(0)
    queue.put(1)
    assert done.wait(5)
    assert queue.stop()
    assert "broken" in caplog.text


def test_a_queue_in_the_background_gives_way():
    niceness: list[int] = []
    asked = threading.Event()

    def note(*_: object) -> None:
        asked.set()

    for background in (False, True):
        asked.clear()
        queue = WorkQueue(lambda _: None, lambda: None, lambda _: None, background=background)
        queue.start()
        queue.submit(lambda: niceness.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id())), note)
        assert asked.wait(10)
        assert queue.stop()
    assert niceness[1] == max(10, niceness[0])
