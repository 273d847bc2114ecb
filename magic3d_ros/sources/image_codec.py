"""Image messages to arrays and back: sensor_msgs/Image and CompressedImage, without ROS.

Works on anything with the messages' attributes (rclpy, rosbags, `RawImage` below). Encodings as in
sensor_msgs/image_encodings.hpp; depth units as REP 118: 16UC1 millimetres, 32FC1 metres.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from magic3d_ros.frames import FrameError
from magic3d_ros.sources.compressed_depth import decode_compressed_depth, encode_compressed_depth
from magic3d_ros.sources.image_file import check_size, decode_image_file

# encoding -> (element type, channels)
_LAYOUTS: dict[str, tuple[str, int]] = {
    "rgb8": ("u1", 3), "bgr8": ("u1", 3), "rgba8": ("u1", 4), "bgra8": ("u1", 4), "mono8": ("u1", 1), "mono16": ("u2", 1),
    "8UC1": ("u1", 1), "8UC3": ("u1", 3), "16UC1": ("u2", 1), "32FC1": ("f4", 1),
}
COLOR_ENCODINGS = ("rgb8", "bgr8", "rgba8", "bgra8", "mono8", "mono16", "8UC1", "8UC3")
DEPTH_ENCODINGS = ("16UC1", "32FC1", "mono16")


@dataclass(frozen=True)
class RawImage:
    """The content of a sensor_msgs/Image besides its header: assign the fields to a message one by one.

    data: (height * step,) uint8.
    """

    height: int
    width: int
    encoding: str
    is_bigendian: int
    step: int
    data: np.ndarray


@dataclass(frozen=True)
class CompressedData:
    """The content of a sensor_msgs/CompressedImage besides its header. data: (n,) uint8."""

    format: str
    data: np.ndarray


def decode_color(message: Any, topic: str = "colour") -> np.ndarray:
    """(H, W, 3) uint8 RGB of an Image or CompressedImage; grey images are repeated, 16-bit ones lose their low byte.

    The array is the caller's own. Raises FrameError("encoding" or "size") naming `topic`.
    """
    if hasattr(message, "format"):
        return _decode_compressed_color(message, topic)
    encoding = message.encoding
    if encoding not in COLOR_ENCODINGS:
        raise FrameError("encoding", f"{topic}: encoding '{encoding}' is not a colour image; supported are "
                         f"{', '.join(COLOR_ENCODINGS)}, jpeg and png"
                         + (" (is this the depth topic?)" if encoding in DEPTH_ENCODINGS else ""))
    pixels = _pixels(message, topic)
    if encoding == "mono16":
        pixels = (pixels >> 8).astype(np.uint8)
    if pixels.shape[2] == 1:
        return np.repeat(pixels, 3, axis=2)
    if encoding in ("bgr8", "8UC3"):  # 8UC3 is what OpenCV users publish: blue first
        return pixels[..., ::-1].copy()
    if encoding == "bgra8":
        return pixels[..., 2::-1].copy()
    return pixels[..., :3].copy()


def decode_depth(message: Any, depth_scale: float = 0.0, topic: str = "depth") -> np.ndarray:
    """(H, W) float32 metres, 0 = no reading, of an Image (16UC1, mono16, 32FC1) or CompressedImage (png, compressedDepth).

    depth_scale: metres per unit; 0 takes it from the encoding (integers millimetres, floats metres).
    Raises FrameError("encoding" or "size") naming `topic`.
    """
    if hasattr(message, "format"):
        values = _decode_compressed_depth(message, topic)
    else:
        encoding = message.encoding
        if encoding not in DEPTH_ENCODINGS:
            raise FrameError("encoding", f"{topic}: encoding '{encoding}' is not a depth image; supported are 16UC1 and mono16 "
                             "(millimetres), 32FC1 (metres) and compressedDepth"
                             + (" (is this the colour topic?)" if encoding in COLOR_ENCODINGS else ""))
        values = _pixels(message, topic)[..., 0]
    return depth_in_metres(values, depth_scale)


def depth_in_metres(values: np.ndarray, depth_scale: float = 0.0) -> np.ndarray:
    """(H, W) float32 metres from sensor values; NaN, infinite and negative readings become 0 (no reading).

    depth_scale: metres per unit; 0 means millimetres for integers and metres for floats (REP 118).
    """
    if np.issubdtype(values.dtype, np.integer):
        # In double: 0.001 in single precision would make 1500 mm 1.5000001 m.
        return np.multiply(values, depth_scale or 0.001, dtype=np.float64).astype(np.float32)
    metres = values.astype(np.float32) * np.float32(depth_scale or 1.0)
    metres[~(np.isfinite(metres) & (metres > 0))] = 0.0
    return metres


def encode_color(rgb: np.ndarray) -> RawImage:
    """(H, W, 3) uint8 as rgb8."""
    height, width = rgb.shape[:2]
    return RawImage(height, width, "rgb8", 0, width * 3, np.ascontiguousarray(rgb).reshape(-1))


def encode_depth(metres: np.ndarray, encoding: str = "16UC1") -> RawImage:
    """(H, W) float32 metres as 16UC1 (whole millimetres; beyond 65.535 m becomes no reading) or 32FC1 (unchanged)."""
    values = depth_in_millimetres(metres) if encoding == "16UC1" else metres.astype("<f4")
    height, width = values.shape
    return RawImage(height, width, encoding, 0, width * values.itemsize, np.ascontiguousarray(values).reshape(-1).view(np.uint8))


def encode_compressed_color(rgb: np.ndarray, quality: int = 95) -> CompressedData:
    """(H, W, 3) uint8 as JPEG. Quality 95 is OpenCV's and image_transport's default."""
    done, data = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError("OpenCV could not write the JPEG")
    return CompressedData("rgb8; jpeg compressed bgr8", data.reshape(-1))


def encode_depth_compressed(metres: np.ndarray) -> CompressedData:
    """(H, W) float32 metres as 16UC1 compressedDepth (lossless PNG of whole millimetres)."""
    return CompressedData("16UC1; compressedDepth png", encode_compressed_depth(depth_in_millimetres(metres)))


def depth_in_millimetres(metres: np.ndarray) -> np.ndarray:
    """(H, W) uint16 whole millimetres, rounded; what is not finite, not positive or beyond 65.535 m becomes 0."""
    millimetres = np.rint(np.nan_to_num(metres, nan=0.0, posinf=0.0, neginf=0.0) * np.float32(1000.0))
    return np.where((millimetres > 0) & (millimetres <= 65535), millimetres, 0).astype("<u2")


def _pixels(message: Any, topic: str) -> np.ndarray:
    """(H, W, C) view of a raw image's pixels in native byte order, row padding cut off."""
    kind, channels = _LAYOUTS[message.encoding]
    height, width, step = int(message.height), int(message.width), int(message.step)
    check_size(width, height, topic)
    dtype = np.dtype((">" if message.is_bigendian else "<") + kind)
    row = width * channels * dtype.itemsize
    data = np.frombuffer(message.data, np.uint8)
    if step < row or len(data) < step * (height - 1) + row:
        raise FrameError("size", f"{topic}: {width}x{height} {message.encoding} needs rows of {row} bytes; the message has "
                         f"step {step} and {len(data)} bytes: the publisher fills height, width, step or data wrongly")
    # as_strided rather than reshape: the last row may come without its padding.
    rows = np.lib.stride_tricks.as_strided(data, (height, row), (step, 1), writeable=False)
    pixels = np.ascontiguousarray(rows).view(dtype).reshape(height, width, channels)
    return pixels.astype(dtype.newbyteorder("="), copy=False)


def _decode_compressed_color(message: Any, topic: str) -> np.ndarray:
    if "compressedDepth" in message.format:
        raise FrameError("encoding", f"{topic}: format '{message.format}' is a depth image, not colour: are the topics swapped?")
    image = decode_image_file(message.data, f"{topic} ({message.format or 'no format given'})",
                              cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def _decode_compressed_depth(message: Any, topic: str) -> np.ndarray:
    what = f"{topic} ({message.format or 'no format given'})"
    if "compressedDepth" in message.format:
        return decode_compressed_depth(message.format, message.data, what)
    image = decode_image_file(message.data, what, cv2.IMREAD_UNCHANGED)
    if image.dtype != np.uint16 or image.ndim != 2:
        raise FrameError("encoding", f"{what}: decodes to {image.dtype} with {image.ndim} dimensions, depth is 16-bit grey; "
                         "JPEG cannot hold depth: use the compressedDepth transport")
    return image
