from __future__ import annotations

import threading
import time

import pytest

from magic3d_ros.sources.prefetch import prefetch


def readers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "prefetch"]


def test_order_is_kept_and_the_thread_ends():
    assert list(prefetch(iter(range(50)), ahead=3)) == list(range(50))
    assert not readers()


def test_it_reads_ahead_but_not_farther_than_told():
    read: list[int] = []

    def items():
        for number in range(20):
            read.append(number)
            yield number

    stream = prefetch(items(), ahead=2)
    assert next(stream) == 0
    deadline = time.monotonic() + 5
    while len(read) < 4 and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.05)
    assert read == [0, 1, 2, 3]  # one given out, two ready, one in hand
    stream.close()


def test_an_exception_comes_after_the_items_before_it():
    def items():
        yield 1
        yield 2
        raise OSError("the disk is gone")

    seen = []
    with pytest.raises(OSError, match="the disk is gone"):
        for item in prefetch(items()):
            seen.append(item)
    assert seen == [1, 2]
    assert not readers()


def test_leaving_early_stops_the_thread_and_closes_what_it_read():
    closed = threading.Event()

    def items():
        try:
            number = 0
            while True:
                yield number
                number += 1
        finally:
            closed.set()

    for item in prefetch(items()):
        if item == 3:
            break
    # The generator is closed when the loop's iterator goes away, at the latest here.
    assert closed.wait(5)
    deadline = time.monotonic() + 5
    while readers() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not readers()


def test_nothing_starts_before_the_first_item_is_wanted():
    stream = prefetch(iter([1]))
    assert not readers()
    stream.close()
