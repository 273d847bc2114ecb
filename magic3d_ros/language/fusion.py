"""What was seen becomes what is known: dense language features fused by voxel, and crops of things encoded once each."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager

import numpy as np

from magic3d_ros.config import LanguageSettings, QuerySettings
from magic3d_ros.cues.protocols import LanguageModel
from magic3d_ros.frames import CueFrame, RGBDFrame
from magic3d_ros.language.concepts.knowledge import Knowledge
from magic3d_ros.language.dense_view import DenseView
from magic3d_ros.language.distillation_scene import DistillationScene
from magic3d_ros.language.ensemble import Prediction
from magic3d_ros.language.snapshot import LanguageSnapshot
from magic3d_ros.language.space import space_of
from magic3d_ros.language.voxel_features import VoxelFeatures
from magic3d_ros.mapping.surface import Surface

Box = tuple[int, int, int, int]
Crops = Mapping[int, Sequence[tuple[int, Box, Callable[[], "np.ndarray | None"]]]]

_MAX_VIEWS = 5
"""Views encoded of each thing (measured beforehand: more than five add nothing)."""
_SAME_BOX = 0.7
"""Overlap (intersection over union) with the box that was encoded, below which a view is encoded anew: the thing has grown."""
_BACKGROUND_EVERY = 8
_MAX_BACKGROUND = 64
"""Background embeddings: four crops of every eighth keyframe; the mean is steady at a few dozen."""
_REMEMBERED = 400
"""Keyframes whose share of the voxels can be moved or taken out, as many as keyframes.max_count remembers; 0.1 MB each."""
_log = logging.getLogger(__name__)


class LanguageMap:
    """The part of the scene that knows meaning. Worked by one thread; `snapshot` is for any."""

    def __init__(self, settings: LanguageSettings, query: QuerySettings, model: LanguageModel) -> None:
        self._query = query
        self._model = model
        self._dimension = settings.feature_dimension
        self._voxels = VoxelFeatures(settings.voxel_size, settings.feature_dimension)
        self._dense: dict[int, DenseView] = {}  # what is in the voxels, by stamp
        self._settled = VoxelFeatures(settings.voxel_size, settings.feature_dimension)  # in them too, of none of those keyframes
        self.prediction: Prediction | None = None
        """What geometry says of the voxels (distillation.py); where the world moves it no longer holds."""
        self._views: dict[int, dict[int, tuple[Box, np.ndarray]]] = {}
        self._background = np.zeros((0, model.dimension), np.float32)
        self._observed = 0
        self._knowledge = Knowledge.of(model, settings)

    def observe(self, frame: RGBDFrame, cues: CueFrame, trust: np.ndarray | None = None) -> None:
        """Fuse a keyframe's dense language features into the voxels that it sees.

        trust: (H, W) float 0..1 that a pixel stands still, None = 1. A keyframe that was fused before is fused anew. A keyframe
        whose features are not finite is named in the log and left out. Raises ValueError for features of another width.
        """
        if self._observed % _BACKGROUND_EVERY == 0:
            self._remember_background(frame.rgb)
        self._observed += 1
        if cues.language is None:
            return
        if cues.language.values.shape[2] != self._dimension:
            raise ValueError(f"language features have {cues.language.values.shape[2]} dimensions, language.feature_dimension is "
                             f"{self._dimension}: extractor and mapper must run with the same settings")
        if not np.isfinite(cues.language.values).all():
            _log.warning("the language features of keyframe %d hold NaN or infinity: it adds nothing to the language voxels "
                         "(float16 overflows in some models: set cues.precision to float32)", frame.stamp)
            return
        self.forget(frame.stamp)
        view = DenseView.of(frame, cues.language, self._voxels.voxel_size, cues.normals, trust)
        self._dense[frame.stamp] = view
        add(self._voxels, view)
        if len(self._dense) > _REMEMBERED:
            add(self._settled, self._dense.pop(min(self._dense)))

    def distrust(self, stamp: int, distrusted: np.ndarray) -> None:
        """Take out of the voxels what a keyframe saw where (H, W) bool is True: it moved, as later frames have shown."""
        view = self._dense.get(stamp)
        if view is None:
            return
        less = view.without(distrusted)
        if (less.weights != view.weights).any():
            self._voxels.remove(*view.samples(self._voxels))
            self._dense[stamp] = less
            add(self._voxels, less)

    def forget(self, stamp: int) -> None:
        """Take out of the voxels all that a keyframe saw, as far as it is remembered."""
        view = self._dense.pop(stamp, None)
        if view is not None:
            self._voxels.remove(*view.samples(self._voxels))

    def moving(self, moved: Callable[[np.ndarray, np.ndarray], np.ndarray], lock: AbstractContextManager[object]
               ) -> Callable[[], None]:
        """Prepare to move with the world; what is returned makes it so, in a moment, and is to be called under the lock.

        moved: takes (n, 3) points and the (n,) stamps of the keyframes that saw them, gives where they are now. What remembered
        keyframes saw is fused again from where they are then, the rest moves by its voxels. lock: guards `observe`, held here for
        a moment.
        """
        with lock:
            before, settled = dict(self._dense), self._settled.copy()
        after = settled = settled.moved(moved)
        after = after.copy()
        views = {stamp: view.moved(moved) for stamp, view in before.items()}
        for view in views.values():
            add(after, view)

        def finish() -> None:
            # What changed since the copy, of few keyframes: seen, distrusted, or settled (that has moved as it was).
            for stamp, view in self._dense.items():
                if before.get(stamp) is not view:
                    if stamp in views:
                        after.remove(*views[stamp].samples(after))
                    views[stamp] = view.moved(moved)
                    add(after, views[stamp])
            for stamp in [s for s in views if s not in self._dense]:
                add(settled, views.pop(stamp))
            self._voxels, self._settled, self._dense, self.prediction = after, settled, views, None

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

    def distillation_scene(self, surface: Surface, up: np.ndarray) -> tuple[DistillationScene, np.ndarray]:
        """What there is to learn of this scene, and the voxel keys (V,) of its rows. up: (3,) world direction."""
        keys, features, weights = self._voxels.arrays()
        targets = space_of(self._model).voxels(features.astype(np.float32))
        return DistillationScene.of(surface, up, VoxelFeatures(self._voxels.voxel_size, 1), targets, weights, keys)

    def snapshot(self) -> LanguageSnapshot:
        """What is known now, for questions; later mapping does not change it."""
        keys, features, weights = self._voxels.arrays()
        described = {i: np.stack([vector for _, vector in views.values()]) for i, views in self._views.items() if views}
        return LanguageSnapshot.build(self._model, self._query, self._voxels.voxel_size, keys, features, described,
                                      self._background, self._knowledge, weights, self.prediction)

    def state(self) -> dict[str, np.ndarray]:
        """Everything learned, as arrays."""
        flat = [(i, stamp, box, vector) for i, views in self._views.items() for stamp, (box, vector) in views.items()]
        known = self.prediction
        predicted = {} if known is None else {"predicted.keys": known.keys, "predicted.features": known.features,
                                              "predicted.everywhere": np.array([known.everywhere], np.uint8)}
        return {
            **{f"voxels.{name}": value for name, value in self._voxels.state().items()}, **predicted,
            "directions": self._directions(),
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
        known = np.asarray(state.get("directions", np.zeros(0)), np.float32)
        now = self._directions()
        if len(voxels["keys"]) and (known.shape != now.shape or not np.allclose(known, now, atol=1e-2)):
            raise ValueError("the map's language voxels keep other directions of the features than this version of "
                             f"{self._model.name}: map the recording again")
        if vectors.shape != (len(ids), self._model.dimension) or len(stamps) != len(ids) or boxes.shape != (len(ids), 4):
            raise ValueError(f"views of things have {vectors.shape} vectors, the language model {self._model.name} makes "
                             f"{self._model.dimension} dimensions")
        if background.shape[1:] != (self._model.dimension,):
            raise ValueError(f"background vectors are {background.shape}, not (N, {self._model.dimension})")
        self._voxels.load_state(voxels)
        self._settled, self._dense = self._voxels.copy(), {}
        self.prediction = None if "predicted.keys" not in state else Prediction(
            np.asarray(state["predicted.keys"], np.int64), np.asarray(state["predicted.features"], np.float16),
            bool(np.ravel(state["predicted.everywhere"])[0]))
        self._background, self._observed = background, observed
        self._views = {}
        for i, stamp, box, vector in zip(ids.tolist(), stamps.tolist(), boxes.tolist(), vectors.astype(np.float32), strict=True):
            self._views.setdefault(i, {})[stamp] = (tuple(box), vector)

    def _directions(self) -> np.ndarray:
        """(C,) what the model's compression makes of one vector: other in another version of it."""
        return self._model.compress(np.full((1, self._model.dimension), self._model.dimension**-0.5, np.float32))[0]

    def _remember_background(self, rgb: np.ndarray) -> None:
        """Keep up to _MAX_BACKGROUND vectors; when there are more, every other is dropped."""
        self._background = np.concatenate([self._background, as_kept(self._model.background(rgb))])
        if len(self._background) > _MAX_BACKGROUND:
            self._background = self._background[::2]


def add(layer: VoxelFeatures, view: DenseView) -> None:
    """Fuse what a keyframe saw."""
    keys, features, weights = view.samples(layer)
    if len(keys):
        layer.add(keys, features, weights, view.stamp)


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
