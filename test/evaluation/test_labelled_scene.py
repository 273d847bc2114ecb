"""A rendered room as a measured scene: all rows of the table, from the exact masks' bound to the baselines."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from magic3d_ros.config import Settings
from magic3d_ros.evaluation.instance_metrics import average_precision
from magic3d_ros.evaluation.instance_pictures import colors_of, matching_labels, seen_from_above, write_beside
from magic3d_ros.evaluation.instance_rows import rows
from magic3d_ros.evaluation.labelled_scene import labelled_scene, true_mesh
from magic3d_ros.sources.room import open_room, write_folder
from magic3d_ros.sources.source import SourceError


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    folder = tmp_path_factory.mktemp("room") / "tiny"
    write_folder(open_room("tiny", Settings(), width=128, frames=12, distractors=False), folder, workers=0)
    return labelled_scene(folder, Settings())


def test_all_ways_are_measured_on_the_same_vertices(scene) -> None:
    found = {row.name: row for row in rows(scene, Settings(), {})}
    assert list(found) == [
        "Felzenszwalb, exact mesh", "Felzenszwalb, our mesh", "SAM3D-style merging, masks of frames",
        "online merging, masks of frames", "3D regions (ours)", "3D regions with votes, masks of frames",
        "3D regions, learned classifier",
        "SAM3D-style merging, exact masks", "online merging, exact masks", "3D regions with votes, exact masks"]
    truth = scene.truth.instance
    assert all(row.labels.shape == truth.shape and row.seconds >= 0 for row in found.values())
    score = {name: average_precision(truth, row.labels).ap50 for name, row in found.items()}
    assert score["online merging, exact masks"] >= 0.5 > 0 and score["online merging, exact masks"] >= score[
        "online merging, masks of frames"]


def test_what_is_missing_is_named(scene, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"gt_mesh_labels.npz is no labelled ground-truth mesh"):
        true_mesh(tmp_path)
    with pytest.raises(SourceError, match="no mask of frame 999"):
        scene.true_masks(replace(scene.keyframes[0], index=999))


def test_labels_are_matched_to_the_truth_for_pictures(tmp_path: Path) -> None:
    truth = np.array([3, 3, 3, 5, 5, -1])
    assert matching_labels(truth, np.array([9, 9, 8, 8, 8, -1])).tolist() == [3, 3, 5, 5, 5, -1]
    assert matching_labels(truth, np.array([1, 1, 2, 4, 4, 4])).tolist() == [3, 3, 6, 5, 5, 5]
    colors = colors_of(np.array([-1, 0, 1, 0]))
    assert colors[0].tolist() == [60, 60, 60] and colors[1].tolist() == colors[3].tolist() != colors[2].tolist()
    points = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0.5], [0, 0, 9.0]])
    image = seen_from_above(points, colors, np.array([0.0, 0, 1]))
    assert image.shape[1] == 900 and (image == colors[2]).all(-1).any() and image[0, 0].tolist() == [255, 255, 255]
    write_beside(tmp_path / "a.png", [image, image], ["one", "two"])
    assert (tmp_path / "a.png").stat().st_size > 500
    assert seen_from_above(np.zeros((0, 3)), np.zeros((0, 3), np.uint8), np.array([0.0, 0, 1])).shape == (100, 900, 3)
