import math

import pytest
import torch

from magic3d_ros.mapping.losses.monocular_normals import monocular_normal_loss, rendered_normals


def test_normals_are_weighted_and_turned_into_the_camera():
    """A camera that looks along world x: camera z = world x, camera x = -world y, camera y = -world z."""
    rotation = torch.tensor([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])  # columns: the camera's axes in the world
    gradients = torch.tensor([[[-2.0, 0.0, 0.0], [0.0, 0.0, 0.5]]])  # a wall that faces the camera, then a floor
    normal = rendered_normals(torch.tensor([[0.75, 0.25]]), gradients, rotation)
    assert normal.tolist() == [pytest.approx([0.0, -0.25, -0.75])]


def test_both_terms_by_hand():
    rendered = torch.tensor([[0.0, 0.0, -4.0], [1.0, 0.0, 0.0]])
    cue = torch.tensor([[0.0, 0.6, -0.8], [0.0, 1.0, 0.0]])
    absolute, cosine = monocular_normal_loss(rendered, cue, torch.tensor([True, True]))
    assert absolute.item() == pytest.approx(((0.6 + 0.2) + (1 + 1)) / 2)
    assert cosine.item() == pytest.approx((0.2 + 1.0) / 2)


def test_cues_of_any_length_are_directions():
    rendered = torch.tensor([[0.0, 0.0, -1.0]])
    terms = monocular_normal_loss(rendered, torch.tensor([[0.0, 0.0, -0.1]]), torch.tensor([True]))
    assert [t.item() for t in terms] == pytest.approx([0.0, 0.0], abs=1e-6)


def test_rays_without_cue_or_surface_are_left_out():
    rendered = torch.tensor([[0.0, 0.0, -1.0], [1.0, 0.0, 0.0]], requires_grad=True)
    cue = torch.tensor([[0.0, 1.0, 0.0], [math.nan] * 3])
    absolute, cosine = monocular_normal_loss(rendered, cue, torch.tensor([True, False]))
    (absolute + cosine).backward()
    assert (absolute.item(), cosine.item()) == pytest.approx((2.0, 1.0))
    assert torch.equal(rendered.grad[1], torch.zeros(3))


def test_the_loss_turns_normals_and_does_not_stretch_them():
    rendered = torch.tensor([[0.0, 0.0, -2.0]], requires_grad=True)
    absolute, cosine = monocular_normal_loss(rendered, torch.tensor([[0.6, 0.0, -0.8]]), torch.tensor([True]))
    (absolute + cosine).backward()
    assert rendered.grad[0, 2].item() == pytest.approx(0.0, abs=1e-6)
    assert rendered.grad[0, 0] < 0
