from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from magic3d_ros.nodes.shared_memory import judge, left_behind

pytestmark = pytest.mark.ros


def segment(directory: Path, name: str, size: int = 1000) -> Path:
    path = directory / name
    path.write_bytes(bytes(size))
    (directory / f"{name}_el").touch()
    return path


def test_segments_that_nobody_holds_are_left_behind(tmp_path: Path) -> None:
    dead, living = segment(tmp_path, "fastdds_0123456789abcdef"), segment(tmp_path, "fastdds_fedcba9876543210")
    segment(tmp_path, "fastdds_port7000")
    with (tmp_path / f"{living.name}_el").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert left_behind(tmp_path) == [dead]
    assert left_behind(tmp_path) == [dead, living]


def test_says_how_much_and_how_to_remove_it(tmp_path: Path) -> None:
    assert judge(tmp_path).level == "OK" and judge(tmp_path / "nowhere").level == "OK"
    dead = segment(tmp_path, "fastdds_0123456789abcdef", 3_000_000)
    finding = judge(tmp_path)
    assert finding.level == "WARN" and "1 processes" not in finding.text and "3 MB" in finding.text
    assert str(dead) in finding.cure


def test_a_segment_without_a_lock_file_is_nobodys(tmp_path: Path) -> None:
    (tmp_path / "fastdds_0123456789abcdef").touch()
    assert len(left_behind(tmp_path)) == 1
