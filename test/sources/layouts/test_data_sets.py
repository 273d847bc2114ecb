"""The layouts of 7-Scenes, TUM, ScanNet and Replica."""

from __future__ import annotations

import json
import logging

import numpy as np
import pytest

from magic3d_ros.config import Settings
from magic3d_ros.sources.layouts import LAYOUTS, plain, replica, scannet, seven_scenes, tum
from magic3d_ros.sources.open import open_source
from magic3d_ros.sources.source import SourceError


def opened(folder, **values):
    settings = Settings()
    settings.update({name.replace("__", "."): value for name, value in values.items()})
    return open_source(str(folder), settings)


def recognised(folder) -> list:
    return [layout for layout in LAYOUTS if layout.recognise(folder)]


def write_matrix(path, matrix) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(" ".join(f"{value:.9f}" for value in row) for row in matrix))


def seven_scenes_sequence(folder, tiny, count=2):
    for number in range(count):
        depth = np.full((480, 640), 2000, np.uint16)
        depth[:, 620:] = 65535
        tiny.write_color(folder / f"frame-{number:06d}.color.png", tiny.color_image(number, 640, 480))
        tiny.write_depth(folder / f"frame-{number:06d}.depth.png", depth)
        write_matrix(folder / f"frame-{number:06d}.pose.txt", tiny.pose(0.1 * number))
    return folder


def test_seven_scenes_sequence(tmp_path, tiny):
    folder = seven_scenes_sequence(tmp_path / "seq-01", tiny)
    assert recognised(folder) == [seven_scenes]
    frames = list(opened(folder))
    assert [frame.index for frame in frames] == [0, 1]
    frame = frames[1]
    assert (frame.camera.fx, frame.camera.cx) == (525.0, 320.0)
    assert (frame.rgb == tiny.color_image(1, 640, 480)).all()
    # The colour camera sits 24 mm to the right of the depth camera (in x of the depth camera), tilted by 0.25 degrees.
    colour_in_depth = np.linalg.inv(tiny.pose(0.1)) @ frame.camera_to_world
    np.testing.assert_allclose(colour_in_depth[:3, 3], [0.024, 0, 0], atol=1e-9)
    assert np.degrees(np.arccos((np.trace(colour_in_depth[:3, :3]) - 1) / 2)) == pytest.approx(0.25, abs=1e-6)
    # A wall at 2 m of the depth camera (585): the view shrinks by 525/585 around the centre and moves by 525 * 0.024 / 2 = 6 px.
    valid = frame.depth > 0
    assert np.median(frame.depth[valid]) == pytest.approx(2.0, abs=0.01)
    columns = np.flatnonzero(valid[240])
    assert columns[0] == pytest.approx((0 - 320) * 525 / 585 + 320 - 6.3, abs=1)
    assert columns[-1] == pytest.approx((619 - 320) * 525 / 585 + 320 - 6.3, abs=1)  # 65535 is no reading


def test_seven_scenes_scene_of_sequences(tmp_path, tiny):
    seven_scenes_sequence(tmp_path / "seq-01", tiny)
    seven_scenes_sequence(tmp_path / "seq-02", tiny)
    assert recognised(tmp_path) == [seven_scenes]
    frames = list(opened(tmp_path))
    assert [frame.index for frame in frames] == [0, 1, 2, 3]
    assert frames[2].stamp == 66_666_667


def test_seven_scenes_without_a_pose_or_with_another_size(tmp_path, tiny):
    folder = seven_scenes_sequence(tmp_path, tiny)
    (folder / "frame-000000.pose.txt").unlink()
    source = opened(folder)
    assert [frame.index for frame in source] == [1]
    assert source.skipped == {"no_pose": 1}
    tiny.write_color(folder / "frame-000000.color.png", tiny.color_image(0))
    with pytest.raises(SourceError, match="640x480"):
        opened(folder)


def tum_folder(folder, tiny, name="rgbd_dataset_freiburg3_test"):
    folder = folder / name
    times = [1341845688.5623, 1341845688.5946, 1341845688.6279]
    colors, depths = ["# color images", "# timestamp filename"], ["# depth maps"]
    for number, time in enumerate(times):
        depth = tiny.depth_image(number, 640, 480).astype(np.uint16) * np.uint16(5)  # 5000 a metre
        tiny.write_color(folder / "rgb" / f"{time:.6f}.png", tiny.color_image(number, 640, 480))
        tiny.write_depth(folder / "depth" / f"{time + 0.004:.6f}.png", depth)
        colors.append(f"{time:.6f} rgb/{time:.6f}.png")
        depths.append(f"{time + 0.004:.6f} depth/{time + 0.004:.6f}.png")
    (folder / "rgb.txt").write_text("\n".join(colors))
    (folder / "depth.txt").write_text("\n".join(depths))
    # Positions every 10 ms: x = 10 m/s * t, no rotation but the first; the last frame lies after the end.
    poses = [f"{times[0] - 0.005 + 0.01 * n:.4f} {0.1 * n:.4f} 1 2 0 0 0 1" for n in range(6)]
    (folder / "groundtruth.txt").write_text("# ground truth\n" + "\n".join(poses))
    return folder


def test_tum(tmp_path, tiny, caplog):
    folder = tum_folder(tmp_path, tiny)
    assert recognised(folder)[0] is tum
    with caplog.at_level(logging.INFO):
        source = opened(folder)
        frames = list(source)
    assert [frame.index for frame in frames] == [0, 1]
    assert frames[0].stamp == 1341845688562300000
    assert source.skipped == {"no_pose": 1}
    assert "3 matched (100 %)" in caplog.text
    # The first colour image is half-way between two poses: x = 0.05.
    np.testing.assert_allclose(frames[0].camera_to_world[:3, 3], [0.05, 1, 2], atol=1e-6)
    camera = frames[0].camera
    assert (camera.fx, camera.fy, camera.cx, camera.cy) == (535.4, 539.2, 320.1, 247.6)
    expected = tiny.depth_image(0, 640, 480)[100, 200] * 0.001
    assert frames[0].depth[100, 200] == pytest.approx(expected, abs=1e-6)


def test_tum_straightens_what_the_lens_bent(tmp_path, tiny, caplog):
    straight = next(iter(opened(tum_folder(tmp_path, tiny))))
    bent = next(iter(opened(tum_folder(tmp_path, tiny, "rgbd_dataset_freiburg1_desk"))))
    assert bent.camera.fx == 517.3
    moved = np.abs(bent.rgb.astype(int) - straight.rgb).max(axis=2)
    assert moved[240:270, 300:340].max() <= 1  # at the centre nothing moves
    assert moved[20:100, 20:100].max() >= 1  # towards the corner it does
    tum_folder(tmp_path, tiny, "my_desk")
    with caplog.at_level(logging.WARNING):
        frame = next(iter(opened(tmp_path / "my_desk")))
    assert frame.camera.fx == 525.0
    assert "does not say which camera" in caplog.text
    assert next(iter(opened(tmp_path / "my_desk", input__intrinsics="500 501 320 240"))).camera.fy == 501.0


def test_tum_without_its_parts(tmp_path, tiny):
    folder = tum_folder(tmp_path, tiny)
    (folder / "groundtruth.txt").rename(folder / "other.txt")
    with pytest.raises(SourceError, match=r"groundtruth\.txt"):
        opened(folder)
    (folder / "groundtruth.txt").write_text("nonsense\n")
    source = opened(folder)
    assert list(source) == []
    assert source.skipped == {"no_pose": 3}
    (folder / "depth.txt").write_text("# nothing\n")
    with pytest.raises(SourceError, match="lists no images"):
        opened(folder)
    (folder / "depth.txt").write_text("5.0 depth/none.png\n")
    with pytest.raises(SourceError, match="within 20 ms"):
        opened(folder)


def scannet_folder(folder, tiny):
    for number in range(3):
        tiny.write_color(folder / "color" / f"{number}.jpg", np.full((968, 1296, 3), 60 * number, np.uint8))
        tiny.write_depth(folder / "depth" / f"{number}.png", np.full((480, 640), 2000 + number, np.uint16))
        write_matrix(folder / "pose" / f"{number}.txt", tiny.pose(0.1 * number) if number != 1 else np.full((4, 4), -np.inf))
    color, depth = np.eye(4), np.eye(4)
    color[0, 0], color[1, 1], color[0, 2], color[1, 2] = 1170.2, 1170.2, 647.75, 483.75
    depth[0, 0], depth[1, 1], depth[0, 2], depth[1, 2] = 571.6, 571.6, 319.5, 239.5
    write_matrix(folder / "intrinsic" / "intrinsic_color.txt", color)
    write_matrix(folder / "intrinsic" / "intrinsic_depth.txt", depth)
    return folder


def test_scannet(tmp_path, tiny):
    folder = scannet_folder(tmp_path, tiny)
    assert recognised(folder)[0] is scannet
    source = opened(folder)
    frames = list(source)
    assert [frame.index for frame in frames] == [0, 2]
    assert source.skipped == {"pose": 1}  # -inf: tracking was lost
    frame = frames[1]
    # Colour is reduced to the pixel size of depth: 1296 * 571.6 / 1170.2 = 633.
    assert frame.rgb.shape == (473, 633, 3)
    assert frame.camera.fx == pytest.approx(1170.2 * 633 / 1296)
    assert np.abs(frame.rgb.astype(int) - 120).max() <= 2
    assert frame.depth[5:-5, 5:-5].min() == frame.depth.max() == np.float32(2.002)
    assert (frame.camera_to_world == tiny.pose(0.2)).all()


def test_scannet_exported_smaller(tmp_path, tiny):
    """An export at 640x480 with the intrinsics of 1296x968."""
    folder = scannet_folder(tmp_path, tiny)
    for number in range(3):
        tiny.write_color(folder / "color" / f"{number}.jpg", np.zeros((480, 640, 3), np.uint8))
    camera = next(iter(opened(folder))).camera
    assert (camera.width, camera.height) == (640, 480)
    assert camera.fx == pytest.approx(1170.2 * 640 / 1296)
    assert camera.cx == pytest.approx((647.75 + 0.5) * 640 / 1296 - 0.5)


def test_scannet_without_depth_intrinsics(tmp_path, tiny):
    folder = scannet_folder(tmp_path, tiny)
    (folder / "intrinsic" / "intrinsic_depth.txt").unlink()
    with pytest.raises(SourceError, match="intrinsic_depth"):
        opened(folder)


def replica_folder(folder, tiny, parameters=True):
    folder = folder / "office0"
    for number in range(2):
        tiny.write_color(folder / "results" / f"frame{number:06d}.jpg", np.full((680, 1200, 3), 100, np.uint8))
        tiny.write_depth(folder / "results" / f"depth{number:06d}.png", np.full((680, 1200), 13107, np.uint16))
    write_matrix(folder / "traj.txt", [tiny.pose(0.1 * number).reshape(-1) for number in range(2)])
    if parameters:
        values = {"camera": {"w": 1200, "h": 680, "fx": 601.0, "fy": 600.0, "cx": 599.5, "cy": 339.5, "scale": 6553.5}}
        (folder.parent / "cam_params.json").write_text(json.dumps(values))
    return folder


def test_replica(tmp_path, tiny):
    folder = replica_folder(tmp_path, tiny)
    assert recognised(folder) == [replica]
    frames = list(opened(folder))
    assert [frame.index for frame in frames] == [0, 1]
    assert frames[1].camera.fx == 601.0
    assert frames[1].depth[9, 9] == pytest.approx(2.0)
    np.testing.assert_allclose(frames[1].camera_to_world, tiny.pose(0.1), atol=1e-9)


def test_replica_without_or_with_broken_parameters(tmp_path, tiny):
    folder = replica_folder(tmp_path, tiny, parameters=False)
    assert next(iter(opened(folder))).camera.fx == 600.0
    for text, words in (("{", "camera file"), ('{"camera": {"w": 1200}}', "camera file"),
                        ('{"camera": {"w": 1200, "h": 680, "fx": 0, "fy": 0, "cx": 0, "cy": 0, "scale": 1}}', "focal length"),
                        ('{"camera": {"w": 640, "h": 480, "fx": 9, "fy": 9, "cx": 0, "cy": 0, "scale": 1}}', "1200x680")):
        (folder / "cam_params.json").write_text(text)
        with pytest.raises(SourceError, match=words):
            opened(folder)


def test_layouts_are_told_apart(tmp_path, tiny):
    assert recognised(tiny.plain_folder(tmp_path / "plain")) == [plain]
    (tmp_path / "empty").mkdir()
    assert recognised(tmp_path / "empty") == []
