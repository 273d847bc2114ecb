"""Whether a question can be answered as asked."""

from __future__ import annotations

import numpy as np

from magic3d_ros.language.answer import Question

MAX_CHARACTERS = 1000
MAX_NEGATIVES = 50
MAX_IMAGE_SIDE = 4096


def problem(question: Question) -> str:
    """Empty when the question can be answered; else one sentence that says how to ask. Text is only ever words."""
    if not question.text.strip() and question.image is None:
        return "the question is empty: say what to look for, in words or as a picture"
    for text in (question.text, *question.negatives):
        if len(text) > MAX_CHARACTERS:
            return f"the text has {len(text)} characters: at most {MAX_CHARACTERS} are read"
    if question.text.strip() and not any(c.isalnum() for c in question.text):
        return "the question holds no word: say what to look for"
    if len(question.negatives) > MAX_NEGATIVES:
        return f"{len(question.negatives)} negatives are too many: at most {MAX_NEGATIVES}"
    if question.max_results < 1:
        return f"max_results is {question.max_results}: at least one object must be wanted"
    return _image_problem(question.image) or _region_problem(question.region)


def _image_problem(image: np.ndarray | None) -> str:
    if image is None:
        return ""
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or 0 in image.shape:
        return f"the picture must be (H, W, 3) 8-bit colour, not {image.shape} {image.dtype}"
    if max(image.shape[:2]) > MAX_IMAGE_SIDE:
        return f"the picture is {image.shape[1]}x{image.shape[0]}: at most {MAX_IMAGE_SIDE} pixels a side"
    return ""


def _region_problem(region: np.ndarray | None) -> str:
    if region is None:
        return ""
    if np.shape(region) != (2, 3) or not np.isfinite(region).all():
        return "the region must be its lowest and its highest corner, in metres"
    if (region[0] > region[1]).any():
        return "the region is empty: its lowest corner lies above its highest"
    return ""
