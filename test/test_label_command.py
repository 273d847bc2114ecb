"""`magic3d label`: every point of a saved map gets a name."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest

from magic3d_ros import cli
from magic3d_ros.geometry.open3d_import import load_open3d
from magic3d_ros.language.label_set import label_set
from magic3d_ros.storage.map_folder import save_map


@pytest.fixture(scope="module")
def saved(mapped_room, tmp_path_factory):
    folder = tmp_path_factory.mktemp("label") / "map"
    save_map(mapped_room[0], folder, mapped_room[1].statistics())
    return folder


@pytest.fixture
def run(monkeypatch, capsys):
    def main(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["magic3d", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        captured = capsys.readouterr()
        return int(end.value.code or 0), captured.out, captured.err

    return main


def test_a_list_that_ships_and_a_file_for_other_programs(saved, run, tmp_path) -> None:
    target = tmp_path / "deep" / "labels.ply"
    code, printed, _ = run("label", saved, "--list", "scannet20", "--out", target, "--json")
    assert code == 0
    told = json.loads(printed)
    assert told["labels"]["floor"] > 100
    assert told["labels"]["wall"] > 100
    assert sum(told["labels"].values()) + told["unnamed"] == told["points"]
    cloud = load_open3d().t.io.read_point_cloud(str(target))
    index = cloud.point.label.numpy().ravel()
    assert len(index) == told["points"]
    names = label_set("scannet20").names
    assert {names[i]: int(n) for i, n in zip(*np.unique(index[index >= 0], return_counts=True), strict=True)} == told["labels"]


def test_labels_of_ones_own_as_a_table(saved, run) -> None:
    code, printed, _ = run("label", saved, "--labels", "box, floor")
    assert code == 0
    assert "box" in printed
    assert "floor" in printed
    assert "points have none of the labels" in printed


@pytest.mark.parametrize(("options", "words"), [
    ((), "give either --list"), (("--list", "scannet20", "--labels", "box"), "give either --list"),
    (("--list", "nyu40"), "there are matterport160, scannet20"), (("--labels", " , "), "separated by commas")])
def test_what_cannot_be_done_is_said_in_one_line(saved, run, options, words) -> None:
    code, _, said = run("label", saved, *options)
    assert code == 1
    assert words in said
    assert said.strip().startswith("error: ")
