from __future__ import annotations

import numpy as np
import torch

from magic3d_ros.mapping.field.exposure import Exposures
from magic3d_ros.mapping.field.nearest_views import NearestViews, projected
from magic3d_ros.mapping.keyframe import Keyframe

from .conftest import CAMERA, DISTANCE, wall_frame

CPU = torch.device("cpu")


def views(count: int = 4) -> NearestViews:
    return NearestViews(count, Exposures(CPU), CPU)


def test_projection():
    pose = np.eye(4)
    pose[:3, 3] = (1.0, 0.0, 0.0)
    u, v, z = projected(CAMERA, pose, torch.tensor([[1.0, 0.0, 2.0], [1.2, -0.4, 2.0], [1.0, 0.0, -2.0]]))
    torch.testing.assert_close(u, torch.tensor([79.5, 100.5, -1.0]))
    torch.testing.assert_close(v, torch.tensor([59.5, 17.5, -1.0]))
    assert z.tolist() == [2.0, 2.0, -2.0]


def test_the_nearest_come_first():
    frames = [Keyframe.of(wall_frame(x, i)) for i, x in enumerate((0.5, 0.1, -0.2))]
    near, units = views(2).nearest(frames, np.eye(4))
    assert [f.stamp for f in near] == [1, 2]
    np.testing.assert_allclose(units, [1.0, 2.0], atol=1e-6)


def test_a_photograph_from_the_same_place_is_what_is_seen():
    frame = wall_frame(0.0, 1)
    points = torch.tensor([[-0.3, 0.1, DISTANCE], [0.3075, 0.1, DISTANCE], [0.0, 0.0, 5.0], [3.0, 0.0, DISTANCE]])
    plain = torch.full((4, 3), 0.5)
    colors = views().blended(points, plain, [Keyframe.of(frame)], np.eye(4))
    torch.testing.assert_close(colors[0], torch.tensor([180.0, 40.0, 30.0]) / 255, atol=0.02, rtol=0)
    assert colors[1, 1] > 0.4 and colors[1, 0] < 0.25  # green
    torch.testing.assert_close(colors[2:], plain[2:])  # behind what the frame saw; outside its image


def test_what_was_not_trusted_and_what_is_far_away_have_no_say():
    frame, points, plain = wall_frame(0.0, 1), torch.tensor([[-0.3, 0.1, DISTANCE]]), torch.full((1, 3), 0.5)
    distrusted = Keyframe.of(frame, np.zeros(frame.depth.shape, np.uint8))
    torch.testing.assert_close(views().blended(points, plain, [distrusted], np.eye(4)), plain)
    away = np.eye(4)
    away[1, 3] = -1.0
    torch.testing.assert_close(views().blended(points, plain, [Keyframe.of(frame)], away), plain, atol=1e-3, rtol=0)
    torch.testing.assert_close(views(0).blended(points, plain, [Keyframe.of(frame)], np.eye(4)), plain)


def test_decoded_frames_are_bounded_and_renewed():
    looked = views(1)
    frames = [Keyframe.of(wall_frame(0.01 * i, i)) for i in range(10)]
    for frame in frames:
        looked.blended(torch.zeros(1, 3), torch.zeros(1, 3), [frame], frame.camera_to_world)
    assert len(looked._decoded) == 4
    changed = frames[9].with_pose(frames[0].camera_to_world)
    looked.blended(torch.zeros(1, 3), torch.zeros(1, 3), [changed], changed.camera_to_world)
    assert looked._decoded[9][0] is changed
