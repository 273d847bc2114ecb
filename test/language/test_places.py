"""Horizontal surfaces at table height."""

from __future__ import annotations

import numpy as np

from magic3d_ros.language.places import floor_height, levels, upward

UP = np.array([0.0, 0.0, 1.0])


def test_tables_yes_seats_and_mugs_no(room):
    _, surface, labels, things = room
    found = levels(surface, labels, things, UP, 0.0)
    assert found[2].table == 1.0  # 1 m^2 at .72 m
    assert np.isclose(found[1].table, (0.09 / 0.4) ** 2)  # .3 x .3 m at .45 m
    assert found[3].table < 0.05
    assert 4 not in found  # structure
    assert found[2].floor == found[1].floor == 0


def test_height_is_above_the_floor(room):
    _, surface, labels, things = room
    assert levels(surface, labels, things, UP, -1.0)[2].table == 0.0  # 1.72 m: no table
    assert levels(surface, labels, things, UP, 0.7)[2].floor == 1.0  # 2 cm: a mat


def test_upside_down_is_no_table(room):
    _, surface, labels, things = room
    assert levels(surface, labels, things, -UP, -1.4)[2].table == 0.0


def test_floor_and_up_come_from_the_things(room):
    _, surface, _, things = room
    assert upward(things).tolist() == [0, 0, 1] and upward([]).tolist() == [0, 0, 1]
    assert floor_height(surface, things, [4], UP) == 0.0
    assert floor_height(surface, things, [], UP) == 0.0  # the lowest hundredth
