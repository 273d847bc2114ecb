from __future__ import annotations

import struct

import numpy as np
import pytest

from magic3d_ros.frames import FrameError
from magic3d_ros.sources.compressed_depth import decode_compressed_depth, encode_compressed_depth
from magic3d_ros.sources.rvl import decode_rvl


def encode_rvl(values: np.ndarray) -> bytes:
    """The RVL code of (n,) uint16 readings."""
    flat = values.reshape(-1).astype(np.int64)
    valid = np.flatnonzero(flat)
    difference = np.diff(flat[valid], prepend=0)
    zigzag = (difference << 1) ^ (difference >> 63)
    edges = np.flatnonzero(np.diff((flat != 0).astype(np.int8), prepend=0, append=0))
    starts, ends = edges[0::2], edges[1::2]
    zeros = starts - np.concatenate([[0], ends[:-1]])[:len(starts)]
    # Every run of readings is preceded by two numbers: how many zeros came before it, and its length.
    numbers = np.insert(zigzag, np.repeat(np.searchsorted(valid, starts), 2), np.stack([zeros, ends - starts], 1).reshape(-1))
    trailing = len(flat) - (int(ends[-1]) if len(ends) else 0)
    if trailing:
        numbers = np.concatenate([numbers, [trailing, 0]])
    return _packed(numbers)


def _packed(numbers: np.ndarray) -> bytes:
    groups = [numbers & 7]
    more = [numbers >> 3]
    while more[-1].any():
        groups.append(more[-1] & 7)
        more.append(more[-1] >> 3)
    table = np.stack(groups, 1)
    rest = np.stack(more, 1)
    used = np.concatenate([np.ones((len(numbers), 1), bool), rest[:, :-1] != 0], 1)
    nibbles = (table | np.where(rest != 0, 8, 0))[used].astype(np.uint32)
    nibbles = np.pad(nibbles, (0, -len(nibbles) % 8)).reshape(-1, 8)
    return np.bitwise_or.reduce(nibbles << np.arange(28, -1, -4, dtype=np.uint32), axis=1).astype("<u4").tobytes()


def test_16_bit_depth_is_lossless():
    values = np.array([[0, 1, 1500], [65535, 40000, 7]], np.uint16)
    assert decode_compressed_depth("16UC1; compressedDepth png", encode_compressed_depth(values), "d").tolist() == values.tolist()
    assert decode_compressed_depth("16UC1; compressedDepth", encode_compressed_depth(values), "d").dtype == np.uint16


def test_float_depth_is_quantised_as_the_transport_does():
    # compressed_depth_image_transport with its defaults (depth_max 10, depth_quantization 100): A = 10100, B = -1009;
    # 2 m is stored as round(10100 / 2 - 1009) = 4041.
    values = np.array([[2.0, 0.5, 9.0, np.nan, 12.0, 0.0]], np.float32)
    data = encode_compressed_depth(values)
    _, a, b = struct.unpack("<iff", data[:12].tobytes())
    assert (a, b) == (10100.0, -1009.0)
    stored = decode_compressed_depth("16UC1; compressedDepth png", data, "d")
    assert stored.tolist() == [[4041, 19191, 113, 0, 0, 0]]
    metres = decode_compressed_depth("32FC1; compressedDepth png", data, "d")
    np.testing.assert_allclose(metres[0, :3], [2.0, 0.5, 9.0], rtol=1e-3)
    assert np.isnan(metres[0, 3:]).all()


def test_rvl_words_written_by_hand():
    # Pixels 0 0 5 5 0: two zeros, two readings, +5 -> zigzag 10, +0 -> 0, then one zero and no readings.
    # In groups of four bits: 2 | 2 | (10 & 7 | 8) 1 | 0 | 1 | 0 -> 0x22A10100.
    word = struct.pack("<I", 0x22A10100)
    assert decode_rvl(word, 5).tolist() == [0, 0, 5, 5, 0]
    assert encode_rvl(np.array([0, 0, 5, 5, 0], np.uint16)) == word


@pytest.mark.parametrize("share", [0.0, 0.4, 0.97, 1.0])
def test_rvl_round_trip(share):
    rng = np.random.default_rng(1)
    values = np.clip(2000 + np.cumsum(rng.integers(-30, 31, 999)), 1, 65535).astype(np.uint16)
    values[rng.random(999) > share] = 0
    values[rng.integers(0, 999, 9)] = 65535
    assert (decode_rvl(encode_rvl(values), 999) == values).all()


def test_rvl_in_the_transport_and_damaged():
    values = np.array([[0, 0, 5], [5, 0, 9]], np.uint16)
    data = struct.pack("<iff", 0, 0, 0) + struct.pack("<II", 3, 2) + encode_rvl(values)
    assert decode_compressed_depth("16UC1; compressedDepth rvl", data, "d").tolist() == values.tolist()
    with pytest.raises(FrameError, match=r"cut off|damaged"):
        decode_compressed_depth("16UC1; compressedDepth rvl", data[:-4], "d")
    with pytest.raises(FrameError, match="100000x100000"):
        decode_compressed_depth("16UC1; compressedDepth rvl", data[:12] + struct.pack("<II", 100000, 100000), "d")


def test_a_header_that_cannot_be_inverted():
    data = struct.pack("<iff", 0, 0.0, 0.0) + encode_compressed_depth(np.ones((2, 2), np.uint16))[12:].tobytes()
    with pytest.raises(FrameError, match="quantisation"):
        decode_compressed_depth("32FC1; compressedDepth png", data, "d")
