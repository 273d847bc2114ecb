"""A directory that is replaced whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ASIDE = ".replaced"
"""Suffix of the hidden sibling in which the old directory waits while the new one moves in."""


@contextmanager
def replaced_directory(target: Path, own: frozenset[str]) -> Iterator[Path]:
    """Yield an empty directory to fill; when the block ends well it takes the place of `target`, else nothing has changed.

    The new directory is made beside the target (same file system), its files are synced to disk, then two renames put it in
    place. Entries of an old target that are not in `own` belong to somebody else: they move over. A crash between the two
    renames leaves the old directory complete under `aside_of(target)`; `recover` puts it back.
    Raises OSError for what the file system refuses.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    recover(target, own)
    fresh = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".saving", dir=target.parent))
    try:
        yield fresh
        fresh.chmod(0o777 & ~umask())  # mkdtemp makes it private
        _sync(fresh)
        _swap(fresh, target, own)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def aside_of(target: Path) -> Path:
    """Where the old directory waits during the exchange."""
    return target.with_name(f".{target.name}{ASIDE}")


def recover(target: Path, own: frozenset[str]) -> None:
    """Finish an exchange that a crash interrupted: with no new directory in place the old one goes back. Raises OSError."""
    aside = aside_of(target)
    if aside.is_dir() and target.exists():
        _clear(aside, target, own)
    elif aside.is_dir():
        aside.rename(target)


def _swap(fresh: Path, target: Path, own: frozenset[str]) -> None:
    aside = aside_of(target)
    if target.exists():
        target.rename(aside)
    try:
        fresh.rename(target)
    except OSError:
        if aside.is_dir():
            aside.rename(target)
        raise
    _sync_directory(target.parent)
    if aside.is_dir():
        _clear(aside, target, own)


def _clear(aside: Path, target: Path, own: frozenset[str]) -> None:
    """Delete the old directory; what others put into it moves over first."""
    for entry in aside.iterdir():
        if entry.name not in own and not (target / entry.name).exists():
            entry.rename(target / entry.name)
    shutil.rmtree(aside, ignore_errors=True)


def _sync(directory: Path) -> None:
    """Force every file below to the disk: a full disk or a failing one shows here, before anything is replaced."""
    for path in directory.rglob("*"):
        if path.is_file():
            with open(path, "rb") as file:
                os.fsync(file.fileno())
    _sync_directory(directory)


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def umask() -> int:
    """The permissions that new files do not get. (It can only be read by setting it.)"""
    mask = os.umask(0)
    os.umask(mask)
    return mask
