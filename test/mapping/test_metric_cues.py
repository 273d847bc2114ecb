import logging

import numpy as np
import pytest
import torch

from magic3d_ros.config import Settings
from magic3d_ros.mapping.cue_layer import fuse_cues, joined, without_edges
from magic3d_ros.mapping.keyframe import Keyframe
from magic3d_ros.mapping.metric_cues import MetricCues
from magic3d_ros.mapping.tsdf import TSDFVolume

from .conftest import CAMERA, frame_of, looking_at, pose


def slope(camera_to_world: np.ndarray) -> np.ndarray:
    """Depth of the plane z = 2 + x / 2 (world)."""
    rays = CAMERA.rays() @ camera_to_world[:3, :3].T
    origin = camera_to_world[:3, 3]
    return ((2.0 + origin[0] / 2 - origin[2]) / (rays[..., 2] - rays[..., 0] / 2)).astype(np.float32)


POSES = [pose(), pose((0.2, 0.0, 0.0)), looking_at(np.array([-0.4, 0.1, 0.0]), np.array([0.0, 0.0, 2.0]))]


def keyframes(scale: float = 0.5, blind: bool = True) -> list[Keyframe]:
    """The left half of the depth is there (less where blind: none in the second), and cues of everything."""
    made = []
    for stamp, at in enumerate(POSES):
        depth = slope(at)
        cue = (depth - 0.3 * stamp) / scale + 1.0
        measured = depth.copy()
        measured[:, 80:] = 0.0
        if blind and stamp == 1:
            measured[:] = 0.0
        made.append(Keyframe.of(frame_of(measured, at, stamp=stamp)).with_cues(cue.astype(np.float32), None))
    return made


def test_cues_become_metres():
    cues, frames = MetricCues(), keyframes()
    cues.update(frames)
    for keyframe, at in zip(frames, POSES, strict=True):
        assert np.abs(cues.depth(keyframe) - slope(at)).max() < 0.02
    assert cues.alignments[0].scale == pytest.approx(0.5, rel=0.01)


def test_nothing_is_done_twice_and_changes_are_seen(monkeypatch):
    cues, frames, runs = MetricCues(), keyframes(), []
    original = MetricCues.update.__globals__["align_jointly"]
    monkeypatch.setitem(MetricCues.update.__globals__, "align_jointly", lambda views: runs.append(len(views)) or original(views))
    cues.update(frames)
    cues.update(frames)
    cues.update([*frames[:2], frames[2].with_cues(None, None)])
    assert runs == [3, 2]
    assert cues.depth(frames[2]) is None


def test_a_keyframe_without_a_cue_has_no_depth():
    cues = MetricCues()
    cues.update([Keyframe.of(frame_of(slope(pose()), pose()))])
    assert cues.alignments == {}
    assert cues.depth(keyframes()[0]) is None


def test_a_cue_that_contradicts_everything_is_left_out_and_named(caplog):
    frames = keyframes()
    random = np.random.default_rng(0)
    noise = 1.0 + random.random((120, 160)).astype(np.float32)
    frames.append(Keyframe.of(frame_of(slope(POSES[0]), POSES[0], stamp=77)).with_cues(noise, None))
    cues = MetricCues()
    with caplog.at_level(logging.WARNING):
        cues.update(frames)
    assert cues.depth(frames[3]) is None
    assert "1 of 4 keyframes (stamps 77)" in caplog.text
    assert np.abs(cues.depth(frames[0]) - slope(POSES[0])).max() < 0.03


def test_what_is_not_trusted_does_not_align():
    frames = keyframes()
    cue, trust = frames[0].monocular_depth.astype(np.float32), np.full((120, 160), 255, np.uint8)
    cue[:, 40:80] *= 3.0
    trust[:, 40:80] = 0
    frames[0] = frames[0].with_cues(cue, None).with_trust(trust)
    cues = MetricCues()
    cues.update(frames)
    assert np.abs(cues.depth(frames[0]) - slope(POSES[0]))[:, :40].max() < 0.02


def volume() -> TSDFVolume:
    return TSDFVolume(Settings().map, 0.1, 5.0, torch.device("cpu"))


def test_measured_voxels_win_and_guessed_ones_fill_the_rest():
    frames, cues = keyframes(blind=False), MetricCues()
    cues.update(frames)
    measured, guessed = volume(), volume()
    for keyframe in frames:
        measured.integrate(keyframe.frame())
    assert fuse_cues(frames, cues, guessed) == 3
    before = {name: values.clone() for name, values in measured.blocks.data.items()}
    both = joined(measured, guessed, Settings())
    assert all(torch.equal(values, measured.blocks.data[name]) for name, values in before.items())

    def weights(of: TSDFVolume, keys: torch.Tensor) -> torch.Tensor:
        slots = torch.searchsorted(of.blocks.keys, keys).clamp_max(len(of.blocks) - 1)
        there = of.blocks.keys[slots] == keys
        return of.blocks.data["weight"][of.blocks.slots[slots]] * there[:, None]

    keys = both.blocks.keys
    first, second, union = (weights(v, keys) for v in (measured, guessed, both))
    assert torch.equal(union, torch.where(first > 0, first, second))
    assert ((first == 0) & (second > 0)).sum() > 1000
    slots = both.blocks.slots
    tsdf = both.blocks.data["tsdf"][slots][first > 0]
    own = measured.blocks.data["tsdf"][measured.blocks.slots][weights(measured, measured.blocks.keys) > 0]
    assert torch.equal(tsdf, own)


def test_without_room_measured_blocks_stay():
    frames, cues = keyframes(blind=False), MetricCues()
    cues.update(frames)
    measured, guessed = volume(), volume()
    measured.integrate(frames[0].frame())
    fuse_cues(frames, cues, guessed)
    settings = Settings()
    settings.map.max_blocks = len(measured.blocks) + 5
    both = joined(measured, guessed, settings)
    assert len(both.blocks) == len(measured.blocks) + 5
    assert torch.isin(measured.blocks.keys, both.blocks.keys).all()
    assert len(joined(measured, volume(), settings).blocks) == len(measured.blocks)


def test_edges_of_depth_are_left_out():
    depth = np.full((5, 8), 2.0, np.float32)
    depth[:, 4:] = 3.0
    assert (without_edges(depth) > 0)[2].tolist() == [True, True, True, False, False, True, True, True]
