"""Teachers of masks: a frame by itself, and the map as a frame shows it."""

from __future__ import annotations

import numpy as np
import pytest

from magic3d_ros.frames import Camera, RGBDFrame
from magic3d_ros.mapping.surface import Surface
from magic3d_ros.training.mask_teachers import FrameTeacher, RegionTeacher

UP = np.array([0.0, -1.0, 0.0])


def box_on_wall() -> tuple[RGBDFrame, np.ndarray]:
    """A wall 2 m away and a box of 60 by 50 pixels that stands 30 cm off it; the true mask of the box."""
    camera = Camera(160, 120, 160.0, 160.0, 79.5, 59.5)
    depth = np.full((120, 160), 2.0, np.float32)
    box = np.zeros((120, 160), bool)
    box[40:90, 50:110] = True
    depth[box] = 1.7
    rgb = np.where(box[..., None], (180, 60, 40), (200, 200, 190)).astype(np.uint8)
    return RGBDFrame(0, rgb, depth, camera, np.eye(4)), box


def test_frame_teacher_tells_a_box_from_its_wall() -> None:
    frame, box = box_on_wall()
    masks = FrameTeacher(UP).masks(frame)
    assert masks.shape == (120, 160) and masks.dtype == np.int32
    inner = masks[45:85, 55:105]
    assert (inner == inner[0, 0]).all() and inner[0, 0] >= 0
    same = masks == inner[0, 0]
    assert (same & box).sum() / (same | box).sum() > 0.9
    assert masks[10, 10] >= 0 and masks[10, 10] != inner[0, 0] and masks[10, 10] == masks[110, 150]


@pytest.mark.parametrize("depth", [0.0, np.nan, np.inf, 50.0])
def test_frames_without_usable_depth_have_no_masks(depth: float) -> None:
    frame, _ = box_on_wall()
    frame.depth[:] = depth
    assert (FrameTeacher(UP).masks(frame) == -1).all()


def test_tiny_frames_have_no_masks() -> None:
    frame = RGBDFrame(0, np.zeros((2, 2, 3), np.uint8), np.ones((2, 2), np.float32), Camera(2, 2, 2.0, 2.0, 0.5, 0.5), np.eye(4))
    assert (FrameTeacher(UP).masks(frame) == -1).all()


def test_region_teacher_shows_the_map_where_it_knows_the_pixel() -> None:
    camera = Camera(8, 4, 8.0, 8.0, 3.5, 1.5)
    frame = RGBDFrame(0, np.zeros((4, 8, 3), np.uint8), np.full((4, 8), 1.0, np.float32), camera, np.eye(4))
    points = (camera.rays() * 1.0).reshape(-1, 3)
    labels = np.where(points[:, 0] < 0, 4, 9)
    frame.depth[0] = 1.3  # nothing of the map there
    frame.depth[3, 7] = 0.0
    vertices = np.concatenate([points, [[np.nan, 0, 0]]]).astype(np.float32)
    surface = Surface(vertices, np.zeros((0, 3), np.int32), np.zeros_like(vertices), np.zeros(vertices.shape, np.uint8),
                      np.ones(len(vertices), np.float32))
    masks = RegionTeacher(surface, np.append(labels, 1), step=1).masks(frame)
    assert masks.tolist() == [[-1] * 8, [4] * 4 + [9] * 4, [4] * 4 + [9] * 4, [4] * 4 + [9] * 3 + [-1]]
    assert (RegionTeacher(Surface.empty(), np.zeros(0, np.int32)).masks(frame) == -1).all()
    with pytest.raises(ValueError, match="1 labels cannot belong to a surface of 33"):
        RegionTeacher(surface, np.zeros(1))
