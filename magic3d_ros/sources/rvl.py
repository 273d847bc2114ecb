"""RVL, the lossless run-length code for depth images that the compressedDepth transport offers beside PNG.

A. D. Wilson, "Fast Lossless Depth Image Compression", ISS 2017. The image is alternating runs of zeros and of readings, the
readings as zigzag differences; every number is written in 4-bit groups (3 bits and "more follows"), the first group in a word's
highest bits.
"""

from __future__ import annotations

import numpy as np

_SHIFTS = np.arange(28, -1, -4, dtype=np.uint32)


def decode_rvl(data: bytes | memoryview, count: int) -> np.ndarray:
    """(count,) uint16 readings. Raises ValueError when the bytes hold fewer than `count` pixels."""
    words = np.frombuffer(data, "<u4", len(data) // 4)
    nibbles = ((words[:, None] >> _SHIFTS) & 15).astype(np.uint8).reshape(-1)
    numbers = _numbers(nibbles)
    image = np.zeros(count, np.int64)
    pixel = position = 0
    previous = 0
    while pixel < count:
        if position + 2 > len(numbers):
            raise ValueError(f"the RVL image is cut off after {pixel} of {count} pixels")
        pixel += int(numbers[position])
        readings = int(numbers[position + 1])
        zigzag = numbers[position + 2:position + 2 + readings]
        if len(zigzag) < readings or pixel + readings > count:
            raise ValueError(f"the RVL image is damaged near pixel {pixel} of {count}")
        if readings:
            run = previous + np.cumsum((zigzag >> 1) ^ -(zigzag & 1))
            image[pixel:pixel + readings] = run
            previous = int(run[-1])
        elif numbers[position] == 0:
            raise ValueError(f"the RVL image is cut off after {pixel} of {count} pixels")
        pixel += readings
        position += 2 + readings
    return image.astype(np.uint16)


def _numbers(nibbles: np.ndarray) -> np.ndarray:
    """Join 4-bit groups to numbers; groups after the last complete number are dropped."""
    last = np.flatnonzero(nibbles < 8)
    if len(last) == 0:
        return np.zeros(0, np.int64)
    nibbles = nibbles[:last[-1] + 1]
    first = np.concatenate([[0], last[:-1] + 1])
    place = np.arange(len(nibbles)) - np.repeat(first, last - first + 1)
    # 10 groups hold 30 bits, more than any pixel count or difference; longer ones only occur in damaged data.
    return np.add.reduceat((nibbles & 7).astype(np.int64) << (3 * np.minimum(place, 10)), first)
