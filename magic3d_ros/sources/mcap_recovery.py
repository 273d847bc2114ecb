"""Reading an MCAP file whose end is missing: a recorder that was killed, a copy that was cut off."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import BinaryIO

# MCAP specification (mcap.dev/spec): magic, then records of one byte opcode and eight bytes length; a footer without a summary.
MAGIC = b"\x89MCAP0\r\n"
_FOOTER, _DATA_END = 0x02, 0x0F
_END = bytes([_FOOTER]) + struct.pack("<QQQI", 20, 0, 0, 0) + MAGIC


class RecoveredMcap:
    """The whole records of a cut-off MCAP file, ended properly; looks like a path to rosbags' reader. Nothing is written.

    lost: bytes after the last whole record. Raises ValueError when the file is no MCAP file or holds no whole record.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._length = _whole_records(path)
        self.lost = path.stat().st_size - self._length

    @property
    def suffix(self) -> str:
        """As pathlib's."""
        return self.path.suffix

    @property
    def stem(self) -> str:
        """As pathlib's."""
        return self.path.stem

    def exists(self) -> bool:
        """As pathlib's."""
        return self.path.exists()

    def is_dir(self) -> bool:
        """As pathlib's."""
        return False

    def open(self, *_: str) -> BinaryIO:
        """The recovered content, for reading."""
        return io.BufferedReader(_WithEnd(self.path, self._length))

    def __str__(self) -> str:
        return str(self.path)


class _WithEnd(io.RawIOBase):
    """The first `length` bytes of a file followed by an MCAP footer."""

    def __init__(self, path: Path, length: int) -> None:
        super().__init__()
        self._file = path.open("rb")
        self._length = length
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._length + len(_END)}[whence]
        self._position = max(0, base + offset)
        return self._position

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        if self._position < self._length:
            self._file.seek(self._position)
            data = self._file.read(min(len(buffer), self._length - self._position))
        else:
            start = self._position - self._length
            data = _END[start:start + len(buffer)]
        buffer[:len(data)] = data
        self._position += len(data)
        return len(data)

    def close(self) -> None:
        self._file.close()
        super().close()


def _whole_records(path: Path) -> int:
    """Bytes up to the end of the last whole record of the data section."""
    size = path.stat().st_size
    with path.open("rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            raise ValueError("it does not begin like an MCAP file")
        end = len(MAGIC)
        while True:
            file.seek(end)
            head = file.read(9)
            if len(head) < 9 or head[0] in (0, _FOOTER, _DATA_END):
                break
            following = end + 9 + struct.unpack("<Q", head[1:])[0]
            if following > size:
                break
            end = following
    if end == len(MAGIC):
        raise ValueError("it ends before its first record")
    return end
