"""The affordance lexicon."""

from __future__ import annotations

import pytest

from magic3d_ros.config import SettingsError
from magic3d_ros.language.concepts import data_file
from magic3d_ros.language.concepts.bank import load_bank
from magic3d_ros.language.concepts.lexicon import Lexicon, load_lexicon


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.setattr(data_file, "config_directories", lambda: [tmp_path])
    load_lexicon.cache_clear()
    yield tmp_path
    load_lexicon.cache_clear()


@pytest.mark.parametrize("language", ["en", "de"])
def test_what_ships_names_only_concepts(language):
    shipped, known = load_lexicon(language), load_bank().row_of
    assert len(shipped.groups) > 50 and shipped.openings
    assert [name for _, concepts in shipped.groups for name in concepts if name not in known] == []


def test_none_and_several():
    assert load_lexicon("") == load_lexicon("none") == Lexicon()
    both = load_lexicon("en, de")
    assert both.groups == load_lexicon("en").groups + load_lexicon("de").groups


def test_openings_are_cut():
    words = Lexicon(("where is the", "the", "a"), ())
    assert words.stripped("Where is the  red MUG?") == "red mug"
    assert words.stripped("a table") == "table"
    assert words.stripped("thermos") == "thermos"


def test_a_lexicon_of_ones_own_is_found_by_name(config):
    (config / "mine.yaml").write_text("groups:\n  - phrases: [blob]\n    concepts: [cup]\n")
    assert load_lexicon("mine").groups == ((("blob",), ("cup",)),)
    assert load_lexicon("mine.yaml").openings == ()


@pytest.mark.parametrize("name", ["../secrets", "/etc/passwd", "a/b.yaml", "..", "x.txt"])
def test_a_path_is_no_name(name):
    with pytest.raises(SettingsError, match="not a path"):
        load_lexicon(name)


@pytest.mark.parametrize("content", ["[]", "groups: 3", "groups: [{phrases: [a]}]", "groups: [{phrases: [], concepts: [b]}]",
                                     "{"])
def test_a_lexicon_of_another_form_is_refused(config, content):
    (config / "bad.yaml").write_text(content)
    with pytest.raises(SettingsError, match=r"bad\.yaml"):
        load_lexicon("bad")
