"""`magic3d models`: what is configured, what is there, how to get the rest, what runs."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from magic3d_ros.cli import app
from magic3d_ros.commands.models import described
from magic3d_ros.evaluation.random_checkpoints import write


@pytest.fixture
def magic3d(tmp_path, monkeypatch):
    """magic3d(*arguments) with an empty hub cache and a model directory; returns (exit code, standard output)."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))

    def run(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, ["models", *arguments, "--set", f"cues.model_directory={tmp_path / 'models'}"])
        return done.exit_code, done.stdout + (str(done.exception) if done.exception else "")

    return run


def test_list_says_of_each_model_where_it_is_or_how_to_get_it(magic3d, tmp_path):
    folder = write("tiny-dinov2", tmp_path / "models" / "facebook" / "dinov2-small")
    (folder / "README.md").write_text("---\ntags: [vision]\nlicense: mit\n---\n# A card\nlicense: of no account\n")
    code, text = magic3d("list", "--json", "--set", "cues.tier=foundation", "--set", "depth.model=embedded")
    assert code == 0
    found = {entry["kind"]: entry for entry in json.loads(text)}
    assert list(found) == ["features", "masks", "language", "depth", "normals", "edges"]
    features, masks = found["features"], found["masks"]
    assert features["present"] and features["place"] == str(folder)
    assert features["licence"] == "mit" and features["megabytes"] == round(sum(f.stat().st_size for f in folder.iterdir()) / 1e6)
    assert not masks["present"] and masks["place"] == str(tmp_path / "models/facebook/sam2.1-hiera-tiny")
    assert (masks["licence"], masks["megabytes"]) == ("Apache-2.0", 156)
    assert "hf download facebook/sam2.1-hiera-tiny --local-dir" in masks["cure"]
    assert (found["depth"]["place"], found["normals"]["model"]) == ("pip packages", "none")


def test_list_is_readable(magic3d):
    code, text = magic3d("list", "--set", "cues.tier=foundation")
    assert code == 0
    assert "features: set cues.allow_download to fetch it, or where there is network: `hf download facebook/dinov2-small" in text


def test_fetch_needs_permission(magic3d, monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr("magic3d_ros.cues.weights.fetch", lambda model, whole: asked.append(model) or tmp_path)
    code, text = magic3d("fetch", "features", "--set", "cues.tier=foundation")
    assert code == 1 and "cues.allow_download" in text and asked == []
    code, text = magic3d("fetch", "features", "normals", "--set", "cues.tier=foundation", "--set", "cues.allow_download=true")
    assert code == 0 and asked == ["facebook/dinov2-small"]
    assert "normals: none is there" not in text


def test_check_runs_a_model_and_names_what_fails(magic3d, tmp_path):
    folder = write("tiny-dinov2", tmp_path / "tiny-dinov2")
    code, text = magic3d("check", "features", "--json", "--set", f"features.model={folder}", "--set", "features.device=cpu")
    assert code == 0
    result = json.loads(text)["features"]
    assert (result["model"], result["device"]) == ("tiny-dinov2", "cpu")
    assert result["output"] == "features 9x11x32, a cell every 14.5 pixels" and result["ms"] > 0
    code, text = magic3d("check", "features", "masks", "--set", f"features.model={folder}", "--set", "masks.model=owner/none")
    assert code == 1
    assert "features  runs   tiny-dinov2" in text and "masks     FAILS  model 'owner/none' is not on this machine" in text
    assert magic3d("check", "toasters")[0] == 1


def test_edges_and_masks_are_told_apart():
    assert described(np.full((3, 4), 200, np.uint8)) == "edges 3x4"
    assert described(np.array([[-1, 0, 1]], np.int32)) == "2 masks 1x3"
