"""Learned edges through the whole pipeline: seen in each keyframe, they part regions, move with the map and are saved with it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from magic3d_ros.config import load_settings
from magic3d_ros.cues.extractor import CueExtractor
from magic3d_ros.cues.foundation.edge_checkpoint import CONVOLUTIONS
from magic3d_ros.pipeline import ScenePipeline
from magic3d_ros.sources.room import open_room

WIDTH = 4


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """HED of four channels with random weights."""
    torch.manual_seed(0)
    sizes = {"fuse": (1, len(CONVOLUTIONS), 1)}
    for block, count in enumerate(CONVOLUTIONS, 1):
        sizes |= {f"block{block}.{k}": (WIDTH, WIDTH if block > 1 or k else 3, 3) for k in range(count)}
        sizes[f"side{block}"] = (1, WIDTH, 1)
    tensors = {}
    for name, (out, into, kernel) in sizes.items():
        tensors[f"{name}.weight"] = torch.randn(out, into, kernel, kernel) / (into * kernel**2) ** 0.5
        tensors[f"{name}.bias"] = torch.zeros(out)
    save_file(tensors, tmp_path / "hed.safetensors")
    return tmp_path / "hed.safetensors"


def test_edges_of_keyframes_follow_corrections_and_outlive_the_process(checkpoint: Path) -> None:
    settings = load_settings(None, {"edges.model": str(checkpoint)})
    pipeline = ScenePipeline(settings, CueExtractor(settings))
    for frame in open_room("tiny", settings, frames=8):
        pipeline.add(frame)
    keyframes = list(pipeline.mapper.keyframes)
    edges = pipeline.instances._edges
    assert edges.stamps == [keyframe.stamp for keyframe in keyframes] and not pipeline.extractor.problems
    scene = pipeline.understand()
    vertices, normals, views = scene.surface.vertices, scene.surface.normals, pipeline.instances._depths
    seen, weight = edges.seen(vertices, normals, keyframes, views)
    assert (weight > 0).mean() > 0.5 and seen[weight > 0].std() > 0.02
    again = ScenePipeline(settings, pipeline.extractor)
    again.load_state(pipeline.state())
    loaded = again.instances._edges.seen(vertices, normals, list(again.mapper.keyframes), views)
    np.testing.assert_array_equal(loaded, (seen, weight))
    shift = np.array([2.0, 1.0, 0.48])
    pipeline.correct_poses({k.stamp: _shifted(k.camera_to_world, shift) for k in keyframes})
    keyframes = list(pipeline.mapper.keyframes)
    moved, weight_there = edges.seen(vertices + shift, normals, keyframes, views)
    both = (weight_there > 0) & (weight > 0)
    assert both.sum() > 0.98 * (weight > 0).sum()  # places at the limits of sight come and go by rounding
    assert np.abs(moved - seen)[both].mean() < 0.01
    assert (edges.seen(vertices, normals, keyframes, views)[1] == 0).mean() > 0.9  # nothing is left where it was


def test_a_grouping_that_does_not_heed_edges_says_so(checkpoint: Path, caplog: pytest.LogCaptureFixture) -> None:
    settings = load_settings(None, {"edges.model": str(checkpoint), "instances.grouping": "learned"})
    ScenePipeline(settings, CueExtractor(settings))
    assert "instances.grouping 'learned' does not heed them" in caplog.text


def test_without_a_network_there_are_no_edges() -> None:
    settings = load_settings(None, {})
    pipeline = ScenePipeline(settings, CueExtractor(settings))
    pipeline.add(next(iter(open_room("tiny", settings, frames=1))))
    assert len(pipeline.instances._edges) == 0
    assert not any(name.startswith("instances.edges") for name in pipeline.state())


def _shifted(pose: np.ndarray, shift: np.ndarray) -> np.ndarray:
    moved = pose.copy()
    moved[:3, 3] += shift
    return moved
