from __future__ import annotations

import logging
import threading
from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial import cKDTree

from magic3d_ros.geometry.rigid import best_motion, moved
from magic3d_ros.mapping.keyframes import KeyframeStore, distance
from magic3d_ros.mapping.mapper import Mapper
from magic3d_ros.mapping.refinement.calibration import CameraCalibration
from magic3d_ros.mapping.refinement.refiner import MapRefiner

from .conftest import corner_run

DRIFT = np.array([[1.0, 0.0, 0.0, 0.2], [0.0, 1.0, 0.0, -0.1], [0.0, 0.0, 1.0, 0.1], [0.0, 0.0, 0.0, 1.0]])


class Run:
    """A map with its keyframes and refiner, and what the other layers were told."""

    def __init__(self, settings, frames):
        settings.keyframes.translation = 0.3
        self.mapper, self.store, self.lock = Mapper(settings), KeyframeStore(settings.keyframes), threading.RLock()
        self.motions = []
        self.refiner = MapRefiner(settings, self.mapper, self.store, self.lock, threading.RLock(), self._moving,
                                  CameraCalibration())
        for frame in frames:
            self.integrate(frame)

    def integrate(self, frame):
        is_keyframe = self.store.wants(frame)
        self.mapper.integrate(frame, carve=is_keyframe)
        (self.store.add if is_keyframe else self.store.add_between)(frame)

    def _moving(self, motion):
        return lambda: self.motions.append(motion)

    def poses(self):
        return {k.stamp: k.camera_to_world for k in self.store.remembered()}


def error(poses, truth):
    stamps = sorted(truth)
    motion = best_motion(*(np.stack([p[s][:3, 3] for s in stamps]) for p in (poses, truth)))
    return float(np.mean([distance(motion @ poses[s], truth[s])[0] for s in stamps]))


@pytest.mark.parametrize("kind", ["estimated", "unlimited"])
def test_noise_in_the_poses_is_at_least_halved(settings, kind):
    settings.input.pose_error = kind
    random = np.random.default_rng(1)
    frames = corner_run(16)
    truth = {f.stamp: f.camera_to_world for f in frames}
    noisy = [f.with_pose(moved(f.camera_to_world, np.radians(random.normal(size=3)) * 0.6, random.normal(size=3) * 0.012))
             for f in frames]
    run = Run(settings, noisy)
    assert 0 < len(run.store) < len(frames)  # keyframes and frames between
    before = error(run.poses(), truth)
    stages = []
    report = run.refiner.refine(600.0, lambda: False, lambda *told: stages.append(told), True, False, None)
    assert error(run.poses(), truth) < 0.5 * before
    assert report.success and report.keyframes_moved == len(run.store) and report.mean_correction > 0.002
    assert report.depth_error_after < report.depth_error_before
    assert {stage for stage, *_ in stages} == {"poses", "fusing"} and all(0 <= share <= 1 for _, share, _ in stages)
    assert run.motions  # the other layers were told each time


def test_noise_is_taken_out_of_ten_frames_a_second_too(settings):
    random = np.random.default_rng(1)
    frames = [replace(f, stamp=f.stamp // 10) for f in corner_run(48)]  # ten a second
    truth = {f.stamp: f.camera_to_world for f in frames}
    run = Run(settings, [f.with_pose(moved(f.camera_to_world, np.radians(random.normal(size=3)) * 0.6,
                                           random.normal(size=3) * 0.012)) for f in frames])
    before = error(run.poses(), truth)
    assert run.refiner.refine(600.0, lambda: False, lambda *_: None, True, False, None).keyframes_moved > 0
    assert error(run.poses(), truth) < 0.5 * before


def test_a_map_that_gets_no_better_is_left_as_it_is(settings):
    settings.input.pose_error = "unlimited"
    frames = corner_run(8)
    run = Run(settings, frames)
    surface, statistics = run.mapper.surface(), run.mapper.statistics()
    report = run.refiner.refine(600.0, lambda: False, lambda *_: None, True, False, None)
    assert report.success and "agreed no better with the measured depth and was not kept" in report.message
    assert (report.depth_error_after, report.psnr_after) == (report.depth_error_before, report.psnr_before)
    assert run.mapper.surface() is surface and run.mapper.statistics() == statistics and not run.motions
    for frame in frames:
        np.testing.assert_array_equal(run.poses()[frame.stamp], frame.camera_to_world)


def test_a_correction_leaves_no_surface_where_the_wrong_poses_had_put_it(settings, caplog):
    frames = corner_run()
    half = frames[6].stamp
    right = Run(settings, frames)
    run = Run(settings, [f if f.stamp < half else f.with_pose(DRIFT @ f.camera_to_world) for f in frames])
    tree = cKDTree(right.mapper.surface().vertices)
    assert (tree.query(run.mapper.surface().vertices)[0] > 0.06).mean() > 0.2
    truth = {f.stamp: f.camera_to_world for f in frames}
    corrections = {k.stamp: truth[k.stamp] for k in run.store if k.stamp >= half} | {5: np.eye(4), 6: np.eye(4)}
    with caplog.at_level(logging.WARNING):
        report = run.refiner.correct_poses(corrections)
    assert (report.applied, report.unknown) == (len(corrections) - 2, 2)
    assert [r.getMessage() for r in caplog.records if "pose corrections" in r.getMessage()] == [
        f"2 of {len(corrections)} pose corrections are for stamps of which no frame is remembered: they are not used"]
    for stamp, pose in run.poses().items():  # the frames between went with their keyframes
        np.testing.assert_allclose(pose, truth[stamp], atol=1e-9)
    assert (tree.query(run.mapper.surface().vertices)[0] > 0.06).mean() < 0.01
    np.testing.assert_allclose(run.motions[0].at(half), np.linalg.inv(DRIFT), atol=1e-9)
    np.testing.assert_array_equal(run.motions[0].at(half - 1), np.eye(4))


def test_corrections_that_cannot_be_leave_the_map_alone(settings):
    run = Run(settings, corner_run(4))
    surface, poses = run.mapper.surface(), run.poses()
    stamp = next(iter(run.store)).stamp
    for bad in (np.full((4, 4), np.nan), np.diag([1.0, 1.0, 2.0, 1.0])):
        with pytest.raises(ValueError, match="rigid"):
            run.refiner.correct_poses({stamp: bad})
    report = run.refiner.correct_poses({12345: np.eye(4)})
    assert (report.applied, report.unknown, report.keyframes_moved) == (0, 1, 0) and "remembered" in report.message
    assert run.refiner.correct_poses({}).keyframes_moved == 0
    assert run.mapper.surface() is surface and run.poses().keys() == poses.keys() and not run.motions


def test_cancelled_in_the_middle_the_map_is_intact(settings):
    run = Run(settings, corner_run(8))
    surface, poses = run.mapper.surface(), run.poses()
    for stop_after in (3, 12):  # while aligning, and while fusing
        calls = iter(range(10**6))
        report = run.refiner.refine(600.0, lambda n=stop_after, c=calls: next(c) >= n, lambda *_: None, True, False, None)
        assert report.message.startswith("cancelled")
        assert run.mapper.surface() is surface and not run.motions
        for stamp, pose in run.poses().items():
            np.testing.assert_array_equal(pose, poses[stamp])


def test_frames_that_come_meanwhile_are_in_the_new_map(settings):
    frames = corner_run(12)
    run = Run(settings, frames[:8])
    waiting = iter(frames[8:])

    def progress(stage, share, loss):
        frame = next(waiting, None) if stage == "fusing" else None
        if frame is not None:
            with run.lock:
                run.integrate(frame)

    run.refiner.refine(600.0, lambda: False, progress, True, False, None)
    assert run.mapper.statistics()["frames"] == 12 and len(run.poses()) == 12


def test_what_only_forgotten_frames_saw_stays(settings):
    frames = corner_run(8)
    run = Run(settings, frames)
    far = frames[0].with_pose(frames[0].camera_to_world + np.array([[0.0] * 3 + [30.0]] * 3 + [[0.0] * 4]))
    run.mapper.integrate(far)
    run.store.forgotten += 1
    blocks = len(run.mapper.volume.blocks)
    run.refiner.correct_poses({k.stamp: DRIFT @ k.camera_to_world for k in run.store})
    vertices = run.mapper.surface().vertices
    settings.map.min_weight = 1.0
    assert len(run.mapper.volume.blocks) > 0.6 * blocks
    points, _ = run.mapper._mesher.points()
    assert bool((points[:, 0] > 20).any()) and len(vertices)


def test_nothing_to_refine_and_times_that_are_none(settings):
    run = Run(settings, [])
    report = run.refiner.refine(1.0, lambda: False, lambda *_: None, True, True, None)
    assert not report.success and "no keyframe" in report.message
    for seconds in (0.0, -1.0, float("nan"), 1e6):
        with pytest.raises(ValueError, match="seconds"):
            run.refiner.refine(seconds, lambda: False, lambda *_: None, True, False, None)


def test_a_correction_that_comes_while_refining_is_not_undone(settings):
    frames = corner_run(10)
    truth = {f.stamp: f.camera_to_world for f in frames}
    run = Run(settings, [f.with_pose(DRIFT @ f.camera_to_world) for f in frames])
    corrections = {k.stamp: truth[k.stamp] for k in run.store}
    asked = []

    def progress(stage, share, loss):
        if stage == "poses" and not asked:
            asked.append(threading.Thread(target=run.refiner.correct_poses, args=(corrections,)))
            asked[0].start()

    run.refiner.refine(600.0, lambda: False, progress, True, False, None)
    asked[0].join()
    for stamp, pose in run.poses().items():
        assert distance(pose, truth[stamp])[0] < 0.03  # DRIFT is 24 cm


def test_a_time_too_short_for_one_round_is_said(settings):
    run = Run(settings, corner_run(8))
    surface = run.mapper.surface()
    report = run.refiner.refine(1e-6, lambda: False, lambda *_: None, True, False, None)
    assert "too short" in report.message and report.keyframes_moved == 0 and run.mapper.surface() is surface


def test_a_correction_while_refining_moves_the_poses_that_are_kept_to_too(settings):
    frames = [replace(f, stamp=f.stamp // 10) for f in corner_run(16)]
    truth = {f.stamp: f.camera_to_world for f in frames}
    run = Run(settings, [f.with_pose(DRIFT @ f.camera_to_world) for f in frames])
    run.refiner.refine(600.0, lambda: False, lambda *_: None, True, False, None)
    run.refiner.correct_poses({stamp: truth[stamp] for stamp in run.poses()})
    for stamp, pose in run.refiner._given.items():
        np.testing.assert_allclose(pose, truth[stamp], atol=0.02)
