from __future__ import annotations

from collections import Counter

import numpy as np

from magic3d_ros.mapping.marching_cubes import CORNERS, EDGE_AXIS, EDGE_START, FACES, triangle_table


def corner_pair(edge: int) -> tuple[int, int]:
    start = EDGE_START[edge]
    return start, int(start + (4, 2, 1)[EDGE_AXIS[edge]])


def test_one_corner_gives_one_triangle_that_faces_outwards():
    table = triangle_table()
    assert table.shape == (256, 5, 3)
    assert (table[0] == -1).all() and (table[255] == -1).all()
    triangle = table[1][table[1][:, 0] >= 0]
    assert len(triangle) == 1
    corners = (CORNERS[EDGE_START] + 0.5 * np.eye(3)[EDGE_AXIS])[triangle[0]]
    assert {tuple(c) for c in corners.tolist()} == {(0.5, 0, 0), (0, 0.5, 0), (0, 0, 0.5)}
    assert (np.cross(corners[1] - corners[0], corners[2] - corners[0]) > 0).all()  # away from corner 0


def test_exactly_the_crossed_edges_are_used():
    for case, triangles in enumerate(triangle_table()):
        crossed = {e for e in range(12) if len({case >> c & 1 for c in corner_pair(e)}) == 2}
        assert set(triangles[triangles >= 0].tolist()) == crossed


def test_borders_lie_in_the_faces_and_match_those_of_the_neighbouring_cell():
    # A border segment of the triangles must lie in a face, once; which segments a face has depends on its own four corners only.
    edges_of_face = [{e for e in range(12) if set(corner_pair(e)) <= set(face)} for face in FACES]
    seen: dict[tuple, set] = {}
    for case, triangles in enumerate(triangle_table()):
        border = Counter()
        for triangle in triangles[triangles[:, 0] >= 0].tolist():
            for a, b in zip(triangle, triangle[1:] + triangle[:1], strict=True):
                border[a, b] += 1
        border = {pair for pair, count in border.items() if count > border.get(pair[::-1], 0)}
        for axis in range(3):
            low, high = FACES[2 * axis], FACES[2 * axis + 1]
            step = (4, 2, 1)[axis]
            for face, shift in ((low, 0), (high, step)):
                inside = tuple(sorted((c - shift, case >> c & 1) for c in face))
                own = {frozenset(tuple(sorted(c - shift for c in corner_pair(e))) for e in pair)
                       for pair in border if set(pair) <= edges_of_face[FACES.index(face)]}
                assert seen.setdefault((axis, inside), own) == own
        assert all(any(set(pair) <= face for face in edges_of_face) for pair in border)
