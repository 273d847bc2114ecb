"""What is learned from things whose kind is known."""

from __future__ import annotations

import numpy as np
import pytest
from fake import BANK, CLASSES, FourClasses

from magic3d_ros.config import LanguageSettings
from magic3d_ros.cues.weights import ModelError
from magic3d_ros.language.concepts.examples import Correction, Examples, load_examples
from magic3d_ros.language.concepts.knowledge import Knowledge

AXES = np.eye(4, dtype=np.float32)
CONCEPTS = {"crate": 0, "chest": 1}


def test_one_example_draws_what_looks_alike_towards_what_it_is():
    """A crate looked like axis 3. At the example itself the process learns 1 / 1.3 of what it missed; at a cosine of 0,
    exp(-8) of that."""
    corrected = Correction(Examples(AXES[3:], (("crate",),)), AXES[:2], CONCEPTS)(AXES)
    missed = (AXES[0] - AXES[3]) / 1.3
    expected = AXES + np.array([np.exp(-8), np.exp(-8), np.exp(-8), 1.0])[:, None] * missed
    np.testing.assert_allclose(corrected, expected / np.linalg.norm(expected, axis=1, keepdims=True), atol=1e-6)
    assert corrected[3].argmax() == 0 and (corrected[:3].argmax(1) == [0, 1, 2]).all()


def test_examples_left_out_are_as_if_they_had_never_been_there():
    random = np.random.default_rng(0)
    vectors = random.normal(size=(9, 4)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    names = (("crate",), ("chest", "crate"), ("crate", "chest"), ("chest",), ("crate",), ("chest",), ("crate",))
    rest = Examples(vectors[[1, 3, 5]], (names[1], names[3], names[5]))
    left = Correction(Examples(vectors[:7], names), AXES[:2], CONCEPTS).without({"crate"})
    np.testing.assert_allclose(left(vectors), Correction(rest, AXES[:2], CONCEPTS)(vectors), atol=1e-5)
    assert not np.allclose(left(vectors), Correction(Examples(vectors[:7], names), AXES[:2], CONCEPTS)(vectors), atol=1e-2)


def test_what_was_learned_is_remembered_for_the_same_examples_only(tmp_path):
    first = Correction(Examples(AXES[3:], (("crate",),)), AXES[:2], CONCEPTS, tmp_path)
    file, = tmp_path.iterdir()
    written = np.load(file)
    np.save(file, np.zeros_like(written))  # so that one sees that it is read
    again = Correction(Examples(AXES[3:], (("crate",),)), AXES[:2], CONCEPTS, tmp_path)
    assert not np.allclose(first(AXES), AXES) and np.allclose(again(AXES), AXES)
    other = Correction(Examples(AXES[3:], (("chest",),)), AXES[:2], CONCEPTS, tmp_path)
    assert other(AXES)[3].argmax() == 1 and len(list(tmp_path.iterdir())) == 2


def test_what_no_picture_shows_stays_unknown():
    assert not Correction(Examples(AXES[3:], (("crate",),)), AXES[:2], CONCEPTS)(np.zeros((2, 4), np.float32)).any()


def test_a_thing_with_two_names_is_most_of_all_the_first():
    corrected = Correction(Examples(AXES[3:], (("chest", "crate"),)), AXES[:2], CONCEPTS)(AXES[3:])[0]
    assert corrected[0] / corrected[1] == pytest.approx(0.85)


def test_examples_are_those_of_one_model(tmp_path):
    file = tmp_path / "examples.safetensors"
    Examples(AXES[2:], (("mug",), ("chair", "table"))).save("one", file)
    assert load_examples("other", file) is None
    known = load_examples("one", file)
    assert known is not None and known.concepts == (("mug",), ("chair", "table"))
    np.testing.assert_array_equal(known.vectors, AXES[2:])


def test_a_file_that_holds_none_is_named(tmp_path):
    file = tmp_path / "examples.safetensors"
    file.write_bytes(b"nothing")
    with pytest.raises(ModelError, match=r"examples\.safetensors cannot be read"):
        load_examples("one", file)


def test_those_that_ship_are_of_the_embedded_model_and_of_concepts_of_the_bank():
    from magic3d_ros.language.concepts.bank import load_bank

    known = load_examples("efficientnet-lite0+minilm-joint-classes")
    assert known is not None and len(known.vectors) == len(known.concepts) > 400
    np.testing.assert_allclose(np.linalg.norm(known.vectors, axis=1), 1, atol=2e-3)
    assert {name for names in known.concepts for name in names} <= set(load_bank().row_of)


def test_knowledge_corrects_only_where_it_has_examples():
    model = FourClasses()
    seen = AXES[[CLASSES.index("chair")]]
    assert Knowledge(model, BANK).corrected(seen) is seen
    knowing = Knowledge(model, BANK, None, Examples(seen, (("mug",),)))
    assert knowing.corrected(seen)[0].argmax() == CLASSES.index("mug")


def test_settings_turn_them_off():
    class Named(FourClasses):
        name = "efficientnet-lite0+minilm-joint-classes"

    assert Knowledge.of(Named(), LanguageSettings(examples=False)).examples is None
    assert Knowledge.of(Named(), LanguageSettings()).examples is not None
