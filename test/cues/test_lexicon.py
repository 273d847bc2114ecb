"""The affordance lexicon."""

from __future__ import annotations

import pytest

from magic3d_ros.config import SettingsError
from magic3d_ros.cues.embedded import lexicon as module
from magic3d_ros.cues.embedded.joint_space import class_names
from magic3d_ros.cues.embedded.lexicon import Lexicon, load_lexicon


def test_the_lexicon_that_ships_names_only_classes():
    names = set(class_names()[0])
    shipped = load_lexicon()
    assert len(shipped.groups) > 50
    assert [noun for _, nouns in shipped.groups for noun in nouns if noun not in names] == []


def test_a_thousand_different_class_names_in_their_places():
    names, kinds = class_names()
    assert len(names) == len(set(names)) == len(kinds) == 1000
    assert (names[504], names[559], names[760], names[851]) == ("coffee mug", "folding chair", "refrigerator", "television")
    assert kinds.index("thing") == 398  # the first 398 outputs are animals


def test_openings_are_cut():
    words = Lexicon(("where is the", "the", "a"), ())
    assert words.stripped("Where is the  red MUG?") == "red mug"
    assert words.stripped("a table") == "table"
    assert words.stripped("thermos") == "thermos"


def test_a_lexicon_of_ones_own_is_found_by_name(tmp_path, monkeypatch):
    (tmp_path / "mine.yaml").write_text("groups:\n  - phrases: [blob]\n    nouns: [cup]\n")
    monkeypatch.setattr(module, "config_directories", lambda: [tmp_path])
    assert load_lexicon("mine").groups == ((("blob",), ("cup",)),)
    assert load_lexicon("mine.yaml").openings == ()


@pytest.mark.parametrize("name", ["../secrets", "/etc/passwd", "a/b.yaml", "..", "x.txt"])
def test_a_path_is_no_name(name):
    with pytest.raises(SettingsError, match="not a path"):
        load_lexicon(name)


def test_a_missing_lexicon_is_named():
    with pytest.raises(SettingsError, match=r"no nowhere\.yaml"):
        load_lexicon("nowhere")


@pytest.mark.parametrize("content", ["[]", "groups: 3", "groups: [{phrases: [a]}]", "groups: [{phrases: [], nouns: [b]}]", "{"])
def test_a_lexicon_of_another_form_is_refused(tmp_path, monkeypatch, content):
    (tmp_path / "bad.yaml").write_text(content)
    monkeypatch.setattr(module, "config_directories", lambda: [tmp_path])
    with pytest.raises(SettingsError, match=r"bad\.yaml"):
        load_lexicon("bad")
