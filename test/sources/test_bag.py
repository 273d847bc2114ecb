"""Bags as robots record them, and what goes wrong with them."""

from __future__ import annotations

import logging
import sys

import cv2
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from magic3d_ros.config import Settings
from magic3d_ros.geometry.camera import Camera
from magic3d_ros.sources.compressed_depth import encode_compressed_depth
from magic3d_ros.sources.open import open_source
from magic3d_ros.sources.source import SourceError

COLOR, DEPTH = "/camera/color/image_raw", "/camera/aligned_depth_to_color/image_raw"
COLOR_INFO = "/camera/color/camera_info"


def opened(path, **values):
    settings = Settings()
    settings.update({name.replace("__", "."): value for name, value in values.items()})
    return open_source(str(path), settings)


def images(bag, tiny, number, at=None, depth_delay=0.004, **options) -> float:
    """Colour, depth and calibration of one frame, a tenth of a second apart."""
    at = 100 + 0.1 * number if at is None else at
    bag.info(COLOR_INFO, at)
    bag.image(COLOR, at, tiny.color_image(number), "rgb8", **options)
    bag.image(DEPTH, at + depth_delay, tiny.depth_image(number), "16UC1", **options)
    return at


def pose_at(tiny, at: float) -> np.ndarray:
    """A steady movement in x."""
    return tiny.pose(at - 100)


def simple_bag(path, tiny, count=4, storage="mcap"):
    """TF at 50 Hz from before the first image to after the last."""
    with tiny.BagWriter(path, storage) as bag:
        for tick in range(-3, 5 * count + 3):
            at = 100 + 0.02 * tick + 0.003
            bag.transform("/tf", at, "map", "optical", pose_at(tiny, at))
            if tick % 5 == 0 and 0 <= tick < 5 * count:
                images(bag, tiny, tick // 5)
    return path


def check(frame, tiny, number: int) -> None:
    assert frame.index == number
    assert frame.stamp == round((100 + 0.1 * number) * 1e9)
    assert (frame.rgb == tiny.color_image(number)).all()
    assert (frame.depth == (tiny.depth_image(number) * 0.001).astype(np.float32)).all()
    assert frame.camera == tiny.CAMERA
    np.testing.assert_allclose(frame.camera_to_world, pose_at(tiny, 100 + 0.1 * number), atol=1e-9)


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_raw_images_and_interpolated_transforms(tmp_path, tiny, storage, caplog):
    with caplog.at_level(logging.INFO):
        source = opened(simple_bag(tmp_path / "run", tiny, storage=storage))
        frames = list(source)
    assert (source.name, len(source), len(frames), source.skipped) == ("run", 4, 4, {})
    for number, frame in enumerate(frames):
        check(frame, tiny, number)
    assert f"colour {COLOR}, depth {DEPTH}, calibration {COLOR_INFO}, poses from TF (map -> optical)" in caplog.text
    assert "4 matched (100 %), mean offset 4.0 ms" in caplog.text
    assert len(list(source)) == 4  # again from the beginning


def test_single_files_and_a_folder_without_metadata(tmp_path, tiny):
    folder = simple_bag(tmp_path / "run", tiny)
    assert len(list(opened(folder / "run.mcap"))) == 4
    (folder / "metadata.yaml").unlink()
    assert len(list(opened(folder))) == 4
    sqlite = simple_bag(tmp_path / "other", tiny, storage="sqlite3")
    assert len(list(opened(next(sqlite.glob("*.db3"))))) == 4


def test_compressed_images_of_a_robot(tmp_path, tiny):
    """JPEG, compressedDepth; map -> odom -> base moves, base -> optical is static and recorded late."""
    mount = np.eye(4)
    mount[:3, :3] = Rotation.from_euler("xz", [-90, -90], degrees=True).as_matrix()
    mount[:3, 3] = [0.2, 0.0, 0.8]
    correction = np.eye(4)
    correction[:3, 3] = [5.0, 0.0, 0.0]
    with tiny.BagWriter(tmp_path / "robot") as bag:
        for number in range(3):
            at = 50 + 0.1 * number
            bag.transform("/tf", at, "map", "odom", correction)
            bag.transform("/tf", at, "odom", "base_link", tiny.pose(number))
            bag.info("/cam/rgb/camera_info", at)
            rgb = np.full((12, 16, 3), 60 * number, np.uint8)
            jpeg, png = cv2.imencode(".jpg", rgb)[1].reshape(-1), encode_compressed_depth(tiny.depth_image(number))
            bag.compressed("/cam/rgb/image_raw/compressed", at, jpeg, "bgr8; jpeg compressed bgr8")
            bag.compressed("/cam/depth_registered/image_raw/compressedDepth", at, png, "16UC1; compressedDepth png")
        bag.transform("/tf_static", 50.25, "base_link", "optical", mount)
    source = opened(tmp_path / "robot")
    frames = list(source)
    assert source.skipped == {}
    assert len(frames) == 3
    np.testing.assert_allclose(frames[2].camera_to_world, correction @ tiny.pose(2) @ mount, atol=1e-9)
    assert (frames[2].depth == (tiny.depth_image(2) * 0.001).astype(np.float32)).all()
    assert np.abs(frames[2].rgb.astype(int) - 120).max() <= 2
    odom = next(iter(opened(tmp_path / "robot", bag__world_frame="odom")))
    np.testing.assert_allclose(odom.camera_to_world, tiny.pose(0) @ mount, atol=1e-9)


def test_poses_from_pose_messages_and_odometry(tmp_path, tiny):
    mount = np.eye(4)
    mount[:3, 3] = [0.0, 0.0, 1.0]
    with tiny.BagWriter(tmp_path / "run") as bag:
        bag.transform("/tf_static", 99, "base_link", "optical", mount)
        for number in range(3):
            at = 100 + 0.1 * number
            bag.pose("/slam/pose", at, tiny.pose(number))
            bag.odometry("/odom", at, tiny.pose(10 + number), "base_link")
            images(bag, tiny, number)
    # TF moves nothing, so the pose topic is taken; a PoseStamped is the camera's.
    frames = list(opened(tmp_path / "run"))
    np.testing.assert_allclose(frames[1].camera_to_world, tiny.pose(1), atol=1e-9)
    frames = list(opened(tmp_path / "run", bag__pose="/odom"))
    np.testing.assert_allclose(frames[1].camera_to_world, tiny.pose(11) @ mount, atol=1e-9)
    frames = list(opened(tmp_path / "run", bag__pose="/slam/pose", bag__pose_frame="base_link"))
    np.testing.assert_allclose(frames[1].camera_to_world, tiny.pose(1) @ mount, atol=1e-9)
    with pytest.raises(SourceError, match="nothing moves 'optical'"):
        opened(tmp_path / "run", bag__pose="tf")


def test_depth_of_its_own_camera_is_registered(tmp_path, tiny):
    beside = np.eye(4)
    beside[0, 3] = 0.1  # the depth camera sits 10 cm to the right of the colour camera
    fine = Camera(64, 48, 80.0, 80.0, 31.5, 23.5)
    with tiny.BagWriter(tmp_path / "run") as bag:
        bag.transform("/tf_static", 99, "optical", "depth_optical", beside)
        for number in range(2):
            at = 100 + 0.1 * number
            bag.pose("/pose", at, tiny.pose(number))
            bag.info(COLOR_INFO, at, fine)
            bag.info("/camera/depth/camera_info", at, fine, "depth_optical")
            bag.image(COLOR, at, tiny.color_image(number, 64, 48), "rgb8")
            bag.image("/camera/depth/image_rect_raw", at, np.full((48, 64), 2.0, np.float32), "32FC1", "depth_optical")
    frames = list(opened(tmp_path / "run"))
    # Points move right by 80 * 0.1 / 2 = 4 pixels; the colour camera's first four columns were not seen.
    assert [set(np.unique(frames[0].depth[:, :4])), set(np.unique(frames[0].depth[:, 4:]))] == [{0.0}, {2.0}]
    assert len(frames) == 2
    source = opened(tmp_path / "run", bag__depth_camera_info="none")  # told that it is registered
    assert (next(iter(source)).depth == 2.0).all()


def test_missing_extrinsics_are_named(tmp_path, tiny, caplog):
    with tiny.BagWriter(tmp_path / "run") as bag:
        for number in range(2):
            bag.pose("/pose", 100 + 0.1 * number, tiny.pose(number))
            bag.info(COLOR_INFO, 100 + 0.1 * number)
            bag.info("/camera/depth/camera_info", 100 + 0.1 * number, Camera(16, 12, 22.0, 22.0, 7.5, 5.5), "depth_optical")
            bag.image(COLOR, 100 + 0.1 * number, tiny.color_image(number), "rgb8")
            bag.image("/camera/depth/image_rect_raw", 100 + 0.1 * number, tiny.depth_image(number), "16UC1", "depth_optical")
    source = opened(tmp_path / "run")
    with caplog.at_level(logging.WARNING):
        assert list(source) == []
    assert source.skipped == {"extrinsics": 2}
    assert "depth_optical" in caplog.text
    assert "/tf_static" in caplog.text


def test_distortion_and_rectified_topics(tmp_path, tiny):
    projection = np.array([[24.0, 0, 8, 0], [0, 24.0, 6, 0], [0, 0, 1, 0]])
    for name in ("image_raw", "image_rect_color"):
        with tiny.BagWriter(tmp_path / name) as bag:
            bag.pose("/pose", 100, tiny.pose(0))
            bag.info("/camera/rgb/camera_info", 100, d=np.array([-0.3, 0.1, 0, 0, 0]), p=projection.reshape(-1))
            bag.image(f"/camera/rgb/{name}", 100, tiny.color_image(3), "bgr8")
            bag.image("/camera/depth_registered/image", 100, tiny.depth_image(0), "16UC1")
    raw = next(iter(opened(tmp_path / "image_raw")))
    assert raw.camera == tiny.CAMERA
    assert (raw.rgb != tiny.color_image(3)[..., ::-1]).any()
    rectified = next(iter(opened(tmp_path / "image_rect_color")))
    assert (rectified.camera.fx, rectified.camera.cx) == (24.0, 8.0)
    assert (rectified.rgb == tiny.color_image(3)[..., ::-1]).all()


def test_the_clock_of_the_recording_serves_where_stamps_are_zero(tmp_path, tiny):
    with tiny.BagWriter(tmp_path / "run") as bag:
        for number in range(2):
            at = 100 + 0.1 * number
            bag.pose("/pose", at, tiny.pose(number))
            bag.info(COLOR_INFO, at)
            bag.image(COLOR, 0, tiny.color_image(number), "rgb8", recorded=at)
            bag.image(DEPTH, 0, tiny.depth_image(number), "16UC1", recorded=at)
    assert [frame.stamp for frame in opened(tmp_path / "run")] == [100_000_000_000, 100_100_000_000]


# What goes wrong


def bag_with(path, tiny, spoil, count=4):
    """A good bag whose frame 1 is written by `spoil(bag, at)`."""
    with tiny.BagWriter(path) as bag:
        for number in range(count):
            at = 100 + 0.1 * number
            bag.pose("/pose", at, tiny.pose(number))
            if number == 1:
                spoil(bag, at)
            else:
                images(bag, tiny, number, at)
    return path


@pytest.mark.parametrize(("spoil", "reason", "words"), [
    (lambda bag, at, t: bag.image(COLOR, at, t.color_image(1), "rgb8"), "no_depth", "no depth image within ros.sync_slop"),
    (lambda bag, at, t: images(bag, t, 1, at, depth_delay=0.04), "no_depth", "slop 30 ms"),
    (lambda bag, at, t: (bag.image(COLOR, at, t.color_image(1), "rgb8"), bag.image(DEPTH, at, t.depth_image(1, 8, 6), "16UC1")),
     "size", "8x6"),
    (lambda bag, at, t: (bag.image(COLOR, at, t.color_image(1, 8, 6), "rgb8"), bag.image(DEPTH, at, t.depth_image(1), "16UC1")),
     "size", "8x6"),
    (lambda bag, at, t: (bag.image(COLOR, at, t.color_image(1), "yuv422"), bag.image(DEPTH, at, t.depth_image(1), "16UC1")),
     "encoding", "yuv422"),
    (lambda bag, at, t: (bag.image(COLOR, at, t.color_image(1), "rgb8"), bag.image(DEPTH, at, t.color_image(1), "rgb8")),
     "encoding", "not a depth image"),
    (lambda bag, at, t: (bag.image(COLOR, at, t.color_image(1), "rgb8"),
                         bag.image(DEPTH, at, t.depth_image(1).astype(np.float32), "32FC1")), "depth_unit", "input.depth_scale"),
    (lambda bag, at, t: (bag.image(COLOR, at, t.color_image(1), "rgb8"),
                         bag.image(DEPTH, at, np.full((12, 16), np.nan, np.float32), "32FC1")), "depth_empty", "no depth pixel"),
    (lambda bag, at, t: images(bag, t, 1, at - 0.1), "duplicate", "two colour images have the stamp"),
    (lambda bag, at, t: bag.raw(COLOR, "sensor_msgs/msg/Image", at, b"\0\1\0\0\5"), "message_damaged", "cannot be decoded"),
])
def test_a_bad_frame_is_skipped_and_counted(tmp_path, tiny, caplog, spoil, reason, words):
    source = opened(bag_with(tmp_path / "run", tiny, lambda bag, at: spoil(bag, at, tiny)))
    with caplog.at_level(logging.WARNING):
        frames = list(source)
    assert [frame.index for frame in frames] == [0, 2, 3]
    assert source.skipped == {reason: 1}
    assert words in caplog.text
    assert "3 of 4 frames used" in caplog.text


def test_a_missing_or_broken_pose_costs_its_frame(tmp_path, tiny, caplog):
    nan = tiny.pose(0)
    nan[0, 3] = np.nan
    with tiny.BagWriter(tmp_path / "run") as bag:
        for number in range(3):
            bag.pose("/pose", 100 + 0.1 * number, nan if number == 2 else tiny.pose(number))
            images(bag, tiny, number)
    source = opened(tmp_path / "run")
    with caplog.at_level(logging.WARNING):
        assert [frame.index for frame in source] == [0, 1]
    assert source.skipped == {"no_pose": 1}
    assert "NaN" in caplog.text
    assert "known from 100.000 to 100.100 s, not at 100.200 s" in caplog.text


def test_frames_wait_for_poses_that_come_late_but_not_for_ever(tmp_path, tiny):
    with tiny.BagWriter(tmp_path / "run") as bag:
        for tick in range(40):
            at = 100 + 0.1 * tick
            images(bag, tiny, 0, at)
            if tick >= 3 and not 10 <= tick - 3 < 20:  # each pose comes 0.3 s after its image; ten are missing
                bag.transform("/tf", at - 0.3, "map", "optical", pose_at(tiny, at - 0.3), recorded=at)
    source = opened(tmp_path / "run", ros__pose_timeout=0.5)
    indices = [frame.index for frame in source]
    assert indices[:10] == list(range(10))
    assert indices[-17:] == list(range(20, 37))
    assert source.skipped == {"no_pose": 40 - len(indices)}


@pytest.mark.parametrize(("changes", "words"), [
    ({"k": np.zeros(9)}, "focal length"), ({"distortion_model": "bent", "d": np.ones(3)}, "'bent' is not supported"),
    ({"height": 0, "width": 0}, "image size 0x0"),
])
def test_an_uncalibrated_camera_is_named(tmp_path, tiny, caplog, changes, words):
    with tiny.BagWriter(tmp_path / "run") as bag:
        for number in range(2):
            bag.pose("/pose", 100 + 0.1 * number, tiny.pose(number))
            bag.info(COLOR_INFO, 100 + 0.1 * number, **changes)
            bag.image(COLOR, 100 + 0.1 * number, tiny.color_image(number), "rgb8")
            bag.image(DEPTH, 100 + 0.1 * number, tiny.depth_image(number), "16UC1")
    source = opened(tmp_path / "run")
    with caplog.at_level(logging.WARNING):
        assert list(source) == []
    assert source.skipped == {"camera_info": 2}
    assert words in caplog.text
    assert COLOR_INFO in caplog.text
    assert len(list(opened(tmp_path / "run", input__intrinsics="20 20 7.5 5.5"))) == 2


def test_bags_that_cannot_be_used_say_why(tmp_path, tiny):
    with tiny.BagWriter(tmp_path / "blind") as bag:
        bag.pose("/pose", 1, tiny.pose(0))
    with pytest.raises(SourceError, match=r"no depth images.*it has /pose \(geometry_msgs/msg/PoseStamped, 1\)"):
        opened(tmp_path / "blind")
    with tiny.BagWriter(tmp_path / "no_color") as bag:
        bag.image(DEPTH, 1, tiny.depth_image(0), "16UC1")
    with pytest.raises(SourceError, match="no colour images"):
        opened(tmp_path / "no_color")
    with tiny.BagWriter(tmp_path / "uncalibrated") as bag:
        bag.image(COLOR, 1, tiny.color_image(0), "rgb8")
        bag.image(DEPTH, 1, tiny.depth_image(0), "16UC1")
    with pytest.raises(SourceError, match=r"no CameraInfo for /camera/color/image_raw.*input\.intrinsics"):
        opened(tmp_path / "uncalibrated")
    with pytest.raises(SourceError, match="has no poses"):
        opened(tmp_path / "uncalibrated", input__intrinsics="20 20 7.5 5.5")
    with tiny.BagWriter(tmp_path / "empty"):
        pass
    with pytest.raises(SourceError, match="holds no messages"):
        opened(tmp_path / "empty")
    run = simple_bag(tmp_path / "run", tiny)
    with pytest.raises(SourceError, match=r"no topic /rgb \(setting bag\.rgb\).*/camera/color/image_raw"):
        opened(run, bag__rgb="/rgb")
    with pytest.raises(SourceError, match="poses come as"):
        opened(run, bag__pose="/tf")
    (tmp_path / "zero.mcap").write_bytes(b"")
    (tmp_path / "zero.db3").write_bytes(b"")
    (tmp_path / "rubbish.mcap").write_bytes(b"rubbish" * 100)
    (tmp_path / "rubbish.db3").write_bytes(b"rubbish" * 100)
    for name, words in (("zero.mcap", "empty"), ("zero.db3", "empty"), ("rubbish.mcap", "cannot be"), ("rubbish.db3", "cannot")):
        with pytest.raises(SourceError, match=words):
            opened(tmp_path / name)


def test_a_folder_with_metadata_but_no_files(tmp_path, tiny):
    folder = simple_bag(tmp_path / "run", tiny)
    (folder / "run.mcap").unlink()
    with pytest.raises(SourceError, match="none of its"):
        opened(folder)


def test_a_loop_in_the_recording_is_a_restart(tmp_path, tiny, caplog):
    with tiny.BagWriter(tmp_path / "run") as bag:
        for loop in range(2):
            for number in range(3):
                recorded = 200 + 10 * loop + number
                bag.transform("/tf", 100 + number, "map", "optical", tiny.pose(10 * loop + number), recorded=recorded - 0.01)
                bag.image(COLOR, 100 + number, tiny.color_image(number), "rgb8", recorded=recorded)
                bag.image(DEPTH, 100 + number, tiny.depth_image(number), "16UC1", recorded=recorded)
                bag.info(COLOR_INFO, recorded)
    source = opened(tmp_path / "run")
    with caplog.at_level(logging.WARNING):
        frames = list(source)
    assert [frame.index for frame in frames] == [0, 1, 2, 3, 4, 5]
    assert [round(frame.camera_to_world[0, 3]) for frame in frames] == [0, 1, 2, 10, 11, 12]
    assert source.skipped == {}
    assert "jumped back by 2.0 s" in caplog.text


def test_without_rosbags_the_package_is_named(tmp_path, tiny, monkeypatch):
    run = simple_bag(tmp_path / "run", tiny)
    monkeypatch.setitem(sys.modules, "rosbags.typesys", None)
    with pytest.raises(SourceError, match="pip install rosbags"):
        opened(run)
