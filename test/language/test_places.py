"""Horizontal surfaces at table height."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

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


@pytest.mark.parametrize(("back", "table"), [(0.0, 1.0), (0.1, 1.0), (0.25, 0.4667), (1.0, 0.0)])
def test_what_has_a_back_is_a_seat(room, back, table):
    """A level square of 1 m^2, and above its edge a back of ten rows: what rises more than 15 cm counts, .15 of all is enough.

    Of a back of .25 m four rows are that high, .1 m^2 of 1.25 m^2 or .533 of that share.
    """
    _, surface, labels, things = room
    seat = surface.vertices[labels == 2]
    faces = surface.faces[labels[surface.faces[:, 0]] == 2]
    faces = faces - faces.min()
    upright = np.stack([seat[:, 0], np.full(len(seat), 0.5), seat[:, 2] + back * (seat[:, 1] + 0.5)], 1)
    points = np.concatenate([seat, upright]).astype(np.float32)
    whole = replace(surface, vertices=points, faces=np.concatenate([faces, faces + len(seat)]))
    found = levels(whole, np.full(len(points), 1, np.int32), [things[0]], UP, 0.0)
    assert np.isclose(found[1].table, table, atol=1e-3)
