"""Names and answers."""

from __future__ import annotations

import numpy as np
import pytest
from fake import picture

from magic3d_ros.language.answer import Question, Status

UP = np.array([0.0, 0.0, 1.0])


def ask(room, question):
    language, surface, labels, things = room
    snapshot = language.snapshot()
    return snapshot.answer(question, surface, labels, snapshot.memory(surface, labels, things))


def test_things_are_found_by_what_they_look_like(room):
    answer = ask(room, Question("a chair"))
    assert answer.status == Status.FOUND
    assert answer.matches[0].id == 1
    assert answer.matches[0].probability > 0.5 > answer.matches[1].probability
    assert "object 1" in answer.why


def test_what_is_not_there_is_not_found(room):
    answer = ask(room, Question("giraffe"))
    assert answer.status == Status.NOT_FOUND
    assert "query.ambiguous_probability" in answer.why
    assert all(m.probability < 0.3 for m in answer.matches)


def test_vectors_are_centred_between_things_and_background(room):
    snapshot = room[0].snapshot()
    things = np.array([[10, 5, 5, 5], [5, 10, 5, 5], [5, 5, 10, 5]], float).mean(0)
    np.testing.assert_allclose(snapshot.center, 0.5 * things + 0.5 * room[0]._background.mean(0), atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(snapshot.vectors, axis=1), 1, atol=1e-5)
    assert snapshot.vectors.argmax(1).tolist() == [0, 1, 2]


def test_structure_answers_to_its_name(room):
    answer = ask(room, Question("floor"))
    assert answer.status == Status.FOUND and answer.matches[0].id == 4


def test_a_table_is_told_by_its_height(room):
    """The model is blind to "workbench"; geometry is not."""
    assert ask(room, Question("workbench")).matches[0].id == 2


def test_names_come_from_words_and_geometry(room):
    language, surface, labels, things = room
    names = language.snapshot().names(things, UP, surface, labels)
    assert names[1][0] in ("chair", "office chair", "armchair")
    assert names[2][0] == "table" and names[2][1] > 0.5
    assert names[4] == ("floor", 0.9)


def test_things_without_pictures_have_no_name(room):
    language, surface, labels, things = room
    language.describe({})
    assert language.snapshot().names(things[:1], UP, surface, labels) == {1: ("", 0.0)}


def test_a_picture_is_a_question(room):
    answer = ask(room, Question(image=picture("mug")))
    assert answer.matches[0].id == 3 and answer.status == Status.FOUND


def test_words_and_picture_together(room):
    answer = ask(room, Question("a mug", image=picture("mug")))
    assert answer.matches[0].id == 3


def test_negatives_take_away(room):
    with_all = ask(room, Question("chair or mug")).matches
    without = ask(room, Question("chair or mug", negatives=("mug",))).matches
    assert {m.id for m in with_all[:2]} == {1, 3}
    assert without[0].id == 1
    assert next(m for m in without if m.id == 3).probability < 0.5 * next(m for m in with_all if m.id == 3).probability


def test_a_region_leaves_out_what_lies_elsewhere(room):
    region = np.array([[-1.0, -1.0, 0.5], [1.0, 1.0, 1.0]])
    assert {m.id for m in ask(room, Question("chair", region=region)).matches} == {2, 3}
    nothing = ask(room, Question("chair", region=region + 50))
    assert nothing.status == Status.NOT_FOUND and nothing.matches == [] and "in that region" in nothing.why


def test_no_more_results_than_wanted(room):
    assert len(ask(room, Question("chair", max_results=1)).matches) == 1


@pytest.mark.parametrize("text", ["/etc/passwd", "a.png", "$(rm -rf ~)", "../../x", "wo kann ich sitzen", "椅子"])
def test_text_is_only_words(room, text):
    answer = ask(room, Question(text))
    assert answer.status in (Status.NOT_FOUND, Status.AMBIGUOUS, Status.FOUND)


def test_strange_words_are_said_to_be_strange(room):
    assert "share little" in ask(room, Question("qwertz")).why


def test_heat_is_hottest_on_the_answer_and_cool_when_nothing_is_found(room):
    _, _, labels, _ = room
    heat = ask(room, Question("chair")).heat
    assert heat.shape == labels.shape and heat.dtype == np.float32
    assert heat.min() >= 0 and heat.max() <= 1
    assert heat[labels == 1].mean() > 0.6 > 0.3 > heat[labels == 2].mean()
    assert ask(room, Question("giraffe")).heat.max() < 0.5


def test_segment_names_every_vertex(room):
    language, surface, labels, things = room
    index, confidence = language.snapshot().segment(["mug", "chair", "floor"], surface, labels, things)
    assert (index[labels == 3] == 0).all() and (index[labels == 1] == 1).all() and (index[labels == 4] == 2).all()
    assert ((confidence > 0) == (index >= 0)).all() and confidence.max() <= 1
    index, _ = language.snapshot().segment(["mug"], surface, labels, things)
    assert (index[labels == 4] == -1).all()
    assert language.snapshot().segment([], surface, labels, things)[0].tolist() == [-1] * len(surface)


def test_a_snapshot_does_not_change(room):
    language, surface, labels, things = room
    before = language.snapshot()
    kept = before.vectors.copy()
    language.describe({1: [(300, (0, 0, 9, 9), lambda: picture("giraffe"))]})
    np.testing.assert_array_equal(before.vectors, kept)
    assert before.memory(surface, labels, things).answer(Question("chair")).matches[0].id == 1
