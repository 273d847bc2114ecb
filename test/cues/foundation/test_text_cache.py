"""Texts are encoded once."""

from __future__ import annotations

import numpy as np
import pytest

from magic3d_ros.cues.foundation.text_cache import TextCache


@pytest.fixture
def encoder():
    class Encoder:
        def __init__(self):
            self.texts = []

        def __call__(self, texts):
            self.texts += texts
            return np.array([[len(t), ord(t[0])] for t in texts], np.float32)

    return Encoder()


def test_each_text_once_and_in_order(encoder, tmp_path):
    cache = TextCache(encoder, 2, "model", directory=tmp_path)
    first = cache.vectors(["mug", "a", "mug"])
    np.testing.assert_array_equal(first, [[3, ord("m")], [1, ord("a")], [3, ord("m")]])
    np.testing.assert_array_equal(cache.vectors(["a", "bc"]), [[1, ord("a")], [2, ord("b")]])
    assert encoder.texts == ["mug", "a", "bc"]
    assert cache.vectors([]).shape == (0, 2)


def test_the_text_used_longest_ago_goes_first(encoder, tmp_path):
    cache = TextCache(encoder, 2, "model", capacity=2, directory=tmp_path)
    for text in ("a", "b", "a", "c"):
        cache.vectors([text])
    assert len(cache) == 2
    cache.vectors(["a", "b"])
    assert encoder.texts == ["a", "b", "c", "b"]
    assert len(cache.vectors(["d", "e", "f"])) == 3, "more than it keeps is still answered"


def test_vocabularies_are_kept_on_disk_for_the_same_model_only(encoder, tmp_path):
    words = [f"w{i}" for i in range(64)]
    expected = TextCache(encoder, 2, "model", directory=tmp_path).vectors(words)
    encoder.texts.clear()
    np.testing.assert_array_equal(TextCache(encoder, 2, "model", directory=tmp_path).vectors(words), expected)
    assert encoder.texts == []
    TextCache(encoder, 2, "other", directory=tmp_path).vectors(words)
    assert encoder.texts == words


def test_questions_leave_nothing_on_disk(encoder, tmp_path):
    TextCache(encoder, 2, "model", directory=tmp_path).vectors(["where is my mug"])
    assert not list(tmp_path.iterdir())
