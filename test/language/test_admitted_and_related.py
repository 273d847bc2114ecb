"""Answers about what lies in a region, was seen at a time, or stands in a place that the words name."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fake import picture

from magic3d_ros.language.answer import Question, Status

CHAIR, TABLE, MUG, FLOOR = 1, 2, 3, 4
SECOND = 1_000_000_000


@pytest.fixture
def memory(room):
    """Seen last at: chair 5 s, table 8 s, mug 10 s, floor 10 s. The mug is on the table, the chair two metres to its right."""
    language, surface, labels, things = room
    seen, supports = {CHAIR: 5, TABLE: 8, MUG: 10, FLOOR: 10}, {CHAIR: FLOOR, TABLE: FLOOR, MUG: TABLE, FLOOR: -1}
    things = [replace(t, last_seen=seen[t.id] * SECOND, support=supports[t.id]) for t in things]
    return language.snapshot().memory(surface, labels, things, np.array([[0.0, -2.0, 1.2]]))


def ids(answer):
    return {m.id for m in answer.matches}


def test_only_what_was_seen_lately(memory):
    assert ids(memory.answer(Question("chair"))) == {CHAIR, TABLE, MUG, FLOOR}
    assert ids(memory.answer(Question("chair", max_age=2.0))) == {TABLE, MUG, FLOOR}
    assert ids(memory.answer(Question("chair", max_age=1.99))) == {MUG, FLOOR}
    assert ids(memory.answer(Question("chair", seen_after=8 * SECOND))) == {TABLE, MUG, FLOOR}
    assert ids(memory.answer(Question("chair", seen_after=5 * SECOND, max_age=1.0))) == {MUG, FLOOR}
    nothing = memory.answer(Question("chair", seen_after=11 * SECOND))
    assert nothing.status == Status.NOT_FOUND
    assert "seen after 11.000 s" in nothing.why


def test_region_and_time_together(memory):
    above = np.array([[-1.0, -1.0, 0.5], [1.0, 1.0, 1.0]])
    assert ids(memory.answer(Question("chair", region=above, max_age=1.0))) == {MUG}
    nothing = memory.answer(Question("chair", region=above + 50.0, max_age=1.0))
    assert "in that region" in nothing.why
    assert "in the last 1 s" in nothing.why


def test_the_mug_on_the_table(memory):
    plain, placed = (memory.answer(Question("the mug on the table", relations=relations)) for relations in (False, True))
    assert (placed.matches[0].id, placed.status) == (MUG, Status.FOUND)
    assert placed.why.startswith('read as "mug" on "table": ')
    assert "it is on object 2" in placed.why
    assert next(m for m in placed.matches if m.id == TABLE).probability < 0.01
    assert "read as" not in plain.why


def test_a_mug_that_is_not_where_it_was_said_to_be(memory):
    answer = memory.answer(Question("the mug on the chair", relations=True))
    assert answer.status == Status.NOT_FOUND
    assert 'read as "mug" on "chair"' in answer.why
    without = memory.answer(Question("the giraffe on the shelf"))
    assert "ask with relations" in without.why


def test_sides_are_as_the_camera_saw_them_or_as_the_question_says(memory):
    right = memory.answer(Question("the chair right of the mug", relations=True))
    assert (right.matches[0].id, right.status) == (CHAIR, Status.FOUND)
    assert "seen from (0.0, -2.0, 1.2)" in right.why
    left = memory.answer(Question("the chair left of the mug", relations=True))
    assert left.status == Status.NOT_FOUND
    across = memory.answer(Question("the chair left of the mug", relations=True, viewpoint=np.array([0.0, 2.0, 1.2])))
    assert (across.matches[0].id, across.status) == (CHAIR, Status.FOUND)


def test_what_is_on_the_table_and_pictures_of_what_is_there(memory):
    anything = memory.answer(Question("what is on the table", relations=True))
    assert (anything.matches[0].id, anything.matches[0].probability > 0.9) == (MUG, True)
    shown = memory.answer(Question("on the table", image=picture("mug"), relations=True))
    assert shown.matches[0].id == MUG
    other = memory.answer(Question("on the table", image=picture("giraffe"), relations=True))
    assert other.status != Status.FOUND


def test_negatives_are_about_what_is_asked_for_not_about_its_place(memory):
    answer = memory.answer(Question("the mug on the table", negatives=("table",), relations=True))
    assert (answer.matches[0].id, answer.status) == (MUG, Status.FOUND)
    assert memory.answer(Question("the mug on the table", negatives=("mug",), relations=True)).matches[0].probability < 0.6


def test_words_without_a_relation_are_asked_as_they_are(memory):
    for text in ("a chair", "left shoe", "椅子", "/etc/passwd", "turn on the light"):
        assert memory.answer(Question(text, relations=True)) == memory.answer(Question(text))
