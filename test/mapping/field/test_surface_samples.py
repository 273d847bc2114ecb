from __future__ import annotations

import numpy as np
import pytest
import torch

from magic3d_ros.mapping.field.base_distance import BaseDistance
from magic3d_ros.mapping.field.surface_samples import MOST_SAMPLES, SurfaceSamples, onto_surface
from magic3d_ros.mapping.keyframe import Keyframe

from .conftest import DISTANCE, wall_frame


@pytest.fixture
def base(wall):
    return BaseDistance(lambda: wall[0].volume, None)


def samples_of(total: int = 16 * 500) -> SurfaceSamples:
    return SurfaceSamples(total, torch.device("cpu"), torch.Generator().manual_seed(0))


def test_readings_are_moved_onto_the_surface_and_strays_are_found_out(base):
    directions = torch.tensor([[0.0, 0.0, 1.0]] * 4)
    distance, found = onto_surface(base, torch.zeros(3), directions, torch.tensor([DISTANCE, 1.17, 1.22, 0.9]))
    torch.testing.assert_close(distance[:3], torch.full((3,), DISTANCE), atol=2e-3, rtol=0)
    assert found.tolist() == [True, True, True, False]


def test_samples_lie_on_the_wall_with_its_colours(wall, base):
    samples = samples_of()
    with pytest.raises(ValueError, match="no frame has a sample"):
        samples.batch(1)
    samples.renew(list(wall[1]), base, 100)
    assert len(samples) == 7 * 500 and samples.is_current(list(wall[1]))
    batch = samples.batch(2000)
    torch.testing.assert_close(batch.points[:, 2], torch.full((2000,), DISTANCE), atol=5e-3, rtol=0)
    torch.testing.assert_close(batch.directions.norm(dim=1), torch.ones(2000))
    red = batch.points[:, 0] < -0.02
    torch.testing.assert_close(batch.colors[red].mean(0), torch.tensor([180.0, 40.0, 30.0]) / 255, atol=0.02, rtol=0)
    torch.testing.assert_close(batch.voxel_colors[red].mean(0), batch.colors[red].mean(0), atol=0.02, rtol=0)
    assert batch.trust.eq(1).all() and set(batch.rows.tolist()) == set(range(7))


def test_frames_that_go_move_or_come_are_followed(wall, base):
    samples, frames = samples_of(), list(wall[1])
    samples.renew(frames, base, 100)
    moved = [*frames[2:], frames[0].with_pose(frames[1].camera_to_world)]
    assert not samples.is_current(moved)
    samples.renew(moved, base, 1)
    assert samples.is_current(moved) and set(samples.stamps) == {f.stamp for f in moved}


def test_distrusted_pixels_are_not_drawn(wall, base):
    frame = wall_frame(0.0, 1)
    trust = np.zeros(frame.depth.shape, np.uint8)
    trust[:, 80:] = 128
    samples = samples_of()
    samples.renew([Keyframe.of(frame, trust)], base, 1)
    batch = samples.batch(300)
    assert (batch.points[:, 0] > -0.01).all()
    torch.testing.assert_close(batch.trust, torch.full((300,), 128 / 255))


def test_a_frame_that_sees_nothing_of_the_map_has_no_trust(wall, base):
    pose = np.eye(4)
    pose[2, 3] = -5.0
    samples = samples_of()
    samples.renew([Keyframe.of(wall_frame(0.0, 1)).with_pose(pose)], base, 1)
    assert samples.batch(10).trust.eq(0).all()


def test_more_frames_take_smaller_shares_of_the_same_memory(wall, base):
    samples = samples_of(64 * 40)
    before = samples.bytes
    samples.renew([Keyframe.of(wall_frame(0.01 * i, i + 1)) for i in range(40)], base, 100)
    assert samples.bytes == before and len(samples) == 40 * 40


def test_few_frames_do_not_get_more_samples_than_can_be_drawn_at_once(wall, base):
    samples = samples_of(10**6)
    samples.renew(list(wall[1])[:1], base, 1)
    assert len(samples) == MOST_SAMPLES
