"""Marigold: depth and normals by diffusion, through the diffusers library (Ke et al. 2024; few-step variants: Garcia et al. 2025,
and the LCM checkpoints).

Noise begins from the same seed for every image, so that equal images give equal answers and a video flickers less.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from magic3d_ros.cues.foundation.pretrained import naming_the_cause
from magic3d_ros.cues.placement import Placement
from magic3d_ros.cues.weights import ModelError, check_names, read_config, weight_files
from magic3d_ros.frames import MonocularGeometry, check_image

PIPELINES = ("MarigoldDepthPipeline", "MarigoldNormalsPipeline")
"""what model_index.json may name"""
SEED = 0
NEAREST = 1e-4
"""Marigold's nearest depth is 0, which means unknown to a map: it becomes the ten-thousandth part of the image's range."""
TO_CAMERA = np.array([1.0, -1.0, -1.0], np.float32)
"""Marigold's normals have x right, y up and z to the observer (visualize_normals of diffusers: "Default direction is right",
"top", "facing the observer"); ours x right, y down, z forward."""


class Marigold:
    """A GeometryModel: depth or normals, as the checkpoint has it. kind: of the depth, see MonocularGeometry.

    path: a folder with model_index.json and its parts. ensemble: predictions that are joined; from 2 on their spread is told as
    uncertainty (of depth only, as a share of the image's range of depth where that is all that is known). steps: of
    denoising; 0 takes the checkpoint's own default. Raises ModelError when the folder does not hold a whole checkpoint, or a
    package is missing.
    """

    def __init__(self, path: Path, placement: Placement, ensemble: int = 1, steps: int = 0, name: str = "") -> None:
        kind = pipeline_class(path)
        if kind not in PIPELINES:
            raise ModelError(f"{path} holds a {kind}, depth and normals need one of {', '.join(PIPELINES)}: name another model")
        if ensemble < 1 or steps < 0:
            raise ModelError(f"an ensemble of {ensemble} and {steps} steps cannot be: at least 1, and 0 or more")
        for part in ("unet", "vae", "text_encoder"):
            if not (path / part).is_dir():
                raise ModelError(f"{path} has no folder {part}: copy the whole model there")
            weight_files(path / part)
        self.name = name or path.name
        self.ensemble = ensemble
        self.steps = steps
        self._device = placement.device
        self._pipeline = _loaded(path, kind, placement)
        self._is_depth = kind == PIPELINES[0]
        if not (steps or self._pipeline.default_denoising_steps) or self._pipeline.default_processing_resolution is None:
            raise ModelError(f"{path / 'model_index.json'} lacks default_denoising_steps or default_processing_resolution: "
                             "get the file again")
        self.kind = _kind(self._pipeline) if self._is_depth else "affine"

    @torch.inference_mode()
    def geometry(self, images: Sequence[np.ndarray], focal_lengths: Sequence[float] | None = None) -> list[MonocularGeometry]:
        """(H, W, 3) uint8 images of any sizes -> depth or normals of each, (H, W) and (H, W, 3), whatever the focal lengths.

        Raises FrameError for an image that is not (H, W, 3) uint8.
        """
        for rgb in images:
            check_image(rgb)
        return [self._one(rgb) for rgb in images]

    def _one(self, rgb: np.ndarray) -> MonocularGeometry:
        told = self._is_depth and self.ensemble > 1
        output = self._pipeline(Image.fromarray(rgb), num_inference_steps=self.steps or None, ensemble_size=self.ensemble,
                                batch_size=self.ensemble, output_uncertainty=told,
                                generator=torch.Generator(self._device).manual_seed(SEED))
        prediction = np.asarray(output.prediction[0], np.float32)
        if not self._is_depth:
            return MonocularGeometry(normals=camera_normals(prediction))
        depth = np.maximum(prediction[..., 0], NEAREST)
        uncertainty: np.ndarray | None = None
        if told:
            spread = np.asarray(output.uncertainty[0, ..., 0], np.float32)
            uncertainty = spread / depth if self.kind == "metric" else spread
        return MonocularGeometry(depth, self.kind, uncertainty=uncertainty)


def camera_normals(prediction: np.ndarray) -> np.ndarray:
    """(h, w, 3) normals as Marigold gives them -> unit normals in the camera frame, towards the camera; NaN where there is none.

    A normal that the network turned away from its pixel's ray by more than a right angle is kept: rays are not known here.
    """
    normals = prediction.astype(np.float32) * TO_CAMERA
    length = np.linalg.norm(normals, axis=-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(length > 0.5, normals / length, np.nan).astype(np.float32)


def pipeline_class(path: Path) -> str:
    """What a folder's model_index.json names. Raises ModelError when it cannot be read."""
    return str(read_config(path, "model_index.json").get("_class_name", "unnamed pipeline"))


def _loaded(path: Path, kind: str, placement: Placement) -> Any:
    with naming_the_cause(path):
        import diffusers

        level = diffusers.utils.logging.get_verbosity()
        diffusers.utils.logging.set_verbosity_error()
        try:
            parts = {part: _part(path / part, network) for part, network in (("unet", diffusers.UNet2DConditionModel),
                                                                             ("vae", diffusers.AutoencoderKL))}
            pipeline = getattr(diffusers, kind).from_pretrained(path, local_files_only=True, **parts)
        finally:
            diffusers.utils.logging.set_verbosity(level)
        pipeline.set_progress_bar_config(disable=True)
    for part in ("unet", "vae", "text_encoder"):
        network = placement.put(getattr(pipeline, part))
        setattr(pipeline, part, torch.compile(network) if placement.compile and part == "unet" else network)
    return pipeline


def _part(folder: Path, network: Any) -> Any:
    """A network of the pipeline with all its weights: diffusers itself would fill what is missing with noise."""
    loaded, found = network.from_pretrained(folder, local_files_only=True, low_cpu_mem_usage=False, output_loading_info=True)
    check_names(folder, network.__name__, found["missing_keys"])
    return loaded


def _kind(pipeline: Any) -> str:
    inverse = pipeline.config.prediction_type == "disparity"
    if pipeline.scale_invariant or pipeline.shift_invariant:
        return "affine_inverse" if inverse else "affine"
    return "affine_inverse" if inverse else "metric"
