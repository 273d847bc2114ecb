"""Relations among boxes drawn by hand: metres, x to the right, y away from who looks, z up."""

from __future__ import annotations

import numpy as np
import pytest

from magic3d_ros.geometry.box import OrientedBox
from magic3d_ros.language.relation_words import Relation, parse
from magic3d_ros.language.relations import Layout, Placed

FLOOR, TABLE, MUG, BASKET, CHAIR, LAMP, BOX, APPLE, PICTURE, WALL, SHELF, FAR_MUG = range(12)
HERE = np.array([0.0, -3.0, 1.2])


def box(x: float, y: float, z: float, *size: float, turn: float = 0.0) -> OrientedBox:
    """center, size, and degrees turned about up."""
    c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    return OrientedBox(np.array([x, y, z]), np.array(size), np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]]))


BOXES = {
    FLOOR: Placed(FLOOR, box(0, 0, 0, 8, 8, 0.02), structure=True),
    TABLE: Placed(TABLE, box(0, 0, 0.375, 1.6, 0.8, 0.75), FLOOR),
    MUG: Placed(MUG, box(0.5, 0.1, 0.8, 0.08, 0.08, 0.1)),  # on the table; nobody saw its foot
    BASKET: Placed(BASKET, box(-0.3, 0, 0.15, 0.3, 0.3, 0.3), FLOOR),  # under the table
    CHAIR: Placed(CHAIR, box(-1.4, 0, 0.45, 0.5, 0.5, 0.9), FLOOR),  # left of it
    LAMP: Placed(LAMP, box(2.0, 0, 0.8, 0.3, 0.3, 1.6), FLOOR),  # right of it
    BOX: Placed(BOX, box(0, 2.5, 0.2, 0.5, 0.4, 0.4, turn=30), FLOOR),  # behind it
    APPLE: Placed(APPLE, box(0, 2.5, 0.1, 0.08, 0.08, 0.08), BOX),  # in the box
    PICTURE: Placed(PICTURE, box(0, 3.93, 1.6, 0.8, 0.04, 0.6)),  # on the wall, above the shelf
    WALL: Placed(WALL, box(0, 4, 1.3, 8, 0.1, 2.6), structure=True),
    SHELF: Placed(SHELF, box(0, 3.7, 0.5, 1.0, 0.3, 1.0), FLOOR),
    FAR_MUG: Placed(FAR_MUG, box(2.8, 2.8, 0.05, 0.08, 0.08, 0.1), FLOOR),
}


@pytest.fixture
def room() -> Layout:
    return Layout(list(BOXES.values()), HERE[None])


def fits(room: Layout, relation: Relation, *anchors: int) -> set[int]:
    """The things, not floor and wall, that stand so more than not."""
    fit = room.fit(relation, anchors)
    assert ((fit >= 0) & (fit <= 1)).all()
    return {i for i, value in enumerate(fit) if value >= 0.5} - {FLOOR, WALL}


@pytest.mark.parametrize(("relation", "anchor", "those"), [
    (Relation.ON, TABLE, {MUG}),
    (Relation.ON, WALL, {PICTURE}),
    (Relation.ON, FLOOR, {TABLE, BASKET, CHAIR, LAMP, BOX, SHELF, FAR_MUG}),
    (Relation.ON, BOX, {APPLE}),  # the map says that it stands on the box
    (Relation.IN, BOX, {APPLE}),
    (Relation.IN, TABLE, {BASKET}),  # boxes are full
    (Relation.UNDER, TABLE, {BASKET}),
    (Relation.ABOVE, SHELF, {PICTURE}),
    (Relation.NEXT_TO, TABLE, {CHAIR}),
    (Relation.NEAR, TABLE, {CHAIR, LAMP, BASKET}),
    (Relation.NEAR, SHELF, {PICTURE, BOX, APPLE}),
    (Relation.LEFT, TABLE, {CHAIR, BASKET}),
    (Relation.RIGHT, TABLE, {LAMP, MUG}),
    (Relation.BEHIND, TABLE, {BOX, APPLE, PICTURE, SHELF}),
    (Relation.FRONT, SHELF, {TABLE, BASKET, BOX, APPLE}),
])
def test_who_stands_where(room: Layout, relation: Relation, anchor: int, those: set[int]) -> None:
    assert fits(room, relation, anchor) == those


def test_between_two(room: Layout) -> None:
    assert fits(room, Relation.BETWEEN, CHAIR, LAMP) == fits(room, Relation.BETWEEN, LAMP, CHAIR) == {TABLE, MUG, BASKET}


def test_left_and_right_change_sides_with_the_one_who_looks(room: Layout) -> None:
    across = np.array([0.0, 3.0, 1.2])
    assert room.fit(Relation.LEFT, (TABLE,), across)[LAMP] == pytest.approx(room.fit(Relation.RIGHT, (TABLE,), HERE)[LAMP])
    assert room.fit(Relation.LEFT, (TABLE,), across)[CHAIR] == 0.0
    assert room.fit(Relation.FRONT, (TABLE,), across)[BOX] > 0.5
    nearest = Layout(list(BOXES.values()), np.array([[0.0, -3, 1.2], [0, 1.5, 1.2], [0, 0.1, 2.0]]))  # the last is over the table
    np.testing.assert_array_equal(nearest.viewer(TABLE), [0, 1.5, 1.2])
    assert not Layout(list(BOXES.values()), np.zeros((0, 3))).fit(Relation.LEFT, (TABLE,)).any()


def test_the_world_may_stand_on_its_side() -> None:
    turn = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
    turned = [Placed(t.id, OrientedBox(turn @ t.box.center, t.box.size, turn @ t.box.rotation), t.support, t.structure)
              for t in BOXES.values()]
    there, here = Layout(turned, (turn @ HERE)[None]), Layout(list(BOXES.values()), HERE[None])
    for relation in Relation:
        anchors = (CHAIR, LAMP) if relation is Relation.BETWEEN else (TABLE,)
        np.testing.assert_allclose(there.fit(relation, anchors), here.fit(relation, anchors), atol=1e-9)


def chances(room: Layout, **known: dict[int, float]):
    return lambda words: np.array([known.get(words, {}).get(i, 0.0) for i in range(len(room.things))])


def test_the_mug_on_the_table_is_the_one_that_stands_there(room: Layout) -> None:
    of = chances(room, mug={MUG: 0.6, FAR_MUG: 0.8}, table={TABLE: 0.7, SHELF: 0.2})
    found = room.related(parse("the mug on the table"), of, sure=0.5)
    assert int(found.chances.argmax()) == MUG
    assert found.chances[MUG] == pytest.approx(0.6, abs=0.01)  # a table is there for sure: its likelihood takes nothing away
    assert found.anchors[MUG] == (TABLE,)
    assert found.chances[FAR_MUG] < 0.05


def test_a_place_that_is_hardly_there_makes_nothing_likely(room: Layout) -> None:
    of = chances(room, mug={MUG: 0.9}, piano={TABLE: 0.1})
    assert room.related(parse("the mug on the piano"), of, sure=0.5).chances[MUG] == pytest.approx(0.9 * 0.1 / 0.5, abs=0.01)
    assert not room.related(parse("the mug on the moon"), of, sure=0.5).chances.any()


def test_anything_between_two_things_and_places_within_places(room: Layout) -> None:
    of = chances(room, chair={CHAIR: 0.9}, lamp={LAMP: 0.9}, table={TABLE: 0.8, SHELF: 0.8}, mug={MUG: 0.9, FAR_MUG: 0.9},
                 box={BOX: 0.9})
    between = room.related(parse("what is between the chair and the lamp"), of, sure=0.5)
    assert set(np.flatnonzero(between.chances > 0.5)) == {TABLE, MUG, BASKET}  # the floor is no thing
    nested = room.related(parse("the mug on the table next to the chair"), of, sure=0.5)
    assert (int(nested.chances.argmax()), nested.anchors[MUG]) == (MUG, (TABLE,))


def test_without_things_nothing_is_related() -> None:
    empty = Layout([], np.zeros((0, 3)))
    assert empty.related(parse("the mug on the table"), lambda words: np.zeros(0), 0.5).chances.shape == (0,)
