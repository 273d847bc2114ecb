"""2D masks vote on 3D regions: tracks of merged masks change what borders between basins show (docs/instances.md)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import scipy.sparse as sparse

from magic3d_ros.instances.agglomeration import Boundaries

MASK_TRUST = 0.8
"""How far the masks of a network decide. With exact masks of replica_office0, AP is .257 at 0, .32 at .5, .40 at .8, .41 at 1; a
network's are not exact."""
FRAME_MASK_TRUST = 0.5
"""How far masks of single frames (frame_masks) do: they see the same creases with less to go by (.257 -> .262; .341 -> .377 in a
random training room; at .8 they do harm)."""


def voted(border: Boundaries, basin: np.ndarray, track: np.ndarray, trust: float) -> Boundaries:
    """Boundaries with the evidence of masks in them.

    basin (n,) 0 ... B-1 and track (n,) int, -1 = none, of each vertex. trust 0..1: 0 changes nothing, with 1 masks alone decide
    where they say something. Of two basins whose vertices drawn by chance lie in one track with probability p, crease and colour
    edge become a mix of themselves and 1 - p, by trust times the share of their vertices that have tracks at all. A gap between
    two basins of one track becomes a border without any edge: masks see across gaps.
    """
    known = track >= 0
    count = int(basin.max(initial=-1)) + 1
    if trust <= 0.0 or not known.any() or len(border.pairs) == 0:
        return border
    names, number = np.unique(track[known], return_inverse=True)
    span = len(names)
    key, votes = np.unique(basin[known] * span + number.ravel(), return_counts=True)
    of_basin, of_track = key // span, key % span
    size = np.maximum(np.bincount(basin, minlength=count), 1)
    covered = np.bincount(basin[known], minlength=count)
    share = votes / covered[of_basin]
    together = _products(border.pairs, of_basin, of_track, share, count, span)
    one, other = border.pairs.T
    weight = trust * (covered[one] / size[one]) * (covered[other] / size[other])
    edges = border.edges.astype(np.float64)
    # Across a gap there are no edges; where masks have most to say of it and say "one thing", it becomes a border of one edge.
    bridged = (edges == 0) & (weight * together > 0.5)
    edges[bridged] = 1.0
    apart = (1.0 - together) * edges
    return replace(border, color_edge=(1.0 - weight) * border.color_edge + weight * apart,
                   crease=(1.0 - weight) * border.crease + weight * apart, edges=edges.astype(border.edges.dtype))


def _products(pairs: np.ndarray, row: np.ndarray, column: np.ndarray, value: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """(P,) dot products of pairs of rows of a sparse matrix."""
    matrix = sparse.csr_matrix((value, (row, column)), shape=(rows, columns))
    return np.asarray(matrix[pairs[:, 0]].multiply(matrix[pairs[:, 1]]).sum(1)).ravel()
