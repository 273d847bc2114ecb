"""Signed distances learned from photographs and monocular cues: MonoSDF (Yu et al. 2022), with or without a measured map below.

Each step renders patches of a few keyframes and minimises

    colour (L1) + 0.1 eikonal + 0.005 smoothness + 0.1 depth + 0.05 normals (L1) + 0.05 normals (1 - cosine)

as the paper does, and 0.1 sensor depth as Co-SLAM does, where the sensor has a reading. Where scale and shift of the cues were
found beforehand (`mapping.metric_cues`), or the sensor has a reading, its metres serve in two more ways, and this is where we
depart from the paper: samples are drawn around that surface instead of all along the ray, and distances are trained directly
(truncated distances and bounds in free space, as Co-SLAM and iSDF do with a sensor's depth). `bench rgb_only` measures what
that is worth; `guided=False` leaves it out.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from magic3d_ros.config import FieldSettings
from magic3d_ros.mapping.field.density import rendering_weights
from magic3d_ros.mapping.field.neural_field import NeuralField
from magic3d_ros.mapping.field.ray_sampling import around_surface, by_importance, stratified
from magic3d_ros.mapping.field.volume_rendering import composite
from magic3d_ros.mapping.keyframe import Keyframe
from magic3d_ros.mapping.losses.color import color_loss
from magic3d_ros.mapping.losses.monocular_depth import crosses_surface, monocular_depth_loss
from magic3d_ros.mapping.losses.monocular_normals import monocular_normal_loss, rendered_normals
from magic3d_ros.mapping.losses.regularity import eikonal_loss, neighbours, smoothness_loss
from magic3d_ros.mapping.losses.schedule import CueWeights
from magic3d_ros.mapping.losses.signed_distance import free_space_bounds_loss, sensor_depth_loss, truncated_sdf_loss
from magic3d_ros.mapping.metric_cues import MetricCues
from magic3d_ros.mapping.training_views import PATCH, RayPatches, TrainingView, draw_patches

EIKONAL, SMOOTHNESS = 0.1, 0.005  # MonoSDF's weights for rooms
SENSOR_DEPTH = 0.1  # Co-SLAM's weight, beside colour at 5 there
DISTANCE, FREE_SPACE = 1.0, 1.0  # weights of trained distances beside a colour term of weight 1
CUE_TRUST = 0.3  # of a cue's metres beside the sensor's
IMAGES = 4  # a step, so that a step sees more than one place
BOX_POINTS = 256  # uniform in the box, for the eikonal term (MonoSDF takes as many as rays; near-surface ones are samples here)
REACH = 0.12  # metres before and behind a known surface that samples are drawn from


class SurfaceTraining:
    """Trains `field.sdf` (and its colours, in the same rendering). bounds: (2, 3) box that rays are followed in.

    guided: use metric depth, see above. weights: of the monocular terms; a cue of weight 0 is not looked at.
    """

    def __init__(self, field: NeuralField, settings: FieldSettings, bounds: np.ndarray, generator: torch.Generator,
                 weights: CueWeights | None = None, guided: bool = True) -> None:
        self._field = field
        self._settings = settings
        self._device = field.width.device
        self._low, self._high = (torch.tensor(b, dtype=torch.float32, device=self._device) for b in np.asarray(bounds))
        self._generator = generator
        self._weights = CueWeights() if weights is None else weights
        self._guided = guided
        self._views: list[TrainingView] = []
        self.steps = 0
        rate = settings.learning_rate
        heads = [*field.distance_head.parameters(), *field.color_head.parameters()]
        groups = [{"params": [field.distance_grid.table, field.color_grid.table], "lr": rate},
                  {"params": heads, "lr": 0.3 * rate}, {"params": [field.width], "lr": 0.1 * rate}]
        self._rates = [rate, 0.3 * rate, 0.1 * rate]
        self._adam = torch.optim.Adam(groups, betas=(0.9, 0.99), eps=1e-15)

    def renew(self, keyframes: Sequence[Keyframe], cues: MetricCues) -> None:
        """Take these keyframes to learn from."""
        use = self._weights.depth > 0
        self._views = [TrainingView(k, cues.depth(k) if use else None, self._device) for k in keyframes]

    def step(self, share: float = 1.0) -> dict[str, float]:
        """One step at `share` of the learning rate; the losses by name. Raises ValueError without keyframes."""
        if not self._views:
            raise ValueError("there is no keyframe to learn from: call renew with the remembered ones")
        for group, rate in zip(self._adam.param_groups, self._rates, strict=True):
            group["lr"] = rate * share
        per_image = max(1, self._settings.geometry_rays // (IMAGES * PATCH * PATCH))
        rays = draw_patches(self._views, IMAGES, per_image, self._generator)
        losses = self._losses(rays)
        self._adam.zero_grad(set_to_none=True)
        torch.stack(list(losses.values())).sum().backward()
        self._adam.step()
        self.steps += 1
        return {name: float(value.detach()) for name, value in losses.items()}

    def _losses(self, rays: RayPatches) -> dict[str, torch.Tensor]:
        field, weights = self._field, self._weights
        surface, trust = self._known_surface(rays)
        depths = self._samples(rays, surface)
        shape = depths.shape
        points = rays.origins[:, None] + rays.directions[:, None] * depths[..., None]
        flat = points.view(-1, 3)
        sdf, gradients = field.sdf_and_gradient(flat)
        sdf, gradients = sdf.view(shape), gradients.view(*shape, 3)
        directions = rays.directions[:, None].expand(*shape, 3).reshape(-1, 3)
        colors = field.color(flat, directions, field.base.colors(flat)).view(*shape, 3)
        shares = rendering_weights(self._settings.density, sdf, depths, field.beta)
        seen = composite(shares, depths, colors)
        assert seen.color is not None
        losses = {"color": color_loss(seen.color + (1.0 - seen.opacity[:, None]) * 0.5, rays.colors, rays.trust)}

        box = self._low + (self._high - self._low) * torch.rand(BOX_POINTS, 3, generator=self._generator).to(self._device)
        near = points.detach()[torch.arange(len(points)), shares.detach().argmax(1)][::4]
        _, slopes = field.sdf_and_gradient(torch.cat([box, near, neighbours(near, self._generator)]))
        close = slopes[len(box):].chunk(2)
        losses["eikonal"] = EIKONAL * (eikonal_loss(gradients.view(-1, 3)) + eikonal_loss(slopes))
        losses["smoothness"] = SMOOTHNESS * smoothness_loss(*close)

        hit = crosses_surface(sdf.detach()) & (rays.trust > 0.5)
        left = weights.share(self.steps)
        if weights.depth > 0 and bool((rays.cue > 0).any()):
            losses["depth"] = left * weights.depth * monocular_depth_loss(
                rays.patches(seen.distance * rays.slant), rays.patches(rays.cue), rays.patches(hit & (rays.cue > 0)))
        if weights.normal_absolute > 0 or weights.normal_cosine > 0:
            known = rays.normals.abs().sum(1) > 0
            rendered = rendered_normals(shares, gradients, rays.rotations)
            absolute, cosine = monocular_normal_loss(rendered, rays.normals, hit & known)
            losses["normals"] = left * (weights.normal_absolute * absolute + weights.normal_cosine * cosine)
        if bool((rays.depth > 0).any()):
            losses["sensor depth"] = SENSOR_DEPTH * sensor_depth_loss(seen.distance * rays.slant, rays.depth, rays.trust * hit)
        if self._guided and bool((surface > 0).any()):
            truncation = field.base.truncation
            ahead = torch.where(surface[:, None] > 0, surface[:, None] - depths, torch.full_like(depths, torch.nan))
            facing = self._facing(rays)[:, None]
            counting = trust[:, None].expand(shape)
            losses["distance"] = DISTANCE * truncated_sdf_loss(sdf, ahead * facing, truncation, counting)
            losses["free space"] = FREE_SPACE * free_space_bounds_loss(sdf, ahead, truncation, counting)
        return losses

    def _known_surface(self, rays: RayPatches) -> tuple[torch.Tensor, torch.Tensor]:
        """(n,) metres along the ray to a surface that sensor or aligned cue know, 0 = neither; and how far to trust it."""
        if not self._guided:
            return torch.zeros_like(rays.depth), torch.zeros_like(rays.depth)
        measured = rays.depth > 0
        depth = torch.where(measured, rays.depth, rays.metric)
        return depth / rays.slant, rays.trust * torch.where(measured, 1.0, CUE_TRUST) * (depth > 0)

    def _facing(self, rays: RayPatches) -> torch.Tensor:
        """(n,) cosine between ray and surface, from the normal cue: what turns distance along the ray into distance to the
        surface; 1 where there is no cue."""
        world = (rays.rotations @ rays.normals[..., None])[..., 0]
        cosine = (world * rays.directions).sum(1).abs().clamp(0.1, 1.0)
        return torch.where(rays.normals.abs().sum(1) > 0, cosine, torch.ones_like(cosine))

    def _samples(self, rays: RayPatches, surface: torch.Tensor) -> torch.Tensor:
        """(n, s) metres along the rays, ascending: around a known surface, else where the field as it is has weight."""
        s, generator = self._settings, self._generator
        free = s.ray_samples // 4
        count = s.surface_samples + free
        if bool((surface > 0).all()):
            return around_surface(surface, s.near, REACH, s.surface_samples, free)
        far = self._leaving(rays)
        with torch.no_grad():
            coarse = stratified(torch.full_like(far, s.near), far, s.ray_samples)
            points = (rays.origins[:, None] + rays.directions[:, None] * coarse[..., None]).view(-1, 3)
            shares = rendering_weights(s.density, self._field.sdf(points).view(coarse.shape), coarse, self._field.beta)
            spread = coarse[:, torch.randperm(s.ray_samples, generator=generator)[:free].to(coarse.device)]
            depths = torch.cat([by_importance(coarse, shares, s.surface_samples), spread], 1).sort(1).values
        known = surface > 0
        if bool(known.any()):
            depths[known] = around_surface(surface[known], s.near, REACH, s.surface_samples, free)
        return depths[:, :count]

    def _leaving(self, rays: RayPatches) -> torch.Tensor:
        """(n,) metres along the rays to where they leave the box; at least a metre."""
        inverse = 1.0 / torch.where(rays.directions.abs() < 1e-6, torch.full_like(rays.directions, 1e-6), rays.directions)
        exits = torch.maximum((self._low - rays.origins) * inverse, (self._high - rays.origins) * inverse)
        return exits.amin(1).clamp_min(1.0)
