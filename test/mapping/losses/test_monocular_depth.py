import math

import pytest
import torch

from magic3d_ros.mapping.losses.monocular_depth import crosses_surface, monocular_depth_loss, scale_and_shift


def test_rays_of_one_sign_have_no_surface():
    sdf = torch.tensor([[0.5, 0.1, -0.1], [0.5, 0.2, 0.1], [-0.1, -0.2, -0.3]])
    assert crosses_surface(sdf).tolist() == [True, False, False]


def test_scale_and_shift_of_each_image_by_hand():
    rendered = torch.tensor([[1.0, 2.0, 3.0, 9.0], [1.0, 2.0, 3.0, 4.0]])
    # first: exactly 2 x + 1 where it counts; second: least squares of (0, 3, 3, 6) is slope 1.8, mean 3 at mean 2.5
    cue = torch.tensor([[3.0, 5.0, 7.0, 0.0], [0.0, 3.0, 3.0, 6.0]])
    mask = torch.tensor([[True, True, True, False], [True] * 4])
    scale, shift = scale_and_shift(rendered, cue, mask)
    assert scale.tolist() == pytest.approx([2.0, 1.8])
    assert shift.tolist() == pytest.approx([1.0, 3.0 - 1.8 * 2.5], abs=1e-6)


def test_constant_depth_is_met_by_a_shift():
    scale, shift = scale_and_shift(torch.full((1, 3), 2.0), torch.tensor([[1.0, 2.0, 6.0]]), torch.ones(1, 3))
    assert (scale.item(), shift.item()) == (0.0, 3.0)


def test_no_pixel_gives_zeros():
    scale, shift = scale_and_shift(torch.ones(1, 3), torch.ones(1, 3), torch.zeros(1, 3))
    assert (scale.item(), shift.item()) == (0.0, 0.0)


def test_any_scale_and_shift_of_the_cue_costs_nothing():
    rendered = 1.0 + torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    cue = rendered * torch.tensor([-0.2, 7.0]).view(2, 1, 1, 1) + torch.tensor([3.0, -1.0]).view(2, 1, 1, 1)
    assert monocular_depth_loss(rendered, cue, torch.ones_like(cue, dtype=torch.bool)).item() < 1e-5
    assert monocular_depth_loss(rendered, cue.flip(0), torch.ones_like(cue, dtype=torch.bool)).item() > 1e-2


def test_loss_of_one_patch_by_hand():
    """The fit of (0, 3, 3, 6) is (0.3, 2.1, 3.9, 5.7): differences 0.3, -0.9, 0.9, -0.3 in a patch of 2 x 2."""
    rendered = torch.tensor([1.0, 2.0, 3.0, 4.0]).view(1, 1, 2, 2)
    cue = torch.tensor([0.0, 3.0, 3.0, 6.0]).view(1, 1, 2, 2)
    mask = torch.ones(1, 1, 2, 2, dtype=torch.bool)
    squared = (0.09 + 0.81 + 0.81 + 0.09) / (2 * 4)
    slopes = (1.2 + 1.2 + 0.6 + 0.6) / 4
    assert monocular_depth_loss(rendered, cue, mask, scales=1).item() == pytest.approx(squared + 0.5 * slopes, rel=1e-5)
    assert monocular_depth_loss(rendered, cue, mask, gradient_weight=0.0).item() == pytest.approx(squared, rel=1e-5)


def test_slopes_stay_within_a_patch():
    """Two patches of one image that differ by a step: no slope is seen between them."""
    rendered = torch.stack([torch.ones(2, 2), 2 * torch.ones(2, 2)])[None].requires_grad_()
    cue = torch.stack([torch.ones(2, 2), 5 * torch.ones(2, 2)])[None]
    assert monocular_depth_loss(rendered, cue, torch.ones_like(cue, dtype=torch.bool)).item() < 1e-6


def test_coarser_scales_look_at_every_second_pixel():
    difference = torch.tensor([[0.0, 5.0, 1.0], [7.0, 7.0, 7.0], [0.0, 9.0, 3.0]])
    mask = torch.zeros(1, 1, 3, 3, dtype=torch.bool)
    mask[..., ::2, ::2] = True  # no two neighbours: the first scale sees nothing
    cue = difference[None, None]
    rendered = torch.zeros(1, 1, 3, 3)  # constant: scale 0, shift = mean 1
    value = monocular_depth_loss(rendered, cue, mask, scales=2).item()
    squared = (1.0 + 0.0 + 1.0 + 4.0) / (2 * 4)
    slopes = (1.0 + 3.0 + 0.0 + 2.0) / 4
    assert value == pytest.approx(squared + 0.5 * slopes)


def test_what_the_mask_leaves_out_has_no_influence_and_no_gradient():
    rendered = torch.tensor([1.0, 2.0, 3.0, 4.0]).view(1, 1, 2, 2).requires_grad_()
    cue = torch.tensor([0.0, 3.0, 3.5, math.nan]).view(1, 1, 2, 2).requires_grad_()
    mask = torch.tensor([True, True, True, False]).view(1, 1, 2, 2)
    monocular_depth_loss(rendered, cue.detach(), mask).backward()
    assert torch.isfinite(rendered.grad).all()
    assert rendered.grad.view(-1)[3] == 0
    assert rendered.grad.view(-1)[:3].abs().min() > 0


def test_the_closed_form_is_differentiated_through():
    """Moving all rendered depth together, or stretching it, is undone by shift and scale: such gradients vanish."""
    generator = torch.Generator().manual_seed(1)
    rendered = (1 + torch.rand(1, 1, 8, 8, generator=generator, dtype=torch.float64)).requires_grad_()
    cue = torch.rand(1, 1, 8, 8, generator=generator, dtype=torch.float64)
    monocular_depth_loss(rendered, cue, torch.ones_like(cue, dtype=torch.bool)).backward()
    gradient, values = rendered.grad.view(-1), rendered.detach().view(-1)
    assert gradient.norm() > 1e-3
    assert abs(gradient.sum()) < 1e-12
    assert abs(gradient @ values) < 1e-12


def test_no_valid_pixel_costs_nothing():
    rendered = torch.ones(1, 1, 4, 4, requires_grad=True)
    loss = monocular_depth_loss(rendered, torch.full((1, 1, 4, 4), math.nan), torch.zeros(1, 1, 4, 4, dtype=torch.bool))
    loss.backward()
    assert loss.item() == 0.0
    assert torch.equal(rendered.grad, torch.zeros_like(rendered))
