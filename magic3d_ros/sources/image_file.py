"""JPEG and PNG bytes to arrays; the size they claim is checked before anything of that size is allocated."""

from __future__ import annotations

import struct
from typing import Any

import cv2
import numpy as np

from magic3d_ros.frames import FrameError

MAX_PIXELS = 64 * 1024 * 1024  # 8192 x 8192, twice the largest camera image in use; what claims more is damaged

_PNG = b"\x89PNG\r\n\x1a\n"
# Start-of-frame markers of ITU T.81 table B.1: C0..CF without DHT (C4), JPG (C8) and DAC (CC).
_JPEG_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def check_size(width: int, height: int, what: str) -> None:
    """Raise FrameError("size"), naming `what`, for image sizes that cannot be."""
    if width < 1 or height < 1 or width * height > MAX_PIXELS:
        raise FrameError("size", f"{what}: claims {width}x{height} pixels; an image has 1 to {MAX_PIXELS} of them")


def decode_image_file(data: Any, what: str, flags: int) -> np.ndarray:
    """Decode JPEG or PNG bytes with OpenCV's imread `flags`. Raises FrameError("size" or "encoding") naming `what`."""
    view = memoryview(data).cast("B")
    try:
        width, height = compressed_image_size(view)
    except ValueError as error:
        raise FrameError("encoding", f"{what}: {error}") from error
    check_size(width, height, what)
    image = cv2.imdecode(np.frombuffer(view, np.uint8), flags)
    if image is None:
        raise FrameError("encoding", f"{what}: the compressed image is damaged or cut off ({len(view)} bytes)")
    return image


def compressed_image_size(data: bytes | memoryview) -> tuple[int, int]:
    """(width, height) that a JPEG or PNG file says it has. Raises ValueError when the bytes are neither, or end too early."""
    head = bytes(data[:8])
    if head == _PNG:
        if len(data) < 24:
            raise ValueError("the PNG ends inside its header")
        width, height = struct.unpack(">II", bytes(data[16:24]))
        return width, height
    if head[:2] == b"\xff\xd8":
        return _jpeg_size(data)
    raise ValueError("the bytes are neither JPEG nor PNG" if len(data) else "the image is empty (0 bytes)")


def _jpeg_size(data: bytes | memoryview) -> tuple[int, int]:
    position = 2
    while position + 9 <= len(data):
        if data[position] != 0xFF:
            raise ValueError("the JPEG's segments are damaged")
        marker = data[position + 1]
        if marker == 0xFF:  # fill byte
            position += 1
            continue
        if marker in _JPEG_START_OF_FRAME:
            height, width = struct.unpack(">HH", bytes(data[position + 5:position + 9]))
            return width, height
        if marker == 0x01 or 0xD0 <= marker <= 0xD7:  # markers without a length
            position += 2
            continue
        position += 2 + struct.unpack(">H", bytes(data[position + 2:position + 4]))[0]
    raise ValueError("the JPEG ends before its size is given")
