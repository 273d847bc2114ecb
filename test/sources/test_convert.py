from __future__ import annotations

import errno

import numpy as np
import pytest

from magic3d_ros.config import Settings
from magic3d_ros.frames import FrameError
from magic3d_ros.sources.convert import convert
from magic3d_ros.sources.open import open_source
from magic3d_ros.sources.source import SourceError


def frames(tiny, count=3):
    return [tiny.frame(number, depth=(tiny.depth_image(number) * 0.001).astype(np.float32)) for number in range(count)]


@pytest.mark.parametrize(("name", "compressed"), [("run.mcap", False), ("run", False), ("run.mcap", True), ("run", True)])
def test_what_is_written_is_read_again(tmp_path, tiny, name, compressed):
    written = frames(tiny)
    reports = []
    assert convert(tiny.Frames(written), tmp_path / name, compressed, progress=lambda *args: reports.append(args)) == 3
    assert reports == [(1, 3), (2, 3), (3, 3)]
    assert [path.name for path in tmp_path.iterdir()] == [name]
    source = open_source(str(tmp_path / name), Settings())
    assert source.skipped == {}
    read = list(source)
    assert len(read) == len(source) == 3
    for got, expected in zip(read, written, strict=True):
        assert (got.stamp, got.index, got.camera) == (expected.stamp, expected.index, expected.camera)
        assert (got.depth == expected.depth).all()
        np.testing.assert_allclose(got.camera_to_world, expected.camera_to_world, atol=1e-12)
        difference = np.abs(got.rgb.astype(int) - expected.rgb)
        assert difference.max() == 0 if not compressed else difference.mean() < 6


def test_both_pose_topics_say_the_same(tmp_path, tiny):
    written = frames(tiny)
    convert(tiny.Frames(written), tmp_path / "run.mcap")
    settings = Settings()
    settings.set("bag.pose", "/pose")
    for got, expected in zip(open_source(str(tmp_path / "run.mcap"), settings), written, strict=True):
        np.testing.assert_allclose(got.camera_to_world, expected.camera_to_world, atol=1e-12)


def test_nothing_is_overwritten(tmp_path, tiny):
    (tmp_path / "run.mcap").write_text("precious")
    with pytest.raises(FileExistsError, match="exists already"):
        convert(tiny.Frames(frames(tiny)), tmp_path / "run.mcap")
    assert (tmp_path / "run.mcap").read_text() == "precious"


class Failing:
    def __init__(self, tiny, error):
        self.name, self.skipped = "failing", {}
        self.tiny, self.error = tiny, error

    def __len__(self):
        return 5

    def __iter__(self):
        yield self.tiny.frame(0)
        raise self.error


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), FrameError("x", "y"), KeyboardInterrupt()])
def test_on_any_error_nothing_is_left_behind(tmp_path, tiny, error):
    with pytest.raises(type(error)):
        convert(Failing(tiny, error), tmp_path / "out" / "run.mcap")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_source_without_frames(tmp_path, tiny):
    with pytest.raises(SourceError, match="nothing to convert"):
        convert(tiny.Frames([]), tmp_path / "run")
    assert list(tmp_path.iterdir()) == []
