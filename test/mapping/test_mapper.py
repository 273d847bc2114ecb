from __future__ import annotations

import threading

import numpy as np
import pytest
import torch

from magic3d_ros.config import Settings, SettingsError
from magic3d_ros.mapping import render
from magic3d_ros.mapping.mapper import Mapper, chosen_device
from magic3d_ros.mapping.sampling import TrilinearSampler

from .conftest import CAMERA, frame_of, looking_at, plane_frame, sphere_frame

CENTER = np.array([0.1, -0.2, 0.3])


def frames(count: int):
    return [sphere_frame(CENTER, 0.4, looking_at(CENTER + np.array([np.sin(a), 0.2, -np.cos(a)]) * 1.2, CENTER))
            for a in np.linspace(0, 2, count)]


def test_the_surface_is_the_same_object_until_the_map_changes(settings):
    settings.map.min_weight = 1.0
    mapper = Mapper(settings)
    assert len(mapper.surface()) == 0
    mapper.integrate(plane_frame())
    first = mapper.surface()
    assert mapper.surface() is first and len(first) > 1000
    mapper.render(CAMERA, np.eye(4))
    assert mapper.surface() is first
    mapper.integrate(plane_frame(1.5))
    assert mapper.surface() is not first


def test_mapping_goes_on_identically_after_save_and_load(settings):
    settings.map.min_weight = 1.0
    before, after = frames(8)[:4], frames(8)[4:]
    straight, saved = Mapper(settings), Mapper(settings)
    for frame in before:
        straight.integrate(frame, carve=True)
        saved.integrate(frame, carve=True)
    loaded = Mapper(settings)
    loaded.integrate(plane_frame(2.0))  # replaced by loading
    loaded.load_state({name: value.copy() for name, value in saved.state().items()})
    for frame in after:
        straight.integrate(frame, carve=True)
        loaded.integrate(frame, carve=True)
    for name in ("vertices", "faces", "normals", "colors", "weights"):
        np.testing.assert_array_equal(getattr(straight.surface(), name), getattr(loaded.surface(), name))
    for name, value in straight.state().items():
        np.testing.assert_array_equal(value, loaded.state()[name])
    view, other = (m.render(CAMERA, before[0].camera_to_world) for m in (straight, loaded))
    np.testing.assert_array_equal(view.depth, other.depth)
    up = np.array([0.0, -1.0, 0.0])
    np.testing.assert_array_equal(straight.occupancy(up).cells, loaded.occupancy(up).cells)


def test_the_state_is_plain_numbers_and_damage_is_named(settings):
    mapper = Mapper(settings)
    mapper.integrate(plane_frame())
    state = mapper.state()
    assert all(isinstance(v, np.ndarray) and v.dtype.kind in "fiu" for v in state.values())
    state.pop("tsdf.weight")
    with pytest.raises(ValueError, match="'weight'"):
        Mapper(settings).load_state(state)


def test_reset_forgets_everything(settings):
    settings.map.min_weight = 1.0
    mapper = Mapper(settings)
    mapper.integrate(plane_frame(), carve=True)
    mapper.reset()
    assert len(mapper.surface()) == 0 and not mapper.render(CAMERA, np.eye(4)).depth.any()
    assert mapper.statistics()["blocks"] == 0 and mapper.statistics()["free_blocks"] == 0
    mapper.integrate(plane_frame())
    assert len(mapper.surface()) > 1000


def test_statistics_count_what_happened(settings):
    settings.map.max_blocks = 128
    mapper = Mapper(settings)
    for x in range(4):
        mapper.integrate(plane_frame(1.0, (2.0 * x, 0.0, 0.0)))
    statistics = mapper.statistics()
    assert statistics["frames"] == 4 and statistics["blocks"] <= 128 and statistics["evicted"] > 0
    assert statistics["memory_mb"] > 1 and all(isinstance(v, float) for v in statistics.values())


def test_a_gpu_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert chosen_device("auto").type == "cpu"
    with pytest.raises(SettingsError, match=r"map\.device"):
        chosen_device("cuda")


def test_an_unseen_frame_without_depth_changes_nothing():
    mapper = Mapper(Settings())
    frame = plane_frame(0.0)
    mapper.integrate(frame, carve=True)
    assert len(mapper.surface()) == 0 and mapper.statistics()["blocks"] == 0


def test_a_quick_picture_leaves_out_what_came_after_the_last_mesh(settings):
    mapper = Mapper(settings)
    mapper.integrate(plane_frame(1.0))
    assert mapper.render(CAMERA, np.eye(4), newest=False).depth.any()  # there was no mesh yet: one is made
    behind = np.diag([-1.0, 1.0, -1.0, 1.0])
    mapper.integrate(frame_of(np.full((120, 160), 1.5), behind))
    assert not mapper.render(CAMERA, behind, newest=False).depth.any()
    assert np.median(mapper.render(CAMERA, behind).depth) == pytest.approx(1.5, abs=2e-3)


def test_the_lock_is_free_while_voxels_are_read(settings, monkeypatch: pytest.MonkeyPatch):
    mapper, lock = Mapper(settings), threading.Lock()
    mapper.integrate(plane_frame(1.0))
    held: list[bool] = []

    class Sampler(TrilinearSampler):
        def distance(self, points: torch.Tensor) -> torch.Tensor:
            held.append(lock.locked())
            return super().distance(points)

    monkeypatch.setattr(render, "TrilinearSampler", Sampler)
    assert mapper.render(CAMERA, np.eye(4), lock=lock).depth.any()
    assert held and not any(held) and not lock.locked()
    with lock:  # another thread integrates: what was meshed is drawn all the same
        assert mapper.render(CAMERA, np.eye(4), newest=False, lock=lock).depth.any()


def test_work_in_the_background_lets_others_pass_between_pieces(settings):
    """Fusing, meshing and drawing ask for the lock of who goes first several times, and what they make is the same."""
    passes = []

    class Lock:
        def __enter__(self):
            passes.append(self)

        def __exit__(self, *_):
            pass

    frame = plane_frame(1.0)
    alone, beside = Mapper(settings), Mapper(settings)
    alone.integrate(frame, carve=True)
    beside.integrate(frame, carve=True, first=Lock())
    assert len(passes) >= 5
    for work in (lambda mapper, first: mapper.surface(first=first).vertices,
                 lambda mapper, first: mapper.render(frame.camera, frame.camera_to_world, first=first).depth):
        passes.clear()
        np.testing.assert_array_equal(work(alone, None), work(beside, Lock()))
        assert len(passes) >= 5
