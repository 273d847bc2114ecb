"""How this process shares the processor with others, and its threads among themselves."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator, MutableMapping
from contextlib import AbstractContextManager, contextmanager

_BACKGROUND = 10
"""Niceness: a tenth of the processor time of what is not nice, where both want it (sched(7): each step counts 1.25)."""


def wait_without_spinning(environment: MutableMapping[str, str] | None = None) -> None:
    """Let the threads of torch sleep while they wait for each other, unless the user chose otherwise.

    By default they spin, and where other processes want the same cores (a camera driver, a player, a second node) each waits for
    one that is not running: with two threads on two busy cores the 2D models took 2180 ms a keyframe spinning, 418 ms sleeping.
    OpenMP reads the variable when its library is loaded (OpenMP 5.2, 21.7): to be called before torch is imported.
    environment: where to set it; this process when None.
    """
    (os.environ if environment is None else environment).setdefault("OMP_WAIT_POLICY", "PASSIVE")


def give_way() -> None:
    """Let the calling thread, and those it starts from now on, wait where others want the processor.

    Beside training the field, integrating a frame then took 1.12 times what it takes alone instead of 1.29 (means of three runs
    of `magic3d bench poses latency`, two cores, two threads). Niceness is a thread's own on Linux; elsewhere nothing happens.
    """
    if sys.platform == "linux":
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, max(_BACKGROUND, os.getpriority(os.PRIO_PROCESS, thread)))


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep what torch computes for the calling thread on it; other threads go on as before.

    For many small operations: each that is split between threads waits for the other one to wake. What tells moving things apart
    took 43 ms and 81 of processor time a keyframe with two threads, 29 and 31 with one (redkitchen, two cores, nothing beside).
    """
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # of this thread: OpenMP and MKL both keep it for each
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def let_pass(first: AbstractContextManager[object] | None) -> None:
    """Between two pieces of work: wait while another thread, which goes first, holds its lock, so that this one takes it no time.

    first: that lock; None = there is no such thread.
    """
    if first is not None:
        with first:
            pass
