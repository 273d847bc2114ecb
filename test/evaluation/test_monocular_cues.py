import numpy as np
import pytest

from magic3d_ros.cues.embedded.normals import DepthNormals
from magic3d_ros.evaluation.monocular_cues import SyntheticCues, blind_beyond, blind_in_blobs, blind_in_places, smooth_noise
from magic3d_ros.frames import RGBDFrame
from magic3d_ros.geometry.camera import Camera

CAMERA = Camera(320, 240, 260.0, 260.0, 159.5, 119.5)


def slanted(index: int = 0) -> RGBDFrame:
    """A plane that leads away to the right, 1 to 3 m, with a hole."""
    rays = CAMERA.rays()
    depth = (1.6 / (1.0 - 0.8 * rays[..., 0])).astype(np.float32)
    depth[:20, :20] = 0.0
    return RGBDFrame(index, np.zeros((240, 320, 3), np.uint8), depth, CAMERA, np.eye(4), index)


def test_noise_has_unit_deviation_and_is_smooth():
    images = np.stack([smooth_noise(240, 320, np.random.default_rng(i)) for i in range(40)])
    assert images.std() == pytest.approx(1.0, abs=0.1)
    assert abs(images.mean()) < 0.1
    # A Gaussian of deviation s correlates exp(-d^2 / 4 s^2) at a distance d.
    assert np.mean(images[:, :, :-40] * images[:, :, 40:]) == pytest.approx(np.exp(-0.25), abs=0.12)
    assert np.abs(np.diff(images, axis=2)).max() < 0.15


def test_cues_are_the_depth_up_to_scale_shift_and_noise():
    frame = slanted()
    cue = SyntheticCues().of(frame).monocular.depth
    known = frame.depth > 0
    assert np.isnan(cue[~known]).all()
    scale, shift = np.polyfit(frame.depth[known], cue[known], 1)
    assert 0.4 < scale < 2.2 and -0.2 < shift < 1.3
    relative = ((cue - shift) / scale / frame.depth - 1)[known]
    assert 0.003 < relative.std() < 0.015


def test_every_frame_has_its_own_scale_and_the_seed_decides():
    first, again, other = (SyntheticCues().of(slanted(i)).monocular.depth for i in (0, 0, 1))
    assert np.array_equal(first, again, equal_nan=True)
    ratio = np.nanmedian(other - first)
    assert abs(ratio) > 0.01
    assert not np.array_equal(first, SyntheticCues(seed=1).of(slanted(0)).monocular.depth, equal_nan=True)


def test_normals_are_off_by_a_few_degrees():
    frame = slanted()
    clean = DepthNormals().normals(frame)
    means = []
    for seed in range(5):
        normals = SyntheticCues(seed).of(frame).monocular.normals
        known = np.isfinite(clean).all(-1)
        assert np.isfinite(normals[known]).all() and np.isnan(normals[~known]).all()
        assert np.abs(np.linalg.norm(normals[known], axis=1) - 1).max() < 1e-5
        means.append(np.degrees(np.arccos(np.clip((normals * clean).sum(-1)[known], -1, 1))).mean())
    assert 2.0 < np.mean(means) < 6.0


def test_each_cue_can_be_left_out():
    assert SyntheticCues(depth=False).of(slanted()).monocular.depth is None
    assert SyntheticCues(normals=False).of(slanted()).monocular.normals is None


def test_blind_sensors():
    frame = slanted()
    near = blind_beyond(frame, 2.0)
    assert near.depth.max() <= 2.0
    assert np.array_equal(near.depth > 0, (frame.depth > 0) & (frame.depth <= 2.0))
    holes = blind_in_blobs(frame, share=0.4)
    assert (holes.depth[100:] == 0).mean() == pytest.approx(0.4, abs=0.2)
    assert np.array_equal(holes.depth[holes.depth > 0], frame.depth[holes.depth > 0])
    assert not np.array_equal(holes.depth, blind_in_blobs(slanted(1)).depth)


def test_blind_places_are_the_same_from_everywhere():
    frame = slanted()
    shifted = CAMERA.rays()
    moved_pose = np.eye(4)
    moved_pose[0, 3] = 0.1
    # the same plane from 0.1 m to the right: z = 1.6 + 0.8 x in the world
    depth = ((1.6 + 0.8 * 0.1) / (1.0 - 0.8 * shifted[..., 0])).astype(np.float32)
    moved = RGBDFrame(1, frame.rgb, depth, CAMERA, moved_pose, 1)

    def places(of: RGBDFrame, blinded: RGBDFrame) -> dict[tuple[int, int], bool]:
        seen = of.depth > 0
        points = CAMERA.rays()[seen] * of.depth[seen][:, None] + of.camera_to_world[:3, 3]
        cells = np.floor(points[:, :2] / 0.02).astype(int)
        return {tuple(c): bool(b) for c, b in zip(cells.tolist(), (blinded.depth > 0)[seen], strict=True)}

    first, second = places(frame, blind_in_places(frame)), places(moved, blind_in_places(moved))
    shared = first.keys() & second.keys()
    assert len(shared) > 1000
    assert np.mean([first[c] == second[c] for c in shared]) > 0.95
    shares = [(blind_in_places(frame, seed).depth[30:] == 0).mean() for seed in range(30)]
    assert np.mean(shares) == pytest.approx(0.4, abs=0.1)
