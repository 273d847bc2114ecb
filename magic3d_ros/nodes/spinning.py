"""Starting, spinning and ending a node, the same for every executable."""

from __future__ import annotations

import gc
import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import rclpy
from rclpy.exceptions import NotInitializedException
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.logging import get_logger
from rclpy.node import Node

from magic3d_ros.config import SettingsError
from magic3d_ros.nodes import environment
from magic3d_ros.sources.source import SourceError


def run(make: Callable[[], Node], arguments: Sequence[str] | None = None) -> int:
    """Initialise ROS, make the node, spin it until SIGINT, SIGTERM or shutdown, end it. Returns the exit code: 0 for a clean end,
    2 for settings or a source that cannot be. A node's `close()`, where it has one, is called before it is destroyed.

    One thread spins: with a worker thread of one's own it is the cheapest executor (164 us a callback; multi-threaded 739).
    """
    environment.prepare()
    rclpy.init(args=None if arguments is None else ["node", *arguments])
    node, executor = None, SingleThreadedExecutor()
    try:
        node = make()
        log_through(node)
        executor.add_node(node)
        executor.spin()
    except (KeyboardInterrupt, ExternalShutdownException):
        return 0  # somebody asked for the end
    except (SettingsError, SourceError) as error:
        get_logger("magic3d_ros").fatal(str(error))
        return 2
    except (RuntimeError, NotInitializedException):  # RCLError and InvalidHandle are RuntimeErrors
        if rclpy.ok():
            raise
        # A signal that comes while the node is being made ends the context under it; that is a clean end too.
    finally:
        if node is not None:
            close = getattr(node, "close", None)
            if close is not None:
                close()
            executor.shutdown(timeout_sec=1.0)
            node.destroy_node()
        rclpy.try_shutdown()
        gc.freeze()  # the process ends now: Python's last collection would walk models and map for up to 6 s
    return 0


@contextmanager
def dropped_at_the_end(node: Node) -> Iterator[None]:
    """Around publishing from a worker's thread: what ROS cannot send because it was shut down meanwhile is dropped."""
    try:
        yield
    except RuntimeError:  # RCLError and InvalidHandle are RuntimeErrors
        if node.context.ok():
            raise


def log_through(node: Node) -> None:
    """Send the package's own log records through the node's logger, so that they reach /rosout too."""
    handler = _RosHandler(node)
    package = logging.getLogger("magic3d_ros")
    package.handlers = [handler]
    package.propagate = False
    if package.level == logging.NOTSET:
        package.setLevel(logging.INFO)


class _RosHandler(logging.Handler):
    def __init__(self, node: Node) -> None:
        super().__init__()
        self._logger, self._context = node.get_logger(), node.context

    def emit(self, record: logging.LogRecord) -> None:
        """Pass a record on at its severity."""
        text = record.getMessage()
        if record.exc_info:
            text += "\n" + logging.Formatter().formatException(record.exc_info)
        if not self._context.ok():
            if record.levelno >= logging.WARNING:
                sys.stderr.write(text + "\n")  # ROS is gone: the last words go where anybody can read them
            return
        try:
            # rclpy keeps one severity per call site, so each severity needs a line of its own.
            if record.levelno >= logging.ERROR:
                self._logger.error(text)
            elif record.levelno >= logging.WARNING:
                self._logger.warning(text)
            elif record.levelno >= logging.INFO:
                self._logger.info(text)
            else:
                self._logger.debug(text)
        except Exception:  # as logging's own handlers: told on stderr with its traceback, and whoever logged goes on
            self.handleError(record)
