"""Every kind of thing of the varied rooms can be made, is as large as the bank says, and is where its place says."""

from __future__ import annotations

import numpy as np
import pytest

from magic3d_ros.language.concepts.bank import load_bank
from magic3d_ros.sources.room.shapes.varied.kinds import KINDS
from magic3d_ros.sources.room.textures.patterns import TEXTURES

SLACK = 1.2
"""The bank's lengths are those of most things of a kind."""


@pytest.fixture(scope="module")
def lengths():
    return {concept.name: concept.length for concept in load_bank().concepts}


@pytest.mark.parametrize("name", sorted(KINDS))
def test_every_kind_is_made_from_any_seed(name, lengths):
    kind = KINDS[name]
    for seed in range(3):
        parts = kind.make(np.random.default_rng(seed))
        assert all(len(part.triangles) for part in parts)
        points = np.concatenate([part.triangles.positions for part in parts])
        assert np.isfinite(points).all()
        low, high = points.min(0), points.max(0)
        assert lengths[name][0] / SLACK < (high - low).max() < lengths[name][1] * SLACK
        assert abs(high[2] if kind.place == "ceiling" else low[2]) < 0.005, "it neither floats nor sinks"
        assert abs(low[0] + high[0]) < 0.5 * (high[0] - low[0]), "it is around its origin"
        if kind.place == "wall":
            assert abs(high[1]) < 0.005, "its back is on the wall"
        for part in parts:
            np.testing.assert_allclose(np.linalg.norm(part.triangles.normals, axis=1), 1, atol=1e-3)
            assert part.material.texture.partition(":")[0] in {"", *TEXTURES}


@pytest.mark.parametrize("name", sorted(KINDS))
def test_seeds_differ(name):
    first, second = (np.concatenate([[*part.triangles.positions.ravel(), *part.material.tint] for part in KINDS[name].make(
        np.random.default_rng(seed))]) for seed in (1, 2))
    assert first.shape != second.shape or not np.allclose(first, second)
