"""A directory is replaced whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from magic3d_ros.storage.atomic import aside_of, recover, replaced_directory

OWN = frozenset({"a", "b"})


def write(directory: Path, **files: str) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (directory / name).write_text(text)


def read(directory: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in directory.iterdir()}


def test_makes_a_new_directory_with_its_parents(tmp_path):
    target = tmp_path / "x" / "map"
    with replaced_directory(target, OWN) as fresh:
        write(fresh, a="1")
        assert not target.exists()
    assert read(target) == {"a": "1"}


def test_replaces_own_files_and_keeps_the_others(tmp_path):
    target = tmp_path / "map"
    write(target, a="old", b="old", notes="mine")
    with replaced_directory(target, OWN) as fresh:
        write(fresh, a="new")
    assert read(target) == {"a": "new", "notes": "mine"}
    assert [path.name for path in tmp_path.iterdir()] == ["map"]


def test_a_failure_leaves_everything_as_it_was(tmp_path):
    target = tmp_path / "map"
    write(target, a="old")
    with pytest.raises(RuntimeError, match="half way"), replaced_directory(target, OWN) as fresh:
        write(fresh, a="new")
        raise RuntimeError("half way")
    assert read(target) == {"a": "old"}
    assert [path.name for path in tmp_path.iterdir()] == ["map"]


def test_a_failing_exchange_puts_the_old_directory_back(tmp_path, monkeypatch):
    target = tmp_path / "map"
    write(target, a="old")
    rename = Path.rename

    def fails_for_the_new_one(self: Path, other: Path) -> Path:
        if self.name.endswith(".saving"):
            raise OSError(5, "input/output error")
        return rename(self, other)

    monkeypatch.setattr(Path, "rename", fails_for_the_new_one)
    with pytest.raises(OSError, match="input/output error"), replaced_directory(target, OWN) as fresh:
        write(fresh, a="new")
    assert read(target) == {"a": "old"}
    assert [path.name for path in tmp_path.iterdir()] == ["map"]


def test_recovers_from_a_crash_between_the_two_renames(tmp_path):
    target = tmp_path / "map"
    write(aside_of(target), a="old")
    recover(target, OWN)
    assert read(target) == {"a": "old"}


def test_recovers_from_a_crash_after_the_second_rename(tmp_path):
    target = tmp_path / "map"
    write(aside_of(target), a="old", notes="mine")
    write(target, a="new")
    recover(target, OWN)
    assert read(target) == {"a": "new", "notes": "mine"}
    assert not aside_of(target).exists()
