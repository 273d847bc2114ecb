"""Training clouds: voxels with the mask of most pixels, small masks dropped, damaged files named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from magic3d_ros.frames import Camera, RGBDFrame
from magic3d_ros.geometry.rigid import upright_rotation
from magic3d_ros.mapping.surface import Surface
from magic3d_ros.training.cloud_samples import CloudSample, CloudSampleError, frame_sample, surface_sample


def wall_frame(width: int = 20, height: int = 10) -> RGBDFrame:
    """A wall one metre away, one pixel a centimetre; the world is the camera's (y down)."""
    camera = Camera(width, height, 100.0, 100.0, 0.0, 0.0)
    rgb = np.full((height, width, 3), 40, np.uint8)
    return RGBDFrame(0, rgb, np.ones((height, width), np.float32), camera, np.eye(4))


@pytest.mark.parametrize("up", [(0, -1, 0), (0, 0, 1), (0, 0, -1), (1, 2, 3), (1e-12, 0, 1)])
def test_upright_rotation_turns_up_to_z(up: tuple[float, ...]) -> None:
    rotation = upright_rotation(np.array(up, float))
    assert np.allclose(rotation @ np.array(up) / np.linalg.norm(up), (0, 0, 1))
    assert np.allclose(rotation @ rotation.T, np.eye(3)) and np.linalg.det(rotation) > 0


def test_upright_rotation_refuses_no_direction() -> None:
    with pytest.raises(ValueError, match="no direction"):
        upright_rotation(np.zeros(3))


def test_frame_sample_is_upright_voxelised_and_drops_small_masks() -> None:
    frame = wall_frame()
    masks = np.full((10, 20), 7, np.int32)
    masks[:, 15:] = 3  # 50 pixels: too few
    masks[0, 0] = -1
    sample = frame_sample(frame, masks, np.array([0.0, -1.0, 0.0]))
    # x 0..0.19 m in ten voxels; the height is -0.00 .. -0.09 m: the row at 0 has a voxel of its own above the others.
    assert sample.points.dtype == np.float32 and sample.masks == 1
    assert set(sample.labels.tolist()) == {-1, 0}
    assert np.allclose(sample.points[:, 1], 1.0) and sample.points[:, 2].max() <= 1e-6 and sample.points[:, 2].min() >= -0.091
    assert np.isclose(np.ptp(sample.points[:, 0]), 0.18, atol=0.011)
    assert (sample.labels[sample.points[:, 0] < 0.135] == 0).any()
    assert (sample.labels[sample.points[:, 0] > 0.155] == -1).all()
    assert (sample.colors == 40).all()


def test_frame_sample_leaves_out_what_has_no_depth() -> None:
    frame = wall_frame()
    frame.depth[:] = np.nan
    frame.depth[5] = 0.0
    assert len(frame_sample(frame, np.zeros((10, 20), np.int32), np.array([0.0, 0.0, 1.0]))) == 0


def test_frame_sample_refuses_masks_of_another_size() -> None:
    with pytest.raises(CloudSampleError, match="one label a pixel"):
        frame_sample(wall_frame(), np.zeros((5, 5), np.int32), np.array([0.0, 0.0, 1.0]))


def test_surface_sample_has_no_masks_and_only_finite_points() -> None:
    vertices = np.array([[0, 0, 1], [0, -2, 0], [np.nan, 0, 0]], np.float32)
    surface = Surface(vertices, np.zeros((0, 3), np.int32), np.zeros((3, 3), np.float32),
                      np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9]], np.uint8), np.ones(3, np.float32))
    sample = surface_sample(surface, np.array([0.0, -1.0, 0.0]))
    assert sample.labels.tolist() == [-1, -1] and sample.colors.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert np.allclose(sample.points[:, 2], (0, 2), atol=1e-6)


def test_samples_outlive_the_process_and_damage_is_named(tmp_path: Path) -> None:
    sample = CloudSample(np.eye(3, dtype=np.float32), np.full((3, 3), 9, np.uint8), np.array([0, -1, 1], np.int32))
    file = tmp_path / "a.npz"
    sample.save(file)
    again = CloudSample.load(file)
    assert np.array_equal(again.points, sample.points) and again.labels.tolist() == [0, -1, 1] and again.masks == 2
    assert [p.name for p in tmp_path.iterdir()] == ["a.npz"]
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(CloudSampleError, match="delete it"):
        CloudSample.load(file)
    with pytest.raises(CloudSampleError, match="not there"):
        CloudSample.load(tmp_path / "b.npz")
    np.savez(file, points=np.zeros((3, 3)), colors=sample.colors, labels=sample.labels)
    with pytest.raises(CloudSampleError, match=r"points are \(3, 3\) float64"):
        CloudSample.load(file)
    np.savez(file, points=np.zeros((2, 3), np.float32), colors=sample.colors, labels=sample.labels)
    with pytest.raises(CloudSampleError, match="differ in length"):
        CloudSample.load(file)


def test_clouds_are_checked() -> None:
    points, colors, labels = np.zeros((2, 3), np.float32), np.zeros((2, 3), np.uint8), np.zeros(2, np.int32)
    with pytest.raises(CloudSampleError, match="colors are"):
        CloudSample(points, colors.astype(np.float32), labels)
    with pytest.raises(CloudSampleError, match="NaN"):
        CloudSample(np.full_like(points, np.nan), colors, labels)
    with pytest.raises(CloudSampleError, match="label -2"):
        CloudSample(points, colors, np.array([0, -2], np.int32))
