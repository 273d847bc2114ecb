"""Whether a question can be answered as asked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from magic3d_ros.language.answer import Question
from magic3d_ros.language.places import KnownObject

MAX_CHARACTERS = 1000
MAX_NEGATIVES = 50
MAX_IMAGE_SIDE = 4096
MIN_IMAGE_SIDE = 8
"""Pixels; people recognise things from 32 x 32 on (Torralba et al., 80 million tiny images, 2008), and less than a quarter of
that holds little but a colour."""

Thing = TypeVar("Thing", bound=KnownObject)


def admitted(question: Question, things: Sequence[Thing]) -> list[Thing]:
    """The things whose centre lies in the question's region and that were seen when it says."""
    since = _since(question, things)
    low, high = question.region if question.region is not None else (-np.inf, np.inf)
    return [t for t in things if t.last_seen >= since and bool(((t.centroid >= low) & (t.centroid <= high)).all())]


def restrictions(question: Question) -> str:
    """What `admitted` asks for, in words that follow "nothing is known"; empty when it admits everything."""
    words = " in that region" if question.region is not None else ""
    if question.seen_after > 0:
        words += f" that was seen after {question.seen_after / 1e9:.3f} s"
    if question.max_age > 0:
        words += f" that was seen in the last {question.max_age:g} s of the map"
    return words


def _since(question: Question, things: Sequence[Thing]) -> int:
    """ns."""
    if question.max_age <= 0 or not things:
        return question.seen_after
    return max(question.seen_after, max(t.last_seen for t in things) - round(question.max_age * 1e9))


def problem(question: Question) -> str:
    """Empty when the question can be answered; else one sentence that says how to ask. Text is only ever words."""
    if not question.text.strip() and question.image is None:
        alone = "; negatives alone say only what is not meant" if any(n.strip() for n in question.negatives) else ""
        return f"the question is empty: say what to look for, in words or as a picture{alone}"
    for text in (question.text, *question.negatives):
        if len(text) > MAX_CHARACTERS:
            return f"the text has {len(text)} characters: at most {MAX_CHARACTERS} are read"
    if question.text.strip() and not any(c.isalnum() for c in question.text):
        return "the question holds no word: say what to look for"
    if len(question.negatives) > MAX_NEGATIVES:
        return f"{len(question.negatives)} negatives are too many: at most {MAX_NEGATIVES}"
    if question.max_results < 1:
        return f"max_results is {question.max_results}: at least one object must be wanted"
    if not 0 <= question.max_age < math.inf or question.seen_after < 0:  # NaN fails too
        return "max_age and seen_after must not be negative: seconds, and a time in nanoseconds; 0 = whenever it was seen"
    if question.viewpoint is not None and not (np.shape(question.viewpoint) == (3,) and np.isfinite(question.viewpoint).all()):
        return "the viewpoint must be a place: three finite numbers, in metres"
    return _image_problem(question.image) or _region_problem(question.region)


def _image_problem(image: np.ndarray | None) -> str:
    if image is None:
        return ""
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or 0 in image.shape:
        return f"the picture must be (H, W, 3) 8-bit colour, not {image.shape} {image.dtype}"
    if max(image.shape[:2]) > MAX_IMAGE_SIDE:
        return f"the picture is {image.shape[1]}x{image.shape[0]}: at most {MAX_IMAGE_SIDE} pixels a side"
    if min(image.shape[:2]) < MIN_IMAGE_SIDE:
        return f"the picture is {image.shape[1]}x{image.shape[0]}: at least {MIN_IMAGE_SIDE} pixels a side show a thing"
    return ""


def _region_problem(region: np.ndarray | None) -> str:
    if region is None:
        return ""
    if np.shape(region) != (2, 3) or not np.isfinite(region).all():
        return "the region must be its lowest and its highest corner, in metres"
    if (region[0] > region[1]).any():
        return "the region is empty: its lowest corner lies above its highest"
    return ""
