import pytest
import torch

from magic3d_ros.mapping.losses.color import color_loss, squared_color_loss, uncertain_color_loss


def colors():
    rendered = torch.tensor([[0.5, 0.5, 0.5], [0.2, 0.0, 1.0]], requires_grad=True)
    return rendered, torch.tensor([[0.5, 0.2, 0.5], [0.8, 0.0, 1.0]])


def test_absolute_and_squared_differences():
    rendered, photographed = colors()
    assert color_loss(rendered, photographed).item() == pytest.approx((0.3 + 0.6) / 6)
    assert squared_color_loss(rendered, photographed).item() == pytest.approx((0.09 + 0.36) / 6)


def test_weights_choose_and_scale_rays():
    rendered, photographed = colors()
    assert color_loss(rendered, photographed, torch.tensor([0.0, 0.5])).item() == pytest.approx(0.6 / 3)
    assert squared_color_loss(rendered, photographed, torch.tensor([3.0, 1.0])).item() == pytest.approx((3 * 0.09 + 0.36) / 12)


def test_no_trusted_ray_gives_a_zero_that_can_be_differentiated():
    rendered, photographed = colors()
    loss = color_loss(rendered, photographed, torch.zeros(2))
    loss.backward()
    assert loss.item() == 0.0
    assert torch.equal(rendered.grad, torch.zeros(2, 3))


def test_uncertainty_divides_the_squared_error():
    rendered, photographed = colors()
    beta = torch.tensor([1.0, 2.0])
    assert uncertain_color_loss(rendered, photographed, beta).item() == pytest.approx((0.09 / 2 + 0.36 / 8) / 6)


def test_colour_never_trains_the_uncertainty():
    rendered, photographed = colors()
    beta = torch.tensor([1.0, 2.0], requires_grad=True)
    uncertain_color_loss(rendered, photographed, beta).backward()
    assert beta.grad is None
    # d/dC of (C - C')^2 / (2 beta^2) / 6 entries
    assert rendered.grad[0, 1].item() == pytest.approx(0.3 / 6)
    assert rendered.grad[1, 0].item() == pytest.approx(-0.6 / 4 / 6)
