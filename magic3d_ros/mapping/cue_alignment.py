"""Metric depth from monocular depth: the scale and shift of every keyframe's cue.

A network's depth c stands for the metric depth scale * c + shift, both unknown and different in every image; that of networks for
inverse depth (Depth Anything, MiDaS) for 1 / (scale * c + shift). Networks for metric depth are off by a scale and a shift too,
but not by much: theirs begin at 1 and 0 and are held there a little. What ties scale and shift down:

- metric depth of the same pixels, from the sensor or rendered from the map (`fit`);
- the other keyframes: the same surface must come out at the same place whoever looks at it, as poses are metric
  (`align_jointly`). Two unknowns a keyframe, solved by Gauss-Newton on point-to-plane distances between overlapping views, with
  association by projection, as in ICP. MonoSDF reaches the same by training: its field is what all images have to agree with,
  and it solves scale and shift against the field in closed form at each step. Here they are known before training begins.

All errors are relative to depth, because a network's error grows with it, and to the scale: smaller scales make the cue's errors
smaller too, so that without the division a flatter scene always seems to fit better (regression dilution). With cues of 1 % noise
and no sensor depth at all, redkitchen collapsed into a shell around its cameras; divided by the scale, 92 % of its pixels come
out within 5 cm (replica_office0: 98 %, against 43 % without division). Inverse depth without sensor depth: 79 % of
replica_office0, 5 % when divided by the scale alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from magic3d_ros.geometry.camera import Camera

ROBUST = 0.02  # relative error beyond which a pixel counts less (Cauchy): twice the noise of a good network
FEWEST = 50  # pixels that a scale and a shift need
MIN_SPREAD = 0.05  # relative deviation of depth below which scale and shift cannot be told apart
COLUMNS = 60  # of the reduced images that are compared
NEIGHBOURS = 10  # views that a keyframe is compared with
WIDEST_TURN = 60.0  # degrees between two such views
FIRST_GATE, LAST_GATE = 0.5, 0.06  # relative difference of depth up to which two points may be the same, at first and at last
NARROWING = 0.75  # of the gate after each step that changed scales by less than SETTLED (median); sooner, what is far off is lost
SETTLED = 0.005
MOST_STEPS = 60  # a good start needs 10
# Metres: where an image without any metric depth begins. Anything between 2 and 5 m gives redkitchen the same result (and 1.2 and
# 4 m replica_office0); scenes much larger than rooms need some metric depth.
FIRST_DEPTH, FIRST_DEVIATION = 3.0, 0.5
HELD = (0.1, 0.1)  # scale and metres of shift by which a metric network may be off (their papers: 5 to 10 % AbsRel in rooms)
FARTHEST = 50.0  # metres: what an inverse depth of nearly 0 or less becomes
GRAZING = 0.1  # cosine of the angle between ray and normal below which a point is no target


@dataclass(frozen=True)
class Alignment:
    """Metric depth = scale * cue + shift, or 1 / (scale * cue + shift) where inverse. support: pixels behind it; error: their
    median relative error."""

    scale: float
    shift: float
    support: int
    error: float
    inverse: bool = False

    def metric(self, cue: np.ndarray) -> np.ndarray:
        """(h, w) float32 metres; 0 where the cue is unknown (0 or NaN), nothing positive comes out, or FARTHEST is passed."""
        with np.errstate(invalid="ignore"):
            value = np.where(cue > 0, self.scale * cue.astype(np.float32) + self.shift, 0.0)
            if self.inverse:
                return np.where(value > 1.0 / FARTHEST, 1.0 / np.maximum(value, 1.0 / FARTHEST), 0.0).astype(np.float32)
            return np.where(value > 0, value, 0.0).astype(np.float32)


@dataclass(frozen=True)
class CueView:
    """What joint alignment knows of a keyframe: a cue (h, w), its camera of the same size, the (4, 4) pose, and metric depth
    (h, w) of the same pixels. 0 = unknown, in both images. kind: of the cue, see MonocularGeometry."""

    cue: np.ndarray
    camera: Camera
    camera_to_world: np.ndarray
    depth: np.ndarray
    kind: str = "affine"

    @property
    def inverse(self) -> bool:
        """Whether the cue stands for 1 / depth."""
        return self.kind == "affine_inverse"

    def depths(self, scale: float, shift: float) -> np.ndarray:
        """(h, w) metres by a scale and a shift, at least a millimetre, at most FARTHEST where the cue is inverse."""
        value = scale * self.cue + shift
        return 1.0 / np.maximum(value, 1.0 / FARTHEST) if self.inverse else np.maximum(value, 1e-3)

    def slopes(self, depths: np.ndarray) -> np.ndarray:
        """(h, w, 2): how `depths` changes with scale and shift."""
        by_shift = -depths * depths if self.inverse else np.ones_like(depths)
        return np.stack([by_shift * self.cue, by_shift], -1)

    @staticmethod
    def of(cue: np.ndarray, depth: np.ndarray, camera: Camera, camera_to_world: np.ndarray, columns: int = COLUMNS,
           kind: str = "affine") -> CueView:
        """Reduce a cue (any size) and registered depth (the camera's size) to the same `columns` of pixels, none of them
        averaged."""
        step = max(1.0, camera.width / columns)
        u = ((np.arange(int(camera.width / step)) + 0.5) * step).astype(int)
        v = ((np.arange(int(camera.height / step)) + 0.5) * step).astype(int)
        rows = np.minimum((v + 0.5) * cue.shape[0] / camera.height, cue.shape[0] - 1).astype(int)
        cells = np.minimum((u + 0.5) * cue.shape[1] / camera.width, cue.shape[1] - 1).astype(int)
        # Rays as they are at the pixels that were picked: only near the corners do whole pixels deviate from an even grid.
        small = Camera(len(u), len(v), camera.fx / step, camera.fy / step, (camera.cx - u[0]) / step, (camera.cy - v[0]) / step)
        sample = np.nan_to_num(cue[np.ix_(rows, cells)].astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
        known = np.nan_to_num(depth[np.ix_(v, u)].astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
        return CueView(np.maximum(sample, 0.0), small, np.asarray(camera_to_world, np.float64), np.maximum(known, 0.0), kind)


def fit(cue: np.ndarray, depth: np.ndarray, iterations: int = 10, inverse: bool = False) -> Alignment | None:
    """Robust scale and shift that take a cue to metric depth where both are known (> 0); None where too little ties them down.

    cue, depth: of one shape. inverse: the cue stands for 1 / depth. Iteratively reweighted least squares on relative errors
    (Cauchy weights), which are those of 1 / depth just as well.
    """
    with np.errstate(invalid="ignore"):
        known = (cue > 0) & (depth > 0) & np.isfinite(cue) & np.isfinite(depth)
    c, z = cue[known].astype(np.float64), depth[known].astype(np.float64)
    z = 1.0 / z if inverse else z
    if len(c) < FEWEST or np.std(z) < MIN_SPREAD * np.mean(z) or np.std(c) == 0:
        return None
    weight = np.ones_like(z)
    scale, shift, error = 0.0, 0.0, np.zeros_like(z)
    for _ in range(iterations):
        w = weight / (z * z)
        mean_c, mean_z = np.average(c, weights=w), np.average(z, weights=w)
        scale = float((w * (c - mean_c) * (z - mean_z)).sum() / (w * (c - mean_c) ** 2).sum())
        shift = float(mean_z - scale * mean_c)
        error = (scale * c + shift - z) / z
        weight = _cauchy(error, ROBUST)
    return Alignment(scale, shift, len(c), float(np.median(np.abs(error))), inverse) if scale > 0 else None


def align_alone(view: CueView) -> Alignment | None:
    """Scale and shift of one view by the metric depth of its pixels. None when too little ties them down; a metric network's cue
    is taken as it is then."""
    found = fit(view.cue, view.depth, inverse=view.inverse)
    return Alignment(1.0, 0.0, 0, 0.0) if found is None and view.kind == "metric" else found


def align_jointly(views: Sequence[CueView], most_steps: int = MOST_STEPS) -> list[Alignment | None]:
    """Scale and shift of every view such that all agree with each other, and with metric depth where there is some.

    None for a view that too little ties down: no metric depth, and no other view of the same surface from another place (a metric
    network's is taken as it is then). Without metric depth anywhere the scale of everything comes from the distances between the
    cameras.
    """
    if not views:
        return []
    solver, gate = _JointSolver(views), FIRST_GATE
    for _ in range(most_steps):
        if solver.step(gate) < SETTLED:
            if gate <= LAST_GATE:
                break
            gate = max(gate * NARROWING, LAST_GATE)
    return solver.alignments()


class _JointSolver:
    def __init__(self, views: Sequence[CueView]) -> None:
        self._views = views
        self._rays = [view.camera.rays().astype(np.float64) for view in views]
        self._neighbours = _overlapping([view.camera_to_world for view in views])
        self._unknowns = np.array([_first_guess(view) for view in views])  # scale, shift
        self._errors: list[list[np.ndarray]] = [[] for _ in views]

    def step(self, gate: float) -> float:
        """One Gauss-Newton step; points are taken for the same up to a relative difference of depth of `gate`. Returns by what
        share scales changed (median)."""
        count = len(self._views)
        self._errors = [[] for _ in self._views]
        normal, right = np.zeros((count, 2, count, 2)), np.zeros((count, 2))
        depths = [view.depths(s, t) for view, (s, t) in zip(self._views, self._unknowns, strict=True)]
        slopes = [view.slopes(depth) for view, depth in zip(self._views, depths, strict=True)]
        points = [depth[..., None] * rays for depth, rays in zip(depths, self._rays, strict=True)]
        normals = [_normals(image, view.cue > 0) for image, view in zip(points, self._views, strict=True)]
        for first in range(count):
            self._anchor(first, depths[first], slopes[first], normal, right)
            for second in self._neighbours[first]:
                found = self._compare(first, second, depths, slopes, points, normals, gate)
                if found is None:
                    continue
                error, slope = found
                weight = _cauchy(error, max(ROBUST, gate / 4))
                block = (slope * weight[:, None]).T @ slope
                for a, at in ((0, first), (1, second)):
                    right[at] -= (slope[:, 2 * a:2 * a + 2] * weight[:, None]).T @ error
                    for b, to in ((0, first), (1, second)):
                        normal[at, :, to] += block[2 * a:2 * a + 2, 2 * b:2 * b + 2]
                self._errors[first].append(error)
                self._errors[second].append(error)
        matrix = normal.reshape(2 * count, 2 * count)
        # A little damping: views that nothing ties down keep their first guess.
        matrix[np.diag_indices(2 * count)] = matrix.diagonal() * 1.001 + 1e-6
        change = np.linalg.solve(matrix, right.ravel()).reshape(count, 2)
        self._unknowns += change
        return float(np.median(np.abs(change[:, 0]) / np.maximum(np.abs(self._unknowns[:, 0]), 1e-6)))

    def _anchor(self, at: int, depth: np.ndarray, slopes: np.ndarray, normal: np.ndarray, right: np.ndarray) -> None:
        """Metric depth of the same pixels, and what a metric network says itself."""
        view = self._views[at]
        if view.kind == "metric":
            hold = FEWEST * np.square(ROBUST / np.array(HELD))  # worth FEWEST pixels of ROBUST noise each
            normal[at, (0, 1), at, (0, 1)] += hold
            right[at] -= hold * (self._unknowns[at] - (1.0, 0.0))
        known = (view.cue > 0) & (view.depth > 0)
        if not known.any():
            return
        measured = view.depth[known]
        error = depth[known] / measured - 1.0
        weight = _cauchy(error, ROBUST)
        slope = slopes[known] / measured[:, None]
        normal[at, :, at] += (slope * weight[:, None]).T @ slope
        right[at] -= (slope * weight[:, None]).T @ error
        self._errors[at].append(error)

    def _compare(self, first: int, second: int, depths: list[np.ndarray], slopes: list[np.ndarray], points: list[np.ndarray],
                 normals: list[np.ndarray], gate: float) -> tuple[np.ndarray, np.ndarray] | None:
        """Relative point-to-plane errors (n,) of the first view's points in the second view, and their derivatives (n, 4) by
        scale and shift of the first and of the second."""
        here, there = self._views[first], self._views[second]
        relative = np.linalg.inv(there.camera_to_world) @ here.camera_to_world
        rays = self._rays[first][::2, ::2].reshape(-1, 3) @ relative[:3, :3].T
        cue = here.cue[::2, ::2].ravel()
        moved = depths[first][::2, ::2].reshape(-1, 1) * rays + relative[:3, 3]
        u, v, z = there.camera.project(moved)
        column, row = np.round(u), np.round(v)
        seen = ((cue > 0) & (z > 0.05) & (column >= 0) & (row >= 0) & (column < there.camera.width) & (row < there.camera.height))
        at = np.flatnonzero(seen)
        column, row = column[at].astype(int), row[at].astype(int)
        depth, normal, direction = depths[second][row, column], normals[second][row, column], self._rays[second][row, column]
        facing = np.einsum("ij,ij->i", normal, direction)  # 0 where there is no normal
        same = ((np.abs(z[at] - depth) < gate * depth)
                & (np.abs(facing) > GRAZING * np.linalg.norm(direction, axis=1)))
        if same.sum() < FEWEST:
            return None
        at, column, row = at[same], column[same], row[same]
        depth, normal, facing = depth[same], normal[same], facing[same]
        error = np.einsum("ij,ij->i", normal, moved[at] - points[second][row, column]) / depth
        by_first = (np.einsum("ij,ij->i", normal, rays[at]) / depth)[:, None] * slopes[first][::2, ::2].reshape(-1, 2)[at]
        by_second = -(facing / depth)[:, None] * slopes[second][row, column]
        # The error is divided by the second view's scale, which moves too; where the cue is inverse, by scale times depth, which
        # is what its noise is multiplied by there.
        by_second[:, 0] -= error / max(float(self._unknowns[second, 0]), 1e-6)
        if there.inverse:
            by_second -= (error / depth)[:, None] * slopes[second][row, column]
        return error, np.concatenate([by_first, by_second], 1)

    def alignments(self) -> list[Alignment | None]:
        """What the last step left."""
        found: list[Alignment | None] = []
        for view, (scale, shift), errors in zip(self._views, self._unknowns, self._errors, strict=True):
            support = sum(len(e) for e in errors)
            if support < FEWEST or not scale > 0:
                found.append(Alignment(1.0, 0.0, 0, 0.0) if view.kind == "metric" else None)  # as the network gave it
                continue
            error = float(np.median(np.abs(np.concatenate(errors))))
            found.append(Alignment(float(scale), float(shift), support, error, view.inverse))
        return found


def _first_guess(view: CueView) -> tuple[float, float]:
    known = fit(view.cue, view.depth, inverse=view.inverse)
    if known is not None:
        return known.scale, known.shift
    if view.kind == "metric":
        return 1.0, 0.0
    cue = view.cue[view.cue > 0]
    if len(cue) == 0:
        return 1.0, 0.0
    middle, deviation = FIRST_DEPTH, FIRST_DEVIATION
    if view.inverse:
        middle, deviation = 1.0 / FIRST_DEPTH, FIRST_DEVIATION / FIRST_DEPTH**2
    scale = deviation / max(float(np.std(cue)), 1e-6)
    return scale, middle - scale * float(np.median(cue))


def _overlapping(poses: Sequence[np.ndarray]) -> list[list[int]]:
    """For each pose the NEIGHBOURS that look the same way from as far away as possible, up to a metre."""
    stacked = np.stack(poses)
    turn = np.degrees(np.arccos(np.clip(stacked[:, :3, 2] @ stacked[:, :3, 2].T, -1, 1)))
    apart = np.linalg.norm(stacked[:, None, :3, 3] - stacked[None, :, :3, 3], axis=-1)
    merit = np.minimum(apart, 1.0) - turn / WIDEST_TURN
    merit[turn > WIDEST_TURN] = -np.inf
    np.fill_diagonal(merit, -np.inf)
    return [[int(j) for j in np.argsort(-row)[:NEIGHBOURS] if np.isfinite(row[j])] for row in merit]


def _normals(points: np.ndarray, known: np.ndarray) -> np.ndarray:
    """(h, w, 3) unit normals of an image of points by central differences; 0 at the border and beside unknown points."""
    across, down, normals = np.zeros_like(points), np.zeros_like(points), np.zeros_like(points)
    across[:, 1:-1] = points[:, 2:] - points[:, :-2]
    down[1:-1] = points[2:] - points[:-2]
    whole = np.zeros(known.shape, bool)
    whole[1:-1, 1:-1] = known[1:-1, 2:] & known[1:-1, :-2] & known[2:, 1:-1] & known[:-2, 1:-1] & known[1:-1, 1:-1]
    cross = np.cross(across[whole], down[whole])
    normals[whole] = cross / np.maximum(np.linalg.norm(cross, axis=1, keepdims=True), 1e-12)
    return normals


def _cauchy(error: np.ndarray, width: float) -> np.ndarray:
    return 1.0 / (1.0 + (error / width) ** 2)
