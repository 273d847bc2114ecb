"""Depth of single views by Depth Anything 3, through the network modules of its authors' package depth-anything-3.

Lin et al. 2025, arXiv 2511.10647; github.com/ByteDance-Seed/Depth-Anything-3. Checked against version 0.1.1 of the package.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from magic3d_ros.cues.foundation.pretrained import naming_the_cause
from magic3d_ros.cues.placement import Placement
from magic3d_ros.cues.weights import ModelError, check_names, read_config, read_weights
from magic3d_ros.frames import FrameError, MonocularGeometry, check_image

KINDS = {"da3-small": "affine", "da3-base": "affine", "da3-large": "affine", "da3-giant": "affine", "da3mono-large": "affine",
         "da3metric-large": "metric"}
"""model_name of config.json -> what its depth is, see MonocularGeometry. Any-view and mono models know depth up to a scale."""
LONGER_SIDE, PATCH = 504, 14
"""Pixels: of the network's input, and what its sides are multiples of (api.py: process_res; input_processor.py: PATCH_SIZE)."""
CANONICAL_FOCAL = 300.0
"""metres = focal length in pixels * output / 300 (README of the package, FAQ "Monocular Metric Depth")."""
SKY = 0.3
"""From this output of the sky head on a pixel is sky (compute_sky_mask in alignment.py of the package)."""
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""ImageNet's, as the package's input_processor.py has them."""
_OTHER_HEADS = ("cam_enc.", "cam_dec.", "gs_head.", "gs_adapter.")
"""Weights of parts that say nothing of a single view's depth: cameras of several views, Gaussians."""
_INSTALL = "pip install --no-deps depth-anything-3==0.1.1; pip install 'magic3d_ros[foundation]'"


def is_depth_anything_3(folder: Path) -> bool:
    """Whether a model folder's config.json is one of this package's. Raises ModelError when it cannot be read."""
    config = read_config(folder)
    return "model_type" not in config and str(config.get("model_name", "")).lower().startswith("da3")


class DepthAnything3:
    """A GeometryModel: depth alone. kind: what it is at best; metres need focal lengths.

    path: a folder with config.json and model.safetensors, as the package's from_pretrained reads it. batch: at most so many
    images of one size at once. name: of the model, the folder's by default. In half precision the transformer runs under autocast
    and the head in float32, as the package runs them. Raises ModelError when the folder holds no whole checkpoint of one of
    KINDS, or the package is not installed.
    """

    def __init__(self, path: Path, placement: Placement, batch: int = 8, name: str = "") -> None:
        variant = _variant(path)
        self.name = name or path.name
        self.batch = batch
        self.kind = KINDS[variant]
        self._placement = placement
        network: Any = replace(placement, dtype=torch.float32).put(_network(path, variant))
        self._backbone: Any = torch.compile(network.backbone) if placement.compile else network.backbone
        self._head: Any = torch.compile(network.head) if placement.compile else network.head

    @torch.inference_mode()
    def geometry(self, images: Sequence[np.ndarray], focal_lengths: Sequence[float] | None = None) -> list[MonocularGeometry]:
        """(H, W, 3) uint8 images of any sizes -> the depth of each, at the network's size (input_size), over the whole image.

        Sky, where the model tells it, is unknown (0): nothing is there to be mapped; the package puts it at its farthest depth.
        focal_lengths: pixels, of each image's camera across (Camera.fx); without them the metric model's depth is only "affine".
        Raises FrameError for an image that is not (H, W, 3) uint8, or is a strip.
        """
        for rgb in images:
            check_image(rgb)
        if focal_lengths is not None and len(focal_lengths) != len(images):
            raise ValueError(f"{len(focal_lengths)} focal lengths for {len(images)} images: one each is needed")
        groups: dict[tuple[int, int], list[int]] = {}
        for index, rgb in enumerate(images):
            groups.setdefault(input_size(*rgb.shape[:2]), []).append(index)
        found: dict[int, MonocularGeometry] = {}
        for members in groups.values():
            for start in range(0, len(members), self.batch):
                chosen = members[start:start + self.batch]
                depths = self._depths(torch.stack([pixel_values(images[index]) for index in chosen]))
                for index, depth in zip(chosen, depths, strict=True):
                    focal = None if focal_lengths is None else focal_lengths[index] * depth.shape[1] / images[index].shape[1]
                    found[index] = self._result(depth, focal)
        return [found[index] for index in range(len(images))]

    def _depths(self, pixels: torch.Tensor) -> np.ndarray:
        """(B, 3, h, w), each a scene of one view -> (B, h, w) float32 depth as the network says it, sky 0."""
        where, dtype = self._placement.device, self._placement.dtype
        with torch.autocast(where.type, dtype if dtype != torch.float32 else None, enabled=dtype != torch.float32):
            features, _ = self._backbone(pixels[:, None].to(where))
        told = self._head([(tokens.float(), None) for tokens, _ in features], *pixels.shape[-2:], patch_start_idx=0)
        depth: torch.Tensor = told["depth"][:, 0]
        if "sky" in told:
            depth = depth.masked_fill(told["sky"][:, 0] >= SKY, 0.0)
        values: np.ndarray = depth.float().cpu().numpy()
        return values

    def _result(self, depth: np.ndarray, focal: float | None) -> MonocularGeometry:
        """focal: pixels of the network's input."""
        if self.kind != "metric" or focal is None:
            return MonocularGeometry(depth, "affine")
        return MonocularGeometry(depth * np.float32(focal / CANONICAL_FOCAL), "metric")


def input_size(height: int, width: int) -> tuple[int, int]:
    """Height and width of the network's input for an image. Raises FrameError for an image too elongated to be seen."""
    rows, columns = (_nearest_multiple(side) for side in _bounded(height, width))
    if min(rows, columns) < PATCH:
        raise FrameError("image", f"an image of {width}x{height} is too elongated for Depth Anything 3, which makes its longer "
                         f"side {LONGER_SIDE} pixels: cut it into pieces")
    return rows, columns


def pixel_values(rgb: np.ndarray) -> torch.Tensor:
    """(H, W, 3) uint8 -> (3, h, w) float32 on the CPU: the values of the package's input processor ("upper_bound_resize").

    Like there: first to the longer side, then to multiples of the patch, each time as bytes by OpenCV.
    """
    bounded = _bounded(*rgb.shape[:2])
    rgb = _resized(rgb, *bounded, enlarged=max(rgb.shape[:2]) < LONGER_SIDE)
    rows, columns = input_size(*bounded)
    rgb = _resized(rgb, rows, columns, enlarged=rows > bounded[0] or columns > bounded[1])
    mean, deviation = (torch.tensor(values)[:, None, None] for values in (_MEAN, _DEVIATION))
    return (torch.from_numpy(np.array(rgb.transpose(2, 0, 1), np.float32)) / 255 - mean) / deviation


def _bounded(height: int, width: int) -> tuple[int, int]:
    scale = LONGER_SIDE / max(height, width)
    return max(1, round(height * scale)), max(1, round(width * scale))


def _nearest_multiple(side: int) -> int:
    """The half is rounded up, as the package does."""
    return (side + PATCH // 2) // PATCH * PATCH


def _resized(rgb: np.ndarray, height: int, width: int, enlarged: bool) -> np.ndarray:
    if rgb.shape[:2] == (height, width):
        return rgb
    return cv2.resize(rgb, (width, height), interpolation=cv2.INTER_CUBIC if enlarged else cv2.INTER_AREA)


def _variant(path: Path) -> str:
    variant = str(read_config(path).get("model_name", "")).lower()
    if "nested" in variant:
        raise ModelError(f"{path} is a nested Depth Anything 3, two networks for several views of a scene: for metres of single "
                         "views take depth-anything/DA3METRIC-LARGE")
    if variant not in KINDS:
        raise ModelError(f"{path} holds a Depth Anything 3 called '{variant}', known are {', '.join(KINDS)}: name another model")
    return variant


def _network(path: Path, variant: str) -> torch.nn.Module:
    """Transformer and depth head of a checkpoint, all weights matched. The architecture is the package's own for this name; what
    else config.json says is not followed, because the package's configurations can name any Python object to call."""
    weights = {name.removeprefix("model."): value for name, value in read_weights(path).items()}
    weights = {name: value for name, value in weights.items() if not name.startswith(_OTHER_HEADS)}
    try:
        from depth_anything_3.cfg import load_config
        from depth_anything_3.model.da3 import DepthAnything3Net
        from depth_anything_3.registry import MODEL_REGISTRY
        from depth_anything_3.utils.logger import LOG_LEVELS, logger
    except ImportError as error:
        raise ModelError(f"{path} needs the package depth-anything-3 ({error}): {_INSTALL}") from error
    logger.level = LOG_LEVELS["WARN"]  # below, it prints every layer it makes
    with naming_the_cause(path):
        config = load_config(MODEL_REGISTRY[variant])
        network: torch.nn.Module = DepthAnything3Net(config.net, config.head)
    expected = network.state_dict()
    # A module that serves in several places (the norm of the ray head's levels) has several names here, one in a safetensors
    # file.
    given = {expected[name].data_ptr() for name in expected.keys() & weights.keys()}
    missing = [name for name in expected.keys() - weights.keys() if expected[name].data_ptr() not in given]
    mismatched = [name for name in expected.keys() & weights.keys() if expected[name].shape != weights[name].shape]
    check_names(path, variant, missing, weights.keys() - expected.keys(), mismatched)
    network.load_state_dict(weights, strict=False)
    return network
