"""Ids of labelled boxes over a growing map."""

from __future__ import annotations

import numpy as np

from magic3d_ros.evaluation.id_stability import Box, IdStability, IdWatch

BOXES = [Box("left", np.array([0.0, 0, 0]), np.array([1.0, 1, 1])), Box("right", np.array([2.0, 0, 0]), np.array([3.0, 1, 1])),
         Box("unseen", np.array([8.0, 0, 0]), np.array([9.0, 1, 1]))]
POINTS = np.concatenate([np.full((100, 3), 0.5), np.tile([2.5, 0.5, 0.5], (100, 1)), np.tile([5.0, 0.5, 0.5], (300, 1))])


def labelled(left: int, right: int, floor: int) -> np.ndarray:
    return np.repeat([left, right, floor], [100, 100, 300])


def test_ids_from_first_sight_to_the_end() -> None:
    watch = IdWatch(BOXES)
    assert watch.result() == IdStability(0, 0, 0, 0, 0, ())
    watch.look(POINTS[:100], np.full(100, 7))
    watch.look(POINTS, labelled(7, 4, 1))
    watch.look(POINTS, labelled(7, 4, 1))
    watch.look(POINTS, labelled(7, 5, 1))
    assert watch.result() == IdStability(kept=1, boxes=2, same_views=4 + 2, beside=0, views=4 + 3, changed=("right",))


def test_what_lies_mostly_elsewhere_is_not_the_thing_of_the_box() -> None:
    watch = IdWatch(BOXES)
    watch.look(POINTS, labelled(1, 4, 1))  # the left box holds a piece of the floor
    watch.look(POINTS, labelled(-1, 4, 1))
    watch.look(POINTS[::3], labelled(2, 4, 1)[::3])  # too few vertices of either
    assert watch.result() == IdStability(1, 1, 2, 0, 2, ())


def test_the_usual_thing_beside_a_larger_one() -> None:
    watch = IdWatch(BOXES[:1])
    for halves in ((60, 40), (55, 45), (45, 55), (70, 30)):  # a chair's back, 4, and its seat, 9, of which 50 points count
        watch.look(np.full((200, 3), 0.5), np.repeat([4, 9], np.array(halves) * 2))
    assert watch.result() == IdStability(kept=0, boxes=1, same_views=3, beside=1, views=4, changed=("left",))
