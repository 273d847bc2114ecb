"""Costs, assignment and losses against figures computed by hand."""

from __future__ import annotations

import math

import pytest
import torch

from magic3d_ros.instances.segmenter.decoder import Prediction
from magic3d_ros.instances.segmenter.encoder import GraphTensors
from magic3d_ros.instances.segmenter.losses import affinity_loss, losses, overlap_with, true_masks
from magic3d_ros.instances.segmenter.matching import SMOOTH, matched, pair_dice, pair_entropy

LOG3 = math.log(3.0)  # its sigmoid is 3/4
TRUTH = torch.tensor([[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]])
SIZE = torch.tensor([100.0, 400.0, 100.0, 400.0])


def predicted(masks: torch.Tensor, seeds: tuple[int, ...], classes: torch.Tensor | None = None) -> Prediction:
    classes = torch.zeros(len(masks), 2) if classes is None else classes
    return Prediction([masks, masks], classes, torch.zeros(len(masks)), torch.tensor(seeds))


def of_four(size: torch.Tensor = SIZE) -> GraphTensors:
    pairs = torch.tensor([[0, 1], [1, 2], [2, 3]])
    none = torch.zeros(0)
    return GraphTensors(none, torch.zeros(4, 3), size, torch.zeros(4, 1), pairs, none, none)


def test_entropy_of_pairs_by_weight() -> None:
    logits = torch.tensor([[LOG3, LOG3, -LOG3, 0.0]])  # probabilities 3/4, 3/4, 1/4, 1/2
    weight = torch.tensor([1.0, 2.0, 1.0, 2.0])
    with_first = (4 * math.log(4 / 3) + 2 * math.log(2)) / 6
    with_second = (3 * math.log(4) + math.log(4 / 3) + 2 * math.log(2)) / 6
    assert pair_entropy(logits, TRUTH, weight)[0].tolist() == pytest.approx([with_first, with_second])


def test_dice_of_pairs_by_points() -> None:
    logits = torch.tensor([[LOG3, LOG3, -LOG3, 0.0]])  # 75, 300, 25, 200 points
    first = 1 - (2 * 375 + SMOOTH) / (600 + 500 + SMOOTH)
    second = 1 - (2 * 200 + SMOOTH) / (600 + 400 + SMOOTH)
    assert pair_dice(logits, TRUTH, SIZE)[0].tolist() == pytest.approx([first, second])


def test_the_assignment_is_of_least_cost_not_greedy() -> None:
    """Both queries fit the first mask better; the second fits the other one less badly."""
    masks = torch.tensor([[4.0, 4.0, -4.0, -4.0], [4.0, 4.0, -4.0, 4.0]])
    query, mask = matched(predicted(masks, (0, 0)), TRUTH, SIZE)
    assert dict(zip(query.tolist(), mask.tolist(), strict=True)) == {0: 0, 1: 1}


def test_the_class_decides_between_queries_of_one_mask() -> None:
    masks = torch.tensor([[4.0, 4.0, -4.0, -4.0]] * 2)
    query, mask = matched(predicted(masks, (0, 0), torch.tensor([[-2.0, 2.0], [2.0, -2.0]])), TRUTH[:1], SIZE)
    assert (query.tolist(), mask.tolist()) == ([1], [0])


def test_labels_become_masks_without_the_unlabelled() -> None:
    truth, number = true_masks(torch.tensor([5, -1, 2, 5]))
    assert truth.tolist() == [[0, 0, 1, 0], [1, 0, 0, 1]] and number.tolist() == [1, -1, 0, 1]
    assert true_masks(torch.tensor([-1, -1]))[0].shape == (0, 2)


def test_affinities_of_unknown_superpoints_do_not_count() -> None:
    logits = torch.tensor([LOG3, LOG3, LOG3])
    pairs = torch.tensor([[0, 1], [1, 2], [2, 3]])
    found = affinity_loss(logits, pairs, torch.tensor([4, 4, 7, -1]))  # alike; apart; unknown
    assert found.item() == pytest.approx((math.log(4 / 3) + math.log(4)) / 2)
    assert affinity_loss(logits, pairs, torch.tensor([-1, 1, -1, 1])).item() == 0.0


def test_overlap_is_iou_over_points() -> None:
    logits = torch.tensor([[1.0, -1.0, 1.0, -1.0]])
    assert overlap_with(logits, TRUTH[:1], SIZE).item() == pytest.approx(100 / 600)


def test_losses_of_a_cloud_by_the_weights_of_the_paper() -> None:
    """One mask of the first two superpoints, the last is another, the third is unknown; one query on each, both layers alike."""
    masks = torch.tensor([[LOG3, LOG3, 9.0, -LOG3], [-LOG3, -LOG3, 9.0, LOG3]])
    found = losses(predicted(masks, (0, 3)), torch.zeros(3), of_four(), torch.tensor([7, 7, -1, 3]))
    entropy = math.log(4 / 3)  # everywhere where something is known
    dice = (1 - (2 * 375 + SMOOTH) / (375 + 100 + 500 + SMOOTH) + 1 - (2 * 300 + SMOOTH) / (300 + 125 + 400 + SMOOTH)) / 2
    assert found.entropy.item() == pytest.approx(entropy) and found.dice.item() == pytest.approx(dice)
    assert found.iou.item() == 1.0 and found.overlap.item() == pytest.approx(math.log(2))
    total = 2 * (5 * entropy + 2 * dice) + 2 * math.log(2) + math.log(2) + 2 * math.log(2)  # affinity, overlap, class
    assert found.total.item() == pytest.approx(total, abs=1e-5)


def test_unknown_superpoints_teach_nothing() -> None:
    masks = torch.randn(2, 4, requires_grad=True)
    affinity = torch.randn(3, requires_grad=True)
    found = losses(predicted(masks, (0, 2)), affinity, of_four(), torch.tensor([1, 1, -1, -1]))
    found.total.backward()
    assert masks.grad is not None and affinity.grad is not None
    assert not masks.grad[1].any() and not masks.grad[0, 2:].any() and masks.grad[0, :2].all()
    assert affinity.grad[0] != 0 and not affinity.grad[1:].any()


def test_a_cloud_without_a_label_teaches_nothing() -> None:
    masks = torch.randn(2, 4, requires_grad=True)
    found = losses(predicted(masks, (0, 2)), torch.zeros(3), of_four(), torch.full((4,), -1))
    found.total.backward()
    assert found.total.item() == 0.0 and masks.grad is not None and not masks.grad.any()
