import pytest
import torch

from magic3d_ros.mapping.losses.color import color_loss


def colors():
    rendered = torch.tensor([[0.5, 0.5, 0.5], [0.2, 0.0, 1.0]], requires_grad=True)
    return rendered, torch.tensor([[0.5, 0.2, 0.5], [0.8, 0.0, 1.0]])


def test_absolute_differences():
    rendered, photographed = colors()
    assert color_loss(rendered, photographed).item() == pytest.approx((0.3 + 0.6) / 6)


def test_weights_choose_and_scale_rays():
    rendered, photographed = colors()
    assert color_loss(rendered, photographed, torch.tensor([0.0, 0.5])).item() == pytest.approx(0.6 / 3)


def test_no_trusted_ray_gives_a_zero_that_can_be_differentiated():
    rendered, photographed = colors()
    loss = color_loss(rendered, photographed, torch.zeros(2))
    loss.backward()
    assert loss.item() == 0.0
    assert torch.equal(rendered.grad, torch.zeros(2, 3))
