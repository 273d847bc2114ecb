"""The transforms between coordinate frames over time, as tf2 buffers them; in numpy, for bags and where tf2_ros is missing."""

from __future__ import annotations

import bisect
from dataclasses import dataclass, field

import numpy as np
from scipy.spatial.transform import Rotation


class TransformError(LookupError):
    """A transform that the buffer cannot give.

    reason: "unknown_frame", "not_connected", "too_new" (later than the newest), "too_old" or "gap". The message names the
    frames, the missing edge, or the times there are.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason

    @property
    def can_wait(self) -> bool:
        """True when waiting for more transforms can help."""
        return self.reason in ("unknown_frame", "not_connected", "too_new")


@dataclass
class _Edge:
    """The transforms from a frame to its parent over time: stamps in ns, ascending; translation (3,), quaternion (4,) x y z w."""

    parent: str
    static: bool
    stamps: list[int] = field(default_factory=list)
    values: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)


class TransformBuffer:
    """Static and moving transforms of a tree of frames.

    cache_time: ns of history kept for each moving edge (tf2's default is 10 s); None keeps all.
    restart_jump: ns; an edge whose time jumps back by this much begins anew (a recording that loops, a simulator that was reset);
    None, as in tf2: samples older than the history are ignored, and whoever notices the jump calls `clear`.
    max_gap: ns; between samples farther apart than this nothing is interpolated; None interpolates over any gap, as tf2 does.
    Moving edges are interpolated: translation linearly, rotation on the shortest arc (slerp). Frame names lose a leading slash.
    Not synchronised: one thread, or a lock around it.
    """

    def __init__(self, cache_time: int | None = None, max_gap: int | None = None, restart_jump: int | None = None) -> None:
        self.cache_time = cache_time
        self.max_gap = max_gap
        self.restart_jump = restart_jump
        self._edges: dict[str, _Edge] = {}

    def set(self, parent: str, child: str, stamp: int, translation: np.ndarray, quaternion: np.ndarray,
            static: bool = False) -> None:
        """Add the transform that takes points of `child` into `parent`: translation (3,) metres, quaternion (4,) x y z w.

        A sample older than the history is ignored. Raises ValueError for NaN, a quaternion without length, or a frame that would
        be its own parent.
        """
        parent, child = parent.lstrip("/"), child.lstrip("/")
        if not parent or not child or parent == child:
            raise ValueError(f"a transform from '{child}' to '{parent}' is not an edge of a tree")
        translation = np.asarray(translation, np.float64)
        quaternion = np.asarray(quaternion, np.float64)
        length = float(np.linalg.norm(quaternion))
        if not (np.isfinite(translation).all() and np.isfinite(length) and length > 1e-6):
            raise ValueError(f"the transform '{parent}' -> '{child}' holds NaN or a quaternion without length")
        value = (translation, quaternion / length)
        edge = self._edges.get(child)
        if edge is None or edge.parent != parent or edge.static != static:
            edge = self._edges[child] = _Edge(parent, static)
        if static:
            edge.stamps, edge.values = [stamp], [value]
            return
        if self.restart_jump is not None and edge.stamps and stamp <= edge.stamps[-1] - self.restart_jump:
            edge.stamps, edge.values = [], []
        place = bisect.bisect_left(edge.stamps, stamp)
        if place < len(edge.stamps) and edge.stamps[place] == stamp:
            edge.values[place] = value
            return
        if self.cache_time is not None and edge.stamps and stamp < edge.stamps[-1] - self.cache_time:
            return
        edge.stamps.insert(place, stamp)
        edge.values.insert(place, value)
        if self.cache_time is not None:
            old = bisect.bisect_left(edge.stamps, edge.stamps[-1] - self.cache_time)
            del edge.stamps[:old], edge.values[:old]

    def clear(self) -> None:
        """Forget the moving transforms: the clock jumped back. Static ones stay, as tf2 keeps them."""
        self._edges = {child: edge for child, edge in self._edges.items() if edge.static}

    def lookup(self, target: str, source: str, stamp: int | None = None) -> np.ndarray:
        """(4, 4) float64 that takes points of `source` into `target` at `stamp` (ns; None = the newest that all edges have).

        Raises TransformError.
        """
        target, source = target.lstrip("/"), source.lstrip("/")
        if target == source:
            return np.eye(4)
        up, down = self._chain(source), self._chain(target)
        common = next((frame for frame in up if frame in down), None)
        if common is None:
            raise self._not_connected(target, source, up, down)
        up, down = up[:up.index(common)], down[:down.index(common)]
        if stamp is None:
            newest = [self._edges[child].stamps[-1] for child in (*up, *down) if not self._edges[child].static]
            stamp = min(newest, default=0)
        source_to_common, target_to_common = self._to_ancestor(up, stamp), self._to_ancestor(down, stamp)
        return np.linalg.inv(target_to_common) @ source_to_common

    def frames(self) -> list[str]:
        """All frames known, sorted."""
        return sorted({*self._edges, *(edge.parent for edge in self._edges.values())})

    def root(self, frame: str) -> str:
        """The farthest ancestor of a frame (the frame itself when it has no parent)."""
        return self._chain(frame.lstrip("/"))[-1]

    def moves(self, target: str, source: str) -> bool:
        """True when the two frames are connected and an edge between them moves."""
        up, down = self._chain(source.lstrip("/")), self._chain(target.lstrip("/"))
        return up[-1] == down[-1] and any(not self._edges[child].static for child in set(up) ^ set(down) if child in self._edges)

    def _chain(self, frame: str) -> list[str]:
        """The frame, its parent, and so on to the root."""
        chain = [frame]
        while chain[-1] in self._edges:
            parent = self._edges[chain[-1]].parent
            if parent in chain:
                raise TransformError("not_connected", f"the frames {' -> '.join([*chain, parent])} are a loop: two publishers "
                                     "contradict each other")
            chain.append(parent)
        return chain

    def _to_ancestor(self, children: list[str], stamp: int) -> np.ndarray:
        transform = np.eye(4)
        for child in children:
            transform = self._at(child, stamp) @ transform
        return transform

    def _at(self, child: str, stamp: int) -> np.ndarray:
        edge = self._edges[child]
        if edge.static:
            return _matrix(*edge.values[0])
        place = bisect.bisect_left(edge.stamps, stamp)
        if place < len(edge.stamps) and edge.stamps[place] == stamp:
            return _matrix(*edge.values[place])
        first, last = edge.stamps[0], edge.stamps[-1]
        if place in (0, len(edge.stamps)):
            raise TransformError("too_old" if place == 0 else "too_new",
                                 f"'{edge.parent}' -> '{child}' is known from {first * 1e-9:.3f} to {last * 1e-9:.3f} s, "
                                 f"not at {stamp * 1e-9:.3f} s")
        before, after = edge.stamps[place - 1], edge.stamps[place]
        if self.max_gap is not None and after - before > self.max_gap:
            raise TransformError("gap", f"'{edge.parent}' -> '{child}' has nothing between {before * 1e-9:.3f} and "
                                 f"{after * 1e-9:.3f} s, asked for {stamp * 1e-9:.3f} s")
        share = (stamp - before) / (after - before)
        (t0, q0), (t1, q1) = edge.values[place - 1], edge.values[place]
        return _matrix(t0 + share * (t1 - t0), _slerp(q0, q1, share))

    def _not_connected(self, target: str, source: str, up: list[str], down: list[str]) -> TransformError:
        known = self.frames()
        for frame in (target, source):
            if frame not in known:
                return TransformError("unknown_frame", f"no transform to or from '{frame}' was received (asked for '{target}' -> "
                                      f"'{source}'); frames known: {', '.join(known[:20]) or 'none'}")
        return TransformError("not_connected", f"'{target}' and '{source}' are in separate trees: no transform gives '{up[-1]}' "
                              f"a parent (above '{source}': {' -> '.join(reversed(up))}; above '{target}': "
                              f"{' -> '.join(reversed(down))})")


def _matrix(translation: np.ndarray, quaternion: np.ndarray) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_quat(quaternion).as_matrix()
    matrix[:3, 3] = translation
    return matrix


def _slerp(first: np.ndarray, second: np.ndarray, share: float) -> np.ndarray:
    """Shoemake, "Animating rotation with quaternion curves", 1985. scipy's Slerp gives the same in 400 us a pair, this in 10."""
    cosine = float(first @ second)
    if cosine < 0:
        second, cosine = -second, -cosine
    if cosine > 0.9999995:  # 0.1 degrees: the sine below would lose its digits, and the arc is a straight line
        return first + share * (second - first)
    angle = np.arccos(cosine)
    return (np.sin((1 - share) * angle) * first + np.sin(share * angle) * second) / np.sin(angle)
