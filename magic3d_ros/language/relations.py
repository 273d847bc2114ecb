"""Where things are to each other, by their boxes: how well each stands in a relation to another, and which answers a phrase."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from magic3d_ros.geometry.box import OrientedBox
from magic3d_ros.language.relation_words import Phrase, Relation

FROM_A_VIEWPOINT = (Relation.LEFT, Relation.RIGHT, Relation.FRONT, Relation.BEHIND)
"""Relations that depend on from where one looks."""
_TOUCH = 0.1
"""Metres by which the boxes of things that touch are apart or overlap: support.py finds what things stand on that far below."""
_BESIDE, _NEARBY, _AROUND = 0.45, 1.2, 3.6
"""Metres between two things at which they are half as much next to each other, near each other, or on a side of each other: the
ends of intimate, personal and social distance (Hall, The Hidden Dimension, 1966)."""
_INSIDE = 0.02
"""Metres that what is in a box may look out of it: one voxel."""
_PLAN_SAMPLES, _HEIGHT_SAMPLES = 5, 3
"""Points a side of a box that stand for it: of a mug they are 2 cm apart, of a table 40, and the nearer of both ways counts."""
_ACROSS = 0.25
"""Share of the distance between two things by which what is between them is half as much so beside the straight line."""
_ANCHORS = 8
"""Things that are tried as what a relation refers to, the likeliest first."""


@dataclass(frozen=True)
class Placed:
    """A thing as relations see it. box: world frame, metres, its third axis up. support: id of what it stands on, -1 = unknown or
    nothing. structure: floor, wall or ceiling rather than a thing."""

    id: int
    box: OrientedBox
    support: int = -1
    structure: bool = False


@dataclass(frozen=True)
class Related:
    """(M,) chance of each thing to be what a phrase asks for, and by what: (M, 0 to 2) rows of the things it is related to."""

    chances: np.ndarray
    anchors: list[tuple[int, ...]]


class Layout:
    """Things and the places from which they were seen. things: M of them. seen_from: (n, 3) places of the camera, world frame."""

    def __init__(self, things: Sequence[Placed], seen_from: np.ndarray) -> None:
        self.things = tuple(things)
        self._center = np.array([t.box.center for t in things], np.float64).reshape(-1, 3)
        self._half = np.array([t.box.size for t in things], np.float64).reshape(-1, 3) / 2
        self._rotation = np.array([t.box.rotation for t in things], np.float64).reshape(-1, 3, 3)
        self._up = self._rotation[0, :, 2] if len(things) else np.array([0.0, 0.0, 1.0])
        self._seen_from = np.asarray(seen_from, np.float64).reshape(-1, 3)
        height = self._center @ self._up
        self._bottom, self._top = height - self._half[:, 2], height + self._half[:, 2]
        axes = [np.linspace(-1, 1, n) for n in (_PLAN_SAMPLES, _PLAN_SAMPLES, _HEIGHT_SAMPLES)]
        unit = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 3)
        self._samples = self._center[:, None] + np.einsum("mij,msj->msi", self._rotation, unit * self._half[:, None])

    def related(self, phrase: Phrase, chances_of: Callable[[str], np.ndarray], sure: float, viewpoint: np.ndarray | None = None,
                own: np.ndarray | None = None) -> Related:
        """What a phrase asks for. chances_of: (M,) probabilities of words by themselves. sure: probability of what is found.

        A thing's chance is that of its own words times that of its place: the best, over what the relation may refer to, of how
        well it fits there times how likely that is, in relation to the likeliest ("the table" is the one there is) or to `sure`,
        where nothing is that likely. viewpoint: (3,) from where left, right, in front of and behind are meant. own: (M,) chances
        of what is asked for where more than its words is known of it.
        """
        if own is None:
            own = chances_of(phrase.thing) if phrase.thing else np.array([0.0 if t.structure else 1.0 for t in self.things])
        if phrase.relation is None:
            return Related(own, [()] * len(own))
        anchors = [self.related(a, chances_of, sure, viewpoint).chances for a in phrase.anchors]
        likely = [chances / max(chances.max(initial=0.0), sure) for chances in anchors]
        place = np.zeros(len(own))
        by: list[tuple[int, ...]] = [()] * len(own)
        for rows, weight in _candidates(likely):
            fit = weight * self.fit(phrase.relation, rows, viewpoint)
            by = [rows if f > p else b for f, p, b in zip(fit, place, by, strict=True)]
            place = np.maximum(place, fit)
        return Related(own * place, by)

    def fit(self, relation: Relation, anchors: tuple[int, ...], viewpoint: np.ndarray | None = None) -> np.ndarray:
        """(M,) 0..1: how well each thing stands in a relation to the things in the rows `anchors`; these themselves do not."""
        if relation is Relation.BETWEEN:
            fit = self._between(*anchors)
        elif relation in FROM_A_VIEWPOINT:
            fit = self._on_side(relation, anchors[0], viewpoint)
        else:
            fit = self._upright(relation, anchors[0])
        fit[list(anchors)] = 0.0
        return fit

    def viewer(self, anchor: int, viewpoint: np.ndarray | None = None) -> np.ndarray | None:
        """(3,) from where a thing is looked at: `viewpoint`, else the place of the camera nearest to it in plan that was not
        above or in it; None where there is none."""
        if viewpoint is not None:
            return np.asarray(viewpoint, np.float64)
        away = self._outside(self._seen_from, anchor)
        away[:, 2] = 0.0
        distance = np.linalg.norm(away, axis=1)
        outside = np.flatnonzero(distance > _TOUCH)
        return None if len(outside) == 0 else self._seen_from[outside[distance[outside].argmin()]]

    def _upright(self, relation: Relation, anchor: int) -> np.ndarray:
        """Relations that do not ask from where one looks."""
        gap, over, on = self._gap(anchor), self._over(anchor), self._on(anchor)
        if relation is Relation.ON:
            return on
        if relation is Relation.IN:
            return np.maximum(self._inside(anchor), np.where(self._stands_on(anchor), over, 0.0) * self._smaller(anchor))
        if relation is Relation.ABOVE:
            return over * _fade(self._top[anchor] - self._bottom, _TOUCH)
        if relation is Relation.UNDER:  # under a table top its legs and the thing stand side by side
            lower = self._center @ self._up < self._top[anchor] - _TOUCH
            return over * lower * _fade(self._top - self._top[anchor], _NEARBY) * (1 - on) * (1 - self._holds(anchor))
        if relation is Relation.NEAR:
            return _fade(gap, _NEARBY) * (1 - on)
        apart = np.maximum(self._bottom - self._top[anchor], self._bottom[anchor] - self._top)
        return _fade(gap, _BESIDE) * _fade(apart, _TOUCH) * (1 - on) * (1 - self._inside(anchor))

    def _on(self, anchor: int) -> np.ndarray:
        """Resting on a thing's top or, as the map's support says, on any part of it; touching a wall or a ceiling and resting on
        nothing else."""
        if self.things[anchor].structure:
            fit = _fade(self._gap(anchor), _TOUCH) * [t.support < 0 and not t.structure for t in self.things]
        else:
            fit = self._over(anchor) * _fade(np.abs(self._bottom - self._top[anchor]), _TOUCH)
        return np.where(self._stands_on(anchor), 1.0, fit)

    def _stands_on(self, anchor: int) -> np.ndarray:
        return np.array([t.support == self.things[anchor].id for t in self.things], bool)

    def _holds(self, anchor: int) -> np.ndarray:
        """Whether a thing is what the anchor stands on: the floor is not under the table."""
        return np.array([t.id == self.things[anchor].support for t in self.things], bool)

    def _smaller(self, anchor: int) -> np.ndarray:
        return self._half.prod(1) < self._half[anchor].prod()

    def _inside(self, anchor: int) -> np.ndarray:
        """Share of each smaller thing that lies in the anchor's box."""
        inside = np.stack([(np.abs(self._outside(points, anchor)) <= _INSIDE).all(1).mean() for points in self._samples])
        return inside * self._smaller(anchor)

    def _over(self, anchor: int) -> np.ndarray:
        """Share of each thing, or of the anchor if that is more, that lies over or under the other."""
        shares = []
        for row, points in enumerate(self._samples):
            mine = np.linalg.norm(self._outside(points, anchor)[:, :2], axis=1)
            its = np.linalg.norm(self._outside(self._samples[anchor], row)[:, :2], axis=1)
            shares.append(max(_fade(mine, _TOUCH).mean(), _fade(its, _TOUCH).mean()))
        return np.array(shares)

    def _gap(self, anchor: int) -> np.ndarray:
        """(M,) metres between the boxes."""
        return np.array([min(np.linalg.norm(self._outside(points, anchor), axis=1).min(),
                             np.linalg.norm(self._outside(self._samples[anchor], row), axis=1).min())
                         for row, points in enumerate(self._samples)])

    def _outside(self, points: np.ndarray, row: int) -> np.ndarray:
        """(n, 3) by how much points lie outside of a box, along each of its axes."""
        inside = (points - self._center[row]) @ self._rotation[row]
        return np.sign(inside) * np.maximum(np.abs(inside) - self._half[row], 0.0)

    def _on_side(self, relation: Relation, anchor: int, viewpoint: np.ndarray | None) -> np.ndarray:
        """Acceptance falls linearly with the angle to the side's direction and ends at a right angle (Regier and Carlson,
        Grounding spatial language in perception, 2001). All zero where nobody knows from where to look."""
        viewer = self.viewer(anchor, viewpoint)
        if viewer is None:
            return np.zeros(len(self.things))
        ahead = self._flat(self._center[anchor] - viewer)
        right = np.cross(ahead, self._up)
        direction = {Relation.LEFT: -right, Relation.RIGHT: right, Relation.FRONT: -ahead, Relation.BEHIND: ahead}[relation]
        away = self._flat(self._center - self._center[anchor])
        cosine = away @ direction / np.maximum(np.linalg.norm(away, axis=1) * np.linalg.norm(direction), 1e-9)
        angle = np.arccos(np.clip(cosine, -1.0, 1.0))
        return np.maximum(0.0, 1 - angle / (np.pi / 2)) * _fade(self._gap(anchor), _AROUND)

    def _between(self, first: int, second: int) -> np.ndarray:
        start = self._flat(self._center[first])
        way = self._flat(self._center[second]) - start
        length = max(float(np.linalg.norm(way)), 1e-9)
        away = self._flat(self._center) - start
        along = away @ way / length**2
        across = np.linalg.norm(away - along[:, None] * way, axis=1) / length
        return np.where((along > 0) & (along < 1), _fade(across, _ACROSS), 0.0)

    def _flat(self, vectors: np.ndarray) -> np.ndarray:
        """Without their part along up."""
        return vectors - (vectors @ self._up)[..., None] * self._up


def _candidates(likely: Sequence[np.ndarray]) -> list[tuple[tuple[int, ...], float]]:
    """Rows that a relation may refer to, and how likely that is."""
    best = [[int(row) for row in np.argsort(-chances)[:_ANCHORS] if chances[row] > 0] for chances in likely]
    if len(best) == 1:
        return [((row,), float(likely[0][row])) for row in best[0]]
    pairs = {tuple(sorted((a, b))) for a in best[0] for b in best[1] if a != b}
    return [((a, b), float(max(likely[0][a] * likely[1][b], likely[0][b] * likely[1][a]))) for a, b in sorted(pairs)]


def _fade(excess: np.ndarray, half: float) -> np.ndarray:
    """1 where nothing exceeds, one half at `half`, and falling as a Gaussian."""
    return 0.5 ** ((np.maximum(excess, 0.0) / half) ** 2)
