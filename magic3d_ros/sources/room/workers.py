"""Rendering in several processes that never outlive this one."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar

logger = logging.getLogger(__name__)

Result = TypeVar("Result")


class WorkerError(RuntimeError):
    """A worker process failed; the message says why."""


def in_workers(task: Callable[[int], Result], count: int, workers: int) -> Iterator[tuple[int, Result]]:
    """Yield (index, task(index)) for all index < count as they are done, computed in `workers` processes.

    task: picklable. The processes are started afresh (spawn), so threads and locks of this process do not matter; they end when
    the iteration ends, is closed or fails, on Ctrl-C, and even when this process is killed: each then finds its pipe closed.
    Raises WorkerError when the task failed or a process died.
    """
    context = multiprocessing.get_context("spawn")
    processes: list[Any] = []
    connections: list[Connection] = []
    waiting = iter(range(count))
    try:
        with _quiet_start():
            for _ in range(min(workers, count)):
                ours, theirs = context.Pipe()
                process = context.Process(target=_serve, args=(theirs, task), daemon=True)
                process.start()
                theirs.close()
                processes.append(process)
                connections.append(ours)
        busy = [connection for connection in connections if _send_next(connection, waiting)]
        while busy:
            for ready in wait(list(busy)):
                index, result, problem = _receive(ready)  # type: ignore[arg-type]
                if problem:
                    raise WorkerError(problem)
                if not _send_next(ready, waiting):  # type: ignore[arg-type]
                    busy.remove(ready)  # type: ignore[arg-type]
                yield index, result
    finally:
        for connection in connections:
            connection.close()
        for process in processes:
            process.join(timeout=0.2)
            if process.is_alive():
                process.terminate()
                process.join(timeout=5)
            if process.is_alive():
                process.kill()
                process.join()


def _serve(connection: Connection, task: Callable[[int], Any]) -> None:
    """The life of a worker: indices come in, results go out, until the other end closes."""
    import cv2

    cv2.setNumThreads(1)  # the processes are the parallelism
    while True:
        try:
            index = connection.recv()
        except (EOFError, OSError):
            return
        if index is None:
            return
        try:
            answer = (index, task(index), "")
        except Exception as error:  # whatever it was, it is reported where somebody can act on it
            answer = (index, None, f"{type(error).__name__}: {error}")
        try:
            connection.send(answer)
        except (BrokenPipeError, OSError):
            return


def _send_next(connection: Connection, waiting: Iterator[int]) -> bool:
    """Whether there was an index left to send; without one the worker ends, and its pipe with it."""
    index = next(waiting, None)
    try:
        connection.send(index)
    except OSError as error:
        raise WorkerError("a rendering process ended unexpectedly: is there enough memory?") from error
    return index is not None


def _receive(connection: Connection) -> tuple[int, Any, str]:
    try:
        return connection.recv()
    except (EOFError, OSError) as error:
        raise WorkerError("a rendering process ended unexpectedly: is there enough memory?") from error


@contextmanager
def _quiet_start() -> Iterator[None]:
    """Processes started within ignore Ctrl-C (this one ends them) and compute on one thread each."""
    names = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))
    main = threading.current_thread() is threading.main_thread()
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN) if main else None
    try:
        yield
    finally:
        if main:
            signal.signal(signal.SIGINT, handler if handler is not None else signal.SIG_DFL)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
