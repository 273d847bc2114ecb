"""From masks to things: paint, votes, clusters; and weights or surfaces that cannot be used."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from magic3d_ros.instances.segmenter import inference
from magic3d_ros.instances.segmenter.inference import Masks, Segmenter
from magic3d_ros.instances.segmenter.network import (
    CHANNELS,
    SMALL_ARCHITECTURE,
    Architecture,
    SegmenterError,
    SegmenterNetwork,
    load_network,
    save_network,
)
from magic3d_ros.instances.segmenter.proposals import consensus, grouped, painted, scored
from magic3d_ros.networks.sparse_unet import Shape

TINY = Architecture(Shape((8, 8), (0, 1), (8,), (1,), 3), width=8, heads=2, layers=1, rounds=1, voxel_size=0.1)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    save_network(SegmenterNetwork(TINY), tmp_path / "w.safetensors", {"step": "1"})
    return tmp_path / "w.safetensors"


def plane(width: int = 20, gap: float = 0.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertices, colours and faces of a level grid of `width` x 20 vertices every 5 cm, grey; right of the middle it is red and
    lies `gap` metres higher."""
    x, y = (a.ravel() for a in np.meshgrid(np.arange(width) * 0.05, np.arange(20) * 0.05, indexing="ij"))
    right = x > width * 0.025
    number = np.arange(len(x)).reshape(width, 20)
    a, b, c, d = (part.ravel() for part in (number[:-1, :-1], number[:-1, 1:], number[1:, :-1], number[1:, 1:]))
    faces = np.concatenate([np.stack([a, c, b], 1), np.stack([b, c, d], 1)]).astype(np.int32)
    colors = np.where(right[:, None], (220, 30, 30), (128, 128, 128)).astype(np.uint8)
    return np.stack([x, y, gap * right], 1).astype(np.float32), colors, faces


def test_surer_things_take_points_first_and_what_is_mostly_taken_is_none() -> None:
    size = np.array([20.0, 20, 20, 20, 15])
    values = np.array([[1, 1, 0, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 0, 0], [0, 0, 0, 0, 1], [1, 1, 1, 1, 1]])
    found = painted(values, np.array([0.9, 0.8, 0.7, 0.6, 0.05]), size, 0.1)
    assert found.labels.tolist() == [0, 0, 1, 1, -1]  # the third is taken, the fourth has 15 points, the last is not sure
    assert found.scores.tolist() == pytest.approx([0.9, 0.8])


def test_masks_vote_on_neighbours() -> None:
    """Two masks with 0: one of score 1 has 1 too, one of .5 has it by .2."""
    values = np.array([[1.0, 1.0, 0.0], [1.0, 0.2, 0.0]])
    pairs = np.array([[0, 1], [1, 2]])
    assert consensus(values, np.array([1.0, 0.5]), pairs).tolist() == pytest.approx([(1 + 0.1) / 1.5, 0.0])


def test_clusters_end_where_affinity_does() -> None:
    pairs = np.array([[0, 1], [1, 2], [2, 3]])
    labels = grouped(np.array([0.9, 0.4, 0.6]), np.ones(3), pairs, 5)
    assert labels[0] == labels[1] != labels[2] == labels[3] != labels[4] and len(set(labels.tolist())) == 3


def test_a_thing_is_as_sure_as_the_mask_that_fits_it() -> None:
    values, size = np.array([[1.0, 1, 0], [1, 0, 0]]), np.array([30.0, 10, 20])
    found = scored(np.array([0, 0, 1], np.int32), values, np.array([0.5, 0.9]), size)
    assert found.tolist() == pytest.approx([max(0.5, 0.9 * 30 / 40), 0.0])


class Halves(Segmenter):
    """In place of a trained network: neighbours are one thing where they are alike in colour."""

    def masks(self, graph, queries=0):
        red = np.array([graph.colors[graph.superpoint == s, 0].mean() > 170 for s in range(len(graph))])
        values = np.stack([np.where(red, 0.9, 0.1), np.where(red, 0.1, 0.9)])
        alike = red[graph.pairs[:, 0]] == red[graph.pairs[:, 1]]
        return Masks(values, np.array([0.8, 0.7]), np.where(alike, 0.9, 0.1))


@pytest.mark.parametrize("post_processing", [False, True])
def test_things_of_a_surface(weights: Path, post_processing: bool) -> None:
    vertices, colors, faces = plane(20, 0.1)
    found = Halves(load_network(weights)).propose(vertices, colors, faces, post_processing)
    left, right = vertices[:, 0] < 0.42, vertices[:, 0] > 0.58  # colours are smoothed: borders may be a vertex off
    assert len(set(found.labels[left])) == len(set(found.labels[right])) == 1 and set(found.labels) == {0, 1}
    assert sorted(found.scores.tolist()) == pytest.approx([0.7, 0.8])


def test_a_network_gives_masks_of_every_superpoint(weights: Path, boxes) -> None:
    graph, _ = boxes()
    segmenter = Segmenter.load(weights)
    masks = segmenter.masks(graph, queries=8)
    assert masks.values.shape[1] == len(graph) and len(masks.scores) == len(masks.values) <= 8
    assert len(masks.affinity) == len(graph.pairs) and 0 <= masks.scores.min() <= masks.scores.max() <= 1
    things = segmenter.things(graph)
    assert (things.labels >= 0).all() and len(things.scores) == things.labels.max() + 1


def test_nothing_and_specks_have_no_things(weights: Path) -> None:
    segmenter = Segmenter.load(weights)
    for count in (0, 1, 30):
        found = segmenter.propose(np.zeros((count, 3), np.float32), np.zeros((count, 3), np.uint8), np.zeros((0, 3), np.int32))
        assert (found.labels == -1).all() and len(found.labels) == count and len(found.scores) == 0


def test_points_that_are_not_finite_belong_to_nothing(weights: Path, caplog) -> None:
    vertices, colors, faces = plane()
    vertices[3] = np.nan
    found = Halves(load_network(weights)).propose(vertices, colors, faces)
    assert found.labels[3] == -1 and (np.delete(found.labels, 3) >= 0).all()
    assert "1 of 400 points are not finite" in caplog.text


def test_large_surfaces_are_looked_at_in_parts(weights: Path, monkeypatch) -> None:
    monkeypatch.setattr(inference, "MOST_VERTICES", 250)
    vertices, colors, faces = plane()
    found = Halves(load_network(weights)).propose(vertices, colors, faces)
    left = vertices[:, 0] < vertices[:, 0].mean()
    assert (found.labels >= 0).all() and found.labels.max() + 1 == len(found.scores)
    assert not set(found.labels[left]) & set(found.labels[~left])


@pytest.mark.slow
def test_a_million_points_of_noise_end_in_bounded_memory(weights: Path) -> None:
    import resource

    random = np.random.default_rng(0)
    vertices, colors, faces = plane(50_000)
    vertices += random.normal(0, 0.02, vertices.shape).astype(np.float32)
    colors = random.integers(0, 255, colors.shape).astype(np.uint8)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = Segmenter.load(weights).propose(vertices, colors, faces)
    assert len(found.labels) == 1_000_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 6_000_000  # KiB


FACES = np.zeros((0, 3), np.int32)


@pytest.mark.parametrize("vertices, colors, faces, said", [
    (np.zeros((20, 2), np.float32), np.zeros((20, 2), np.uint8), FACES, "points are (N, 3)"),
    (np.zeros((20, 3), np.float32), np.zeros((20, 3), np.float32), FACES, "uint8"),
    (np.zeros((20, 3), np.float32), np.zeros((20, 3), np.uint8), np.zeros((5, 3)), "faces are (M, 3) integers"),
    (np.zeros((20, 3), np.float32), np.zeros((20, 3), np.uint8), np.full((5, 3), 20), "another mesh"),
])
def test_surfaces_that_cannot_be_taken_are_named(weights: Path, vertices, colors, faces, said) -> None:
    with pytest.raises(SegmenterError, match=re.escape(said)):
        Segmenter.load(weights).propose(vertices, colors, faces)


def test_a_surface_that_reaches_too_far_is_named(weights: Path) -> None:
    vertices, colors, faces = plane()
    vertices[:200] += 1e7
    with pytest.raises(SegmenterError, match="move or crop it"):
        Segmenter.load(weights).propose(vertices, colors, faces)


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
    with pytest.raises(SegmenterError, match=re.escape(f"trained on (4, 5, 6) input channels, this version has {CHANNELS}")):
        load_network(changed(weights, architecture={"channels": [4, 5, 6]}))
    with pytest.raises(SegmenterError, match="does not hold the weights of its architecture") as error:
        load_network(changed(weights, architecture={"width": 16}))
    assert "\n" not in str(error.value)
    with pytest.raises(SegmenterError, match="cannot be built"):
        load_network(changed(weights, architecture={"width": 10**9}))
    with pytest.raises(SegmenterError, match="does not say which architecture"):
        load_network(changed(weights, architecture={"unet": [1, 2]}))


def test_the_small_network_is_small() -> None:
    assert sum(p.numel() for p in SegmenterNetwork(SMALL_ARCHITECTURE).parameters()) < 2e6
