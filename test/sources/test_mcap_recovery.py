from __future__ import annotations

import logging

import numpy as np
import pytest

from magic3d_ros.config import Settings
from magic3d_ros.sources.convert import convert
from magic3d_ros.sources.mcap_recovery import RecoveredMcap
from magic3d_ros.sources.open import open_source
from magic3d_ros.sources.source import SourceError


@pytest.fixture
def recording(tmp_path, tiny):
    """30 frames of 0.25 MB: several of MCAP's chunks (1 MB each)."""
    rng = np.random.default_rng(0)
    camera = tiny.CAMERA.resized(256, 192)
    frames = [tiny.frame(number, rgb=rng.integers(0, 256, (192, 256, 3), dtype=np.uint8), camera=camera,
                         depth=np.full((192, 256), 2.0, np.float32)) for number in range(30)]
    convert(tiny.Frames(frames), tmp_path / "whole.mcap")
    return frames, (tmp_path / "whole.mcap").read_bytes()


@pytest.mark.parametrize("share", [0.3, 0.9, 0.999])
def test_a_cut_off_file_gives_what_is_whole(tmp_path, recording, caplog, share):
    frames, data = recording
    path = tmp_path / "cut.mcap"
    path.write_bytes(data[:int(len(data) * share)])
    with caplog.at_level(logging.WARNING):
        source = open_source(str(path), Settings())
        read = list(source)
    assert 30 * share - 6 <= len(read) <= 30
    assert [frame.index for frame in read] == list(range(len(read)))
    for got, written in zip(read, frames, strict=False):
        assert got.stamp == written.stamp
        assert (got.rgb == written.rgb).all()
    assert "has no valid end" in caplog.text
    assert path.read_bytes() == data[:int(len(data) * share)]  # reading never writes


def test_the_tail_may_be_zeros(tmp_path, recording):
    _, data = recording
    path = tmp_path / "cut.mcap"
    path.write_bytes(data[:len(data) // 2] + bytes(5000))
    assert 8 <= len(list(open_source(str(path), Settings()))) <= 15


def test_a_bag_folder_with_a_cut_off_file(tmp_path, tiny, recording):
    frames, data = recording
    convert(tiny.Frames(frames), tmp_path / "run")
    file = tmp_path / "run" / "run.mcap"
    file.write_bytes(file.read_bytes()[:len(data) // 2])
    assert 8 <= len(list(open_source(str(tmp_path / "run"), Settings()))) <= 15


def test_damage_inside_ends_the_reading_there(tmp_path, recording, caplog):
    """The index at the end is whole, a chunk in the middle is not: the frames before it arrive, the lost ones are counted."""
    frames, data = recording
    spoilt = bytearray(data)
    middle = len(data) // 2
    spoilt[middle:middle + 200_000] = bytes(200_000)
    path = tmp_path / "spoilt.mcap"
    path.write_bytes(spoilt)
    source = open_source(str(path), Settings())
    with caplog.at_level(logging.WARNING):
        read = list(source)
    assert len(read) >= 10
    assert len(read) + sum(source.skipped.values()) == 30
    assert all((got.rgb == written.rgb).all() for got, written in zip(read[:10], frames, strict=False))


def test_nothing_to_recover(tmp_path, recording):
    _, data = recording
    for size in (5, 8, 30):
        path = tmp_path / f"{size}.mcap"
        path.write_bytes(data[:size])
        with pytest.raises(SourceError, match="cannot be read"):
            open_source(str(path), Settings())


def test_the_recovered_file_reads_like_a_file(tmp_path, recording):
    _, data = recording
    path = tmp_path / "cut.mcap"
    path.write_bytes(data[:100_000])
    recovered = RecoveredMcap(path)
    with recovered.open("rb") as file:
        whole = file.read()
        assert whole.endswith(b"\x89MCAP0\r\n")
        assert len(whole) == 100_000 - recovered.lost + 37
        assert whole[:-37] == data[:len(whole) - 37]
        file.seek(-37, 2)
        assert file.read() == whole[-37:]
        file.seek(3)
        assert file.read(5) == data[3:8]


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_whatever_bytes_are_damaged_it_is_counted_or_refused(tmp_path, tiny, storage):
    with tiny.BagWriter(tmp_path / "run", storage) as bag:
        for number in range(3):
            bag.pose("/pose", number, tiny.pose(number))
            bag.info("/rgb/camera_info", number)
            bag.image("/rgb/image", number, tiny.color_image(number), "rgb8")
            bag.image("/depth/image", number, tiny.depth_image(number), "16UC1")
    path = next(path for path in (tmp_path / "run").iterdir() if path.suffix != ".yaml")
    data, rng = path.read_bytes(), np.random.default_rng(0)
    refused = 0
    for _ in range(25):
        spoilt = bytearray(data)
        for place in rng.integers(0, len(data), 20):
            spoilt[place] = rng.integers(0, 256)
        path.write_bytes(spoilt)
        try:
            frames = list(open_source(str(path), Settings()))
        except SourceError:
            refused += 1
        else:
            assert len(frames) <= 3
    assert 0 < refused < 25
