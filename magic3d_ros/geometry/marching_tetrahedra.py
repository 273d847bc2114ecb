"""The border of a solid on a regular grid as a closed triangle mesh, by marching tetrahedra (Doi and Koide 1991).

Every cell is cut into six tetrahedra around its diagonal, in the same way everywhere, so neighbouring cells agree on their faces.
A tetrahedron holds at most two triangles, whose vertices lie on its edges: there are no ambiguous cases, and the mesh is closed,
manifold and free of self-intersections for any solid that keeps away from the border of the grid.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations

import numpy as np

_AWAY_FROM_CORNERS = 0.05
"""Share of a grid edge that vertices keep from its ends, so that no triangle collapses."""

_CORNERS = np.array([[k >> 2 & 1, k >> 1 & 1, k & 1] for k in range(8)])
_STRIDES = np.array([4, 2, 1])
_TETRAHEDRA = np.array([[0, *(np.cumsum(np.eye(3, dtype=int)[list(order)], 0) @ _STRIDES)] for order in permutations(range(3))])
"""(6, 4) corners of the six tetrahedra around a cell's diagonal (Freudenthal's division)."""


def border_surface(solid: np.ndarray, distance: Callable[[np.ndarray], np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (V, 3) float64 in grid units and faces (F, 3) int64, counter-clockwise seen from the free side.

    solid: (nx, ny, nz) bool, False in the outermost layer. distance: (n, 3) grid points -> (n,) positive distances to the true
    surface, which say where between a solid and a free point it lies. Raises ValueError for a solid that reaches the border.
    """
    inner = np.zeros(solid.shape, bool)
    inner[1:-1, 1:-1, 1:-1] = True
    if (solid & ~inner).any():
        raise ValueError("the solid reaches the border of the grid: its surface would be open there")
    corner_solid = np.stack([solid[x:solid.shape[0] - 1 + x, y:solid.shape[1] - 1 + y, z:solid.shape[2] - 1 + z]
                             for x, y, z in _CORNERS], -1)
    base = np.argwhere(corner_solid.any(-1) & ~corner_solid.all(-1))
    strides = np.array([solid.shape[1] * solid.shape[2], solid.shape[2], 1])
    flat = (base[:, None] + _CORNERS) @ strides  # (cells, 8) grid points
    inside = solid.ravel()
    triangles = []
    for tetrahedron, orientation in zip(_TETRAHEDRA, _orientations(), strict=True):
        points = flat[:, tetrahedron]
        case = inside[points] @ np.array([1, 2, 4, 8])
        for number, pieces in enumerate(_pieces()):
            chosen = points[case == number]
            for piece in pieces if len(chosen) else ():
                ends = np.array(piece if orientation > 0 else piece[::-1])  # (3 vertices, 2 ends)
                triangles.append(np.sort(chosen[:, ends], -1))
    edges = np.concatenate(triangles)  # (F, 3, 2) grid points
    count = solid.size
    unique, faces = np.unique(edges[..., 0] * count + edges[..., 1], return_inverse=True)
    first, second = np.divmod(unique, count)
    corners, back = np.unique(np.concatenate([first, second]), return_inverse=True)
    apart = distance(np.stack(np.unravel_index(corners, solid.shape), -1))[back]
    start, end = np.split(apart, 2)
    share = np.clip(start / (start + end), _AWAY_FROM_CORNERS, 1 - _AWAY_FROM_CORNERS)[:, None]
    a, b = (np.stack(np.unravel_index(points, solid.shape), -1) for points in (first, second))
    return a * (1 - share) + b * share, faces.reshape(-1, 3)


def _orientations() -> list[float]:
    """Sign of the volume of each tetrahedron."""
    return [float(np.sign(np.linalg.det((_CORNERS[t[1:]] - _CORNERS[t[0]]).astype(float)))) for t in _TETRAHEDRA]


def _pieces() -> list[list[tuple[tuple[int, int], ...]]]:
    """For each of the 16 cases (bit k: corner k is solid) the triangles of a tetrahedron of positive volume, as edges between
    corners, counter-clockwise seen from the free side."""
    cases: list[list[tuple[tuple[int, int], ...]]] = []
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], float)
    for case in range(16):
        solid = [k for k in range(4) if case >> k & 1]
        free = [k for k in range(4) if not case >> k & 1]
        if len(solid) == 1:
            loops = [[(solid[0], k) for k in free]]
        elif len(solid) == 3:
            loops = [[(k, free[0]) for k in solid]]
        elif len(solid) == 2:
            a, b, c, d = (solid[0], free[0]), (solid[0], free[1]), (solid[1], free[1]), (solid[1], free[0])
            loops = [[a, b, c], [a, c, d]]
        else:
            loops = []
        outwards = corners[free].mean(0) - corners[solid].mean(0) if solid and free else np.zeros(3)
        pieces = []
        for loop in loops:
            places = np.array([corners[list(edge)].mean(0) for edge in loop])
            normal = np.cross(places[1] - places[0], places[2] - places[0])
            pieces.append(tuple(loop if normal @ outwards > 0 else loop[::-1]))
        cases.append(pieces)
    return cases
