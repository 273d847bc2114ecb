"""The plain layout, and every kind of bad input a folder can hold."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from magic3d_ros.config import Settings
from magic3d_ros.sources.open import open_source
from magic3d_ros.sources.source import SourceError


def opened(folder, **values):
    settings = Settings()
    settings.update({name.replace("__", "."): value for name, value in values.items()})
    return open_source(str(folder), settings)


def rewrite_pose(folder, number: int, text: str) -> None:
    rows = (folder / "poses_c2w.txt").read_text().splitlines()
    rows[number] = text
    (folder / "poses_c2w.txt").write_text("\n".join(rows))


def test_frames_arrive_with_everything(tmp_path, tiny):
    source = opened(tiny.plain_folder(tmp_path / "office"))
    frames = list(source)
    assert (source.name, len(source), source.skipped) == ("office", 3, {})
    assert [frame.index for frame in frames] == [0, 1, 2]
    assert [frame.stamp for frame in frames] == [0, 33_333_333, 66_666_667]  # 30 Hz
    frame = frames[2]
    assert (frame.rgb == tiny.color_image(2)).all()
    assert frame.depth.dtype == np.float32
    assert (frame.depth == (tiny.depth_image(2) * 0.001).astype(np.float32)).all()
    assert frame.camera == tiny.CAMERA
    assert (frame.camera_to_world == tiny.pose(0.2)).all()
    assert [frame.index for frame in source] == [0, 1, 2]  # again from the beginning


def test_rgb_folder_rows_without_numbers_matrix_intrinsics_and_rate(tmp_path, tiny):
    folder = tiny.plain_folder(tmp_path)
    (folder / "color").rename(folder / "rgb")
    rows = (folder / "poses_c2w.txt").read_text().splitlines()
    (folder / "poses_c2w.txt").write_text("\n".join(row.split(" ", 1)[1] for row in rows))
    (folder / "intrinsics.txt").write_text("21 0 7\n0 22 5\n0 0 1\n")
    frames = list(opened(folder, input__frame_rate=10.0))
    assert [frame.stamp for frame in frames] == [0, 100_000_000, 200_000_000]
    assert (frames[1].camera_to_world == tiny.pose(0.1)).all()
    camera = frames[0].camera
    assert (camera.fx, camera.fy, camera.cx, camera.cy) == (21, 22, 7, 5)


def test_intrinsics_from_the_settings(tmp_path, tiny):
    folder = tiny.plain_folder(tmp_path)
    (folder / "intrinsics.txt").unlink()
    camera = next(iter(opened(folder, input__intrinsics="30, 31, 8, 6"))).camera
    assert (camera.fx, camera.fy, camera.cx, camera.cy) == (30, 31, 8, 6)


def test_numbers_with_gaps_keep_their_poses_and_times(tmp_path, tiny):
    for number in (0, 3, 6):
        tiny.write_color(tmp_path / "color" / f"{number:06d}.png", tiny.color_image(number))
        tiny.write_depth(tmp_path / "depth" / f"{number:06d}.png", tiny.depth_image(number))
    rows = [" ".join(map(str, (number, *tiny.pose(number).reshape(-1)))) for number in (6, 0, 3)]  # in any order
    (tmp_path / "poses_c2w.txt").write_text("\n".join(rows))
    (tmp_path / "intrinsics.txt").write_text("20 20 7.5 5.5")
    frames = list(opened(tmp_path))
    assert [(frame.index, frame.stamp, frame.camera_to_world[0, 3]) for frame in frames] == [
        (0, 0, 0.0), (3, 100_000_000, 3.0), (6, 200_000_000, 6.0)]


def test_replica_images_without_intrinsics(tmp_path, tiny):
    tiny.write_color(tmp_path / "color" / "0001.jpg", tiny.color_image(1, 1200, 680))
    tiny.write_depth(tmp_path / "depth" / "0001.png", tiny.depth_image(1, 1200, 680))
    (tmp_path / "poses_c2w.txt").write_text(" ".join(map(str, tiny.pose(0).reshape(-1))))
    frame = next(iter(opened(tmp_path)))
    assert (frame.camera.fx, frame.camera.cx, frame.camera.cy) == (600.0, 599.5, 339.5)
    assert frame.stamp == 333_333_333  # every 10th frame of 30 Hz


@pytest.mark.parametrize(("row", "reason", "words"), [
    ("1 nan 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1", "pose", "NaN"),
    ("1 2 0 0 0 0 2 0 0 0 0 2 0 0 0 0 1", "pose", "not a rigid"),
    ("1 -1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1", "pose", "not a rigid"),
    ("1 1 0 0 0 0 1 0 0", "no_pose", "has no pose for it"),
    ("", "no_pose", "has no pose for it"),
])
def test_a_bad_pose_costs_one_frame(tmp_path, tiny, caplog, row, reason, words):
    folder = tiny.plain_folder(tmp_path)
    rewrite_pose(folder, 1, row)
    source = opened(folder)
    with caplog.at_level(logging.WARNING):
        assert [frame.index for frame in source] == [0, 2]
    assert source.skipped == {reason: 1}
    assert words in caplog.text
    assert "skipped frame 1" in caplog.text


def cut(path, length: int) -> None:
    path.write_bytes(path.read_bytes()[:length])


@pytest.mark.parametrize(("spoil", "reason", "words"), [
    (lambda f, t: (f / "depth" / "000001.png").unlink(), "file_missing", "No such file"),
    (lambda f, t: (f / "color" / "000001.png").write_bytes(b""), "encoding", "0 bytes"),
    (lambda f, t: (f / "color" / "000001.png").write_bytes(b"hello"), "encoding", "neither JPEG nor PNG"),
    (lambda f, t: cut(f / "depth" / "000001.png", 60), "encoding", "cut off"),
    (lambda f, t: t.write_depth(f / "depth" / "000001.png", t.depth_image(1, 8, 6)), "size", "8x6"),
    (lambda f, t: t.write_color(f / "color" / "000001.png", t.color_image(1, 8, 6)), "size", "8x6"),
    (lambda f, t: t.write_depth(f / "depth" / "000001.png", np.zeros((12, 16), np.uint16)), "depth_empty", "no depth pixel"),
    (lambda f, t: t.write_depth(f / "depth" / "000001.png", np.ones((12, 16), np.uint16)), "depth_unit", "input.depth_scale"),
    (lambda f, t: t.write_depth(f / "depth" / "000001.png", np.full((12, 16), 9, np.uint8)), "encoding", "16-bit"),
    (lambda f, t: t.write_color(f / "depth" / "000001.png", t.color_image(1)), "encoding", "16-bit"),
])
def test_a_bad_image_costs_one_frame(tmp_path, tiny, caplog, spoil, reason, words):
    folder = tiny.plain_folder(tmp_path)
    spoil(folder, tiny)
    source = opened(folder)
    with caplog.at_level(logging.WARNING):
        assert [frame.index for frame in source] == [0, 2]
    assert source.skipped == {reason: 1}
    assert words in caplog.text
    assert "2 of 3 frames used" in caplog.text


def test_wrong_depth_unit_is_cured_by_the_setting(tmp_path, tiny):
    folder = tiny.plain_folder(tmp_path)
    for number in range(3):  # tenths of a millimetre: 20 m, which nothing gives away
        tiny.write_depth(folder / "depth" / f"{number:06d}.png", tiny.depth_image(number) * np.uint16(10))
    assert np.median(next(iter(opened(folder))).depth) == pytest.approx(20.4, abs=0.1)
    assert np.median(next(iter(opened(folder, input__depth_scale=0.0001))).depth) == pytest.approx(2.04, abs=0.01)


@pytest.mark.parametrize(("spoil", "words"), [
    (lambda f: (f / "intrinsics.txt").unlink(), "has no intrinsics.txt"),
    (lambda f: (f / "intrinsics.txt").write_text("0 0 7.5 5.5"), "focal length"),
    (lambda f: (f / "intrinsics.txt").write_text("20 20"), "has 2 numbers"),
    (lambda f: (f / "intrinsics.txt").write_text("a b c d"), "focal length"),
    (lambda f: (f / "poses_c2w.txt").unlink(), "has no poses_c2w.txt"),
    (lambda f: (f / "poses_c2w.txt").write_text("1 2 3"), "rows must hold 16 values"),
    (lambda f: (f / "poses_c2w.txt").write_text("1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1"), "1 poses for 3 colour files"),
    (lambda f: [path.unlink() for path in (f / "color").iterdir()], "holds no numbered"),
])
def test_a_folder_that_cannot_be_used_says_why(tmp_path, tiny, spoil, words):
    folder = tiny.plain_folder(tmp_path)
    spoil(folder)
    with pytest.raises(SourceError, match=words):
        opened(folder)
