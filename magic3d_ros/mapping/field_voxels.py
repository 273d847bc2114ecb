"""A trained field's surface as voxels: from then on it is looked at, meshed and exported like any measured map."""

from __future__ import annotations

import numpy as np
import torch

from magic3d_ros.config import Settings
from magic3d_ros.mapping.blocks import LOCAL, VOXELS, unpack
from magic3d_ros.mapping.field.neural_field import NeuralField
from magic3d_ros.mapping.tsdf import TSDFVolume

CHUNK = 64  # blocks evaluated at a time: 32768 points


@torch.no_grad()
def distances_into(volume: TSDFVolume, field: NeuralField) -> None:
    """Replace the distances of a volume's observed voxels by the field's; colours and weights stay."""
    local = torch.from_numpy((LOCAL + 0.5) * volume.voxel_size).to(volume.device, torch.float32)
    data, origins = volume.blocks.data, unpack(volume.blocks.keys).to(torch.float32) * volume.block_size
    for part in torch.arange(len(origins), device=volume.device).split(CHUNK):
        slots = volume.blocks.slots[part]
        sdf = field.sdf((origins[part, None] + local).view(-1, 3)).view(-1, VOXELS)
        known = (sdf / volume.truncation).clamp(-1.0, 1.0)
        data["tsdf"][slots] = torch.where(data["weight"][slots] > 0, known, data["tsdf"][slots])
    volume.blocks.changed[volume.blocks.slots] = True


@torch.no_grad()
def voxels_of(field: NeuralField, bounds: np.ndarray, settings: Settings) -> TSDFVolume:
    """A new volume with the field's distances around its surface, within (2, 3) bounds in metres.

    Blocks are chosen by the distance at their centre: those that a surface can reach if slopes are at most 1. Every voxel
    counts as observed map.min_weight times, with the field's colour seen head-on. Raises ValueError when they are more than
    map.max_blocks.
    """
    device = field.width.device
    volume = TSDFVolume(settings.map, settings.input.min_depth, settings.input.max_depth, device)
    size = volume.block_size
    low, high = (torch.from_numpy(np.floor(np.asarray(b) / size).astype(np.int64)) for b in bounds)
    axes = [torch.arange(int(a), int(b) + 1) for a, b in zip(low, high, strict=True)]
    cells = len(axes[0]) * len(axes[1]) * len(axes[2])
    if cells > 64 * volume.blocks.max_blocks:
        raise ValueError(f"the field's box holds {cells} blocks of {size:.2f} m: too many to look through, reduce the bounds")
    coordinates = torch.cartesian_prod(*axes).to(device)
    centers = (coordinates.to(torch.float32) + 0.5) * size
    reach = size * 3**0.5 + volume.truncation
    near = torch.cat([field.sdf(part).abs() < reach for part in centers.split(CHUNK * VOXELS)])
    coordinates = coordinates[near]
    if len(coordinates) > volume.blocks.max_blocks:
        raise ValueError(f"the field's surface takes {len(coordinates)} blocks, map.max_blocks allows {volume.blocks.max_blocks}")
    slots = volume.blocks.allocate(coordinates, 1)
    local = torch.from_numpy((LOCAL + 0.5) * settings.map.voxel_size).to(device, torch.float32)
    data = volume.blocks.data
    for part in torch.arange(len(slots), device=device).split(CHUNK):
        points = (coordinates[part, None].to(torch.float32) * size + local).view(-1, 3)
        sdf = field.sdf(points)
        data["tsdf"][slots[part]] = (sdf / volume.truncation).clamp(-1.0, 1.0).view(-1, VOXELS)
        data["weight"][slots[part]] = max(settings.map.min_weight, 1.0)
        _, gradients = field.sdf_and_gradient(points)
        inward = -torch.nn.functional.normalize(gradients, dim=1)
        color = field.color(points, inward, field.base.colors(points)).clamp(0.0, 1.0) * 255.0
        data["color"][slots[part]] = color.view(-1, VOXELS, 3).transpose(1, 2)
    return volume
