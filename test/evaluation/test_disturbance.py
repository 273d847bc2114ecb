from __future__ import annotations

import numpy as np
import pytest

from magic3d_ros.evaluation.disturbance import Disturbance, DisturbedSource
from magic3d_ros.frames import RGBDFrame
from magic3d_ros.geometry.camera import Camera

CAMERA = Camera(64, 48, 60.0, 60.0, 31.5, 23.5)


class Still:
    """A camera at rest before a grey wall, ten frames a second."""

    name = "still"

    def __init__(self) -> None:
        self.skipped: dict[str, int] = {}

    def __len__(self) -> int:
        return 60

    def __iter__(self):
        for n in range(60):
            rgb, depth = np.full((48, 64, 3), 100, np.uint8), np.full((48, 64), 2.0, np.float32)
            yield RGBDFrame(n * 100_000_000, rgb, depth, CAMERA, np.eye(4), n)


def frames(**changes) -> list[RGBDFrame]:
    return list(DisturbedSource(Still(), Disturbance(**changes)))


def test_nothing_is_disturbed_unasked():
    assert all((a.rgb == 100).all() and (a.depth == 2.0).all() and (a.camera_to_world == np.eye(4)).all() for a in frames())


def test_exposure_jumps_every_two_seconds():
    brightness = np.array([f.rgb[0, 0, 0] for f in frames(exposure=2.0)], int)
    assert (brightness[:20] == 100).all()
    assert {int(n) for n in np.flatnonzero(np.diff(brightness)) + 1} <= {20, 40} and len(set(brightness.tolist())) == 3
    assert brightness.min() >= 100 * 0.5 ** (1 / 2.2) - 1 and brightness.max() <= 100 * 2 ** (1 / 2.2) + 1


def test_pose_noise_has_the_size_asked_for_and_stays_rigid():
    poses = np.stack([f.camera_to_world for f in frames(translation=0.02, rotation=1.0)])
    away = np.linalg.norm(poses[:, :3, 3], axis=1)
    assert np.sqrt((away**2).mean()) == pytest.approx(0.02, rel=0.2)
    turned = np.degrees(np.arccos((np.trace(poses[:, :3, :3], axis1=1, axis2=2) - 1) / 2))
    assert np.sqrt((turned**2).mean()) == pytest.approx(1.0, rel=0.25)
    for f in frames(translation=0.02, rotation=1.0):
        f.check()


def test_depth_holes_are_patches_of_the_share_asked_for():
    lost = np.stack([f.depth == 0 for f in frames(depth_holes=0.3)])
    assert lost.mean() == pytest.approx(0.3, abs=0.01)
    assert (lost[:, :, 1:] == lost[:, :, :-1]).mean() > 0.8  # neighbours are mostly lost together
    assert (lost[0] != lost[1]).any()


def test_a_highlight_lies_where_the_mirror_would_show_the_lamp():
    class Moving(Still):
        """Beside the lamp, which is where the first frame was taken: the highlight is half way."""

        def __iter__(self):
            for n, frame in enumerate(super().__iter__()):
                pose = np.eye(4)
                pose[0, 3] = 0.8 if n else 0.0
                yield frame.with_pose(pose)

    first, second, *_ = DisturbedSource(Moving(), Disturbance(shine=0.5))
    for frame, x in ((first, 31.5), (second, 31.5 - 0.4 / 2 * 60)):  # the wall is 2 m away
        light = frame.rgb[..., 0].astype(int) - 100
        rows, columns = np.nonzero(light > 100)
        assert columns.mean() == pytest.approx(x, abs=0.6) and rows.mean() == pytest.approx(23.5, abs=0.6)
        assert light.max() == pytest.approx(127, abs=2) and light[:, 60:].max() == 0
        assert ((frame.depth == 0) == (light > 0.7 * 127.5)).mean() > 0.99 and (frame.depth == 0).any()


def test_disturbances_that_cannot_be():
    for wrong in ({"exposure": 0.5}, {"depth_holes": 1.0}, {"translation": -0.1}, {"shine": 1.1}):
        with pytest.raises(ValueError):
            Disturbance(**wrong)
