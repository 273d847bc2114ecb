"""Training clouds: what a frame sees, with its masks; small masks dropped, damaged files named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from magic3d_ros.frames import Camera, RGBDFrame
from magic3d_ros.geometry.rigid import upright_rotation
from magic3d_ros.instances.region_features import PAIR_FEATURES
from magic3d_ros.instances.segmenter.superpoint_features import NODE_FEATURES
from magic3d_ros.instances.segmenter.superpoints import SuperpointGraph
from magic3d_ros.training.cloud_samples import (
    UNMASKED,
    UNSEEN,
    CloudSample,
    CloudSampleError,
    seen_labels,
    superpoint_labels,
)


def wall_frame(width: int = 20, height: int = 10) -> RGBDFrame:
    """A wall one metre away, one pixel a centimetre; the world is the camera's (y down)."""
    camera = Camera(width, height, 100.0, 100.0, 0.0, 0.0)
    rgb = np.full((height, width, 3), 40, np.uint8)
    return RGBDFrame(0, rgb, np.ones((height, width), np.float32), camera, np.eye(4))


def sample_of_two() -> CloudSample:
    """Two superpoints of two points and one, a pair; the second is unknown."""
    graph = SuperpointGraph(np.eye(3, dtype=np.float32), np.full((3, 3), 9, np.uint8), np.array([0, 1, 0], np.int32),
                            np.ones((2, NODE_FEATURES), np.float32), np.array([[0, 1]], np.int32),
                            np.ones((1, PAIR_FEATURES), np.float32))
    return CloudSample(graph, np.array([0, -1], np.int32))


@pytest.mark.parametrize("up", [(0, -1, 0), (0, 0, 1), (0, 0, -1), (1, 2, 3), (1e-12, 0, 1)])
def test_upright_rotation_turns_up_to_z(up: tuple[float, ...]) -> None:
    rotation = upright_rotation(np.array(up, float))
    assert np.allclose(rotation @ np.array(up) / np.linalg.norm(up), (0, 0, 1))
    assert np.allclose(rotation @ rotation.T, np.eye(3)) and np.linalg.det(rotation) > 0


def test_upright_rotation_refuses_no_direction() -> None:
    with pytest.raises(ValueError, match="no direction"):
        upright_rotation(np.zeros(3))


def test_a_frame_labels_what_it_sees() -> None:
    """A wall of 20 x 10 pixels; 15 columns are mask 7, the rest is mask 3 of too few pixels, one pixel has none."""
    masks = np.full((10, 20), 7, np.int32)
    masks[:, 15:] = 3
    masks[0, 0] = -1
    points = np.array([[0.05, 0.05, 1.0], [0.17, 0.05, 1.0], [0.0, 0.0, 1.0], [0.05, 0.05, 1.2], [0.05, 0.05, -1.0], [5.0, 0, 1]])
    assert seen_labels(points, wall_frame(), masks).tolist() == [0, UNMASKED, UNMASKED, UNSEEN, UNSEEN, UNSEEN]


def test_what_has_no_depth_is_unseen() -> None:
    frame = wall_frame()
    frame.depth[:] = np.nan
    frame.depth[5] = 0.0
    points = np.array([[0.05, 0.02, 1.0], [0.05, 0.05, 1.0]])
    assert seen_labels(points, frame, np.zeros((10, 20), np.int32)).tolist() == [UNSEEN, UNSEEN]


def test_masks_of_another_size_are_refused() -> None:
    with pytest.raises(CloudSampleError, match="one label a pixel"):
        seen_labels(np.zeros((1, 3)), wall_frame(), np.zeros((5, 5), np.int32))


def test_half_of_a_superpoint_decides_its_label() -> None:
    superpoint = np.array([0, 0, 1, 1, 1, 2, 2, 4])
    labels = np.array([5, -1, 2, 2, 5, -1, -1, 0])
    assert superpoint_labels(superpoint, labels, 5).tolist() == [5, 2, -1, -1, 0]
    assert superpoint_labels(superpoint, np.full(8, -1), 5).tolist() == [-1] * 5


def test_samples_outlive_the_process_and_damage_is_named(tmp_path: Path) -> None:
    sample = sample_of_two()
    file = tmp_path / "a.npz"
    sample.save(file)
    again = CloudSample.load(file)
    assert all(np.array_equal(ours, again.arrays()[name]) for name, ours in sample.arrays().items()) and again.masks == 1
    assert [p.name for p in tmp_path.iterdir()] == ["a.npz"]
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(CloudSampleError, match="delete it"):
        CloudSample.load(file)
    with pytest.raises(CloudSampleError, match="not there"):
        CloudSample.load(tmp_path / "b.npz")
    np.savez(file, **(sample.arrays() | {"points": np.zeros((3, 3))}))
    with pytest.raises(CloudSampleError, match=r"points are \(3, 3\) float64"):
        CloudSample.load(file)
    np.savez(file, **(sample.arrays() | {"labels": np.zeros(3, np.int32)}))
    with pytest.raises(CloudSampleError, match="differ in length"):
        CloudSample.load(file)


@pytest.mark.parametrize("name, value, said", [
    ("colors", np.zeros((3, 3), np.float32), "colors are"),
    ("points", np.full((3, 3), np.nan, np.float32), "NaN"),
    ("edges", np.full((1, PAIR_FEATURES), np.inf, np.float32), "edges that are NaN"),
    ("labels", np.array([0, -2], np.int32), "label -2"),
    ("pairs", np.array([[0, 2]], np.int32), "pairs name superpoints that it does not have"),
    ("superpoint", np.array([0, 0, 0], np.int32), "superpoints without points"),
])
def test_clouds_are_checked(name: str, value: np.ndarray, said: str) -> None:
    arrays = sample_of_two().arrays() | {name: value}
    labels = arrays.pop("labels")
    with pytest.raises(CloudSampleError, match=said):
        CloudSample(SuperpointGraph(**arrays), labels)
