"""Keyframes as training of signed distances wants them: small images on the device, read in real patches."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch

from magic3d_ros.mapping.keyframe import Keyframe, reduced

WIDTH = 320  # pixels, at most: cues are smooth, and 100 keyframes take 150 MB
PATCH = 16  # pixels each way, as real patches; MonoSDF's gradient term means 32 x 32
STRIDE = 3  # pixels between a patch's neighbours: a patch spans 48 of 320 columns, enough for a scale and a shift


@dataclass(frozen=True)
class RayPatches:
    """Rays of b images, p patches each, of PATCH x PATCH pixels; n = b p PATCH^2 rays in that order.

    origins, directions: (n, 3) in the world, directions of unit length. slant: (n,) z-depth per metre of ray. rotations:
    (n, 3, 3) camera to world. colors (n, 3) 0..1. trust (n,) 0..1. depth, metric: (n,) z-depth in metres, of the sensor and of
    the aligned cue; cue: (n,) the network's depth in units of its deviation; 0 = unknown in all three. normals: (n, 3) in the
    camera frame, 0 = unknown. images: b.
    """

    origins: torch.Tensor
    directions: torch.Tensor
    slant: torch.Tensor
    rotations: torch.Tensor
    colors: torch.Tensor
    trust: torch.Tensor
    depth: torch.Tensor
    metric: torch.Tensor
    cue: torch.Tensor
    normals: torch.Tensor
    images: int

    def patches(self, values: torch.Tensor) -> torch.Tensor:
        """(n,) -> (b, p, PATCH, PATCH)."""
        return values.view(self.images, -1, PATCH, PATCH)


class TrainingView:
    """One keyframe. metric: (h, w) metres of its aligned cue, or None. Everything about a pixel is one row of a table."""

    def __init__(self, keyframe: Keyframe, metric: np.ndarray | None, device: torch.device) -> None:
        frame, trust = reduced(keyframe.frame(), WIDTH, keyframe.trust)
        camera = frame.camera
        self.height, self.width = camera.height, camera.width
        cue, normals = keyframe.monocular_depth, keyframe.monocular_normals
        pixels = np.zeros((camera.height, camera.width, 10), np.float32)
        pixels[..., :3] = frame.rgb / 255.0
        pixels[..., 3] = 1.0 if trust is None else trust / 255.0
        pixels[..., 4] = frame.depth
        if metric is not None:
            pixels[..., 5] = _sampled(metric, keyframe, frame.depth.shape)
        if cue is not None:
            values = _sampled(cue.astype(np.float32), keyframe, frame.depth.shape)
            pixels[..., 6] = values / max(float(np.std(values[values > 0])), 1e-6) if (values > 0).any() else 0.0
        if normals is not None:
            pixels[..., 7:] = np.nan_to_num(_sampled(normals, keyframe, frame.depth.shape))
        self._pixels = torch.from_numpy(pixels).to(device)
        self._rays = torch.from_numpy(camera.rays()).to(device)
        self._rotation = torch.from_numpy(np.asarray(frame.camera_to_world[:3, :3], np.float32)).to(device)
        self._origin = torch.from_numpy(np.asarray(frame.camera_to_world[:3, 3], np.float32)).to(device)

    def draw(self, patches: int, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Pixels (p PATCH^2, 10), rays (p PATCH^2, 3) with z = 1 in the camera, rotation (3, 3), origin (3,)."""
        stride = max(1, min(STRIDE, self.height // PATCH, self.width // PATCH))
        steps = torch.arange(PATCH) * stride
        rows, columns = (torch.randint(max(size - (PATCH - 1) * stride, 1), (patches, 1), generator=generator) + steps
                         for size in (self.height, self.width))
        at = (rows.clamp_max(self.height - 1)[:, :, None] * self.width + columns.clamp_max(self.width - 1)[:, None]).view(-1)
        at = at.to(self._pixels.device)
        return (self._pixels.view(-1, 10).index_select(0, at), self._rays.view(-1, 3).index_select(0, at), self._rotation,
                self._origin)


def draw_patches(views: list[TrainingView], images: int, patches: int, generator: torch.Generator) -> RayPatches:
    """Random patches of `images` random views (each at most once, so fewer where there are fewer)."""
    chosen = torch.randperm(len(views), generator=generator)[:images].tolist()
    parts = [views[i].draw(patches, generator) for i in chosen]
    pixels, rays = torch.cat([p[0] for p in parts]), torch.cat([p[1] for p in parts])
    count = len(parts[0][0])
    rotations = torch.cat([p[2][None].expand(count, 3, 3) for p in parts])
    origins = torch.cat([p[3][None].expand(count, 3) for p in parts])
    lengths = rays.norm(dim=1)
    directions = (rotations @ (rays / lengths[:, None])[..., None])[..., 0]
    return RayPatches(origins, directions, 1.0 / lengths, rotations, pixels[:, :3], pixels[:, 3], pixels[:, 4], pixels[:, 5],
                      pixels[:, 6], pixels[:, 7:], len(parts))


def _sampled(image: np.ndarray, keyframe: Keyframe, shape: tuple[int, ...]) -> np.ndarray:
    """A cue of any size at the pixels that `reduced` keeps."""
    camera = keyframe.camera
    full = cv2.resize(image, (camera.width, camera.height), interpolation=cv2.INTER_NEAREST)
    step = -(-camera.width // WIDTH)
    return full[::step, ::step][:shape[0], :shape[1]]
