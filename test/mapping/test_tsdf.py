from __future__ import annotations

import numpy as np
import pytest
import torch

from magic3d_ros.frames import FrameError, RGBDFrame
from magic3d_ros.mapping import tsdf
from magic3d_ros.mapping.blocks import LOCAL, unpack
from magic3d_ros.mapping.tsdf import TSDFVolume

from .conftest import CAMERA, frame_of, looking_at, plane_frame, pose, sphere_frame


def make(settings) -> TSDFVolume:
    return TSDFVolume(settings.map, settings.input.min_depth, settings.input.max_depth, torch.device(settings.map.device))


def voxels(volume: TSDFVolume) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """World positions (n, 512, 3) of all voxels, and their content by channel."""
    blocks = volume.blocks
    centers = (unpack(blocks.keys).cpu().numpy()[:, None] * 8 + LOCAL + 0.5) * volume.voxel_size
    return centers, {name: values[blocks.slots].cpu().numpy() for name, values in blocks.data.items()}


def reference(centers: np.ndarray, frames: list[RGBDFrame], weights: list[np.ndarray | None], truncation: float,
              max_weight: float) -> dict[str, np.ndarray]:
    """The update rule voxel by voxel and frame by frame, in double precision."""
    flat = centers.reshape(-1, 3)
    tsdf, weight, color = np.zeros(len(flat)), np.zeros(len(flat)), np.zeros((len(flat), 3))
    for frame, trust in zip(frames, weights, strict=True):
        inverse = np.linalg.inv(frame.camera_to_world)
        for i, (x, y, z) in enumerate(flat @ inverse[:3, :3].T + inverse[:3, 3]):
            if z < 0.01:
                continue
            u = int(np.floor(x / z * frame.camera.fx + frame.camera.cx + 0.5))
            v = int(np.floor(y / z * frame.camera.fy + frame.camera.cy + 0.5))
            if not (0 <= u < frame.camera.width and 0 <= v < frame.camera.height):
                continue
            depth = frame.depth[v, u]
            new = 1.0 if trust is None else float(trust[v, u])
            if not (0.1 <= depth <= 5.0) or depth - z <= -truncation or new == 0:
                continue
            share = new / (weight[i] + new)
            tsdf[i] += share * (min((depth - z) / truncation, 1.0) - tsdf[i])
            color[i] += share * (frame.rgb[v, u] - color[i])
            weight[i] = min(weight[i] + new, max_weight)
    shape = centers.shape[:2]
    return {"tsdf": tsdf.reshape(shape), "weight": weight.reshape(shape), "color": color.reshape(*shape, 3).transpose(0, 2, 1)}


def test_a_wall_gives_the_expected_distances(settings):
    volume = make(settings)
    volume.integrate(plane_frame(1.0))
    centers, data = voxels(volume)
    seen = data["weight"] > 0
    expected = np.clip((1.0 - centers[..., 2]) / 0.08, -1, 1)
    np.testing.assert_allclose(data["tsdf"][seen], expected[seen], atol=1e-5)
    assert (data["weight"][seen] == 1).all()
    assert (data["color"].transpose(0, 2, 1)[seen] == (200, 100, 50)).all()
    assert not seen[centers[..., 2] > 1.08 + 1e-6].any()
    # The wall is 160 / 140 m wide: 58 voxels of 2 cm across, eight deep.
    assert seen.sum() > 40 * 56 * 8


def test_agrees_with_the_reference_implementation(settings, monkeypatch):
    settings.map.voxel_size, settings.map.truncation, settings.map.max_weight = 0.05, 0.2, 2.5
    rng = np.random.default_rng(0)
    center = np.array([-0.31, 0.2, 1.4])
    frames, weights = [], []
    for i in range(4):
        frame = sphere_frame(center, 0.4, looking_at(center + rng.normal(size=3) * 0.3 + (0, 0, -1.2), center))
        frame.rgb[:] = rng.integers(0, 256, frame.rgb.shape)
        frames.append(frame)
        weights.append(None if i % 2 else rng.choice([0.0, 0.4, 1.0], frame.depth.shape))
    volume = make(settings)
    for frame, trust in zip(frames, weights, strict=True):
        volume.integrate(frame, trust)
    centers, data = voxels(volume)
    # Blocks that came later missed the frames before: once more with all blocks there from the start and touched by every frame.
    monkeypatch.setattr(tsdf, "CARVE_WEIGHT", 1.0)
    again = make(settings)
    again.blocks.allocate(unpack(volume.blocks.keys), 0)
    for frame, trust in zip(frames, weights, strict=True):
        again.integrate(frame, trust, carve=True)
    _, data = voxels(again)
    expected = reference(centers, frames, weights, 0.2, 2.5)
    # A voxel that projects onto a pixel's edge may fall to either side of it in single precision.
    close = np.abs(data["tsdf"] - expected["tsdf"]) < 1e-4
    both = close & (np.abs(data["weight"] - expected["weight"]) < 1e-4)
    assert both.mean() > 0.999
    np.testing.assert_allclose(np.moveaxis(data["color"], 1, -1)[both], np.moveaxis(expected["color"], 1, -1)[both], atol=0.01)


@pytest.mark.parametrize("origin", [(-37.003, -12.01, -3.3), (20_000.0, -15_000.0, 300.0)])
def test_the_map_is_the_same_anywhere_in_the_world(settings, origin):
    # Whole blocks apart, so that voxels fall on the same places.
    origin = np.round(np.array(origin) / 0.16) * 0.16
    here, there = make(settings), make(settings)
    here.integrate(plane_frame(1.03))
    there.integrate(plane_frame(1.03, tuple(origin)))
    (centers, data), (far_centers, far_data) = voxels(here), voxels(there)
    assert len(here.blocks) == len(there.blocks) == 96
    np.testing.assert_allclose(far_centers - origin, centers, atol=1e-6)
    np.testing.assert_allclose(far_data["tsdf"], data["tsdf"], atol=2e-4)


def test_depth_that_cannot_be_used_is_ignored(settings):
    depth = np.full((CAMERA.height, CAMERA.width), 1.0)
    depth[:40] = np.nan
    depth[40:60] = np.inf
    depth[60:80] = 0.05  # nearer than input.min_depth
    depth[80:100] = 7.0  # farther than input.max_depth
    depth[100:] = -1.0
    volume = make(settings)
    volume.integrate(frame_of(depth, pose()))
    assert len(volume.blocks) == 0
    depth[:, :80] = 1.0
    volume.integrate(frame_of(depth, pose()))
    _, data = voxels(volume)
    assert np.isfinite(data["tsdf"]).all() and (data["weight"] > 0).any()


def test_pixels_of_weight_zero_leave_no_trace(settings):
    person = np.full((CAMERA.height, CAMERA.width), 2.0)
    person[30:90, 60:100] = 1.0
    trust = np.where(person == 1.0, 0.0, 1.0)
    trust[0, 0] = np.nan  # no number is no trust
    with_person, without = make(settings), make(settings)
    with_person.integrate(frame_of(person, pose()), trust, carve=True)
    without.integrate(frame_of(np.where(trust > 0, person, 0.0), pose()), carve=True)
    for name, value in with_person.blocks.state().items():
        np.testing.assert_array_equal(value, without.blocks.state()[name])
    centers, data = voxels(with_person)
    assert centers[data["weight"] > 0][:, 2].min() > 1.8


def test_carving_removes_a_ghost_and_only_then(settings):
    def ghosts(volume: TSDFVolume) -> int:
        centers, data = voxels(volume)
        return int(((data["tsdf"] < 0) & (data["weight"] > 0) & (centers[..., 2] < 1.5)).sum())

    person = np.full((CAMERA.height, CAMERA.width), 3.0)
    person[30:90, 60:100] = 1.0
    counts, after_one = {}, {}
    for carve in (False, True):
        volume = make(settings)
        for _ in range(6):
            volume.integrate(frame_of(person, pose()))
        before = ghosts(volume)
        assert before > 500
        volume.integrate(plane_frame(3.0), carve=carve)
        after_one[carve] = ghosts(volume) / before
        for _ in range(8):
            volume.integrate(plane_frame(3.0), carve=carve)
        counts[carve] = ghosts(volume)
    # One look at the empty place outweighs six frames, a few more clear the border of the ghost too.
    assert after_one[False] == 1.0 and after_one[True] < 0.2
    assert counts[False] > 500 and counts[True] == 0


def test_carving_bears_pixels_without_a_reading(settings):
    """A quarter of them, others each time."""
    def left(seen: np.ndarray, missing: float = 0.0) -> int:
        volume = make(settings)
        for _ in range(6):
            volume.integrate(frame_of(ghost, pose()))
        for _ in range(3):
            volume.integrate(frame_of(np.where(random.random(seen.shape) < missing, 0.0, seen), pose()), carve=True)
        centers, data = voxels(volume)
        return int(((data["tsdf"] < 0) & (data["weight"] > 0) & (centers[..., 2] > 0.9) & (centers[..., 2] < 1.5)).sum())

    random = np.random.default_rng(0)
    ghost = np.full((CAMERA.height, CAMERA.width), 3.0)
    ghost[30:90, 60:100] = 1.0
    before = left(np.zeros_like(ghost))
    assert before > 500
    assert left(np.full_like(ghost, 3.0), missing=0.25) < 0.1 * before


def test_what_is_removed_leaves_what_the_other_frames_left(settings):
    wall, nearer = plane_frame(2.0), plane_frame(1.95)
    trust = np.where(np.arange(wall.depth.shape[1]) % 3 == 0, 0.4, 1.0) * np.ones_like(wall.depth)
    volume, never = make(settings), make(settings)
    for either in (volume, never):
        either.integrate(wall)
        either.integrate(wall)
    volume.integrate(nearer, trust)
    volume.remove(nearer, trust)
    for channel in ("tsdf", "weight"):
        values, expected = (dict(zip(v.blocks.keys.tolist(), v.blocks.data[channel][v.blocks.slots], strict=True))
                            for v in (volume, never))
        for key, rows in expected.items():
            assert values[key] == pytest.approx(rows, abs=1e-5)
    volume.remove(wall, np.ones_like(wall.depth))
    volume.remove(wall, np.ones_like(wall.depth))
    assert float(volume.blocks.data["weight"][volume.blocks.slots].max()) == 0.0


def test_the_number_of_blocks_stays_below_the_cap_and_the_oldest_go(settings):
    settings.map.max_blocks = 256
    volume = make(settings)
    for step in range(12):
        volume.integrate(plane_frame(1.0, (step * 0.5, 0.0, 0.0)))
    assert len(volume.blocks) <= 256
    assert volume.blocks.evicted > 0 and volume.blocks.capacity <= 256
    centers, _ = voxels(volume)
    assert centers[..., 0].max() > 5.5 and centers[..., 0].min() > 2.0


def test_a_pose_out_of_this_world_is_refused(settings):
    with pytest.raises(FrameError, match="in metres") as caught:
        make(settings).integrate(plane_frame(1.0, (1e7, 0.0, 0.0)))
    assert caught.value.reason == "pose"


def test_weights_of_another_size_are_refused(settings):
    with pytest.raises(ValueError, match="weights are"):
        make(settings).integrate(plane_frame(), np.ones((3, 3)))


def test_threads_do_not_change_the_result(settings):
    one, two = make(settings), make(settings)
    frame = plane_frame(2.0)
    one.integrate(frame)
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        two.integrate(frame)
    finally:
        torch.set_num_threads(threads)
    for name, value in one.state().items():
        np.testing.assert_array_equal(value, two.state()[name])


def test_state_of_other_voxels_is_refused(settings):
    volume = make(settings)
    volume.integrate(plane_frame())
    state = volume.state()
    settings.map.voxel_size = 0.04
    with pytest.raises(ValueError, match=r"map\.voxel_size"):
        make(settings).load_state(state)
