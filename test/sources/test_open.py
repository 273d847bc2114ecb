from __future__ import annotations

import pytest

from magic3d_ros.config import Settings
from magic3d_ros.sources.open import open_source
from magic3d_ros.sources.source import SourceError


@pytest.mark.parametrize(("text", "words"), [
    ("", "no source was named"), ("   ", "no source was named"), ("nowhere/at all", "does not exist"),
    pytest.param("a" * 10000, "aaa... does not exist", id="long"), ("bad\0name", "does not exist"),
    ("~nobody-of-that-name/x", "does not exist"),
])
def test_text_that_names_nothing(text, words):
    with pytest.raises(SourceError) as caught:
        open_source(text, Settings())
    assert words in str(caught.value).replace("'", "")
    assert len(str(caught.value)) < 400


def test_a_folder_of_something_else_says_what_was_looked_for(tmp_path):
    (tmp_path / "holiday.jpg").write_bytes(b"")
    with pytest.raises(SourceError) as caught:
        open_source(str(tmp_path), Settings())
    for words in ("metadata.yaml", "poses_c2w.txt", "7-Scenes", "TUM", "ScanNet", "NICE-SLAM"):
        assert words in str(caught.value)


def test_files_that_are_no_bags(tmp_path):
    (tmp_path / "old.bag").write_bytes(b"#ROSBAG V2.0")
    with pytest.raises(SourceError, match="rosbags-convert"):
        open_source(str(tmp_path / "old.bag"), Settings())
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(SourceError, match="neither a folder nor"):
        open_source(str(tmp_path / "notes.txt"), Settings())


@pytest.mark.parametrize(("text", "name"), [("room", ""), ("room:kitchen", "kitchen")])
def test_the_simulated_room_by_name(monkeypatch, text, name):
    asked = []
    monkeypatch.setattr("magic3d_ros.sources.room.open_room", lambda *arguments: asked.append(arguments))
    settings = Settings()
    open_source(text, settings)
    assert asked == [(name, settings)]
