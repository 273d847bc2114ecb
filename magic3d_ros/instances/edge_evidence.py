"""What a 2D edge network saw in keyframes, averaged over the views of each place on the surface."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping

import numpy as np

from magic3d_ros.frames import FrameError
from magic3d_ros.instances.evidence import DepthViews, look
from magic3d_ros.instances.regions import MeshGraph, contrast
from magic3d_ros.mapping.keyframe import Keyframe

# Mean probability over the views at which an edge begins, and until it is certain; chosen on random:1003, 1016, 1020 and 1038
# (docs/instances.md, "Edges of a learned network").
_EDGE_FROM, _EDGE_RANGE = 0.5, 0.5
_RIM = 3  # pixels at the image's rim that are left out: convolutions see black beyond it and answer with an edge
_MOST_PIXELS = 1 << 20  # of one keyframe's edges; networks give 320 x 240


class EdgeViews:
    """The edges of keyframes, 77 kB each at 320x240. Any thread.

    They are kept as images and looked at from where the keyframes are when somebody asks, so that they need not be moved when
    poses are corrected, and what a keyframe is no longer trusted with counts no more.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._edges: dict[int, np.ndarray] = {}

    def __len__(self) -> int:
        return len(self._edges)

    @property
    def stamps(self) -> list[int]:
        """Of the keyframes whose edges are known."""
        with self._lock:
            return list(self._edges)

    def add(self, stamp: int, edges: np.ndarray) -> None:
        """Take in a keyframe's edges: (h, w) uint8 that covers the image, 255 = certain. Raises FrameError for another array."""
        if edges.ndim != 2 or edges.dtype != np.uint8 or not 0 < edges.size <= _MOST_PIXELS:
            raise FrameError("cues", f"edges are {edges.shape} {edges.dtype}: (h, w) uint8 of at most {_MOST_PIXELS} pixels are "
                             "needed")
        with self._lock:
            self._edges[stamp] = np.array(edges)

    def keep_only(self, keyframes: Iterable[Keyframe]) -> None:
        """Forget the edges of keyframes that were forgotten. Newer ones than all of these stay: whoever made the list did not
        know them yet."""
        known = {keyframe.stamp for keyframe in keyframes}
        newest = max(known, default=-1)
        with self._lock:
            self._edges = {stamp: edges for stamp, edges in self._edges.items() if stamp in known or stamp > newest}

    def seen(self, points: np.ndarray, normals: np.ndarray, keyframes: Iterable[Keyframe],
             views: DepthViews) -> tuple[np.ndarray, np.ndarray]:
        """For (N, 3) world points with unit normals the mean probability (N,) 0..1, over the views, that an edge passes there,
        and the sum (N,) of how well these saw it (`evidence.look`); 0 where none did."""
        with self._lock:
            known = dict(self._edges)
        total, weights = np.zeros(len(points)), np.zeros(len(points))
        for keyframe in keyframes:
            edges = known.get(keyframe.stamp)
            if edges is None:
                continue
            view = views.of(keyframe)
            sight = look(points, normals, view, keyframe.camera_to_world)
            at = np.flatnonzero(sight.weight > 0)
            row, column = (np.rint(place[at]).astype(np.int64) for place in (sight.v, sight.u))
            height, width = view.depth.shape
            clear = (row >= _RIM) & (row < height - _RIM) & (column >= _RIM) & (column < width - _RIM)
            if view.moving is not None:
                clear &= ~view.moving[row, column]
            at, row, column = at[clear], row[clear], column[clear]
            weight = sight.weight[at]
            total[at] += weight * edges[row * edges.shape[0] // height, column * edges.shape[1] // width]
            weights[at] += weight
        return total / (255.0 * np.maximum(weights, 1e-9)), weights

    def evidence(self, graph: MeshGraph, keyframes: Iterable[Keyframe], views: DepthViews) -> np.ndarray:
        """(n,) 0..1: how certainly an edge between things passes each vertex; where no view tells, the surface's own contrast."""
        probability, weight = self.seen(graph.vertices, graph.normals, keyframes, views)
        return np.where(weight > 0, np.clip((probability - _EDGE_FROM) / _EDGE_RANGE, 0.0, 1.0), contrast(graph))

    def state(self) -> dict[str, np.ndarray]:
        """All edges as arrays: stamps (n,), sizes (n, 2) rows and columns, pixels one image after the other."""
        with self._lock:
            images = list(self._edges.values())
            return {"stamps": np.array(list(self._edges), np.int64),
                    "sizes": np.array([image.shape for image in images], np.int64).reshape(-1, 2),
                    "pixels": np.concatenate([np.zeros(0, np.uint8), *(image.ravel() for image in images)])}

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Continue from `state()`. Raises ValueError naming what does not fit."""
        for name, (kind, row) in {"stamps": (np.integer, ()), "sizes": (np.integer, (2,)), "pixels": (np.uint8, ())}.items():
            if name not in state or not np.issubdtype(state[name].dtype, kind) or state[name].shape[1:] != row:
                raise ValueError(f"the state of edges lacks '{name}' of shape (n{''.join(f', {n}' for n in row)})")
        sizes = state["sizes"].astype(np.int64)
        fits = len(sizes) == len(state["stamps"]) and ((sizes > 0) & (sizes <= _MOST_PIXELS)).all()
        if not fits or sizes.prod(1).sum() != len(state["pixels"]):
            raise ValueError("the state of edges has arrays that do not fit each other")
        images = np.split(state["pixels"], np.cumsum(sizes.prod(1))[:-1]) if len(sizes) else []
        edges = {int(stamp): np.array(image).reshape(size)
                 for stamp, image, size in zip(state["stamps"], images, sizes, strict=True)}
        with self._lock:
            self._edges = edges
