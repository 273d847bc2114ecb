"""A GPU without memory, played by an allocation that fails in the product's own path."""

from __future__ import annotations

import logging
import threading

import numpy as np
import pytest
import torch

from magic3d_ros.mapping import render
from magic3d_ros.mapping.device_memory import DeviceMemory, OutOfDeviceMemory
from magic3d_ros.mapping.keyframes import KeyframeStore
from magic3d_ros.mapping.mapper import Mapper
from magic3d_ros.mapping.refinement import alignments
from magic3d_ros.mapping.refinement.calibration import CameraCalibration
from magic3d_ros.mapping.refinement.fusing import FreshMap
from magic3d_ros.mapping.refinement.refiner import MapRefiner

from .conftest import CAMERA, plane_frame, sphere_views

FULL = "CUDA out of memory. Tried to allocate 20.00 MiB"


def test_batches_are_halved_until_they_fit_and_it_is_said_once(caplog: pytest.LogCaptureFixture):
    memory, tried = DeviceMemory(), []

    def work(size: int) -> int:
        tried.append(size)
        if size > 100:
            raise torch.OutOfMemoryError(FULL)
        return size

    with caplog.at_level(logging.WARNING):
        assert memory.in_batches("rays", 600, 16, work) == 75
        assert memory.in_batches("rays", 600, 16, work) == 75
        assert memory.in_batches("rays", 60, 16, work) == 60
    assert tried == [600, 300, 150, 75, 75, 60]
    assert [r.message.partition(";")[0] for r in caplog.records] == [
        "the device has no memory for rays of 600 at a time: goes on with 300"]
    assert memory.notes == {"rays": "the device has no memory for rays of 150 at a time: goes on with 75"}


def test_where_nothing_fits_the_cure_is_named():
    def work(size: int) -> int:
        raise torch.OutOfMemoryError(FULL)

    with pytest.raises(OutOfDeviceMemory, match=r"no memory for rays, not even for 16 at a time: .*map\.device to cpu"):
        DeviceMemory().in_batches("rays", 64, 16, work)


def test_a_picture_in_strips_is_the_same_picture(settings, monkeypatch: pytest.MonkeyPatch):
    mapper = Mapper(settings)
    for frame in sphere_views(np.array([0.1, -0.2, 0.05]), 0.4):
        mapper.integrate(frame)
    pose = plane_frame(1.0).camera_to_world.copy()
    pose[:3, 3] = (0.1, -0.2, -1.2)
    whole = mapper.render(CAMERA, pose)
    assert (whole.depth > 0).sum() > 500
    splat = render._splat

    def narrow(points, normals, camera, *others):
        if camera.height > 40:
            raise torch.OutOfMemoryError(FULL)
        return splat(points, normals, camera, *others)

    monkeypatch.setattr(render, "_splat", narrow)
    strips = mapper.render(CAMERA, pose)
    assert "30" in mapper.memory.notes["rows of a picture"]
    assert ((whole.depth > 0) == (strips.depth > 0)).mean() > 0.999
    both = (whole.depth > 0) & (strips.depth > 0)
    assert (np.abs(strips.depth - whole.depth)[both] < 1e-4).mean() > 0.99
    assert (np.abs(strips.rgb[both].astype(int) - whole.rgb[both]) <= 2).mean() > 0.99


def mapped(settings) -> tuple[Mapper, KeyframeStore, MapRefiner]:
    mapper, store = Mapper(settings), KeyframeStore(settings.keyframes)
    refiner = MapRefiner(settings, mapper, store, threading.RLock(), threading.RLock(), lambda motion: lambda: None,
                         CameraCalibration())
    for frame in sphere_views(np.array([0.1, -0.2, 0.05]), 0.4):
        mapper.integrate(frame)
        store.add(frame)
    return mapper, store, refiner


def test_poses_are_refined_by_fewer_points(settings, monkeypatch: pytest.MonkeyPatch):
    mapper, _, refiner = mapped(settings)
    align, counts = alignments.align, []

    def small(volume, points, *others, **named):
        counts.append(len(points.depth))
        if len(points.depth) > 1500:
            raise torch.OutOfMemoryError(FULL)
        return align(volume, points, *others, **named)

    monkeypatch.setattr(alignments, "align", small)
    report = refiner.refine(20.0, lambda: False, lambda *_: None, True, False, None)
    assert report.success and "in 0 rounds" not in report.message
    assert max(counts) > 1500 >= counts[-1]
    assert "points of a frame's pose" in mapper.memory.notes


def test_without_room_for_a_second_map_the_first_stays_and_mapping_goes_on(settings, monkeypatch: pytest.MonkeyPatch,
                                                                           caplog: pytest.LogCaptureFixture):
    mapper, store, refiner = mapped(settings)
    before = mapper.state()
    poses = {k.stamp: k.camera_to_world for k in store.remembered()}
    monkeypatch.setattr(FreshMap, "_integrate", full)
    report = refiner.refine(20.0, lambda: False, lambda *_: None, True, True, None)
    assert not report.success and "no memory for a second map beside the one in use" in report.message
    assert sum("the map is whole" in r.message for r in caplog.records) == 1
    with pytest.raises(OutOfDeviceMemory, match="frames stay where they are"):
        refiner.correct_poses({stamp: np.diag([1.0, 1.0, 1.0, 1.0]) for stamp in poses})
    after = mapper.state()
    assert before.keys() == after.keys()
    for name, values in before.items():
        np.testing.assert_array_equal(values, after[name])
    for keyframe in store.remembered():
        np.testing.assert_array_equal(keyframe.camera_to_world, poses[keyframe.stamp])
    frames = mapper.volume.frames
    mapper.integrate(plane_frame(1.0))
    assert mapper.volume.frames == frames + 1


def full(*_: object) -> None:
    raise torch.OutOfMemoryError(FULL)
