"""What questions are about, in concepts."""

from __future__ import annotations

import numpy as np
import pytest
from fake import BANK, CLASSES, FourClasses

from magic3d_ros.config import LanguageSettings, SettingsError
from magic3d_ros.cues.contrast import Contrast
from magic3d_ros.language.concepts.knowledge import Knowledge
from magic3d_ros.language.concepts.lexicon import Lexicon

REST = Lexicon(("where is the",), ((("somewhere to rest",), ("chair", "table")),))


def test_a_name_means_its_concept():
    meaning = Knowledge(FourClasses(), BANK).meaning(["mug", "giraffe"])
    assert meaning.weights.argmax(1).tolist() == [BANK.row_of["mug"], BANK.row_of["giraffe"]]
    np.testing.assert_allclose(meaning.weights.sum(1), 1)
    np.testing.assert_allclose(meaning.closeness, 1)
    assert meaning.nearest.argmax(1).tolist() == meaning.weights.argmax(1).tolist() and meaning.nearest.max() == pytest.approx(1)


def test_a_phrase_of_the_lexicon_means_its_concepts_in_their_order():
    weights = Knowledge(FourClasses(), BANK, REST).meaning(["somewhere to rest"]).weights[0]
    assert weights[BANK.row_of["chair"]] == pytest.approx(1 / 1.9) and weights[BANK.row_of["table"]] == pytest.approx(0.9 / 1.9)
    near = Knowledge(FourClasses(), BANK, REST).meaning(["a rest"]).weights[0]  # .6 close: .75 + .25 / 9 of the group
    share = 0.75 + 0.25 * (0.6 - 0.55) / 0.45
    assert near[BANK.row_of["chair"]] == pytest.approx(share / 1.9 + (1 - share) / len(BANK), abs=1e-6)


def test_a_name_is_stronger_than_a_phrase():
    lexicon = Lexicon((), ((("mug",), ("table",)),))
    assert Knowledge(FourClasses(), BANK, lexicon).meaning(["mug"]).weights[0].argmax() == BANK.row_of["mug"]


def test_openings_are_cut_before_anything_is_compared():
    knowledge = Knowledge(FourClasses(), BANK, REST)
    np.testing.assert_array_equal(knowledge.meaning(["Where is the mug?"]).weights, knowledge.meaning(["mug"]).weights)
    assert "somewhere to rest" in knowledge.known_names and "giraffe" in knowledge.known_names


def test_concepts_are_their_look_alikes_or_for_a_clip_their_names():
    model = FourClasses()
    assert Knowledge(model, BANK).vectors[BANK.row_of["workbench"]].argmax() == CLASSES.index("table")
    model.contrast = Contrast(50.0, np.eye(4, dtype=np.float32)[:1])
    vectors = Knowledge(model, BANK).vectors
    assert vectors.shape == (len(BANK), 4) and vectors[BANK.row_of["mug"]].argmax() == CLASSES.index("mug")
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_a_group_that_names_no_concept_is_refused():
    with pytest.raises(SettingsError, match="names 'spaceship', no concept"):
        Knowledge(FourClasses(), BANK, Lexicon((), ((("fly",), ("spaceship",)),)))


def test_a_clip_does_without_the_lexicon(monkeypatch):
    asked = []
    monkeypatch.setattr("magic3d_ros.language.concepts.knowledge.load_lexicon", lambda names: asked.append(names) or Lexicon())
    model = FourClasses()
    Knowledge.of(model, LanguageSettings())
    model.contrast = Contrast(50.0, np.zeros((1, 4), np.float32))
    Knowledge.of(model, LanguageSettings())
    Knowledge.of(model, LanguageSettings(lexicon="de"))
    Knowledge.of(FourClasses(), LanguageSettings(lexicon="none"))
    assert asked == ["en", "", "de", "none"]
