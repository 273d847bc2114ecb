"""The segmenter in the running system: the surface of a map, or what changed of it, parted into things."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from magic3d_ros.instances.learned_regions import WholeThings
from magic3d_ros.instances.regions import MeshGraph
from magic3d_ros.instances.segmenter.inference import Segmenter
from magic3d_ros.instances.segmenter.superpoints import segmented
from magic3d_ros.instances.structure import Structure
from magic3d_ros.mapping.surface import Surface

WEIGHTS = Path(__file__).resolve().parents[1] / "weights"
STAGE_1, STAGE_2 = WEIGHTS / "segmenter_stage1.safetensors", WEIGHTS / "segmenter_stage2.safetensors"


@lru_cache(maxsize=2)
def shipped_segmenter(weights: Path = STAGE_2) -> Segmenter:
    """The network of shipped weights, read once. Raises SegmenterError."""
    return Segmenter.load(weights)


def segmenter_things(surface: Surface, graph: MeshGraph, structure: Structure, segmenter: Segmenter | None = None) -> WholeThings:
    """Part a surface, or the part of it that `graph` is, as `Segmenter.things` does with post-processing. structure: its planes.

    It was trained on partial clouds of single frames too, so that a part looks familiar. Raises SegmenterError.
    """
    if len(graph) == 0:
        return WholeThings(np.zeros(0, np.int64), np.zeros(0))
    superpoints = segmented(surface, graph, structure).whole()
    found = (segmenter or shipped_segmenter()).things(superpoints)
    return WholeThings(found.labels[superpoints.superpoint].astype(np.int64), found.scores.astype(np.float64))
