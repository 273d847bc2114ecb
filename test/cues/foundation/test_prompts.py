"""Prompts and their mean."""

from __future__ import annotations

import pytest
import torch

from magic3d_ros.cues.foundation.prompts import TEMPLATES, mean_direction, prompts


def test_a_name_fills_the_templates():
    assert prompts("mug", ("a photo of {a}.", "the {name} there")) == ["a photo of a mug.", "the mug there"]
    assert prompts("Office  Chair", ("{a}",)) == ["an office chair"]
    assert len(prompts("mug")) == len(TEMPLATES)


@pytest.mark.parametrize("text", ["Where is the red mug?", "find the red mug", "the red mug", "red mug!"])
def test_a_question_for_a_name_is_read_as_the_name(text):
    assert prompts(text, ("{name}",)) == ["red mug"]


@pytest.mark.parametrize(("text", "read"), [
    ("where can I sit?", "where can i sit"), ("something to drink", "something to drink"),
    ("a surface to put things on", "a surface to put things on"), ("Where is the", "where is the")])
def test_a_sentence_stays_itself(text, read):
    assert prompts(text) == [read]


def test_text_without_words_is_still_text():
    assert prompts("??") == ["??"]


def test_the_mean_is_one_of_directions():
    vectors = torch.tensor([[10.0, 0.0], [0.0, 0.1], [0.0, 5.0]])
    mean = mean_direction(vectors, torch.tensor([0, 0, 1]), 2)
    half = 0.5 ** 0.5
    torch.testing.assert_close(mean, torch.tensor([[half, half], [0.0, 1.0]]))
