"""`magic3d train regions` on a room of its own, seen in each way that it knows."""

from __future__ import annotations

import numpy as np
import pytest
from typer.testing import CliRunner

from magic3d_ros import cli
from magic3d_ros.config import Settings
from magic3d_ros.instances.region_classifier import load_classifier
from magic3d_ros.sources.room import open_room, write_folder
from magic3d_ros.training.region_pairs import map_room
from magic3d_ros.training.room_variations import KINDS


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        path = tmp_path_factory.mktemp("rooms") / "tiny"
        write_folder(open_room("tiny", Settings(), distractors=False), path)
        yield path


@pytest.mark.parametrize("kind", KINDS)
def test_a_room_keeps_its_truth_however_it_is_seen(folder, kind):
    room = map_room(folder, Settings(), kind, np.random.default_rng(2))
    assert (room.thing >= 0).mean() > 0.95  # carried over although poses err and everything is scaled
    assert room.truth[:, 1:].max(1).sum() > 0.8 * room.truth.sum()  # basins lie within things


def test_weights_are_written_and_folders_without_truth_refused(folder, tmp_path):
    file = tmp_path / "regions.safetensors"
    result = CliRunner().invoke(cli.app, ["train", "regions", *[str(folder)] * 4, "--held-out", "4", "--out", str(file)])
    assert result.exit_code == 0, result.output
    assert "held-out rooms AP" in result.output
    assert load_classifier(file).join(np.zeros((1, 90))).shape == (1, 1)
    (folder / "gt_mesh_labels.npz").rename(folder / "away.npz")
    result = CliRunner().invoke(cli.app, ["train", "regions", str(folder), str(folder), "--out", str(file)])
    assert result.exit_code != 0 and "gt_mesh_labels.npz is missing" in str(result.exception)
