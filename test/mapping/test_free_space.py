from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from magic3d_ros.mapping.free_space import FreeSpace, floor_height, floor_plan
from magic3d_ros.mapping.mapper import Mapper
from magic3d_ros.mapping.surface import Surface

from .conftest import CAMERA, frame_of, looking_at, plane_frame


def make(settings) -> FreeSpace:
    return FreeSpace(settings.map, settings.input.min_depth, settings.input.max_depth, torch.device(settings.map.device))


def patch(low: tuple[float, float, float], high: tuple[float, float, float], normal: tuple[float, float, float]) -> Surface:
    """Points every 2 cm in a box; no triangles, which the floor plan does not look at."""
    axes = [np.arange(a, b + 1e-6, 0.02) for a, b in zip(low, high, strict=True)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 3).astype(np.float32)
    empty = Surface.empty()
    return Surface(points, empty.faces, np.tile(np.array(normal, np.float32), (len(points), 1)), empty.colors, empty.weights)


def joined(*parts: Surface) -> Surface:
    empty = Surface.empty()
    return replace(empty, vertices=np.concatenate([p.vertices for p in parts]),
                   normals=np.concatenate([p.normals for p in parts]))


def test_free_before_a_wall_surface_at_it_nothing_behind(settings):
    layer = make(settings)
    layer.observe(plane_frame(2.05, stamp=7))
    free = layer.free_points()
    assert free[:, 2].max() == pytest.approx(1.85) and free[:, 2].min() < 0.2
    # Inside the view everything up to there is free: 1 m away the view is 1.14 m wide.
    at_one_metre = free[np.abs(free[:, 2] - 1.05) < 0.01]
    assert len(at_one_metre) >= 11 * 8
    slots = layer.blocks.slots
    count = layer.blocks.data["surface_count"][slots]
    assert (layer.blocks.data["surface_stamp"][slots][count > 0] == 7).all() and int(count.max()) == 1
    assert (layer.blocks.data["free_stamp"][slots][layer.blocks.data["free_count"][slots] > 0] == 7).all()


def test_counts_once_a_frame_and_remembers_the_last_time(settings):
    layer = make(settings)
    layer.observe(plane_frame(2.0, stamp=5))
    layer.observe(plane_frame(2.0, stamp=9))
    data = layer.blocks.data
    assert int(data["free_count"].max()) == 2 and int(data["free_stamp"].max()) == 9


def test_distrusted_pixels_say_nothing(settings):
    layer = make(settings)
    layer.observe(plane_frame(2.0), np.zeros((CAMERA.height, CAMERA.width)))
    assert len(layer.blocks) == 0


def test_state_round_trip(settings):
    layer, other = make(settings), make(settings)
    layer.observe(plane_frame(2.0, (-30.0, 4.0, 2.0)))
    other.load_state(layer.state())
    np.testing.assert_array_equal(layer.free_points(), other.free_points())
    with pytest.raises(ValueError, match="frames"):
        other.load_state({})


@pytest.mark.parametrize("up", [(0.0, 0.0, 1.0), (0.0, -1.0, 0.0), (0.6, 0.0, 0.8)])
def test_floor_plan_of_a_floor_with_a_box_and_open_air(up):
    floor = patch((0.0, 0.0, -0.5), (1.98, 0.98, -0.5), (0, 0, 1))
    top = patch((0.52, 0.32, 0.2), (0.78, 0.68, 0.2), (0, 0, 1))
    ceiling = patch((0.0, 0.0, 1.9), (1.98, 0.98, 1.9), (0, 0, -1))
    high_air = np.array([[2.35, 0.55, 1.0]])  # tells nothing of the floor below it
    low_air = np.array([[2.15, 0.55, -0.25]])
    base = floor_plan(joined(floor, top, ceiling), np.concatenate([high_air, low_air]), 0.1, np.array([0, 0, 1.0]))
    # The same world turned so that `up` is up.
    turn = floor_plan(patch((0, 0, 0), (1, 1, 0), up), np.zeros((0, 3)), 0.1, np.array(up)).rotation
    room = joined(floor, top, ceiling)
    turned = replace(room, vertices=(room.vertices @ turn.T).astype(np.float32),
                     normals=(room.normals @ turn.T).astype(np.float32))
    grid = floor_plan(turned, np.concatenate([high_air, low_air]) @ turn.T, 0.1, np.array(up))
    assert grid.floor_height == pytest.approx(-0.5, abs=0.01)
    np.testing.assert_allclose(grid.rotation[:, 2], up, atol=1e-9)
    np.testing.assert_allclose(grid.rotation @ grid.rotation.T, np.eye(3), atol=1e-9)
    for plan in (base, grid):
        def cell(x: float, y: float, plan=plan) -> int:
            column, row = np.floor((np.array([x, y]) - (plan.rotation.T @ plan.origin)[:2]) / 0.1).astype(int)
            return int(plan.cells[row, column]) if 0 <= row < plan.cells.shape[0] and 0 <= column < plan.cells.shape[1] else -1
        assert cell(0.25, 0.55) == 0 and cell(1.55, 0.25) == 0
        assert cell(0.65, 0.55) == 100
        assert cell(2.15, 0.55) == 0
        assert cell(2.35, 0.55) == -1
    assert {int(v) for v in np.unique(base.cells)} == {-1, 0, 100} and base.cells.dtype == np.int8


def test_air_is_clear_up_to_where_nobody_looked_and_not_below_what_was_seen():
    """Cells along x: air seen to 0.9 m; to 0.6 m; with an unseen decimetre between seen air; none at all; from 0.3 m on; the same
    over two vertices of something low."""
    heights = {0.15: np.arange(0.15, 0.9, 0.1), 0.25: np.arange(0.15, 0.6, 0.1), 0.35: [0.15, 0.25, 0.45], 0.45: [0.05],
               0.55: np.arange(0.35, 1.2, 0.1), 0.65: np.arange(0.35, 1.2, 0.1)}
    air = np.array([[x, 0.15, z] for x, column in heights.items() for z in column])
    floor, stray = patch((0.0, 0.0, 0.0), (0.98, 0.28, 0.0), (0, 0, 1)), patch((0.63, 0.15, 0.2), (0.65, 0.15, 0.2), (0, 0, 1))
    grid = floor_plan(joined(floor, stray), air, 0.1, np.array([0, 0, 1.0]))
    np.testing.assert_allclose(grid.clear[1, 1:7], [0.9, 0.6, 0.0, 0.5, 1.2, 0.0], atol=1e-6)
    assert (grid.cells[1, 1:7] == 0).all()


def test_the_floor_is_the_lowest_level_of_size_not_the_largest():
    table = patch((0, 0, 0.7), (2, 1, 0.7), (0, 0, 1))
    floor = patch((0, 0, 0.0), (0.6, 1, 0.0), (0, 0, 1))
    stray = patch((5, 5, -0.9), (5.06, 5.06, -0.9), (0, 0, 1))
    assert floor_height(joined(table, floor, stray), np.array([0, 0, 1.0])) == pytest.approx(0.0, abs=0.01)


def test_a_room_from_frames(settings):
    settings.map.min_weight = 1.0
    mapper = Mapper(settings)
    assert mapper.occupancy(np.array([0, 0, 1.0])) is None
    # A floor at z = 0 seen from 1.4 m above at a slant, with a post of 0.3 x 0.3 m in it.
    rays = CAMERA.rays().astype(np.float64)
    for x in (0.0, 0.4):
        at = looking_at(np.array([x, 0.0, 1.4]), np.array([x, 1.5, 0.0]))
        world = rays @ at[:3, :3].T
        depth = np.where(world[..., 2] < -0.05, -1.4 / np.minimum(world[..., 2], -0.05), 0.0)
        points = at[:3, 3] + world * depth[..., None]
        front = np.where(world[..., 1] > 0.05, 1.4 / np.maximum(world[..., 1], 0.05), 0.0)  # plane y = 1.4
        hit = at[:3, 3] + world * front[..., None]
        post = (front > 0) & (np.abs(hit[..., 0] - 0.2) < 0.15) & (hit[..., 2] > 0) & (hit[..., 2] < 0.6)
        depth = np.where(post & (front < np.where(depth > 0, depth, 99)), front, depth)
        assert points.shape == hit.shape and post.any()
        mapper.integrate(frame_of(np.where(depth < 4.5, depth, 0.0), at), carve=True)
    grid = mapper.occupancy(np.array([0, 0, 1.0]))
    column, row = np.floor((np.array([0.2, 1.42]) - grid.origin[:2]) / grid.resolution).astype(int)
    assert grid.floor_height == pytest.approx(0.0, abs=0.02)
    assert grid.cells[row - 1:row + 1, column].max() == 100
    column, row = np.floor((np.array([-0.2, 1.2]) - grid.origin[:2]) / grid.resolution).astype(int)
    assert grid.cells[row, column] == 0


def test_a_far_stray_does_not_make_a_huge_plan(settings):
    near, far = patch((0, 0, 0), (1, 1, 0), (0, 0, 1)), patch((1e5, 0, 0), (1e5, 0, 0), (0, 0, 1))
    assert max(floor_plan(joined(near, far), np.zeros((0, 3)), 0.1, np.array([0, 0, 1.0])).cells.shape) <= 4096
