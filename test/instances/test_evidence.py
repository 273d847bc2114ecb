from __future__ import annotations

import numpy as np
import pytest

from magic3d_ros.frames import RGBDFrame
from magic3d_ros.geometry.camera import Camera
from magic3d_ros.instances.evidence import DepthViews, last_seen, look
from magic3d_ros.mapping.keyframes import Keyframe

CAMERA = Camera(64, 48, 50.0, 50.0, 31.5, 23.5)
TO_CAMERA = np.array([0.0, 0.0, -1.0])


def keyframe(depth, stamp=1, camera=CAMERA, rgb=None):
    shape = (camera.height, camera.width)
    rgb = np.zeros((*shape, 3), np.uint8) if rgb is None else rgb
    return Keyframe.of(RGBDFrame(stamp, rgb, np.broadcast_to(np.float32(depth), shape), camera, np.eye(4)))


def seen_at(points, depth, normals=None, pose=None):
    points = np.asarray(points, np.float64)
    normals = np.tile(TO_CAMERA, (len(points), 1)) if normals is None else np.asarray(normals, np.float64)
    return look(points, normals, DepthViews().of(keyframe(depth)), np.eye(4) if pose is None else pose)


@pytest.mark.parametrize(("z", "visible"), [(2.0, True), (2.039, True), (1.965, True), (2.045, False), (1.955, False)])
def test_visible_within_2_cm_and_1_per_cent(z, visible):
    assert seen_at([[0, 0, z]], 2.0).visible.tolist() == [visible]  # 2 cm + 1 % of about 2 m = 4 cm


def test_projection_and_the_image_border():
    sight = seen_at([[0, 0, 2.0], [1.28, 0, 2.0], [1.3, 0, 2.0], [0, 0, -2.0], [0, 0, 0.05]], 2.0)
    assert sight.u[:2] == pytest.approx([31.5, 63.5])  # 50 x 1.28 / 2 + 31.5: just at the edge of the last pixel
    assert sight.inside.tolist() == [True, False, False, False, False]


def test_weight_of_distance_and_angle():
    # facing: 1.5 / z clipped to .3 ... 1.5; seen at 60 degrees: cos = .5; grazing: no less than .1
    slanted = [[np.sin(np.radians(60)), 0, -np.cos(np.radians(60))], [1, 0, 0]]
    assert seen_at([[0, 0, 3.0]], 3.0).weight == pytest.approx([0.5])
    assert seen_at([[0, 0, 0.5]], 0.5).weight == pytest.approx([1.5])
    assert seen_at([[0, 0, 8.0]], 8.0).weight == pytest.approx([0.3])
    assert seen_at([[0, 0, 1.5], [0, 0, 1.5]], 1.5, slanted).weight == pytest.approx([0.5, 0.1])


def test_hidden_points_weigh_nothing():
    sight = seen_at([[0, 0, 2.0], [0, 0, 2.5]], 2.0)
    assert sight.visible.tolist() == [True, False]
    assert sight.weight[1] == 0.0 and sight.inside[1]


def test_beside_an_occlusion_edge_a_point_is_visible_but_no_evidence():
    depth = np.full((48, 64), 2.0)
    depth[:, 32:] = 2.2  # a jump of 20 cm: more than 6 cm + 4 % of 2 m
    at = [[(u - 31.5) * 2.0 / 50, 0, 2.0] for u in (20, 28, 30, 31)]
    sight = seen_at(at, depth)
    assert sight.visible.all()
    assert (sight.weight > 0).tolist() == [True, True, False, False]  # within two pixels of the jump


def test_a_small_step_is_no_occlusion_edge():
    depth = np.full((48, 64), 2.0)
    depth[:, 32:] = 2.1  # 10 cm is less than 6 cm + 4 % of 2 m
    assert seen_at([[-0.02, 0, 2.0]], depth).weight[0] > 0


def test_a_moved_camera():
    pose = np.eye(4)
    pose[:3, 3] = (1.0, 0, -1.0)
    sight = seen_at([[1.0, 0, 1.0], [0, 0, 2.0]], 2.0, pose=pose)
    assert sight.visible.tolist() == [True, False]


def test_missing_depth_sees_nothing_and_makes_no_edge():
    depth = np.full((48, 64), 2.0)
    depth[:, 40:] = 0.0
    sight = seen_at([[(38 - 31.5) / 25, 0, 2.0], [(45 - 31.5) / 25, 0, 2.0]], depth)
    assert sight.visible.tolist() == [True, False]
    assert sight.weight[0] > 0


def test_large_images_are_reduced_and_pixel_edges_stay():
    camera = Camera(640, 480, 500.0, 500.0, 319.5, 239.5)
    view = DepthViews().of(keyframe(2.0, camera=camera))
    assert view.depth.shape == (240, 320) and (view.scale_x, view.scale_y) == (0.5, 0.5)
    assert (view.camera.cx, view.camera.fx) == (159.5, 250.0)


def test_views_are_decoded_once_and_forgotten_with_their_keyframes():
    views = DepthViews()
    first, second = keyframe(2.0, stamp=1), keyframe(2.0, stamp=2)
    view = views.of(first)
    assert views.of(first) is view
    views.of(second)
    views.keep_only({2})
    assert views.of(first) is not view


def test_blur_lowers_sharpness():
    noise = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)
    sharp = DepthViews().of(keyframe(2.0, rgb=noise)).sharpness
    flat = DepthViews().of(keyframe(2.0, rgb=np.full((48, 64, 3), 128, np.uint8))).sharpness
    assert sharp.shape == (12, 16)
    assert sharp.min() > 10 * flat.max()


def test_the_newest_keyframe_that_sees_a_point():
    old, new = keyframe(2.0, stamp=5), keyframe(1.0, stamp=7)
    points = np.array([[0, 0, 2.0], [0, 0, 1.03], [0, 0, 3.0], [0, 0, -1.0], [0.9, 0, 2.0]])
    assert last_seen(points, [new, old], DepthViews(), 0.02).tolist() == [5, 7, -1, -1, 5]
    assert last_seen(points, [], DepthViews(), 0.02).tolist() == [-1] * 5
