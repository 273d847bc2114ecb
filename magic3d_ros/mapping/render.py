"""What the voxel map looks like from any pose: depth, colour and normals, straight from the voxels.

The crossings of the map (one point with a normal about every voxel) are splatted as small planes into a depth buffer: that says
for each pixel where along its ray to look. There the signed distance is evaluated by trilinear interpolation before and behind, and
the crossing is found between them. A pixel whose nearest plane is not confirmed by a crossing tries the next plane behind it; what
is never confirmed stays empty. Surfaces are seen from their front only.
"""

from __future__ import annotations

import numpy as np
import torch

from magic3d_ros.geometry.camera import Camera
from magic3d_ros.mapping.blocks import SIDE
from magic3d_ros.mapping.sampling import TrilinearSampler
from magic3d_ros.mapping.surface import View
from magic3d_ros.mapping.tsdf import TSDFVolume

RADIUS = 0.75  # voxels: crossings lie at most a voxel apart along both axes, so discs of 0.71 leave no gap
REACH = 1.0  # voxels before and behind a splatted plane within which the crossing is looked for
LAYERS = 4  # planes along a ray that are tried
NEAR = 0.05  # metres: nearer than this nothing is rendered
MAX_FOOTPRINT = 96  # pixels a plane may cover each way: a 2 cm voxel 15 cm before a 640-pixel camera
RESOLUTION = 1e4  # depth steps a metre in the depth buffer


def render(volume: TSDFVolume, points: torch.Tensor, normals: torch.Tensor, camera: Camera, camera_to_world: np.ndarray) -> View:
    """The view of a pinhole camera at a camera-to-world pose.

    points, normals: (n, 3) crossings of the volume in the world (`Mesher.points`); they only say where to look.
    """
    device = volume.device
    height, width = camera.height, camera.width
    depth = torch.zeros(height * width, device=device)
    rgb = torch.zeros((height * width, 3), dtype=torch.uint8, device=device)
    normal_image = torch.zeros((height * width, 3), device=device)
    rotation = torch.from_numpy(np.asarray(camera_to_world[:3, :3], np.float32)).to(device)
    origin = torch.from_numpy(np.array(camera_to_world[:3, 3], np.float64)).to(device)
    pixels, planes, extent = _splat(points, normals, camera, rotation, origin, RADIUS * volume.voxel_size)
    if len(pixels):
        base = torch.floor(origin / volume.block_size)
        offset = (origin - base * volume.block_size).to(torch.float32)
        reach = REACH * volume.voxel_size
        low, high = (torch.floor((e.to(torch.float64) + origin + margin) / volume.block_size).to(torch.int64)
                     for e, margin in zip(extent, (-2 * reach, 2 * reach), strict=True))
        sampler = TrilinearSampler(volume, base.to(torch.int64), low, high)
        rays = torch.from_numpy(camera.rays().reshape(-1, 3)).to(device) @ rotation.T
        found, where = _trace(sampler, pixels, planes, rays, offset, reach)
        at = rays[found] * where[:, None] + offset
        color, gradient = sampler.color_and_gradient(at)
        depth[found] = where
        rgb[found] = color.round_().clamp_(0, 255).to(torch.uint8)
        normal_image[found] = torch.nn.functional.normalize(gradient, dim=1) @ rotation
    return View(rgb.view(height, width, 3).cpu().numpy(), depth.view(height, width).cpu().numpy(),
                normal_image.view(height, width, 3).cpu().numpy())


def _splat(points: torch.Tensor, normals: torch.Tensor, camera: Camera, rotation: torch.Tensor, origin: torch.Tensor,
           radius: float) -> tuple[torch.Tensor, torch.Tensor, tuple[torch.Tensor, torch.Tensor]]:
    """Fragments of the planes in view: pixel (f,) int64 and depth (f,) int64 in RESOLUTION steps; and the planes' extent (world axes,
    relative to the camera)."""
    relative = (points.to(torch.float64) - origin).to(torch.float32)
    local = relative @ rotation
    x, y, z = local.unbind(1)
    safe = z.clamp_min(NEAR)
    u, v = x / safe * camera.fx + camera.cx, y / safe * camera.fy + camera.cy
    size = radius * max(camera.fx, camera.fy) / safe
    facing = (relative * normals).sum(1) < 0
    kept = (facing & (z > NEAR) & (u > -size) & (v > -size) & (u < camera.width - 1 + size)
            & (v < camera.height - 1 + size)).nonzero()[:, 0]
    if len(kept) == 0:
        return kept, kept, (origin, origin)
    relative, u, v, z, size = relative[kept], u[kept], v[kept], z[kept], size[kept]
    plane = normals[kept] @ rotation
    offset = (relative * normals[kept]).sum(1)
    slope = torch.stack([plane[:, 0] / camera.fx, plane[:, 1] / camera.fy], 1)
    constant = plane[:, 2] - slope[:, 0] * camera.cx - slope[:, 1] * camera.cy
    pixels, depths = [], []
    footprint = (2 * size).ceil_().clamp_max_(MAX_FOOTPRINT).to(torch.int64)
    side = 1
    while side < 2 * MAX_FOOTPRINT:
        larger = max(side + 1, side * 3 // 2)
        chosen = ((footprint >= side) & (footprint < larger)).nonzero()[:, 0]
        if len(chosen):
            steps = torch.arange(larger - 1, device=points.device, dtype=torch.float32)
            start = (larger - 2) / 2
            columns = (u[chosen, None] - start).round_() + steps
            rows = (v[chosen, None] - start).round_() + steps
            inverse = (slope[chosen, :1] * columns)[:, None] + (slope[chosen, 1:] * rows + constant[chosen, None])[..., None]
            fragment = offset[chosen, None, None] / inverse
            inside = (((columns >= 0) & (columns <= camera.width - 1))[:, None] & ((rows >= 0) & (rows <= camera.height - 1))[..., None]
                      & ((fragment - z[chosen, None, None]).abs() <= 2 * radius))
            pixel = (rows[..., None] * camera.width + columns[:, None])[inside]
            pixels.append(pixel.to(torch.int64))
            depths.append((fragment[inside] * RESOLUTION).to(torch.int64))
        side = larger
    return torch.cat(pixels), torch.cat(depths), (relative.amin(0), relative.amax(0))


def _trace(sampler: TrilinearSampler, pixels: torch.Tensor, planes: torch.Tensor, rays: torch.Tensor, offset: torch.Tensor,
           reach: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Pixels (n,) whose ray crosses the surface from outside, and the depth of the crossing (n,)."""
    found, where = [], []
    for _ in range(LAYERS):
        nearest = torch.full((len(rays),), 2**62, dtype=torch.int64, device=rays.device)
        nearest.scatter_reduce_(0, pixels, planes, "amin")
        candidates = (nearest < 2**62).nonzero()[:, 0]
        if len(candidates) == 0:
            break
        middle = nearest[candidates].to(torch.float32) / RESOLUTION
        depth, crossing = _crossing(sampler, rays[candidates], offset, middle, reach)
        found.append(candidates[crossing])
        where.append(depth[crossing])
        # Next layer: planes clearly behind the one that failed, at pixels still open.
        limit = torch.full_like(nearest, 2**62)
        failed = candidates[~crossing]
        limit[failed] = nearest[failed] + int(reach * RESOLUTION)
        behind = planes > limit[pixels]
        pixels, planes = pixels[behind], planes[behind]
    empty = torch.zeros(0, device=rays.device)
    return torch.cat([empty.to(torch.int64), *found]), torch.cat([empty, *where])


def _crossing(sampler: TrilinearSampler, rays: torch.Tensor, offset: torch.Tensor, middle: torch.Tensor,
              reach: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Depth (n,) of the change from free to solid within `reach` of `middle`, and whether there is one: regula falsi, two steps."""
    front, back = middle - reach, middle + reach
    at_front = sampler.distance(rays * front[:, None] + offset)
    at_back = sampler.distance(rays * back[:, None] + offset)
    crossing = (at_front > 0) & (at_back <= 0)  # false for NaN
    depth = front + (back - front) * at_front / (at_front - at_back)
    at_depth = sampler.distance(rays * depth[:, None] + offset)
    before = at_depth > 0
    front, at_front = torch.where(before, depth, front), torch.where(before, at_depth, at_front)
    back, at_back = torch.where(before, back, depth), torch.where(before, at_back, at_depth)
    refined = front + (back - front) * at_front / (at_front - at_back)
    return torch.where(torch.isfinite(refined), refined, depth), crossing & torch.isfinite(depth)
