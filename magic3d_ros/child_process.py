"""Processes that a command starts and that never outlive it."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType

_PR_SET_PDEATHSIG = 1
"""linux/prctl.h: a signal that the kernel sends a process when its parent dies, however it dies."""
_LAST_LINES = 12


class ChildDied(RuntimeError):
    """A process ended although it was still needed; the message holds its exit code and last words."""


class Child:
    """A process with a session of its own (Ctrl-C in the terminal does not reach it) that writes into a log file.

    name: for messages. Raises OSError when it cannot be started.
    """

    def __init__(self, name: str, command: Sequence[str], log: Path, environment: Mapping[str, str]) -> None:
        self.name, self.log = name, log
        log.parent.mkdir(parents=True, exist_ok=True)
        with open(log, "wb") as file, signals_afterwards():
            self._process = subprocess.Popen(list(command), stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT,
                                             env=dict(environment), start_new_session=True, preexec_fn=_dies_with_parent())

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    @property
    def returncode(self) -> int | None:
        """Its exit code, None while it runs."""
        return self._process.poll()

    def check(self) -> None:
        """Raise ChildDied when it ended with an error."""
        if self.returncode not in (None, 0):
            raise self.death()

    def death(self) -> ChildDied:
        """What to raise when it ended too early."""
        code = self.returncode
        how = f"was killed by signal {-code}" if code is not None and code < 0 else f"ended with exit code {code}"
        return ChildDied(f"{self.name} {how}; the end of {self.log}:\n{self.last_lines()}")

    def last_lines(self, count: int = _LAST_LINES) -> str:
        """The end of its log."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(f"  {line}" for line in lines[-count:]) or "  (it said nothing)"

    def stop(self, patience: float = 10.0) -> None:
        """Ask it to end (SIGINT), then insist (SIGTERM, SIGKILL); returns when neither it nor its own children are left."""
        for number, seconds in ((signal.SIGINT, patience), (signal.SIGTERM, 3.0), (signal.SIGKILL, 3.0)):
            if self.running:
                self._signal_group(number)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(seconds)
        self._signal_group(signal.SIGKILL)  # what it may have started itself

    def _signal_group(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # nobody of that group is left
            os.killpg(self._process.pid, number)


@contextlib.contextmanager
def signals_afterwards() -> Iterator[None]:
    """A block during which SIGINT, SIGTERM and SIGHUP wait; their handlers run when it ends.

    Python runs functions of its own while it forks and swallows whatever is raised in them: a Ctrl-C at that moment would be
    lost. In other threads than the main one, where no handler ever runs, the block changes nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, lambda came_now, _: came.append(came_now)) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    for late in came:
        signal.raise_signal(late)


@contextlib.contextmanager
def children() -> Iterator[Callable[[Child], Child]]:
    """A block whose children end with it, whatever happens: yields a function that registers one.

    SIGTERM and SIGHUP end the block like Ctrl-C does; while the children are being stopped (a few seconds) a second Ctrl-C is
    ignored.
    """
    started: list[Child] = []

    def register(child: Child) -> Child:
        started.append(child)
        return child

    before = {number: signal.signal(number, _raise_exit) for number in (signal.SIGTERM, signal.SIGHUP)}
    interrupt = signal.getsignal(signal.SIGINT)
    try:
        yield register
    finally:
        for number in (signal.SIGINT, *before):
            signal.signal(number, signal.SIG_IGN)
        for child in reversed(started):
            child.stop()
        signal.signal(signal.SIGINT, interrupt)
        for number, handler in before.items():
            signal.signal(number, handler)


def _raise_exit(number: int, _: FrameType | None) -> None:
    raise SystemExit(128 + number)


def _dies_with_parent() -> Callable[[], None] | None:
    """A function for the new process, or None where the kernel has no such thing."""
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)  # loaded before the fork: afterwards as little as possible may happen

    def in_child() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)

    return in_child
