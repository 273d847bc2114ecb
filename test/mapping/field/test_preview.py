from __future__ import annotations

import numpy as np

from magic3d_ros.evaluation.image_metrics import psnr
from magic3d_ros.geometry.camera import Camera
from magic3d_ros.mapping.field.preview import enlarged, half
from magic3d_ros.mapping.field.trainer import FieldTrainer
from magic3d_ros.mapping.surface import View

from .conftest import CAMERA, DISTANCE, wall_frame


def test_half_a_camera_sees_the_same():
    small = half(Camera(161, 120, 210.0, 210.0, 80.0, 59.5))
    assert (small.width, small.height) == (80, 60)
    assert half(Camera(1, 1, 1.0, 1.0, 0.0, 0.0)).width == 1
    assert half(CAMERA).fx == 105.0


def test_a_slanted_plane_is_enlarged_exactly_and_edges_stay_sharp():
    camera = half(CAMERA)
    slope = 1.0 + 0.3 * camera.rays()[..., 0]  # inverse depth of a plane is linear in the image
    depth = (1.0 / slope).astype(np.float32)
    depth[:, :20] = 0.5
    depth[:10] = 0.0
    rgb = np.full((60, 80, 3), 90, np.uint8) * (depth > 0)[..., None].astype(np.uint8)
    normals = np.tile(np.array([0, 0, -1], np.float32), (60, 80, 1)) * (depth > 0)[..., None]
    view = enlarged(View(rgb, depth, normals), 160, 120)
    np.testing.assert_allclose(view.depth[30:-4, 50:-4], (1.0 / (1.0 + 0.3 * CAMERA.rays()[..., 0]))[30:-4, 50:-4], rtol=1e-4)
    edge = view.depth[60, 30:50]
    assert ((np.abs(edge - 0.5) < 1e-6) | (edge > 0.9)).all()  # nothing hovers between the two
    np.testing.assert_array_equal(np.unique(view.rgb[view.depth > 0]), [90])
    assert not view.rgb[view.depth == 0].any() and not view.depth[:18].any()
    assert view.depth.dtype == np.float32 and view.normals.shape == (120, 160, 3)


def test_a_preview_looks_like_the_full_picture(wall, settings):
    trainer = FieldTrainer(*wall, settings)
    wall[0].surface()
    pose = wall_frame(0.03, 1).camera_to_world
    full, quick = trainer.render(CAMERA, pose), trainer.preview(CAMERA, pose)
    both = (full.depth > 0) & (quick.depth > 0)
    assert both.sum() > 0.97 * (full.depth > 0).sum()
    assert np.abs(quick.depth[both] - DISTANCE).max() < 0.003
    assert psnr(quick.rgb, full.rgb, both) > 30.0
