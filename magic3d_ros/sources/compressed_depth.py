"""The compressedDepth image transport: a 12-byte header, then PNG or RVL.

Format of ros-perception/image_transport_plugins, compressed_depth_image_transport (codec.cpp, compression_common.h):
int32 format, float32 depthParam[2]. 16UC1 is stored as it is. 32FC1 is quantised as inverse depth: stored = A / depth + B,
0 = no reading.
"""

from __future__ import annotations

import struct
from typing import Any

import cv2
import numpy as np

from magic3d_ros.frames import FrameError
from magic3d_ros.sources.image_file import check_size, decode_image_file
from magic3d_ros.sources.rvl import decode_rvl

_HEADER = struct.Struct("<iff")
# Defaults of the transport (compressed_depth_publisher.cpp): finest quantisation at this depth, nothing beyond that maximum.
_QUANTIZATION = 100.0
_MAX_DEPTH = 10.0


def decode_compressed_depth(format_text: str, data: Any, what: str) -> np.ndarray:
    """(H, W) uint16 sensor units, or float32 metres (NaN = no reading) when the format says 32FC1.

    format_text: the message's `format`, for example "16UC1; compressedDepth png". Raises FrameError("encoding" or "size").
    """
    view = memoryview(data).cast("B")
    if len(view) <= _HEADER.size:
        raise FrameError("encoding", f"{what}: {len(view)} bytes are too few for compressedDepth (12 of header, then PNG or RVL)")
    _, a, b = _HEADER.unpack(view[:_HEADER.size])
    payload = view[_HEADER.size:]
    stored = _decode_rvl(payload, what) if "rvl" in format_text.lower() else _decode_png(payload, what)
    if not format_text.startswith("32FC1"):
        return stored
    if not (np.isfinite([a, b]).all() and a > 0):
        raise FrameError("encoding", f"{what}: the header's quantisation ({a}, {b}) cannot be inverted")
    inverse = stored.astype(np.float32) - np.float32(b)
    valid = (stored != 0) & (inverse > 0)
    return np.where(valid, np.float32(a) / np.where(valid, inverse, 1.0), np.nan).astype(np.float32)


def encode_compressed_depth(values: np.ndarray) -> np.ndarray:
    """(n,) uint8 of (H, W) uint16 (lossless) or float32 metres (quantised as the transport's defaults do)."""
    if values.dtype == np.uint16:
        header, stored = _HEADER.pack(0, 0.0, 0.0), values
    else:
        a = _QUANTIZATION * (_QUANTIZATION + 1.0)
        b = 1.0 - a / _MAX_DEPTH
        header = _HEADER.pack(0, a, b)
        valid = np.isfinite(values) & (values > 0) & (values < _MAX_DEPTH)
        quantised = np.rint(a / np.where(valid, values, 1.0) + b)
        stored = np.where(valid & (quantised <= 65535), quantised, 0).astype(np.uint16)
    # Level 1: a third of the time of the default level for a few percent more bytes.
    done, png = cv2.imencode(".png", stored, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    if not done:
        raise ValueError("OpenCV could not write the PNG")
    return np.concatenate([np.frombuffer(header, np.uint8), png.reshape(-1)])


def _decode_png(payload: memoryview, what: str) -> np.ndarray:
    image = decode_image_file(payload, f"{what}, after the header of compressedDepth", cv2.IMREAD_UNCHANGED)
    if image.dtype != np.uint16 or image.ndim != 2:
        raise FrameError("encoding", f"{what}: the image inside is {image.dtype} {image.shape}, not 16-bit grey")
    return image


def _decode_rvl(payload: memoryview, what: str) -> np.ndarray:
    if len(payload) < 8:
        raise FrameError("encoding", f"{what}: the RVL image ends inside its header")
    width, height = struct.unpack("<II", payload[:8])
    check_size(width, height, what)
    try:
        return decode_rvl(payload[8:], width * height).reshape(height, width)
    except ValueError as error:
        raise FrameError("encoding", f"{what}: {error}") from error
