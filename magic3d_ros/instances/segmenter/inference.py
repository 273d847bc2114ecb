"""Things in a map's surface, from the network's masks."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from magic3d_ros.instances.segmenter.decoder import OBJECT
from magic3d_ros.instances.segmenter.encoder import GraphTensors
from magic3d_ros.instances.segmenter.network import SegmenterError, SegmenterNetwork, load_network, voxelised
from magic3d_ros.instances.segmenter.proposals import Proposals, consensus, grouped, painted, scored
from magic3d_ros.instances.segmenter.queries import chosen_seeds
from magic3d_ros.instances.segmenter.relations import linkage_of
from magic3d_ros.instances.segmenter.superpoints import SuperpointGraph, segmented_surface
from magic3d_ros.mapping.surface import Surface

logger = logging.getLogger(__name__)

QUERIES = 500
"""At inference (Segment3D: 400)."""

TOGETHER = 2_000_000
"""Queries x superpoints that are decoded at once: 70 MB of relations."""

MOST_VERTICES = 1_000_000
"""Looked at together. Larger surfaces are halved until each part is smaller, so that memory stays bounded whatever comes; a thing
on the border of two parts becomes two."""

MOST_POINTS = 20_000_000
"""More is refused before anything is allocated: a building at 2 cm has fewer."""

LEAST_SCORE = 0.1
"""Of a mask that becomes a thing by itself; between .1 and .3 AP on held-out rooms moved by .002."""

_UP = np.array([0.0, 0.0, 1.0])


class Masks(NamedTuple):
    """values (Q, S) 0..1; scores (Q,) 0..1; affinity (P,) 0..1 that the pairs of superpoints are one thing."""

    values: np.ndarray
    scores: np.ndarray
    affinity: np.ndarray


class Segmenter:
    """A trained network with what turns its masks into things."""

    def __init__(self, network: SegmenterNetwork, device: torch.device | None = None) -> None:
        self._device = torch.device("cpu") if device is None else device
        self._network = network.to(self._device).eval()

    @staticmethod
    def load(path: Path, device: torch.device | None = None) -> Segmenter:
        """From a weights file of `magic3d train segmenter`. Raises SegmenterError for any other."""
        return Segmenter(load_network(path), device)

    def propose(self, vertices: np.ndarray, colors: np.ndarray, faces: np.ndarray, post_processing: bool = True,
                queries: int = QUERIES) -> Proposals:
        """The things of a surface: a label for each vertex, and how sure each thing is.

        vertices: (N, 3) metres, z up. colors: (N, 3) uint8 RGB. faces: (M, 3) int triangles. post_processing: see `things`.
        Loose specks (under 40 vertices) and vertices that are not finite belong to no thing. Raises SegmenterError for arrays of
        other sizes or types and for faces of vertices that are not there.
        """
        _check(vertices, colors, faces)
        finite = np.isfinite(vertices).all(1)
        if not finite.all():
            logger.warning("%d of %d points are not finite: they belong to no thing", int((~finite).sum()), len(vertices))
        labels, scores, found = np.full(len(vertices), -1, np.int32), [], 0
        for rows in _parts(vertices, np.flatnonzero(finite)):
            segments = segmented_surface(_part(vertices, colors, faces, rows), _UP)
            if len(segments.graph) == 0:
                continue
            graph = segments.whole()
            things = self.things(graph, post_processing, queries)
            of_vertex = things.labels[graph.superpoint]
            labels[rows[segments.graph.index]] = np.where(of_vertex >= 0, of_vertex + found, -1)
            scores.append(things.scores)
            found += len(things.scores)
        return Proposals(labels, np.concatenate(scores) if scores else np.zeros(0, np.float32))

    def things(self, graph: SuperpointGraph, post_processing: bool = True, queries: int = QUERIES) -> Proposals:
        """Labels of superpoints. Without post-processing surer masks take them first. With it all masks vote on which neighbours
        are one thing, together with the network's own affinities, and average linkage joins them: no mask can leave a hole or
        reach over to what it does not touch. That is in place of Segment3D's DBSCAN and snapping to segments."""
        masks = self.masks(graph, queries)
        if not post_processing:
            return painted(masks.values, masks.scores, graph.size, LEAST_SCORE)
        voted = consensus(masks.values, masks.scores, graph.pairs)
        labels = grouped((masks.affinity + voted) / 2, graph.border, graph.pairs, len(graph))
        return Proposals(labels, scored(labels, masks.values, masks.scores, graph.size))

    @torch.inference_mode()
    def masks(self, graph: SuperpointGraph, queries: int = QUERIES) -> Masks:
        """All masks over the superpoints, not sorted. score = P(object) x predicted IoU. Raises SegmenterError for a surface that
        reaches too far."""
        points, colors = torch.from_numpy(graph.points).to(self._device), torch.from_numpy(graph.colors).to(self._device)
        try:
            tensor, row = voxelised(points, colors, self._network.architecture.voxel_size)
        except ValueError as error:
            raise SegmenterError(str(error)) from error
        tensors = GraphTensors.of(graph, self._device)
        (features,), (affinity,) = self._network.encoded(tensor, row, [tensors])
        seeds, linkage = chosen_seeds(tensors.center, tensors.size, queries), linkage_of(affinity, tensors)
        parts = -(-len(seeds) * len(graph) // TOGETHER)
        values, scores = [], []
        for part in range(parts):  # spread over the scene, as all of them are
            found = self._network.decoder(features, affinity, tensors, seeds[part::parts], linkage)
            values.append(found.masks.sigmoid().cpu().numpy())
            scores.append((found.classes.softmax(1)[:, OBJECT] * found.overlaps.sigmoid()).cpu().numpy())
        return Masks(np.concatenate(values), np.concatenate(scores), affinity.sigmoid().cpu().numpy())


def _parts(vertices: np.ndarray, rows: np.ndarray) -> list[np.ndarray]:
    """Rows of vertices in parts of at most MOST_VERTICES, halved across their longest side."""
    waiting, parts = [rows], []
    while waiting:
        rows = waiting.pop()
        if len(rows) <= MOST_VERTICES:
            parts.append(rows)
            continue
        places = vertices[rows]
        axis = int(np.ptp(places, axis=0).argmax())
        order = np.argsort(places[:, axis], kind="stable")
        half = len(rows) // 2
        waiting += [np.sort(rows[order[:half]]), np.sort(rows[order[half:]])]
    return parts


def _part(vertices: np.ndarray, colors: np.ndarray, faces: np.ndarray, rows: np.ndarray) -> Surface:
    """The surface of some vertices, (K,) ascending rows, and the faces between them."""
    number = np.full(len(vertices), -1, np.int64)
    number[rows] = np.arange(len(rows))
    inner = number[faces]
    return Surface(vertices[rows].astype(np.float32), inner[(inner >= 0).all(1)].astype(np.int32),
                   np.zeros((len(rows), 3), np.float32), colors[rows], np.ones(len(rows), np.float32))


def _check(vertices: np.ndarray, colors: np.ndarray, faces: np.ndarray) -> None:
    if vertices.ndim != 2 or vertices.shape[1] != 3 or not np.issubdtype(vertices.dtype, np.floating):
        raise SegmenterError(f"points are (N, 3) floats in metres, not {vertices.shape} {vertices.dtype}")
    if colors.shape != vertices.shape or colors.dtype != np.uint8:
        raise SegmenterError(f"colours of {len(vertices)} points are ({len(vertices)}, 3) uint8, not {colors.shape} "
                             f"{colors.dtype}")
    if faces.ndim != 2 or faces.shape[1] != 3 or not np.issubdtype(faces.dtype, np.integer):
        raise SegmenterError(f"faces are (M, 3) integers, not {faces.shape} {faces.dtype}")
    if len(vertices) > MOST_POINTS:
        raise SegmenterError(f"{len(vertices)} points are more than {MOST_POINTS}: crop the cloud or thin it out")
    if len(faces) and (faces.min() < 0 or faces.max() >= len(vertices)):
        raise SegmenterError(f"faces name vertices {faces.min()} to {faces.max()}, there are {len(vertices)}: they are of "
                             "another mesh")
