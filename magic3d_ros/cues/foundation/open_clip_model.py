"""CLIP through the open_clip library: every architecture that it builds, from a local checkpoint.

Radford et al. 2021; Cherti et al. 2023 (open_clip, LAION). Dense features: see open_clip_towers.py.
"""

from __future__ import annotations

import difflib
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from magic3d_ros.config import CueSettings
from magic3d_ros.cues.foundation.contrastive import ContrastiveModel, check_dense
from magic3d_ros.cues.foundation.images import Preprocessing, without_far_ends
from magic3d_ros.cues.foundation.open_clip_checkpoint import CONFIG, WEIGHTS, load_checkpoint
from magic3d_ros.cues.foundation.open_clip_text import Find
from magic3d_ros.cues.foundation.open_clip_towers import tower_of
from magic3d_ros.cues.foundation.pretrained import naming_the_cause
from magic3d_ros.cues.placement import Placement
from magic3d_ros.cues.weights import ModelError, find_model

_WINDOWS_ACROSS = 2
"""Cells that a window is wide where no cell means anything alone: neighbours overlap by half."""
_log = logging.getLogger(__name__)


def _nowhere(name: str) -> Path:
    raise ModelError("no other folder was named to look in")


class OpenClip(ContrastiveModel):
    """path: a folder with open_clip_config.json and open_clip_model.safetensors or open_clip_pytorch_model.bin, as on the hub; or
    a checkpoint file, when `architecture` names one that the library knows ("ViT-B-16"), with ":TAG" for a published one.
    dense: naclip or maskclip. find: where the small files of another model lie that this one's texts need (open_clip_text.py).

    Raises ModelError for what is no whole checkpoint of such a model.
    """

    def __init__(self, path: Path, placement: Placement, *, architecture: str = "", dense: str = "naclip",
                 feature_dimension: int = 64, max_width: int = 640, batch: int = 4, name: str = "",
                 cache: Path | None = None, find: Find = _nowhere) -> None:
        self._dense = check_dense(dense)
        with naming_the_cause(path):
            from open_clip.transform import PreprocessCfg, image_transform_v2

            checkpoint = load_checkpoint(path, architecture, find)
            self._network, self._tokenizer = checkpoint.network, checkpoint.tokenizer
            self._official = image_transform_v2(PreprocessCfg(**checkpoint.preprocessing), is_train=False)
            self.tower = tower_of(self._network.visual)
        values = checkpoint.preprocessing
        resample = Image.Resampling.BILINEAR if values["interpolation"] == "bilinear" else Image.Resampling.BICUBIC
        self._pixels = Preprocessing(tuple(values["mean"]), tuple(values["std"]), 1 / 255, int(resample), "pil")
        self._placement = placement
        size = values["size"]
        image_size = int(size if isinstance(size, int) else min(size))
        if self.tower is None:
            _log.warning("%s has an image tower (%s) whose cells mean nothing alone: its dense features are those of overlapping "
                         "windows, coarse and slow; pictures of things are as good as any model's", name or path.name,
                         type(getattr(self._network.visual, "trunk", self._network.visual)).__name__)
        Placement(placement.device).put(self._network)
        super().__init__(self._network, placement, name=name or path.name, logit_scale=float(self._network.logit_scale.exp()),
                         patch_size=self.tower.patch_size if self.tower else image_size // _WINDOWS_ACROSS,
                         image_size=image_size, feature_dimension=feature_dimension, max_width=max_width, batch=batch,
                         cache=cache)
        if placement.compile and self.tower:
            for block in self.tower.blocks:
                block.compile()

    def _text_vectors(self, texts: Sequence[str]) -> torch.Tensor:
        return self._network.encode_text(self._tokenizer(list(texts)).to(self._placement.device))

    def _crop_vectors(self, crops: Sequence[np.ndarray]) -> torch.Tensor:
        return self._network.encode_image(self._on_device(torch.stack([self.crop_pixels(crop) for crop in crops])))

    def crop_pixels(self, crop: np.ndarray) -> torch.Tensor:
        """(H, W, 3) uint8 -> (3, size, size) float32 by open_clip's own transform."""
        return self._official(Image.fromarray(without_far_ends(crop)))

    def _patch_vectors(self, images: Sequence[np.ndarray], rows: int, columns: int) -> torch.Tensor:
        if self.tower is None:
            return torch.stack([self._window_vectors(rgb, rows, columns) for rgb in images])
        size = (rows * self.patch_size, columns * self.patch_size)
        pixels = self._on_device(torch.stack([self._pixels.pixel_values(rgb, *size) for rgb in images]))
        return self.tower.cells(self.tower.tokens(pixels, self._dense))

    def _window_vectors(self, rgb: np.ndarray, rows: int, columns: int) -> torch.Tensor:
        """(rows * columns, dimension): what the whole model says of a window around each cell, cut where the image ends."""
        height, width = rgb.shape[:2]
        down, across = height / rows, width / columns
        reach = _WINDOWS_ACROSS / 2
        windows = [rgb[max(0, round((row + 0.5 - reach) * down)):max(1, round((row + 0.5 + reach) * down)),
                       max(0, round((column + 0.5 - reach) * across)):max(1, round((column + 0.5 + reach) * across))]
                   for row in range(rows) for column in range(columns)]
        return torch.cat([self._crop_vectors(windows[start:start + self._crops_at_once])
                          for start in range(0, len(windows), self._crops_at_once)])

    def _on_device(self, pixels: torch.Tensor) -> torch.Tensor:
        return pixels.to(self._placement.device, self._placement.dtype)


def find_open_clip(model: str, cues: CueSettings) -> tuple[Path, str]:
    """Where a model is, and its architecture ("" where its folder says it), from one of: a folder, a hub name, "ARCHITECTURE:TAG"
    with a tag of open_clip ("ViT-B-16:laion2b_s34b_b88k"), "ARCHITECTURE:FILE" with a checkpoint.

    Raises ModelError when it is not on this machine and may not be fetched (weights.find_model), or has no such architecture.
    """
    architecture, colon, rest = model.partition(":")
    if not colon or Path(model).expanduser().exists():
        return find_model(model, cues), ""
    with naming_the_cause(Path(model)):
        import open_clip

        known = open_clip.list_models()
    if architecture not in known:
        near = difflib.get_close_matches(architecture, known, 1)
        raise ModelError(f"open_clip knows no architecture '{architecture}'" + (f": did you mean '{near[0]}'?" if near else ""))
    hub, file = published_at(model)
    if not hub:
        return find_model(rest, cues), architecture
    folder = find_model(hub, cues)
    if file or not (folder / CONFIG).is_file():
        for name in (str(Path(file).with_suffix(".safetensors")), file) if file else WEIGHTS:
            if (folder / name).is_file():
                return folder / name, model
    return folder, ""


def published_at(model: str) -> tuple[str, str]:
    """The hub name and the file there ("" = the usual one) of "ARCHITECTURE:TAG"; empty for what is none."""
    architecture, _, tag = model.partition(":")
    with naming_the_cause(Path(model)):
        import open_clip

        place: str = open_clip.get_pretrained_cfg(architecture, tag).get("hf_hub", "")
    owner, _, rest = place.partition("/")
    name, _, file = rest.partition("/")
    return (f"{owner}/{name}", file) if name else ("", "")
