"""What was seen becomes what is known: dense language features fused by voxel, and crops of things encoded once each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager

import numpy as np

from magic3d_ros.config import LanguageSettings, QuerySettings
from magic3d_ros.cues.protocols import LanguageModel
from magic3d_ros.frames import CueFrame, FeatureGrid, RGBDFrame
from magic3d_ros.language.snapshot import LanguageSnapshot
from magic3d_ros.language.voxel_features import VoxelFeatures
from magic3d_ros.language.wording import word_vectors

Box = tuple[int, int, int, int]
Crops = Mapping[int, Sequence[tuple[int, Box, Callable[[], "np.ndarray | None"]]]]

_PIXEL_STEP = 4
"""Every fourth pixel in each direction: 2 cm apart at 2.5 m, denser than the 4 cm voxels."""
_MAX_DEPTH = 5.0
"""m; beyond it a cell of the feature map spans 30 cm."""
_REFERENCE_DEPTH = 1.5
_MIN_COSINE = 0.1
"""Weight of a view: nearer and squarer ones count more (the weights of instances/evidence.py)."""
_MAX_VIEWS = 5
"""Views encoded of each thing (measured beforehand: more than five add nothing)."""
_SAME_BOX = 0.7
"""Overlap (intersection over union) with the box that was encoded, below which a view is encoded anew: the thing has grown."""
_BACKGROUND_EVERY = 8
_MAX_BACKGROUND = 64
"""Background embeddings: four crops of every eighth keyframe; the mean is steady at a few dozen."""


class LanguageMap:
    """The part of the scene that knows meaning. Worked by one thread; `snapshot` is for any."""

    def __init__(self, settings: LanguageSettings, query: QuerySettings, model: LanguageModel) -> None:
        self._query = query
        self._model = model
        self._dimension = settings.feature_dimension
        self._voxels = VoxelFeatures(settings.voxel_size, settings.feature_dimension)
        self._views: dict[int, dict[int, tuple[Box, np.ndarray]]] = {}
        self._background = np.zeros((0, model.dimension), np.float32)
        self._observed = 0
        self._words: np.ndarray | None = None

    def observe(self, frame: RGBDFrame, cues: CueFrame) -> None:
        """Fuse a keyframe's dense language features into the voxels that it sees."""
        if self._observed % _BACKGROUND_EVERY == 0:
            self._remember_background(frame.rgb)
        self._observed += 1
        if cues.language is None:
            return
        if cues.language.values.shape[2] != self._dimension:
            raise ValueError(f"language features have {cues.language.values.shape[2]} dimensions, language.feature_dimension is "
                             f"{self._dimension}: extractor and mapper must run with the same settings")
        keys, columns, rows, weights = self._visible_voxels(frame, cues.normals)
        if len(keys):
            self._voxels.add(keys, sample(cues.language, columns, rows), weights, frame.stamp)

    def moving(self, moved: Callable[[np.ndarray, np.ndarray], np.ndarray], lock: AbstractContextManager[object]
               ) -> Callable[[], None]:
        """Prepare to move with the world; what is returned makes it so, in a moment, and is to be called under the lock.

        moved: takes (n, 3) points and the (n,) stamps of the keyframes that last saw them, gives where they are now. lock: guards
        `observe`, held here for a moment.
        """
        with lock:
            before = self._voxels.copy()
        after = before.moved(moved)

        def finish() -> None:
            # With what was observed since the copy: few keyframes.
            fresh = self._voxels.since(before.newest)
            self._voxels = after.joined(fresh.moved(moved)) if len(fresh) else after

        return finish

    def describe(self, crops: Crops, budget: int | None = None) -> int:
        """Encode views of things that were not encoded before, and forget things and views that are not in `crops`.

        crops: by id, the views best first: keyframe stamp, box in its image, and a function that yields the picture (None when
        it is gone). budget: pictures encoded in this call at most (17 ms each on a core), None for all; first views of all things
        come first, the rest waits for the next call. Returns how many wait.
        """
        kept: dict[int, dict[int, tuple[Box, np.ndarray]]] = {}
        wanted: list[tuple[int, int, int, Box, Callable[[], np.ndarray | None]]] = []
        for i, views in crops.items():
            known = self._views.get(i, {})
            kept[i] = {}
            for rank, (stamp, box, picture) in enumerate(views[:_MAX_VIEWS]):
                if stamp in known:
                    kept[i][stamp] = known[stamp]  # an outdated view serves until it is encoded anew
                if stamp not in known or overlap(box, known[stamp][0]) < _SAME_BOX:
                    wanted.append((rank + (_MAX_VIEWS if stamp in known else 0), i, stamp, box, picture))
        self._views = kept
        wanted.sort(key=lambda w: w[:2])
        budget = len(wanted) if budget is None else budget
        todo: list[tuple[int, int, Box, np.ndarray]] = []
        for _, i, stamp, box, picture in wanted[:budget]:
            image = picture()
            if image is not None and 0 not in image.shape:
                todo.append((i, stamp, box, image))
        if todo:
            for (i, stamp, box, _), vector in zip(todo, self._model.encode_crops([t[3] for t in todo]), strict=True):
                self._views[i][stamp] = (box, as_kept(vector))
        return max(0, len(wanted) - budget)

    def snapshot(self) -> LanguageSnapshot:
        """What is known now, for questions; later mapping does not change it."""
        if self._words is None:
            self._words = word_vectors(self._model)
        keys, features, _ = self._voxels.arrays()
        described = {i: np.stack([vector for _, vector in views.values()]) for i, views in self._views.items() if views}
        return LanguageSnapshot.build(self._model, self._query, self._voxels.voxel_size, keys, features, described,
                                      self._background, self._words)

    def state(self) -> dict[str, np.ndarray]:
        """Everything learned, as arrays."""
        flat = [(i, stamp, box, vector) for i, views in self._views.items() for stamp, (box, vector) in views.items()]
        return {
            **{f"voxels.{name}": value for name, value in self._voxels.state().items()},
            "background": self._background.astype(np.float16),
            "observed": np.array([self._observed], np.int64),
            "view_ids": np.array([f[0] for f in flat], np.int64),
            "view_stamps": np.array([f[1] for f in flat], np.int64),
            "view_boxes": np.array([f[2] for f in flat], np.int64).reshape(len(flat), 4),
            "view_vectors": np.array([f[3] for f in flat], np.float16).reshape(len(flat), self._model.dimension),
        }

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Take over what `state` gave. Raises ValueError naming what does not fit."""
        try:
            voxels = {name: state[f"voxels.{name}"] for name in ("keys", "features", "weights", "seen", "voxel_size")}
            background, observed = np.asarray(state["background"], np.float32), int(np.ravel(state["observed"])[0])
            ids, stamps, boxes, vectors = (np.asarray(state[f"view_{n}"]) for n in ("ids", "stamps", "boxes", "vectors"))
        except KeyError as error:
            raise ValueError(f"the language state lacks {error}") from error
        if vectors.shape != (len(ids), self._model.dimension) or len(stamps) != len(ids) or boxes.shape != (len(ids), 4):
            raise ValueError(f"views of things have {vectors.shape} vectors, the language model {self._model.name} makes "
                             f"{self._model.dimension} dimensions")
        if background.shape[1:] != (self._model.dimension,):
            raise ValueError(f"background vectors are {background.shape}, not (N, {self._model.dimension})")
        self._voxels.load_state(voxels)
        self._background, self._observed = background, observed
        self._views = {}
        for i, stamp, box, vector in zip(ids.tolist(), stamps.tolist(), boxes.tolist(), vectors.astype(np.float32), strict=True):
            self._views.setdefault(i, {})[stamp] = (tuple(box), vector)

    def _remember_background(self, rgb: np.ndarray) -> None:
        """Keep up to _MAX_BACKGROUND vectors; when there are more, every other is dropped."""
        self._background = np.concatenate([self._background, as_kept(self._model.background(rgb))])
        if len(self._background) > _MAX_BACKGROUND:
            self._background = self._background[::2]

    def _visible_voxels(self, frame: RGBDFrame, normals: np.ndarray | None
                        ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Unique voxel keys that the depth falls into, with their mean pixel (column, row) and weight."""
        step = _PIXEL_STEP
        depth = frame.depth[step // 2::step, step // 2::step]
        usable = np.isfinite(depth) & (depth > 0) & (depth < _MAX_DEPTH)
        r, c = np.nonzero(usable)
        z = depth[r, c].astype(np.float64)
        columns, rows = c * step + step // 2, r * step + step // 2
        camera, pose = frame.camera, frame.camera_to_world
        rays = np.stack([(columns - camera.cx) / camera.fx, (rows - camera.cy) / camera.fy, np.ones(len(z))], 1)
        points = rays * z[:, None] @ pose[:3, :3].T + pose[:3, 3]
        weights = np.clip(_REFERENCE_DEPTH / z, 0.3, 1.5)
        if normals is not None:
            scale_y, scale_x = normals.shape[0] / frame.depth.shape[0], normals.shape[1] / frame.depth.shape[1]
            normal = normals[np.minimum((rows * scale_y).astype(int), normals.shape[0] - 1),
                             np.minimum((columns * scale_x).astype(int), normals.shape[1] - 1)]
            cosine = np.abs((normal * rays).sum(1)) / np.linalg.norm(rays, axis=1)
            weights = weights * np.clip(np.nan_to_num(cosine, nan=_MIN_COSINE), _MIN_COSINE, 1.0)
        keys = self._voxels.keys_of(points)
        inside = keys >= 0
        unique, inverse, count = np.unique(keys[inside], return_inverse=True, return_counts=True)
        mean_column, mean_row, mean_weight = (np.bincount(inverse, values[inside], len(unique)) / count
                                              for values in (columns, rows, weights))
        return unique, mean_column, mean_row, mean_weight.astype(np.float32)


def sample(grid: FeatureGrid, columns: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Bilinear features (N, C) float32 at (N,) image pixels; beyond the outermost cell centres the nearest cell serves."""
    height, width = grid.values.shape[:2]
    x = np.clip((columns - grid.offset_x) / grid.stride_x, 0, width - 1)
    y = np.clip((rows - grid.offset_y) / grid.stride_y, 0, height - 1)
    x0, y0 = np.minimum(x.astype(int), max(width - 2, 0)), np.minimum(y.astype(int), max(height - 2, 0))
    x1, y1 = np.minimum(x0 + 1, width - 1), np.minimum(y0 + 1, height - 1)
    fx, fy = (x - x0).astype(np.float32)[:, None], (y - y0).astype(np.float32)[:, None]
    values = grid.values.astype(np.float32)
    above = values[y0, x0] * (1 - fx) + values[y0, x1] * fx
    below = values[y1, x0] * (1 - fx) + values[y1, x1] * fx
    return above * (1 - fy) + below * fy


def as_kept(vectors: np.ndarray) -> np.ndarray:
    """Rounded to the float16 in which they are saved, so that a loaded map answers as the one it was saved from."""
    return vectors.astype(np.float16).astype(np.float32)


def overlap(first: Box, second: Box) -> float:
    """Intersection over union of two boxes (x0, y0, x1, y1)."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    both = max(0, width) * max(0, height)
    areas = [(b[2] - b[0]) * (b[3] - b[1]) for b in (first, second)]
    return both / max(1, sum(areas) - both)
