"""The triangle table of marching cubes (Lorensen and Cline 1987), derived instead of transcribed.

Corner k of a cell has offsets (k >> 2 & 1, k >> 1 & 1, k & 1) along x, y, z. Edge e starts at corner EDGE_START[e] and runs
one voxel along axis EDGE_AXIS[e]. On every face of the cell, each run of inside corners is cut off by one segment; on the
faces whose inside corners lie diagonally that keeps them apart, on both cells that share the face, so that meshes have no
cracks. Segments chain into loops and loops are cut into triangles.
"""

from __future__ import annotations

from functools import cache

import numpy as np

CORNERS = np.array([[k >> 2 & 1, k >> 1 & 1, k & 1] for k in range(8)])
EDGES = [(corner, axis) for axis in range(3) for corner in range(8) if CORNERS[corner, axis] == 0]
EDGE_START = np.array([corner for corner, _ in EDGES])
EDGE_AXIS = np.array([axis for _, axis in EDGES])


def _edge_between(first: int, second: int) -> int:
    start = min(first, second)
    return EDGES.index((start, int(np.flatnonzero(CORNERS[first] != CORNERS[second])[0])))


def _faces() -> list[list[int]]:
    """Corners of the six faces, counter-clockwise seen from outside the cell."""
    faces = []
    for axis in range(3):
        u, v = np.eye(3, dtype=int)[(axis + 1) % 3], np.eye(3, dtype=int)[(axis + 2) % 3]
        for side in (0, 1):
            base = side * np.eye(3, dtype=int)[axis]
            ring = [base, base + u, base + u + v, base + v]
            ring = ring if side else ring[::-1]
            faces.append([int(c @ (4, 2, 1)) for c in ring])
    return faces


FACES = _faces()


def _loops(inside: list[bool]) -> list[list[int]]:
    """Closed chains of edges that the surface crosses, counter-clockwise seen from outside the solid."""
    following = {}
    for face in FACES:
        for position in range(4):
            before, here = face[position - 1], face[position]
            if inside[here] and not inside[before]:  # a run of inside corners begins here
                end = position
                while inside[face[(end + 1) % 4]]:
                    end += 1
                leaving = _edge_between(face[end % 4], face[(end + 1) % 4])
                following[_edge_between(before, here)] = leaving
    loops = []
    while following:
        start = edge = next(iter(following))
        loop = []
        while True:
            loop.append(edge)
            edge = following.pop(edge)
            if edge == start:
                break
        loops.append(loop)
    return loops


@cache
def triangle_table() -> np.ndarray:
    """(256, T, 3) int64 edges of each case's triangles, -1 = none. Bit k of the case: corner k is inside (negative).

    Triangles are counter-clockwise seen from the positive side.
    """
    cases = []
    for case in range(256):
        triangles = [(loop[0], loop[i], loop[i + 1]) for loop in _loops([bool(case >> k & 1) for k in range(8)])
                     for i in range(1, len(loop) - 1)]
        cases.append(triangles)
    table = np.full((256, max(len(t) for t in cases), 3), -1, np.int64)
    for case, triangles in enumerate(cases):
        if triangles:
            table[case, : len(triangles)] = triangles
    return table
