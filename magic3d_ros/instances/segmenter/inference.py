"""Things in a coloured cloud or map, from the network's masks."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import scipy.sparse as sparse
import torch

from magic3d_ros.instances.segmenter.decoder import OBJECT
from magic3d_ros.instances.segmenter.network import SegmenterError, SegmenterNetwork, load_network, voxelised
from magic3d_ros.instances.segmenter.proposals import (
    CLUSTER_RADIUS,
    FEWEST_POINTS,
    INSIDE,
    Proposals,
    mesh_segments,
    painted,
    pieces,
    snapped,
    without_duplicates,
)
from magic3d_ros.networks.sparse_tensor import SparseTensor

logger = logging.getLogger(__name__)

QUERIES = 150
"""At inference, as Segment3D on whole scans in stage 2 (the 400 of its final evaluation: +.006 AP at 1.3 times the time here)."""

MOST_VOXELS = 120_000
"""Looked at together: a flat of 200 m2 at 4 cm. Larger clouds are halved until each part is smaller, so that memory stays under
about a gigabyte whatever comes; a thing on the border of two parts becomes two."""

MOST_POINTS = 20_000_000
"""More is refused before anything is allocated: a building at 2 cm has fewer."""

LEAST_SCORE = 0.3
"""Of a thing; chosen before anything was measured. Between .3 and .6 AP moved by less than .01 (docs/segmenter.md)."""


class Segmenter:
    """A trained network with what turns its masks into things."""

    def __init__(self, network: SegmenterNetwork, device: torch.device | None = None) -> None:
        self._device = torch.device("cpu") if device is None else device
        self._network = network.to(self._device).eval()

    @staticmethod
    def load(path: Path, device: torch.device | None = None) -> Segmenter:
        """From a weights file of `magic3d train segmenter`. Raises SegmenterError for any other."""
        return Segmenter(load_network(path), device)

    @torch.inference_mode()
    def propose(self, points: np.ndarray, colors: np.ndarray, faces: np.ndarray | None = None, queries: int = QUERIES,
                least_score: float = LEAST_SCORE) -> Proposals:
        """The things of a cloud: a label for each point, and how sure each thing is.

        points: (N, 3) metres, z up. colors: (N, 3) uint8 RGB. faces: (M, 3) int triangles between the points; with them masks
        snap to the segments of the mesh (post-processing of Segment3D). Points that are not finite are left out, with a warning.
        Raises SegmenterError for arrays of other sizes or types.
        """
        _check(points, colors)
        finite = np.isfinite(points).all(1)
        if not finite.all():
            logger.warning("%d of %d points are not finite: they belong to no thing", int((~finite).sum()), len(points))
            faces = None if faces is None else _renumbered(faces, finite)
            inner = self.propose(points[finite], colors[finite], faces, queries, least_score)
            labels = np.full(len(points), -1, np.int32)
            labels[finite] = inner.labels
            return Proposals(labels, inner.scores)
        if len(points) < FEWEST_POINTS:
            return Proposals(np.full(len(points), -1, np.int32), np.zeros(0, np.float32))
        try:
            tensor, row = voxelised(torch.from_numpy(points).to(self._device), torch.from_numpy(colors).to(self._device),
                                    self._network.architecture.voxel_size)
        except ValueError as error:
            raise SegmenterError(str(error)) from error
        found = [self._found(part, rows, queries, least_score) for part, rows in _parts(tensor)]
        segments = None if faces is None else mesh_segments(points, faces, colors)
        return _placed(found, row.cpu().numpy(), len(tensor), segments)

    def _found(self, part: SparseTensor, rows: np.ndarray, queries: int, least_score: float) -> _Found:
        """Mask values (T, V') and scores of the things in a part of the cloud, `rows` of whose voxels it is."""
        prediction = self._network(part, 1, queries)[0][-1]
        certain = prediction.classes.softmax(1)[:, OBJECT]
        hopeful = certain > least_score  # the score is at most this
        values = prediction.masks[hopeful].sigmoid()
        inside = (values > INSIDE).float()
        scores = certain[hopeful] * (values * inside).sum(1) / inside.sum(1).clamp(min=1)
        good = scores > least_score
        masks, sure = values[good].cpu().numpy(), scores[good].cpu().numpy()
        kept = without_duplicates(masks, sure)
        places, radius = part.sites.centers.cpu().numpy(), CLUSTER_RADIUS * part.sites.voxel_size
        of_pieces, of_scores = [], []
        for query in kept.tolist():
            for piece in pieces(np.flatnonzero(masks[query] > INSIDE), places, radius):
                only = np.zeros(masks.shape[1], np.float32)
                only[piece] = masks[query, piece]
                of_pieces.append(only)
                of_scores.append(sure[query])
        together = np.stack(of_pieces) if of_pieces else np.zeros((0, len(part)), np.float32)
        return _Found(rows, together, np.array(of_scores, np.float32))


class _Found:
    """rows (V',) of the cloud's voxels, values (T, V') of masks on them, scores (T,)."""

    def __init__(self, rows: np.ndarray, values: np.ndarray, scores: np.ndarray) -> None:
        self.rows, self.values, self.scores = rows, values, scores


def _placed(found: list[_Found], row: np.ndarray, count: int, segments: np.ndarray | None) -> Proposals:
    """Masks of all parts on the points. row: (N,) voxel of each point, of `count`. segments: (N,) or None."""
    of_voxel = np.argsort(row, kind="stable")
    begin = np.searchsorted(row[of_voxel], np.arange(count + 1))
    masks: list[np.ndarray] = []
    for part in found:
        if segments is None:
            for values in part.values:
                voxels = part.rows[values > INSIDE]
                masks.append(np.concatenate([of_voxel[begin[v]:begin[v + 1]] for v in voxels.tolist()]))
            continue
        thing, voxel = np.nonzero(part.values)
        whole = sparse.csr_matrix((part.values[thing, voxel], (thing, part.rows[voxel])), shape=(len(part.values), count))
        joins = snapped(whole, row, segments)
        masks += [np.flatnonzero(chosen[segments]) for chosen in joins]
    return painted(masks, np.concatenate([part.scores for part in found]), len(row))


def _parts(tensor: SparseTensor) -> list[tuple[SparseTensor, np.ndarray]]:
    """Parts of at most MOST_VOXELS voxels, halved across their longest side, and the rows of each."""
    waiting, parts = [torch.arange(len(tensor), device=tensor.features.device)], []
    while waiting:
        rows = waiting.pop()
        places = tensor.sites.coordinates[rows, 1:]
        if len(rows) <= MOST_VOXELS:
            part = tensor if len(rows) == len(tensor) else tensor.part(rows)
            parts.append((part, rows.cpu().numpy()))
            continue
        axis = int((places.max(0).values - places.min(0).values).argmax())
        low = places[:, axis] < places[:, axis].median().clamp(min=int(places[:, axis].min()) + 1)
        waiting += [rows[low], rows[~low]]
    return parts


def _check(points: np.ndarray, colors: np.ndarray) -> None:
    if points.ndim != 2 or points.shape[1] != 3 or not np.issubdtype(points.dtype, np.floating):
        raise SegmenterError(f"points are (N, 3) floats in metres, not {points.shape} {points.dtype}")
    if colors.shape != points.shape or colors.dtype != np.uint8:
        raise SegmenterError(f"colours of {len(points)} points are ({len(points)}, 3) uint8, not {colors.shape} {colors.dtype}")
    if len(points) > MOST_POINTS:
        raise SegmenterError(f"{len(points)} points are more than {MOST_POINTS}: crop the cloud or thin it out")


def _renumbered(faces: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """The faces between kept points, by their new numbers."""
    return (np.cumsum(kept) - 1)[faces[kept[faces].all(1)]]
