"""Refining and correcting through the whole pipeline: the smallest simulated room."""

from __future__ import annotations

import numpy as np
import pytest

from magic3d_ros.config import Settings
from magic3d_ros.cues.extractor import CueExtractor
from magic3d_ros.pipeline import ScenePipeline
from magic3d_ros.sources.room import open_room

SHIFT = np.array([2.0, 1.0, 0.48])  # whole voxels of the language layer, whose surface falls into the same ones then


@pytest.fixture
def pipeline():
    settings = Settings()
    made = ScenePipeline(settings, CueExtractor(settings))
    for frame in open_room("tiny", settings):
        made.add(frame)
    made.understand()
    return made


def test_a_correction_of_all_poses_moves_everything_together(pipeline):
    before = pipeline.scene
    voxels = pipeline.language._voxels
    meaning = voxels.centers_of(voxels.arrays()[0])
    poses = {}
    for keyframe in pipeline.mapper.keyframes:
        poses[keyframe.stamp] = keyframe.camera_to_world.copy()
        poses[keyframe.stamp][:3, 3] += SHIFT
    report = pipeline.correct_poses(poses)
    assert report.applied == report.keyframes_moved == len(poses) and report.unknown == 0
    assert report.mean_correction == pytest.approx(np.linalg.norm(SHIFT))
    after = pipeline.scene
    assert after is not before
    np.testing.assert_allclose(np.median(after.surface.vertices, 0), np.median(before.surface.vertices, 0) + SHIFT, atol=0.05)
    old, new = ({thing.id: thing for thing in scene.objects if thing.n_points >= 200} for scene in (before, after))
    kept = old.keys() & new.keys()
    assert len(kept) >= 0.6 * len(old)
    gaps = [np.linalg.norm(new[i].centroid - old[i].centroid - SHIFT) for i in kept]
    assert np.median(gaps) < 0.1
    moved = pipeline.language._voxels
    assert np.isin(moved.keys_of(meaning + SHIFT), moved.arrays()[0]).mean() > 0.98
    free = pipeline.mapper.voxels._free_space.free_points()
    assert free.min(0)[0] > before.surface.vertices.min(0)[0] + SHIFT[0] - 1.0  # free space is where it belongs too


def test_refining_keeps_the_map_usable_and_calibration_is_saved(pipeline):
    stages = set()
    report = pipeline.refine(2.0, progress=lambda stage, share, loss: stages.add(stage), calibration=True, appearance=False)
    assert report.success and report.seconds_spent > 0 and {"calibration", "poses", "fusing"} <= stages
    assert report.depth_error_after < 1.5 * report.depth_error_before + 1e-3
    other = ScenePipeline(pipeline.settings, pipeline.extractor)
    other.load_state(pipeline.state())
    given, loaded = pipeline.mapper, other.mapper
    np.testing.assert_array_equal(loaded.calibration.state()["intrinsics"], given.calibration.state()["intrinsics"])
    assert [k.stamp for k in loaded.keyframes.remembered()] == [k.stamp for k in given.keyframes.remembered()]
