"""The concept bank: what ships, and what a user's file may say."""

from __future__ import annotations

import numpy as np
import pytest

from magic3d_ros.config import SettingsError
from magic3d_ros.cues.embedded.joint_space import class_names
from magic3d_ros.language.concepts import data_file
from magic3d_ros.language.concepts.bank import STRUCTURE, load_bank

BLOB = "blob:\n  looks_like: [coffee mug, cup]\n  length: [0.1, 0.2]\n  height: [0, 1]\n  shape: B\n"


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.setattr(data_file, "config_directories", lambda: [tmp_path])
    load_bank.cache_clear()
    yield tmp_path
    load_bank.cache_clear()


def test_what_ships_is_large_and_looks_like_classes():
    bank = load_bank()
    assert 300 <= len(bank) <= 450
    assert {"mug", "chair", "wall socket", "whiteboard", *STRUCTURE} <= bank.row_of.keys()
    vectors = bank.class_vectors(class_names()[0])
    assert vectors.shape == (len(bank), 1000)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert all(c.uses for c in bank.concepts) and len(set(bank.phrases)) == len(bank.phrases)


def test_look_alikes_count_less_and_less():
    bank = load_bank()
    row, names = bank.row_of["mug"], list(class_names()[0])
    first, second = bank.concepts[row].looks_like[:2]
    vector = bank.class_vectors(names)[row]
    assert vector[names.index(second)] / vector[names.index(first)] == pytest.approx(0.85)


def test_the_best_phrase_of_each_concept_counts():
    bank = load_bank()
    closeness = np.zeros((1, len(bank.phrases)))
    closeness[0, bank.phrases.index("tea mug")] = 0.7
    best = bank.best_phrase(closeness)[0]
    assert best[bank.row_of["mug"]] == 0.7 and best[bank.row_of["sofa"]] == 0.0


def test_a_file_of_ones_own_adds_and_replaces(config):
    (config / "mine.yaml").write_text(BLOB + BLOB.replace("blob", "mug"))
    bank = load_bank("mine")
    assert bank.row_of.keys() - load_bank().row_of.keys() == {"blob"}
    assert bank.concepts[bank.row_of["mug"]].synonyms == () and bank.concepts[bank.row_of["blob"]].frequency == "occasional"


@pytest.mark.parametrize(("content", "message"), [
    ("[]", "mine.yaml must hold names"),
    ("blob: 3", "mine.yaml: blob: must hold keys"),
    (BLOB.replace("length: [0.1, 0.2]", "length: [0.2, 0.1]"), "blob: length: must be"),
    (BLOB.replace("height: [0, 1]", "height: [0, .inf]"), "blob: height: must be"),
    (BLOB.replace("  shape: B\n", ""), "blob: the key 'shape' is missing"),
    (BLOB + "  weight: 3\n", "blob: there is no key 'weight'"),
    (BLOB.replace("shape: B", "shape: Q"), "blob: shape: letters of VHBT"),
    (BLOB.replace("[coffee mug, cup]", "[]"), "blob: looks_like: 1 to 9"),
    (BLOB.replace("[coffee mug, cup]", "mug"), "blob: looks_like: must be a list"),
    (BLOB + "  colours: [mauve]\n", "'mauve' is none of black"),
    (BLOB + "  frequency: often\n", "blob: frequency: one of common"),
    (BLOB + "  surface: 1\n", "blob: surface: must be true or false"),
    ("{", "cannot read mine.yaml")])
def test_mistakes_are_named(config, content, message):
    (config / "mine.yaml").write_text(content)
    with pytest.raises(SettingsError) as error:
        load_bank("mine")
    assert message in str(error.value) and str(error.value).startswith("language.concepts")


def test_a_class_that_is_none_is_named(config):
    (config / "mine.yaml").write_text(BLOB.replace("cup]", "grail]"))
    with pytest.raises(SettingsError, match="blob: looks_like: the image network has no class 'grail'"):
        load_bank("mine").class_vectors(class_names()[0])


@pytest.mark.parametrize("name", ["../secrets", "/etc/passwd", "a/b.yaml", "..", "x.txt"])
def test_a_path_is_no_name(name):
    with pytest.raises(SettingsError, match="not a path"):
        load_bank(name)


def test_a_missing_file_is_named(config):
    with pytest.raises(SettingsError, match=r"no nowhere\.yaml"):
        load_bank("nowhere")
