from __future__ import annotations

import struct
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from magic3d_ros.frames import FrameError
from magic3d_ros.sources import image_codec
from magic3d_ros.sources.image_codec import RawImage, decode_color, decode_depth
from magic3d_ros.sources.image_file import compressed_image_size


def raw(encoding: str, data: bytes, width: int, height: int, step: int, big: int = 0) -> RawImage:
    return RawImage(height, width, encoding, big, step, np.frombuffer(data, np.uint8))


@pytest.mark.parametrize(("encoding", "data", "expected"), [
    ("rgb8", bytes([1, 2, 3, 4, 5, 6]), [[1, 2, 3], [4, 5, 6]]),
    ("bgr8", bytes([1, 2, 3, 4, 5, 6]), [[3, 2, 1], [6, 5, 4]]),
    ("8UC3", bytes([1, 2, 3, 4, 5, 6]), [[3, 2, 1], [6, 5, 4]]),
    ("rgba8", bytes([1, 2, 3, 9, 4, 5, 6, 9]), [[1, 2, 3], [4, 5, 6]]),
    ("bgra8", bytes([1, 2, 3, 9, 4, 5, 6, 9]), [[3, 2, 1], [6, 5, 4]]),
    ("mono8", bytes([7, 8]), [[7, 7, 7], [8, 8, 8]]),
    ("8UC1", bytes([7, 8]), [[7, 7, 7], [8, 8, 8]]),
    ("mono16", bytes([255, 7, 0, 8]), [[7, 7, 7], [8, 8, 8]]),
])
def test_colour_encodings(encoding, data, expected):
    image = decode_color(raw(encoding, data, 2, 1, len(data)))
    assert image.dtype == np.uint8
    assert image.flags.writeable
    assert image.flags.c_contiguous
    assert image.tolist() == [expected]


def test_rows_may_be_padded_and_the_last_one_cut_off():
    data = bytes([1, 2, 3, 99, 4, 5, 6])  # step 4 for 3 used bytes; the last row without its padding
    assert decode_color(raw("rgb8", data, 1, 2, 4)).tolist() == [[[1, 2, 3]], [[4, 5, 6]]]


def test_depth_units_follow_the_encoding_and_byte_order():
    little = struct.pack("<2H", 1500, 0)
    assert decode_depth(raw("16UC1", little, 2, 1, 4)).tolist() == [[1.5, 0.0]]
    assert decode_depth(raw("16UC1", struct.pack(">2H", 1500, 0), 2, 1, 4, big=1)).tolist() == [[1.5, 0.0]]
    assert decode_depth(raw("mono16", little, 2, 1, 4)).tolist() == [[1.5, 0.0]]
    metres = struct.pack("<4f", 2.25, float("nan"), float("inf"), -1.0)
    assert decode_depth(raw("32FC1", metres, 4, 1, 16)).tolist() == [[2.25, 0.0, 0.0, 0.0]]
    assert decode_depth(raw("32FC1", struct.pack(">f", 2.25), 1, 1, 4, big=1)).tolist() == [[2.25]]
    assert decode_depth(raw("16UC1", little, 2, 1, 4), depth_scale=0.01).tolist() == [[15.0, 0.0]]
    assert decode_depth(raw("32FC1", struct.pack("<f", 2250.0), 1, 1, 4), depth_scale=0.001).tolist() == [[2.25]]


@pytest.mark.parametrize(("message", "reason", "words"), [
    (raw("bayer_rggb8", bytes(4), 2, 2, 2), "encoding", ["/rgb", "bayer_rggb8", "rgb8"]),
    (raw("16UC1", bytes(4), 2, 1, 4), "encoding", ["depth topic"]),
    (raw("rgb8", bytes(5), 2, 1, 6), "size", ["/rgb", "6 bytes", "5 bytes"]),
    (raw("rgb8", bytes(12), 2, 2, 3), "size", ["step 3"]),
    (raw("rgb8", b"", 0, 0, 0), "size", ["0x0"]),
    (raw("rgb8", b"", 60000, 60000, 180000), "size", ["60000x60000"]),
    (SimpleNamespace(format="jpeg", data=b""), "encoding", ["/rgb", "0 bytes"]),
    (SimpleNamespace(format="jpeg", data=b"not a picture"), "encoding", ["neither JPEG nor PNG"]),
    (SimpleNamespace(format="16UC1; compressedDepth png", data=bytes(40)), "encoding", ["swapped"]),
])
def test_bad_colour_is_named(message, reason, words):
    with pytest.raises(FrameError) as caught:
        decode_color(message, "/rgb")
    assert caught.value.reason == reason
    assert all(word in str(caught.value) for word in words), str(caught.value)


@pytest.mark.parametrize(("message", "words"), [
    (raw("rgb8", bytes(6), 2, 1, 6), ["/depth", "rgb8", "16UC1", "colour topic"]),
    (SimpleNamespace(format="16UC1; compressedDepth png", data=bytes(5)), ["5 bytes"]),
    (SimpleNamespace(format="16UC1; compressedDepth png", data=bytes(12) + b"rubbish!"), ["neither JPEG nor PNG"]),
])
def test_bad_depth_is_named(message, words):
    with pytest.raises(FrameError) as caught:
        decode_depth(message, topic="/depth")
    assert caught.value.reason == "encoding"
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_jpeg_cannot_hold_depth():
    data = cv2.imencode(".jpg", np.zeros((4, 4), np.uint8))[1].reshape(-1)
    with pytest.raises(FrameError, match="JPEG cannot hold depth"):
        decode_depth(SimpleNamespace(format="mono8; jpeg compressed", data=data))


def test_a_picture_that_claims_to_be_huge_is_not_decoded():
    png = bytearray(cv2.imencode(".png", np.zeros((2, 2, 3), np.uint8))[1].tobytes())
    png[16:24] = struct.pack(">II", 100000, 100000)
    with pytest.raises(FrameError, match="100000x100000") as caught:
        decode_color(SimpleNamespace(format="png", data=bytes(png)))
    assert caught.value.reason == "size"


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_size_is_read_from_the_header(suffix):
    data = cv2.imencode(suffix, np.zeros((7, 13, 3), np.uint8))[1].tobytes()
    assert compressed_image_size(data) == (13, 7)
    with pytest.raises(ValueError, match="ends"):
        compressed_image_size(data[:20])


def test_a_cut_off_jpeg_is_damaged_or_partly_grey_but_never_crashes():
    data = image_codec.encode_compressed_color(np.full((32, 32, 3), 200, np.uint8)).data
    with pytest.raises(FrameError):
        decode_color(SimpleNamespace(format="jpeg", data=data[:100]))


def test_round_trips():
    rng = np.random.default_rng(0)
    rgb = rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)
    assert (decode_color(image_codec.encode_color(rgb)) == rgb).all()
    depth = (rng.integers(300, 5000, (6, 8)) / 1000).astype(np.float32)
    depth[0] = 0
    for encoded in (image_codec.encode_depth(depth), image_codec.encode_depth_compressed(depth),
                    image_codec.encode_depth(depth, "32FC1")):
        np.testing.assert_allclose(decode_depth(encoded), depth, atol=1e-6)
    smooth = np.tile(np.arange(0, 128, 8, dtype=np.uint8)[:, None, None], (1, 16, 3))
    assert np.abs(decode_color(image_codec.encode_compressed_color(smooth)).astype(int) - smooth).max() <= 4
    odd = decode_depth(image_codec.encode_depth(np.float32([[np.nan, 70.0, -1.0, 1.2344]])))
    assert odd.tolist() == np.float32([[0, 0, 0, 1.234]]).tolist()


def test_compressed_colour_is_red_where_it_was_red():
    red = np.zeros((16, 16, 3), np.uint8)
    red[..., 0] = 250
    decoded = decode_color(image_codec.encode_compressed_color(red))
    assert decoded[..., 0].min() > 240
    assert decoded[..., 1:].max() < 10
