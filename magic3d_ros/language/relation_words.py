"""Words that place one thing by another: "the mug on the table" asks for a mug, and says where. English only."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum

MAX_PARTS = 3
"""Things that one question names at most; words beyond stay with the last. "The cup on the table by the window" has three."""


class Relation(Enum):
    """Where a thing is; the values are how answers say it. relations.py says what each means in metres."""

    ON = "on"
    IN = "in"
    UNDER = "under"
    ABOVE = "above"
    NEXT_TO = "next to"
    NEAR = "near"
    LEFT = "left of"
    RIGHT = "right of"
    FRONT = "in front of"
    BEHIND = "behind"
    BETWEEN = "between"


@dataclass(frozen=True)
class Phrase:
    """A thing, in words ("" = any thing), and where it is: its relation to `anchors`; BETWEEN has two, the others one."""

    thing: str
    relation: Relation | None = None
    anchors: tuple[Phrase, ...] = ()

    def __str__(self) -> str:
        name = f'"{self.thing}"' if self.thing else "anything"
        if self.relation is None:
            return name
        return f"{name} {self.relation.value} {' and '.join(str(a) for a in self.anchors)}"


_SIDE = r"(?:(?:to|on|at) (?:the|its) )?{}(?:[- ]hand)?(?: side)? of"
_WORDS: tuple[tuple[str, Relation, bool], ...] = (
    (_SIDE.format("left"), Relation.LEFT, False),
    (_SIDE.format("right"), Relation.RIGHT, False),
    (r"in front of", Relation.FRONT, False),
    (r"behind|in back of|(?:at|on|in) the back of", Relation.BEHIND, False),
    (r"on top of|upon", Relation.ON, False),
    (r"under|underneath|beneath|below", Relation.UNDER, False),
    (r"above", Relation.ABOVE, False),
    (r"next to|beside|besides|alongside|adjacent to|by the side of", Relation.NEXT_TO, False),
    (r"near to|near|nearby|close to|closest to|not far from|in the vicinity of", Relation.NEAR, False),
    (r"inside of|inside|within", Relation.IN, False),
    (r"in between|between", Relation.BETWEEN, False),
    (r"on", Relation.ON, True),
    (r"in", Relation.IN, True),
    (r"over", Relation.ABOVE, True),
    (r"by", Relation.NEXT_TO, True),
    (r"at|around", Relation.NEAR, True),
)
"""Words, what they mean, and whether they are strict: without an article after them "in red", "by hand", "on wheels" name no
thing, and after a verb they belong to it."""
_MEANING = [(re.compile(words), relation, strict) for words, relation, strict in _WORDS]
_ANY = re.compile(r"(?<![\w-])(?:" + "|".join(words for words, _, _ in _WORDS) + r")(?![\w-])")
_ARTICLE = re.compile(r"(?:the|a|an|my|your|his|her|our|their|its|this|that|these|those|one of the|some)\s+")
_QUESTION = re.compile(r"(?:please|where(?:'s| is| are| can i find)|which|what(?:'s| is| are)?|find(?: me)?|show(?: me)?|"
                       r"look for|looking for|search for|go to|drive to|bring me|get me|fetch|is there|are there|i need|i want|"
                       r"i am|i'm)\s+")
_POSITION = re.compile(r"\s*(?:(?:that|which|who) (?:is|are)|is|are|that's|standing|stands|lying|lies|sitting|sits|hanging|hangs|"
                       r"placed|located|right|just|directly|somewhere|kept|stored)$")
_ANYTHING = {"", "anything", "something", "everything", "thing", "things", "object", "objects", "stuff", "item", "items", "what",
             "all"}
_VERBS = {"turn", "switch", "put", "place", "lay", "set", "sit", "lie", "stand", "lean", "sleep", "rest", "hang", "write", "plug",
          "throw", "step", "climb", "walk", "look", "log", "hold", "keep", "store", "work", "come", "try", "get", "go"}
"""Verbs that strict words belong to: "turn on the light" and "a place to sit in the sun" place nothing."""
_NO_ANCHOR = {"left", "right", "middle", "center", "centre", "corner", "front", "back", "top", "bottom", "side", "end", "edge",
              "way", "room", "house", "home", "flat", "apartment", "building", "scene", "picture", "image", "photo", "map",
              "world", "air", "me", "you", "us", "it", "him", "her", "them", "here", "there", "morning", "evening", "night"}
_PARTS = {"of", "side", "hand", "part", "half", "corner", "end", "edge"}
"""What follows is no thing of the map where it is one of these words, alone or with a part: a part of the room, the whole, the
one who asks, a time."""


def parse(text: str, known: Collection[str] = ()) -> Phrase:
    """What a question asks for and where. A question that names no relation is one thing, worded as it came.

    known: names of things, lower case: a question that is one of them is that thing, whatever words it holds.
    """
    words = _tidy(text)
    phrase = None if _bare(words) in known else _read(words, MAX_PARTS)
    return Phrase(text.strip()) if phrase is None else phrase


def _read(words: str, parts: int) -> Phrase | None:
    """The phrase, or None where the words name no relation."""
    if parts < 2:
        return None
    for match in _ANY.finditer(words):
        before, after = words[: match.start()].strip(), words[match.end():].strip()
        relation, strict = next((r, s) for pattern, r, s in _MEANING if pattern.fullmatch(match.group()))
        if not _names_a_thing(after) or (strict and (not _ARTICLE.match(after) or before.split(" ")[-1] in _VERBS)):
            continue
        if relation is not Relation.BETWEEN:
            anchor = _read(_bare(after), parts - 1) or Phrase(_bare(after))
            return Phrase(_wanted(before), relation, (anchor,))
        first, conjunction, second = after.partition(" and ")
        if conjunction and _names_a_thing(second):
            return Phrase(_wanted(before), relation, (Phrase(_bare(first)), Phrase(_bare(second))))
    return None


def _names_a_thing(words: str) -> bool:
    """Whether what follows a preposition begins with a name rather than with another preposition, a place or a pronoun."""
    bare = _bare(words)
    first, *rest = bare.split(" ")
    nowhere = first in _NO_ANCHOR and (not rest or rest[0] in _PARTS)
    return bool(bare) and _ANY.match(bare) is None and not nowhere


def _wanted(words: str) -> str:
    """The thing that is asked for, without what makes it a question; "" for any."""
    while (shorter := _POSITION.sub("", _QUESTION.sub("", words + " ", count=1).strip() if _QUESTION.match(words + " ")
                                    else words)) != words:
        words = shorter
    bare = _bare(words)
    return "" if bare in _ANYTHING else bare


def _bare(words: str) -> str:
    return _ARTICLE.sub("", words, count=1) if _ARTICLE.match(words) else words


def _tidy(text: str) -> str:
    return " ".join(text.lower().replace("\u2019", "'").split()).rstrip(" ?!.,;")
