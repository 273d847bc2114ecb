"""What the voxel map looks like from any pose: depth, colour and normals, straight from the voxels.

The crossings of the map (one point with a normal about every voxel) are splatted as small planes into a depth buffer: that
says for each pixel where along its ray to look. There the signed distance is evaluated by trilinear interpolation before and
behind, and the crossing is found between them. A pixel whose nearest plane is not confirmed by a crossing tries the next
plane behind it; what is never confirmed stays empty. Surfaces are seen from their front only.
"""

from __future__ import annotations

from contextlib import AbstractContextManager

import numpy as np
import torch

from magic3d_ros.cpu_sharing import let_pass
from magic3d_ros.geometry.camera import Camera
from magic3d_ros.mapping.sampling import TrilinearSampler
from magic3d_ros.mapping.surface import View
from magic3d_ros.mapping.tsdf import TSDFVolume

RADIUS = 0.75  # voxels: crossings lie at most a voxel apart along both axes, so discs of 0.71 leave no gap
REACH = 1.0  # voxels before and behind a splatted plane within which the crossing is looked for
LAYERS = 4  # planes along a ray that are tried
NEAR = 0.05  # metres: nearer than this nothing is rendered
FEWEST_ROWS = 16  # of a picture that are worth rendering at a time
MAX_FOOTPRINT = 96  # pixels a plane may cover each way: a 2 cm voxel 15 cm before a 640-pixel camera


def render_rows(volume: TSDFVolume, points: torch.Tensor, normals: torch.Tensor, camera: Camera, camera_to_world: np.ndarray,
                rows: int, first: AbstractContextManager[object] | None = None) -> View:
    """`render`, so many rows of the picture at a time: less memory, more time."""
    if rows >= camera.height:
        return render(volume, points, normals, camera, camera_to_world, first)
    strips = [render(volume, points, normals,
                     Camera(camera.width, min(rows, camera.height - top), camera.fx, camera.fy, camera.cx, camera.cy - top),
                     camera_to_world, first) for top in range(0, camera.height, rows)]
    return View(*(np.concatenate([getattr(strip, name) for strip in strips]) for name in ("rgb", "depth", "normals")))


def render(volume: TSDFVolume, points: torch.Tensor, normals: torch.Tensor, camera: Camera, camera_to_world: np.ndarray,
           first: AbstractContextManager[object] | None = None) -> View:
    """The view of a pinhole camera at a camera-to-world pose.

    points, normals: (n, 3) crossings of the volume in the world (`Mesher.points`); they only say where to look. first: see
    `TSDFVolume.integrate`; at 160 pixels' width the pieces between take up to 5 ms.
    Another thread may integrate meanwhile, at the price that a pixel may see a voxel half old and half new.
    """
    device = volume.device
    height, width = camera.height, camera.width
    depth = torch.zeros(height * width, device=device)
    rgb = torch.zeros((height * width, 3), dtype=torch.uint8, device=device)
    normal_image = torch.zeros((height * width, 3), device=device)
    rotation = torch.from_numpy(np.asarray(camera_to_world[:3, :3], np.float32)).to(device)
    origin = torch.from_numpy(np.array(camera_to_world[:3, 3], np.float64)).to(device)
    pixels, planes, low, high = _splat(points, normals, camera, rotation, origin, RADIUS * volume.voxel_size,
                                       first)
    if len(pixels):
        base = torch.floor(origin / volume.block_size)
        offset = (origin - base * volume.block_size).to(torch.float32)[:, None]
        reach = REACH * volume.voxel_size
        low, high = (torch.floor((corner.to(torch.float64) + origin + margin) / volume.block_size).to(torch.int64)
                     for corner, margin in ((low, -2 * reach), (high, 2 * reach)))
        sampler = TrilinearSampler(volume, base.to(torch.int64), low, high)
        rays = rotation @ torch.from_numpy(camera.rays().reshape(-1, 3)).to(device).T
        found, where = _trace(sampler, pixels, planes, rays, offset, reach, first)
        let_pass(first)
        color, gradient = sampler.color_and_gradient(rays[:, found] * where + offset)
        depth[found] = where
        rgb[found] = color.round_().clamp_(0, 255).to(torch.uint8)
        normal_image[found] = torch.nn.functional.normalize(gradient, dim=1) @ rotation
    return View(rgb.view(height, width, 3).cpu().numpy(), depth.view(height, width).cpu().numpy(),
                normal_image.view(height, width, 3).cpu().numpy())


def _splat(points: torch.Tensor, normals: torch.Tensor, camera: Camera, rotation: torch.Tensor, origin: torch.Tensor,
           radius: float, first: AbstractContextManager[object] | None
           ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Fragments of the planes in view: pixel (f,) int64 and depth (f,) metres; and the corners (3,) of a box around the planes,
    along the world's axes, relative to the camera."""
    relative = (points.to(torch.float64) - origin).to(torch.float32)
    x, y, z = (relative @ rotation).unbind(1)
    safe = z.clamp_min(NEAR)
    u, v = x / safe * camera.fx + camera.cx, y / safe * camera.fy + camera.cy
    size = radius * max(camera.fx, camera.fy) / safe
    distance = (relative * normals).sum(1)
    kept = ((distance < 0) & (z > NEAR) & (u > -size) & (v > -size) & (u < camera.width - 1 + size)
            & (v < camera.height - 1 + size)).nonzero()[:, 0]
    if len(kept) == 0:
        return kept, kept, origin, origin
    relative, distance, u, v, z, size = relative[kept], distance[kept], u[kept], v[kept], z[kept], size[kept]
    # The plane n . p = distance has depth distance / (a column + b row + c) at a pixel.
    plane = normals[kept] @ rotation
    a, b = plane[:, 0] / camera.fx, plane[:, 1] / camera.fy
    c = plane[:, 2] - a * camera.cx - b * camera.cy
    pixels, depths = [], []
    let_pass(first)
    footprint = (2 * size).ceil_().clamp_max_(MAX_FOOTPRINT)
    side = 1
    while side <= MAX_FOOTPRINT:  # planes of about the same size together, as squares of side x side pixels
        let_pass(first)
        smaller = side
        side = max(side + 1, side * 3 // 2)
        chosen = ((footprint >= smaller) & (footprint < side)).nonzero()[:, 0]
        if len(chosen) == 0:
            continue
        steps = torch.arange(side - 1, device=points.device)
        columns = (u[chosen, None] - (side - 2) / 2).round_() + steps
        rows = (v[chosen, None] - (side - 2) / 2).round_() + steps
        inverse = (a[chosen, None] * columns)[:, None, :] + (b[chosen, None] * rows + c[chosen, None])[:, :, None]
        fragment = distance[chosen, None, None] / inverse
        inside = (((columns >= 0) & (columns < camera.width))[:, None, :] & ((rows >= 0) & (rows < camera.height))[:, :, None]
                  & ((fragment - z[chosen, None, None]).abs() <= 2 * radius))
        pixel = (rows.to(torch.int64) * camera.width)[:, :, None] + columns.to(torch.int64)[:, None, :]
        hits = inside.view(-1).nonzero()[:, 0]  # looked for once: indexing by a mask looks for them each time
        pixels.append(pixel.view(-1).index_select(0, hits))
        depths.append(fragment.view(-1).index_select(0, hits))
    return torch.cat(pixels), torch.cat(depths), relative.amin(0), relative.amax(0)


def _trace(sampler: TrilinearSampler, pixels: torch.Tensor, planes: torch.Tensor, rays: torch.Tensor, offset: torch.Tensor,
           reach: float, first: AbstractContextManager[object] | None) -> tuple[torch.Tensor, torch.Tensor]:
    """Pixels (n,) whose ray crosses the surface from outside, and the depth of the crossing (n,)."""
    found, where = [pixels[:0]], [planes[:0]]
    for _ in range(LAYERS):
        let_pass(first)
        nearest = torch.full((rays.shape[1],), torch.inf, device=rays.device)
        nearest.scatter_reduce_(0, pixels, planes, "amin")
        candidates = torch.isfinite(nearest).nonzero()[:, 0]
        if len(candidates) == 0:
            break
        depth, crossing = _crossing(sampler, rays[:, candidates], offset, nearest[candidates], reach)
        found.append(candidates[crossing])
        where.append(depth[crossing])
        # Next layer: planes clearly behind the one that failed, at pixels still open.
        nearest[candidates[crossing]] = torch.inf
        behind = (planes > nearest.index_select(0, pixels).add_(reach)).nonzero()[:, 0]
        pixels, planes = pixels.index_select(0, behind), planes.index_select(0, behind)
    return torch.cat(found), torch.cat(where)


def _crossing(sampler: TrilinearSampler, rays: torch.Tensor, offset: torch.Tensor, guess: torch.Tensor,
              reach: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Depth (n,) of the change from free to solid within `reach` of `guess`, and whether there is one.

    The guess is mostly within millimetres, so a sample there and one on the side where the crossing must be are enough to
    interpolate.
    """
    at_guess = sampler.distance(rays * guess + offset)
    free = at_guess > 0
    other = guess + torch.where(free, reach, -reach)
    at_other = sampler.distance(rays * other + offset)
    depth = guess + (other - guess) * at_guess / (at_guess - at_other)
    crossing = (free & (at_other <= 0)) | ((at_guess <= 0) & (at_other > 0))  # false for NaN
    return depth, crossing
