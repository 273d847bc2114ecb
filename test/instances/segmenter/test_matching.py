"""Costs, assignment and losses against figures computed by hand."""

from __future__ import annotations

import math

import pytest
import torch

from magic3d_ros.instances.segmenter.decoder import Prediction
from magic3d_ros.instances.segmenter.losses import layer_losses, losses, seed_loss, true_masks
from magic3d_ros.instances.segmenter.matching import matched, pair_dice, pair_entropy

LOG3 = math.log(3.0)  # its sigmoid is 3/4
TRUTH = torch.tensor([[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]])


def predicted(classes: torch.Tensor, masks: torch.Tensor, seeds: tuple[int, ...] | None = None) -> Prediction:
    return Prediction(classes, masks, torch.tensor(seeds or (0,) * len(masks)))


def test_entropy_of_pairs() -> None:
    logits = torch.tensor([[LOG3, LOG3, -LOG3, 0.0]])  # probabilities 3/4, 3/4, 1/4, 1/2
    with_first = (3 * math.log(4 / 3) + math.log(2)) / 4
    with_second = (2 * math.log(4) + math.log(4 / 3) + math.log(2)) / 4
    assert pair_entropy(logits, TRUTH)[0].tolist() == pytest.approx([with_first, with_second])


def test_dice_of_pairs() -> None:
    logits = torch.tensor([[LOG3, LOG3, -LOG3, 0.0]])  # they sum to 9/4
    # 1 - (2 (3/4 + 3/4) + 1) / (9/4 + 2 + 1) and 1 - (2 (1/2) + 1) / (9/4 + 1 + 1)
    assert pair_dice(logits, TRUTH)[0].tolist() == pytest.approx([1 - 4 / 5.25, 1 - 2 / 4.25])


def test_the_assignment_is_of_least_cost_not_greedy() -> None:
    """Both queries fit the first mask better; the second fits the other one less badly."""
    masks = torch.tensor([[4.0, 4.0, -4.0, -4.0], [4.0, 4.0, -4.0, 4.0]])
    query, mask = matched(predicted(torch.zeros(2, 2), masks), TRUTH)
    assert dict(zip(query.tolist(), mask.tolist(), strict=True)) == {0: 0, 1: 1}


def test_the_class_decides_between_queries_of_one_mask() -> None:
    masks = torch.tensor([[4.0, 4.0, -4.0, -4.0]] * 2)
    classes = torch.tensor([[-2.0, 2.0], [2.0, -2.0]])
    query, mask = matched(predicted(classes, masks), TRUTH[:1])
    assert (query.tolist(), mask.tolist()) == ([1], [0])


def test_losses_of_a_layer() -> None:
    """One query on the mask with class logits (0, 0), one on nothing with (0, ln 3)."""
    masks = torch.tensor([[LOG3, LOG3, -LOG3, -LOG3], [-9.0, -9.0, -9.0, -9.0]])
    classes = torch.tensor([[0.0, 0.0], [0.0, LOG3]])
    of_class, entropy, dice = layer_losses(predicted(classes, masks), TRUTH[:1])
    assert of_class.item() == pytest.approx((math.log(2) + 0.1 * math.log(4 / 3)) / 1.1)  # weight .1 on nothing
    assert entropy.item() == pytest.approx(math.log(4 / 3))
    assert dice.item() == pytest.approx(1 - (2 * 1.5 + 1) / (2 + 2 + 1))


def test_every_layer_counts_by_the_weights_of_the_paper() -> None:
    prediction = predicted(torch.zeros(1, 2), torch.tensor([[LOG3, LOG3, -LOG3, -LOG3]]), (1,))
    found = losses([prediction, prediction, prediction], torch.tensor([7, 7, -1, -1]))
    assert found.total.item() == pytest.approx(2 * 2 * math.log(2) + 3 * (5 * math.log(4 / 3) + 2 * 0.2))
    assert found.entropy.item() == pytest.approx(math.log(4 / 3))


def test_labels_become_masks_without_the_unlabelled() -> None:
    assert true_masks(torch.tensor([5, -1, 2, 5])).tolist() == [[0, 0, 1, 0], [1, 0, 0, 1]]


def test_without_any_mask_queries_learn_that_nothing_is_there() -> None:
    classes, masks = torch.zeros(2, 2, requires_grad=True), torch.zeros(2, 4, requires_grad=True)
    found = losses([predicted(classes, masks)] * 2, torch.full((4,), -1))
    found.total.backward()
    assert found.classes.item() == pytest.approx(math.log(2))
    assert classes.grad is not None and (classes.grad[:, 0] > 0).all()
    assert masks.grad is not None and not masks.grad.any()


def test_untouched_queries_answer_for_the_mask_they_start_in() -> None:
    """The first starts in mask 7 and has it, the second starts in mask 3 and has 7 too, the third starts in none."""
    masks = torch.tensor([[LOG3, LOG3, -LOG3, -LOG3]] * 3)
    found = seed_loss(predicted(torch.zeros(3, 2), masks, (0, 3, 2)), torch.tensor([7, 7, -1, 3]))
    entropy = (math.log(4 / 3) + (2 * math.log(4) + math.log(4 / 3) + math.log(4)) / 4) / 2
    dice = ((1 - 4 / 5) + (1 - (2 / 4 + 1) / (2 + 1 + 1))) / 2
    assert found.item() == pytest.approx(5 * entropy + 2 * dice)
    assert seed_loss(predicted(torch.zeros(3, 2), masks, (2, 2, 2)), torch.tensor([7, 7, -1, 3])).item() == 0.0
