"""SAM3D-style merging on hand-made clouds."""

from __future__ import annotations

import numpy as np

from magic3d_ros.evaluation.sam3d_merging import VOXEL, GroupedCloud, merged, unprojected
from magic3d_ros.frames import Camera, RGBDFrame


def row(first: int, last: int, group: int) -> GroupedCloud:
    """Voxels first ... last - 1 along x, of one group."""
    points = np.zeros((last - first, 3))
    points[:, 0] = (np.arange(first, last) + 0.5) * VOXEL
    return GroupedCloud(points, np.full(last - first, group, np.int64))


def joined(*clouds: GroupedCloud) -> GroupedCloud:
    return GroupedCloud(np.concatenate([c.points for c in clouds]), np.concatenate([c.group for c in clouds]))


def groups(cloud: GroupedCloud) -> dict[int, int]:
    """x in voxels -> group."""
    return dict(zip(np.floor(cloud.points[:, 0] / VOXEL).astype(int).tolist(), cloud.group.tolist(), strict=True))


def test_groups_that_overlap_by_half_of_the_smaller_become_one() -> None:
    found = groups(merged([row(0, 100, 0), row(60, 140, 7), row(300, 380, 2)], min_points=50))
    assert found[0] == found[99] == found[139] and found[300] == found[379] != found[0] and len(set(found.values())) == 2


def test_less_than_half_stays_apart_and_small_groups_are_dropped() -> None:
    found = groups(merged([row(0, 100, 0), row(80, 180, 0), row(500, 549, 1)], min_points=50))
    assert found[0] != found[179] and found[510] == -1 and found[0] >= 0


def test_one_group_over_two_keeps_them_or_joins_them_by_their_overlap() -> None:
    two, both = joined(row(0, 60, 0), row(60, 120, 1)), row(0, 120, 0)
    found = groups(merged([two, both], min_points=1))
    assert found[0] == found[119]  # each half lies wholly in the group of the second frame: both join it, the other way round


def test_nothing_and_one_frame() -> None:
    assert len(merged([]).points) == 0
    assert groups(merged([row(0, 60, 4)])) == dict.fromkeys(range(60), 0)
    assert len(merged([row(0, 0, 0), row(0, 60, 1)]).points) == 60


def test_masks_are_unprojected_into_the_world() -> None:
    camera = Camera(4, 2, 4.0, 4.0, 1.5, 0.5)
    depth = np.array([[2, 2, 2, 0], [2, np.nan, 2, 2]], np.float32)
    pose = np.eye(4)
    pose[0, 3] = 10.0
    masks = np.array([[0, 0, 1, 1], [0, 0, 1, -1]], np.int32)
    cloud = unprojected(RGBDFrame(0, np.zeros((2, 4, 3), np.uint8), depth, camera, pose), masks)
    assert np.allclose(cloud.points[:, 2], 2) and sorted(cloud.group.tolist()) == [-1, 0, 0, 0, 1, 1]
    assert np.isclose(cloud.points[cloud.group == -1, 0], 10 + 1.5 / 4 * 2).all()
