"""The messages of a ROS 2 bag (MCAP or sqlite3), through rosbags; no ROS installation is needed."""

from __future__ import annotations

import logging
import struct
from collections.abc import Collection, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from magic3d_ros.sources.mcap_recovery import RecoveredMcap
from magic3d_ros.sources.source import SourceError

logger = logging.getLogger(__name__)

SUFFIXES = (".mcap", ".db3")


class BagDamaged(Exception):
    """The bag cannot be read any further."""


class MessageDamaged(Exception):
    """One message of the bag cannot be decoded."""


@dataclass(frozen=True)
class BagTopic:
    """A topic in a bag: its ROS type ("sensor_msgs/msg/Image") and how many messages it has."""

    name: str
    type: str
    count: int


def is_bag(path: Path) -> bool:
    """True for a bag file, and for a folder with metadata.yaml or with bag files in it."""
    if path.is_dir():
        return (path / "metadata.yaml").is_file() or bool(_files(path))
    return path.suffix in SUFFIXES


def message_types() -> Any:
    """rosbags' store of ROS 2 Kilted's message types. Raises SourceError where rosbags is not installed."""
    try:
        from rosbags.typesys import Stores, get_typestore
    except ImportError as error:
        raise SourceError(f"bags need the Python package rosbags ({error}): pip install rosbags") from error
    return get_typestore(Stores.ROS2_KILTED)


class BagReader:
    """A context manager over one bag: a folder, or a single .mcap or .db3 file.

    topics: by name. Of a cut-off MCAP file, the whole chunks are read. Raises SourceError on entering when nothing can be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.topics: dict[str, BagTopic] = {}
        self._readers: list[tuple[Any, bool]] = []  # reader, and whether it was recovered
        self._stack = ExitStack()

    def __enter__(self) -> BagReader:
        self._types = message_types()
        try:
            self._readers = self._open()
        except BaseException:
            self._stack.close()
            raise
        for reader, _ in self._readers:
            for connection in reader.connections:
                known = self.topics.get(connection.topic)
                count = connection.msgcount + (known.count if known else 0)
                self.topics[connection.topic] = BagTopic(connection.topic, connection.msgtype, count)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def messages(self, topics: Collection[str]) -> Iterator[tuple[str, int, bytes]]:
        """(topic, time of recording in ns, serialised message) of the named topics, in the order of recording.

        Raises BagDamaged where the bag cannot be read any further.
        """
        try:
            for reader, recovered in self._readers:
                connections = [connection for connection in reader.connections if connection.topic in topics]
                if not connections:
                    continue
                # rosbags refuses unindexed files whose messages are a little out of order; what reads here copes with it.
                stream = reader.storage.messages_scan(connections) if recovered else reader.messages(connections)
                for connection, time, data in stream:
                    yield connection.topic, time, data
        except _reading_errors() as error:
            raise BagDamaged(f"{self.path} cannot be read any further: {error}") from error

    def decode(self, topic: str, data: bytes) -> Any:
        """The message, with the fields of its ROS type. Raises MessageDamaged."""
        try:
            return self._types.deserialize_cdr(data, self.topics[topic].type)
        except (_serialisation_error(), ValueError, IndexError, KeyError, AssertionError, OverflowError, MemoryError,
                struct.error) as error:
            raise MessageDamaged(f"a message on {topic} cannot be decoded as {self.topics[topic].type}: {error!r}") from error

    def decoded(self, topic: str) -> Iterator[Any]:
        """The messages of one topic, without those that are damaged, as far as the bag can be read."""
        try:
            for _, _, data in self.messages([topic]):
                try:
                    message = self.decode(topic, data)
                except MessageDamaged as error:
                    logger.warning("%s: %s", self.path, error)
                    continue
                yield message
        except BagDamaged as error:
            logger.warning("%s", error)

    def first(self, topic: str) -> Any | None:
        """The first message on a topic that can be decoded, or None."""
        return next(self.decoded(topic), None)

    def _open(self) -> list[tuple[Any, bool]]:
        path = self.path
        if not path.is_dir():
            return [self._open_file(path)]
        if (path / "metadata.yaml").is_file():
            try:
                return [(self._entered(path), False)]
            except _reading_errors() as error:
                logger.warning("%s: %s; reading its files one by one", path, error)
        files = _files(path)
        if not files:
            raise SourceError(f"the bag {path} has metadata but none of its .mcap or .db3 files")
        return [self._open_file(file) for file in files]

    def _open_file(self, path: Path) -> tuple[Any, bool]:
        if path.stat().st_size == 0:
            raise SourceError(f"the bag {path} is empty (0 bytes)")
        try:
            return self._entered(path), False
        except _reading_errors() as error:
            if path.suffix != ".mcap":
                raise SourceError(f"the bag {path} cannot be read: {error}; sqlite3's '.recover' may save it") from error
            first_error = error
        try:
            recovered = RecoveredMcap(path)
            reader = self._entered(recovered)
        except _reading_errors() as error:
            raise SourceError(f"the bag {path} cannot be read: {first_error}; nor recovered: {error}") from error
        logger.warning("%s has no valid end (%s): what is whole is read, the last %d bytes are lost", path, first_error,
                       recovered.lost)
        return reader, True

    def _entered(self, path: Any) -> Any:
        from rosbags.rosbag2 import Reader

        return self._stack.enter_context(Reader(path))


def _files(folder: Path) -> list[Path]:
    """Bag files of a folder in the order of recording: rosbag2 numbers them NAME_0, NAME_1, ... NAME_10."""
    files = [path for path in folder.iterdir() if path.suffix in SUFFIXES and path.is_file()]

    def key(path: Path) -> tuple[str, int]:
        name, _, number = path.stem.rpartition("_")
        return (name, int(number)) if number.isdigit() else (path.stem, -1)

    return sorted(files, key=key)


def _reading_errors() -> tuple[type[Exception], ...]:
    """What rosbags and the libraries below it raise for damaged files; MemoryError and OverflowError for sizes that cannot be."""
    import apsw
    from rosbags.rosbag2 import ReaderError

    try:
        from compression import zstd  # Python 3.14
    except ImportError:
        from backports import zstd
    return (ReaderError, OSError, EOFError, ValueError, KeyError, TypeError, AssertionError, RuntimeError, OverflowError,
            MemoryError, struct.error, zstd.ZstdError, apsw.Error)


def _serialisation_error() -> type[Exception]:
    from rosbags.serde import SerdeError

    return SerdeError
