"""Questions that place one thing by another, read; and those that only seem to."""

from __future__ import annotations

import pytest

from magic3d_ros.language.relation_words import Phrase, Relation, parse


@pytest.mark.parametrize(("text", "thing", "relation", "anchors"), [
    ("the mug on the table", "mug", Relation.ON, ["table"]),
    ("Where is the cup to the left of the laptop?", "cup", Relation.LEFT, ["laptop"]),
    ("a lamp on the right side of my bed", "lamp", Relation.RIGHT, ["bed"]),
    ("the chair in front of the desk", "chair", Relation.FRONT, ["desk"]),
    ("what's behind the sofa", "", Relation.BEHIND, ["sofa"]),
    ("shoes underneath the bed", "shoes", Relation.UNDER, ["bed"]),
    ("lamp above table", "lamp", Relation.ABOVE, ["table"]),
    ("the trash can right next to the desk", "trash can", Relation.NEXT_TO, ["desk"]),
    ("something near the door", "", Relation.NEAR, ["door"]),
    ("the lamp between the sofa and the chair", "lamp", Relation.BETWEEN, ["sofa", "chair"]),
    ("the book that is lying in the box", "book", Relation.IN, ["box"]),
    ("where can I sit near the window", "where can i sit", Relation.NEAR, ["window"]),
    ("something to sit on near the window", "something to sit on", Relation.NEAR, ["window"]),
    ("anything left of the right shoe", "", Relation.LEFT, ["right shoe"]),
    ("in the cupboard", "", Relation.IN, ["cupboard"]),
])
def test_a_thing_and_its_place(text: str, thing: str, relation: Relation, anchors: list[str]) -> None:
    assert parse(text) == Phrase(thing, relation, tuple(Phrase(a) for a in anchors))


@pytest.mark.parametrize("text", [
    "left shoe", "on-off switch", "a clip-on lamp", "desk lamp", "walk-in closet", "turn on the light", "something to sit on",
    "near", "the shirt in red", "a table on wheels", "the cup on the left", "the chair in the middle of the room",
    "the chair in front of me", "hat on hat", "where is it", "椅子", "between", "between the table", "",
    "a place to sit in the sun"])
def test_no_relation_is_read_into_what_is_one_thing(text: str) -> None:
    assert parse(text) == Phrase(text)


def test_a_name_that_is_known_stays_whole() -> None:
    assert parse("The cat in the hat") == Phrase("cat", Relation.IN, (Phrase("hat"),))
    assert parse("The cat in the hat", {"cat in the hat"}) == Phrase("The cat in the hat")


def test_what_it_refers_to_may_have_a_place_itself_but_not_without_end() -> None:
    cup = parse("the cup on the table by the window under the lamp")
    assert str(cup) == '"cup" on "table" next to "window under the lamp"'
    assert cup.anchors[0] == Phrase("table", Relation.NEXT_TO, (Phrase("window under the lamp"),))


def test_ten_thousand_characters_are_read_at_once() -> None:
    for text in ("on the " * 1500, "between the x and " * 600, "is " * 3000 + "on the x", "a" * 10_000):
        assert isinstance(parse(text), Phrase)
