"""Questions that cannot be answered as asked."""

from __future__ import annotations

import numpy as np
import pytest

from magic3d_ros.language.answer import Question
from magic3d_ros.language.question import problem


@pytest.mark.parametrize(("question", "words"), [
    (Question(""), "empty"),
    (Question("  \n\t"), "empty"),
    (Question("x" * 1001), "1001 characters"),
    (Question("x" * 10000), "10000 characters"),
    (Question("chair", negatives=("y" * 2000,)), "2000 characters"),
    (Question("?!..."), "no word"),
    (Question("chair", negatives=("a",) * 51), "negatives"),
    (Question("chair", max_results=0), "max_results"),
    (Question(image=np.zeros((4, 4), np.uint8)), "picture"),
    (Question(image=np.zeros((4, 4, 3), np.float32)), "picture"),
    (Question(image=np.zeros((0, 4, 3), np.uint8)), "picture"),
    (Question(image=np.broadcast_to(np.zeros(3, np.uint8), (5000, 2, 3))), "4096"),
    (Question(image=np.zeros((1, 1, 3), np.uint8)), "at least 8 pixels"),
    (Question(image=np.broadcast_to(np.zeros(3, np.uint8), (4320, 7680, 3))), "at most 4096"),
    (Question(negatives=("chair", "table")), "only what is not meant"),
    (Question("chair", max_age=-1.0), "negative"),
    (Question("chair", max_age=float("nan")), "negative"),
    (Question("chair", seen_after=-1), "negative"),
    (Question("chair", viewpoint=np.array([0.0, np.inf, 0.0])), "viewpoint"),
    (Question("chair", region=np.zeros((3, 2))), "corner"),
    (Question("chair", region=np.array([[0, 0, np.nan], [1, 1, 1]])), "corner"),
    (Question("chair", region=np.array([[0, 0, 2.0], [1, 1, 1]])), "empty"),
])
def test_each_says_what_is_wrong(question, words):
    assert words in problem(question)


@pytest.mark.parametrize("question", [
    Question("where can I sit"), Question("x" * 1000), Question("椅子"), Question(image=np.zeros((8, 8, 3), np.uint8)),
    Question("/etc/passwd"), Question("chair", max_results=10**6), Question("chair", max_age=3.0, seen_after=5),
    Question("chair", region=np.array([[0.0, 0, 0], [1, 1, 1]]))])
def test_the_rest_can_be_asked(question):
    assert problem(question) == ""
