import numpy as np
import pytest
import torch

from magic3d_ros.config import Settings
from magic3d_ros.mapping.cue_alignment import Alignment
from magic3d_ros.mapping.field.neural_field import NeuralField
from magic3d_ros.mapping.field_voxels import voxels_of
from magic3d_ros.mapping.keyframe import Keyframe
from magic3d_ros.mapping.losses.schedule import CueWeights
from magic3d_ros.mapping.meshing import Mesher
from magic3d_ros.mapping.metric_cues import MetricCues
from magic3d_ros.mapping.surface_training import SurfaceTraining
from magic3d_ros.mapping.training_views import PATCH, TrainingView, draw_patches
from magic3d_ros.mapping.tsdf import TSDFVolume

from .conftest import CAMERA, frame_of, pose

BOUNDS = np.array([[-2.5, -2.0, -0.5], [2.5, 2.0, 3.0]])
POSES = [pose((x, 0.0, 0.0)) for x in (-0.3, 0.0, 0.3)]


def slope(camera_to_world: np.ndarray) -> np.ndarray:
    """Depth of the plane z = 2 + x / 2."""
    rays = CAMERA.rays()
    return ((2.0 + camera_to_world[0, 3] / 2) / (1.0 - rays[..., 0] / 2)).astype(np.float32)


NORMAL = np.array([0.5, 0.0, -1.0], np.float32) / np.sqrt(1.25).astype(np.float32)


def keyframes(with_depth: bool = False) -> list[Keyframe]:
    made = []
    for stamp, at in enumerate(POSES):
        depth = slope(at)
        frame = frame_of(depth if with_depth else 0 * depth, at, stamp=stamp)
        made.append(Keyframe.of(frame).with_cues(2.0 * depth + 0.5, np.broadcast_to(NORMAL, (*depth.shape, 3))))
    return made


def settings() -> Settings:
    made = Settings()
    made.map.voxel_size, made.map.truncation = 0.05, 0.2
    field = made.field
    field.levels, field.table_bits, field.hidden = 4, 12, 16
    field.geometry_rays, field.surface_samples, field.ray_samples = 1024, 6, 16
    return made


def training(guided: bool = True, weights: CueWeights | None = None):
    made = settings()
    volume = TSDFVolume(made.map, 0.1, 5.0, torch.device("cpu"))
    field = NeuralField(BOUNDS, made.field, lambda: volume)
    trainer = SurfaceTraining(field, made.field, BOUNDS, torch.Generator().manual_seed(0), weights, guided)
    frames, cues = keyframes(), MetricCues()
    # One plane slides on itself, so that these views could not be aligned without depth.
    cues.alignments = {k.stamp: Alignment(0.5, -0.25, 1000, 0.0) for k in frames}
    trainer.renew(frames, cues)
    return trainer, field, made


def test_patches_are_neighbouring_pixels_of_one_image():
    views = [TrainingView(k, 2.0 * slope(k.camera_to_world), torch.device("cpu")) for k in keyframes(with_depth=True)]
    rays = draw_patches(views, 2, 3, torch.Generator().manual_seed(0))
    assert rays.images == 2 and len(rays.origins) == 2 * 3 * PATCH * PATCH
    per_image = rays.origins.view(2, -1, 3)
    assert (per_image == per_image[:, :1]).all()
    # what the sensor measured lies on the plane, on every ray
    points = rays.origins + rays.directions * (rays.depth / rays.slant)[:, None]
    assert (points[:, 2] - 2.0 - points[:, 0] / 2).abs().max() < 2e-3
    assert torch.allclose(rays.metric, 2.0 * rays.depth, rtol=1e-3)
    assert rays.directions.norm(dim=1).sub(1).abs().max() < 1e-5
    columns = rays.patches(rays.directions[:, 0] / rays.directions[:, 2])
    steps = torch.diff(columns, dim=-1)
    assert (steps - steps[0, 0, 0, 0]).abs().max() < 1e-5  # even steps across
    assert torch.diff(columns, dim=-2).abs().max() < 1e-6  # none down
    assert (rays.normals - torch.from_numpy(NORMAL)).abs().max() < 0.01


def distance_at_the_plane(field: NeuralField, before: float = 0.0) -> torch.Tensor:
    """Signed distances at 20 points so many metres before the plane."""
    x = torch.linspace(-0.5, 0.5, 20)
    return field.sdf(torch.stack([x, 0 * x, 2.0 + x / 2], 1) + before * torch.from_numpy(NORMAL)).detach()


@pytest.mark.slow
def test_guided_training_finds_the_plane():
    trainer, field, made = training()
    assert distance_at_the_plane(field).abs().mean() > 0.5  # the sphere that it begins as
    for _ in range(160):
        trainer.step()
    assert distance_at_the_plane(field).abs().mean() < 0.03
    assert (distance_at_the_plane(field, 0.1) > 0.02).all()
    points, normals = Mesher(voxels_of(field, BOUNDS, made), 1.0).points()
    middle = (points[:, :2].abs() < 0.5).all(1) & ((points[:, 2] - 2.0).abs() < 0.5)
    assert middle.sum() > 100
    assert (points[middle, 2] - 2.0 - points[middle, 0] / 2).abs().median() < 0.05
    assert (normals[middle] @ torch.from_numpy(NORMAL)).median() > 0.9


def test_voxels_of_an_untrained_field_are_the_sphere_it_begins_as():
    _, field, made = training()
    points, normals = Mesher(voxels_of(field, BOUNDS, made), 1.0).points()
    center, radius = torch.tensor([0.0, 0.0, 1.25]), 0.9 * 1.75
    assert len(points) > 5000
    assert ((points - center).norm(dim=1) - radius).abs().max() < 0.01
    inward = (center - points) / radius
    assert (normals * inward).sum(1).min() > 0.9


def test_without_guidance_no_metric_depth_is_used():
    trainer, _, _ = training(guided=False)
    losses = trainer.step()
    assert {"color", "eikonal", "smoothness", "depth", "normals"} == set(losses)
    assert all(np.isfinite(value) for value in losses.values())


def test_what_the_sensor_measured_is_rendered_with_and_without_guidance():
    for guided in (True, False):
        trainer, _, _ = training(guided)
        trainer.renew(keyframes(with_depth=True), MetricCues())
        assert trainer.step()["sensor depth"] > 0


def test_cues_without_weight_are_not_looked_at():
    trainer, _, _ = training(weights=CueWeights(depth=0.0, normal_absolute=0.0, normal_cosine=0.0))
    assert set(trainer.step()) == {"color", "eikonal", "smoothness"}


def test_a_step_moves_geometry_colour_and_width():
    trainer, field, _ = training()
    before = [p.detach().clone() for p in (field.distance_head.weights[-1], field.color_head.weights[-1], field.width)]
    trainer.step()
    after = [field.distance_head.weights[-1], field.color_head.weights[-1], field.width]
    assert all(not torch.equal(a, b) for a, b in zip(before, after, strict=True))


def test_without_keyframes_it_says_so():
    trainer, _, _ = training()
    trainer.renew([], MetricCues())
    with pytest.raises(ValueError, match="no keyframe to learn from"):
        trainer.step()


def test_a_box_too_large_is_refused_before_memory_is_taken():
    _, field, made = training()
    with pytest.raises(ValueError, match="too many"):
        voxels_of(field, np.array([[-500.0] * 3, [500.0] * 3]), made)
