"""Batches of training pictures, cropped, enlarged, mirrored and recoloured at random."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional

from magic3d_ros.training.pictures import TRUTH_STRIDE, Pictures

CROPS = ((160, 224), (128, 224), (160, 192), (128, 192))
"""(height, width) of a batch, one at random: shapes from 1.2 to 1.75, as cameras have them."""

LARGEST_ZOOM = 1.3
MIRRORED, GREY = 0.5, 0.08


class Batch(NamedTuple):
    """image: (N, 3, H, W) float32 as the network wants it. depth: (N, h, w) metres. normals: (N, 3, h, w). focal: (N,) pixels."""

    image: torch.Tensor
    depth: torch.Tensor
    normals: torch.Tensor
    focal: torch.Tensor


def whole_batch(pictures: Pictures, rows: np.ndarray) -> Batch:
    """Pictures as they are."""
    image = torch.from_numpy(pictures.rgb[rows]).permute(0, 3, 1, 2).float()
    normals = torch.from_numpy(pictures.normals[rows]).permute(0, 3, 1, 2).float()
    return Batch((image - 127.0) / 128.0, torch.from_numpy(pictures.depth[rows].astype(np.float32) / 1000),
                 functional.normalize(normals, dim=1), torch.from_numpy(pictures.focal[rows]))


def random_batch(pictures: Pictures, size: int, random: np.random.Generator) -> Batch:
    """`size` pictures with one crop and zoom, and colours of their own. Same generator, same batch."""
    batch = whole_batch(pictures, random.choice(len(pictures), size, replace=len(pictures) < size))
    height, width = CROPS[int(random.integers(len(CROPS)))]
    batch = _cropped(batch, height, width, float(random.uniform(1.0, LARGEST_ZOOM)), random)
    if random.random() < MIRRORED:
        sign = torch.tensor([-1.0, 1.0, 1.0])[:, None, None]
        batch = Batch(batch.image.flip(3), batch.depth.flip(2), batch.normals.flip(3) * sign, batch.focal)
    return batch._replace(image=_recoloured(batch.image, random))


def _cropped(batch: Batch, height: int, width: int, zoom: float, random: np.random.Generator) -> Batch:
    """A part of every picture, enlarged to height x width; a picture enlarged z times has z times the focal length."""
    low, across = (round(side / zoom / TRUTH_STRIDE) for side in (height, width))
    full_low, full_across = batch.depth.shape[1:]
    top, left = int(random.integers(full_low - low + 1)), int(random.integers(full_across - across + 1))
    rows, columns = slice(top, top + low), slice(left, left + across)
    image = batch.image[:, :, TRUTH_STRIDE * top:TRUTH_STRIDE * (top + low), TRUTH_STRIDE * left:TRUTH_STRIDE * (left + across)]
    small = (height // TRUTH_STRIDE, width // TRUTH_STRIDE)
    scale = float(np.sqrt(height * width / (low * across)) / TRUTH_STRIDE)
    return Batch(
        functional.interpolate(image, size=(height, width), mode="bilinear", align_corners=False),
        functional.interpolate(batch.depth[:, None, rows, columns], size=small, mode="nearest-exact")[:, 0],
        functional.interpolate(batch.normals[:, :, rows, columns], size=small, mode="nearest-exact"), batch.focal * scale)


def _recoloured(image: torch.Tensor, random: np.random.Generator) -> torch.Tensor:
    """Gamma, white balance, saturation, brightness and grain of another camera, a picture each."""
    count = len(image)

    def drawn(low: float, high: float, channels: int = 1) -> torch.Tensor:
        return torch.from_numpy(random.uniform(low, high, (count, channels, 1, 1)).astype(np.float32))

    x = ((image * 128.0 + 127.0) / 255.0).clamp(1e-4, 1.0) ** drawn(0.7, 1.45)
    x = x * drawn(0.88, 1.14, 3)
    grey = x.mean(1, keepdim=True)
    saturation = drawn(0.3, 1.6) * torch.from_numpy((random.random((count, 1, 1, 1)) > GREY).astype(np.float32))
    x = grey + (x - grey) * saturation
    middle = x.mean((1, 2, 3), keepdim=True)
    x = middle + (x - middle) * drawn(0.7, 1.3) + drawn(-0.1, 0.1)
    grain = torch.from_numpy(random.standard_normal(x.shape, np.float32))
    return ((x + grain * drawn(0.0, 0.03)).clamp(0.0, 1.0) * 255.0 - 127.0) / 128.0
