"""The compact monocular predictor: depth, normals and confidence from one image, by a network trained on rendered rooms.

`magic3d train predictor` makes its weights; docs/predictor.md says what they are worth and where they are not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import repeat
from pathlib import Path

import cv2
import numpy as np
import torch
from safetensors import SafetensorError, safe_open

from magic3d_ros.cues.embedded.compact_network import CANONICAL_FOCAL, STRIDE, CompactNetwork
from magic3d_ros.cues.foundation.images import check_image
from magic3d_ros.cues.placement import Placement
from magic3d_ros.cues.weights import ModelError
from magic3d_ros.frames import MonocularGeometry

FORMAT = "magic3d compact predictor 1"
"""In the metadata of a weights file."""

AREA = 224 * 160
"""Pixels that the network looks at: those of its training pictures."""

AREA_WEIGHT = 0.25
"""How much a size of another area is avoided, beside one of another shape: 640x480 becomes 224x160, not 256x192."""

LONGEST = 16
"""Cells of the longer side at most, so that a strip of an image cannot ask for gigabytes."""

_OTHERS = "`magic3d train predictor` makes them; of any other model name the folder with config.json or model_index.json"


class CompactPredictor:
    """The embedded tier's GeometryModel (cues/protocols.py).

    path: a weights file. batch: images at once at most. Raises ModelError for a file that does not hold these weights.
    """

    def __init__(self, path: Path, placement: Placement, *, batch: int = 8, name: str = "compact-predictor") -> None:
        self.name = name
        self._batch = batch
        self._placement = placement
        self._network = placement.put(_loaded(path)).to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @torch.inference_mode()
    def geometry(self, images: Sequence[np.ndarray], focal_lengths: Sequence[float] | None = None) -> list[MonocularGeometry]:
        """(H, W, 3) uint8 each -> maps about 112 x 80, spread evenly over the image.

        focal_lengths: in pixels of each image. With them the depth is the best guess in metres; without them that of a camera of
        CANONICAL_FOCAL, because a wide camera nearby sees what a long one sees from afar. Its kind is "affine" either way: in
        real rooms its metres were worse than a constant picture's (docs/predictor.md). Raises FrameError for other arrays.
        """
        for image in images:
            check_image(image)
        sizes = [network_size(*image.shape[:2]) for image in images]
        found: dict[int, MonocularGeometry] = {}
        for size in dict.fromkeys(sizes):
            rows = [row for row, own in enumerate(sizes) if own == size]
            for start in range(0, len(rows), self._batch):
                part = rows[start:start + self._batch]
                found |= zip(part, self._predicted([images[row] for row in part], size), strict=True)
        if focal_lengths is None:
            return [found[row] for row in range(len(images))]
        return [_scaled(found[row], images[row], sizes[row], focal) for row, focal in enumerate(focal_lengths)]

    def _predicted(self, images: Sequence[np.ndarray], size: tuple[int, int]) -> list[MonocularGeometry]:
        resized = np.stack([cv2.resize(image, size[::-1], interpolation=cv2.INTER_AREA) for image in images])
        x = (torch.from_numpy(resized).to(self._placement.device).permute(0, 3, 1, 2).float() - 127.0) / 128.0
        prediction = self._network(x.to(self._placement.dtype))
        canonical = torch.exp(prediction.log_depth.float()).cpu().numpy()
        deviation = math.sqrt(2) * torch.exp(prediction.log_scale.float())  # that of a Laplace distribution
        uncertainty = deviation.cpu().numpy()
        normals = prediction.normals.float().permute(0, 2, 3, 1).contiguous().cpu().numpy()
        return [MonocularGeometry(*maps) for maps in zip(canonical, repeat("affine"), normals, uncertainty)]


def _scaled(found: MonocularGeometry, image: np.ndarray, size: tuple[int, int], focal: float) -> MonocularGeometry:
    """The image may be stretched a little to the network's size: the focal length there is the mean of both directions."""
    assert found.depth is not None
    stretch = math.sqrt(size[0] * size[1] / (image.shape[0] * image.shape[1]))
    return replace(found, depth=found.depth * np.float32(focal * stretch / CANONICAL_FOCAL))


def network_size(height: int, width: int) -> tuple[int, int]:
    """(height, width) that the network looks at: multiples of 32 nearest to the image's shape and to the trained area."""
    shape = math.log(width / height)

    def apart(cells: tuple[int, int]) -> float:
        area = cells[0] * cells[1] * STRIDE**2
        return abs(math.log(cells[1] / cells[0]) - shape) + AREA_WEIGHT * abs(math.log(area / AREA))

    rows, columns = min(((rows, columns) for rows in range(1, LONGEST + 1) for columns in range(1, LONGEST + 1)), key=apart)
    return rows * STRIDE, columns * STRIDE


def _loaded(path: Path) -> CompactNetwork:
    if not path.is_file():
        raise ModelError(f"the compact predictor's weights {path} are not there: `magic3d train predictor --out DIR` makes them")
    try:
        with safe_open(path, framework="pt") as stored:
            note = stored.metadata() or {}
            if note.get("format") != FORMAT:
                raise ModelError(f"{path} holds other weights than the compact predictor's (format {note.get('format')!r}, not "
                                 f"'{FORMAT}'): {_OTHERS}")
            tensors = {name: stored.get_tensor(name).float() for name in stored.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{path} is no whole safetensors file ({error}): copy or train it again; {_OTHERS}") from error
    if note.get("canonical_focal") != str(CANONICAL_FOCAL):
        raise ModelError(f"{path} was trained for a canonical focal length of {note.get('canonical_focal')}, not "
                         f"{CANONICAL_FOCAL}: train it again")
    network = CompactNetwork(pretrained=False)
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        differs = " ".join(str(error).split())[:200]
        raise ModelError(f"{path} does not fit the compact predictor ({differs}): train it again") from error
    return network
