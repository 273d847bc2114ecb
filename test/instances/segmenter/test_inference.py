"""From masks to things: pieces, duplicates, segments, labels; and weights or clouds that cannot be used."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sparse
import torch
from safetensors.torch import load_file, save_file

from magic3d_ros.instances.segmenter import inference
from magic3d_ros.instances.segmenter.decoder import Prediction
from magic3d_ros.instances.segmenter.inference import Segmenter
from magic3d_ros.instances.segmenter.network import (
    SMALL_ARCHITECTURE,
    Architecture,
    SegmenterError,
    SegmenterNetwork,
    load_network,
    save_network,
)
from magic3d_ros.instances.segmenter.proposals import painted, pieces, snapped, without_duplicates
from magic3d_ros.networks.sparse_unet import Shape

TINY = Architecture(Shape((8, 8), (0, 1), (8,), (1,), 3), width=8, heads=2, rounds=1, voxel_size=0.1)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    save_network(SegmenterNetwork(TINY), tmp_path / "w.safetensors", {"step": "1"})
    return tmp_path / "w.safetensors"


class TwoHalves(torch.nn.Module):
    """In place of a trained network: one query on everything left of x = 1 m, a weaker copy of it, one on all the rest, a weak
    one on everything."""

    def __init__(self) -> None:
        super().__init__()
        self.architecture = TINY

    def forward(self, tensor, clouds, queries):
        left = torch.where(tensor.sites.centers[:, 0] < 1.0, 4.0, -4.0)
        masks = torch.stack([left, 0.9 * left, -left, torch.full_like(left, 4.0)])
        return [[Prediction(torch.tensor([[4.0, 0.0], [3.0, 0.0], [2.0, 0.0], [-3.0, 0.0]]), masks, torch.arange(4))]]


def plane(left: float = 0.0, right: float = 2.0) -> np.ndarray:
    x, y = np.meshgrid(np.arange(left + 0.05, right, 0.1), np.arange(0.05, 1.0, 0.1), indexing="ij")
    return np.stack([x.ravel(), y.ravel(), np.full(x.size, 0.05)], 1).astype(np.float32)


def grey(points: np.ndarray) -> np.ndarray:
    return np.full(points.shape, 128, np.uint8)


def test_pieces_are_what_is_apart_and_lone_voxels_are_none() -> None:
    places = np.concatenate([plane(0, 0.5), plane(1.0, 1.5), [[9.0, 9.0, 9.0]]])
    found = pieces(np.arange(len(places)), places, 0.25)
    assert sorted(len(piece) for piece in found) == [50, 50]


def test_the_worse_of_two_like_masks_goes() -> None:
    values = np.array([[1, 1, 1, 1, 0], [1, 1, 1, 0, 0], [0, 1, 1, 1, 1], [0, 0, 0, 0, 0]], float)
    # IoU of 0 and 1: 3/4; of 0 and 2: 3/5; the last is empty
    assert without_duplicates(values, np.array([0.8, 0.9, 0.7, 1.0])).tolist() == [1, 2]


def test_a_segment_joins_by_the_mean_of_its_points() -> None:
    """Voxels 0, 1, 2 of values 1, .4, 0; segment 0 has points in 0 and 1 (mean .7), segment 1 in 1 and 2 (mean .2)."""
    joins = snapped(sparse.csr_matrix([[1.0, 0.4, 0.0]]), np.array([0, 1, 1, 2]), np.array([0, 0, 1, 1]))
    assert joins.tolist() == [[True, False]]


def test_surer_things_take_points_first_and_what_is_mostly_taken_is_none() -> None:
    masks = [np.arange(40), np.arange(30, 60), np.arange(40, 56), np.arange(70, 85)]
    found = painted(masks, np.array([0.9, 0.8, 0.7, 0.6]), 90)
    assert found.scores.tolist() == pytest.approx([0.9, 0.8])
    assert np.bincount(found.labels + 1).tolist() == [30, 40, 20]  # the third is taken, the fourth has 15 points


def test_score_is_probability_times_mean_mask_value() -> None:
    points = plane()
    found = Segmenter(TwoHalves()).propose(points, grey(points))  # type: ignore[arg-type]
    inside = 1 / (1 + np.exp(-4.0))
    assert found.scores.tolist() == pytest.approx([inside * inside, inside / (1 + np.exp(-2.0))])
    assert found.labels.tolist() == np.where(points[:, 0] < 1.0, 0, 1).tolist()


def test_masks_snap_to_the_segments_of_the_mesh() -> None:
    """The crease lies at x = 1.2 m, the mask ends at 1.0 m: with faces the thing ends at the crease."""
    x, y = np.meshgrid(np.arange(0.0, 2.4, 0.1), np.arange(0.0, 1.0, 0.1), indexing="ij")
    points = np.stack([x.ravel(), y.ravel(), np.maximum(x.ravel() - 1.2, 0)], 1).astype(np.float32)
    number = np.arange(x.size).reshape(x.shape)
    a, b, c, d = (part.ravel() for part in (number[:-1, :-1], number[:-1, 1:], number[1:, :-1], number[1:, 1:]))
    faces = np.concatenate([np.stack([a, c, b], 1), np.stack([b, c, d], 1)])
    segmenter = Segmenter(TwoHalves())  # type: ignore[arg-type]
    without = segmenter.propose(points, grey(points))
    snapped_labels = segmenter.propose(points, grey(points), faces).labels
    assert points[without.labels == 0, 0].max() < 1.0
    assert points[snapped_labels == 0, 0].max() == pytest.approx(1.2, abs=0.11)


def test_nothing_and_nearly_nothing_have_no_things(weights: Path) -> None:
    segmenter = Segmenter.load(weights)
    for count in (0, 1, 15):
        points = np.zeros((count, 3), np.float32)
        found = segmenter.propose(points, grey(points), np.zeros((0, 3), np.int32))
        assert (found.labels == -1).all() and len(found.labels) == count and len(found.scores) == 0


def test_points_that_are_not_finite_belong_to_nothing(caplog) -> None:
    points = plane()
    points[3] = np.nan
    found = Segmenter(TwoHalves()).propose(points, grey(points))  # type: ignore[arg-type]
    assert found.labels[3] == -1 and (np.delete(found.labels, 3) >= 0).all()
    assert "1 of 200 points are not finite" in caplog.text


def test_large_clouds_are_looked_at_in_parts(monkeypatch) -> None:
    monkeypatch.setattr(inference, "MOST_VOXELS", 60)
    points = plane()
    segmenter, seen = Segmenter(TwoHalves()), []  # type: ignore[arg-type]
    forward = TwoHalves.forward
    monkeypatch.setattr(TwoHalves, "forward",
                        lambda self, tensor, *rest: seen.append(len(tensor)) or forward(self, tensor, *rest))
    found = segmenter.propose(points, grey(points))
    assert max(seen) <= 60 and sum(seen) == 200
    assert (found.labels >= 0).mean() > 0.9  # a piece of under 16 points at the border of a part is dropped
    assert not set(found.labels[points[:, 0] < 1.0]) & set(found.labels[points[:, 0] > 1.0])


@pytest.mark.slow
def test_a_million_points_of_noise_end_in_bounded_memory(weights: Path) -> None:
    import resource

    points = np.random.default_rng(0).uniform(0, 5, (1_000_000, 3)).astype(np.float32)  # 125,000 voxels without a gap
    before, begin = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    found = Segmenter.load(weights).propose(points, grey(points))
    assert len(found.labels) == 1_000_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 3_000_000  # KiB
    assert time.process_time() > begin


@pytest.mark.parametrize("points, colors, said", [
    (np.zeros((20, 2), np.float32), np.zeros((20, 2), np.uint8), "points are (N, 3)"),
    (np.zeros((20, 3), np.float32), np.zeros((20, 3), np.float32), "uint8"),
    (np.full((20, 3), 1e7, np.float32), np.zeros((20, 3), np.uint8), "move or crop it"),
])
def test_clouds_that_cannot_be_taken_are_named(weights: Path, points, colors, said) -> None:
    with pytest.raises(SegmenterError, match=re.escape(said)):
        Segmenter.load(weights).propose(points, colors)


def test_weights_come_back(weights: Path) -> None:
    assert load_network(weights).architecture == TINY


def changed(weights: Path, tensors=None, **note) -> Path:
    """The file with other metadata or tensors."""
    from safetensors import safe_open

    with safe_open(weights, "pt") as stored:
        metadata = dict(stored.metadata())
    architecture = json.loads(metadata["architecture"])
    architecture.update(note.pop("architecture", {}))
    other = weights.with_name("other.safetensors")
    save_file(load_file(weights) if tensors is None else tensors, other,
              metadata | {"architecture": json.dumps(architecture)} | note)
    return other


def test_weights_that_cannot_be_used_are_named(weights: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(weights.read_bytes()[:1000])
    not_finite = {name: t * float("nan") if t.is_floating_point() else t for name, t in load_file(weights).items()}
    for file in (tmp_path / "none.safetensors", broken):
        with pytest.raises(SegmenterError, match="cannot be read"):
            load_network(file)
    with pytest.raises(SegmenterError, match="holds no weights of this segmenter"):
        load_network(changed(weights, format="another"))
    with pytest.raises(SegmenterError, match="not finite"):
        load_network(changed(weights, not_finite))
    with pytest.raises(SegmenterError, match="trained on 4 input channels, this version has 7"):
        load_network(changed(weights, architecture={"channels": 4}))
    with pytest.raises(SegmenterError, match="does not hold the weights of its architecture") as error:
        load_network(changed(weights, architecture={"width": 16}))
    assert "\n" not in str(error.value)
    with pytest.raises(SegmenterError, match="cannot be built"):
        load_network(changed(weights, architecture={"width": 10**9}))
    with pytest.raises(SegmenterError, match="does not say which architecture"):
        load_network(changed(weights, architecture={"unet": [1, 2]}))


def test_the_small_network_is_small() -> None:
    assert sum(p.numel() for p in SegmenterNetwork(SMALL_ARCHITECTURE).parameters()) < 2e6
