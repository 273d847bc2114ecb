"""Overlapping masks to label images, on pictures of a few pixels."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from magic3d_ros.cues.foundation.label_image import enlarged, label_image, renumbered, whole_first
from magic3d_ros.cues.foundation.mask_proposals import MaskProposals, mask_boxes, without_duplicates
from magic3d_ros.cues.foundation.point_prompts import point_grid


def proposals(*masks):
    """Each: rows of characters (# inside), score, level."""
    bits = torch.tensor(np.array([[[pixel == "#" for pixel in row] for row in rows] for rows, _, _ in masks]))
    _, scores, levels = zip(*masks, strict=True)
    return MaskProposals.pack(bits, torch.tensor(scores), torch.tensor(levels))


# A table (whole) whose top is a part of it, a cup that only just reaches over the table's edge, and the table again, worse.
TABLE = (["........", ".######.", ".######.", ".######.", ".######."], 0.90, 2)
TOP = (["........", ".######.", ".######.", "........", "........"], 0.95, 1)
CUP = (["#.......", "##......", "........", "........", "........"], 0.97, 0)
AGAIN = (["........", ".######.", ".######.", ".######.", ".#####.."], 0.89, 2)


def test_objects_puts_whole_things_first_and_keeps_what_is_no_part_of_one():
    assert label_image(proposals(TABLE, TOP, CUP, AGAIN), "objects").tolist() == [
        [1, -1, -1, -1, -1, -1, -1, -1],
        [1, 1, 0, 0, 0, 0, 0, -1],
        [-1, 0, 0, 0, 0, 0, 0, -1],
        [-1, 0, 0, 0, 0, 0, 0, -1],
        [-1, 0, 0, 0, 0, 0, 0, -1]]


def test_parts_lets_the_smaller_win():
    assert label_image(proposals(TABLE, TOP, CUP, AGAIN), "parts").tolist() == [
        [2, -1, -1, -1, -1, -1, -1, -1],
        [2, 2, 1, 1, 1, 1, 1, -1],
        [-1, 1, 1, 1, 1, 1, 1, -1],
        [-1, 0, 0, 0, 0, 0, 0, -1],
        [-1, 0, 0, 0, 0, 0, 0, -1]]


def test_all_lets_the_surer_win():
    surer = (TABLE[0], 0.96, 2)
    assert label_image(proposals(surer, TOP, CUP), "all").tolist() == [
        [1, -1, -1, -1, -1, -1, -1, -1],
        [1, 1, 0, 0, 0, 0, 0, -1],
        [-1, 0, 0, 0, 0, 0, 0, -1],
        [-1, 0, 0, 0, 0, 0, 0, -1],
        [-1, 0, 0, 0, 0, 0, 0, -1]]


@pytest.mark.parametrize("granularity", ["objects", "parts", "all"])
def test_no_mask_at_all(granularity):
    empty = MaskProposals.pack(torch.zeros((0, 2, 3), dtype=torch.bool), torch.zeros(0), torch.zeros(0, dtype=torch.int64))
    labels = label_image(empty, granularity)
    assert labels.dtype == np.int32 and labels.tolist() == [[-1, -1, -1], [-1, -1, -1]]


def test_without_whole_things_objects_are_the_regions():
    assert label_image(proposals(CUP), "objects")[:2].tolist() == [[0, *[-1] * 7], [0, 0, *[-1] * 6]]


def test_another_granularity_is_named():
    with pytest.raises(ValueError, match="'everything'"):
        label_image(proposals(CUP), "everything")


def test_a_region_stays_unless_more_than_nine_tenths_of_it_are_inside_one_object():
    whole = np.full((1, 30), -1)
    whole[0, :9], whole[0, 9:19] = 0, 1
    regions = np.full((1, 30), -1)
    regions[0, :10] = 0  # nine of ten pixels inside object 0, the tenth inside object 1: not more than .9 of it in one
    regions[0, 11:19] = 1  # all inside object 1
    regions[0, 25:] = 2  # outside
    assert whole_first(whole, regions)[0].tolist() == [*[2] * 10, *[1] * 9, *[-1] * 6, *[4] * 5]


def test_labels_are_numbered_without_gaps():
    assert renumbered(np.array([[7, -1], [3, 7]])).tolist() == [[1, -1], [0, 1]]
    assert renumbered(np.array([[7, 7], [3, 7]])).tolist() == [[1, 1], [0, 1]]


def test_enlarging_takes_the_label_under_the_pixels_centre():
    assert enlarged(np.array([[0, 1, 2]]), 2, 5).tolist() == [[0, 0, 1, 2, 2]] * 2  # centres .3 .9 1.5 2.1 2.7
    assert enlarged(np.array([[0, 1, 2, 3]]), 1, 2).tolist() == [[1, 3]]  # centres 1.0 and 3.0


def test_packed_masks_come_back():
    masks = torch.rand((5, 7, 11), generator=torch.Generator().manual_seed(0)) > 0.5
    packed = MaskProposals.pack(masks, torch.arange(5.0), torch.zeros(5, dtype=torch.int64))
    twice = MaskProposals.joined([packed, packed])
    assert packed.packed.shape == (5, 10) and len(twice) == 10
    for index in range(10):
        assert (twice.mask(index) == masks[index % 5].numpy()).all()


def test_boxes_are_of_the_outermost_pixels():
    masks = torch.zeros((3, 4, 6), dtype=torch.bool)
    masks[0, 1, 2] = masks[0, 3, 4] = True
    masks[1] = True
    assert mask_boxes(masks).tolist() == [[2, 1, 4, 3], [0, 0, 5, 3], [0, 0, 0, 0]]


def test_of_two_overlapping_boxes_the_worse_goes():
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 8], [0, 0, 10, 7], [20, 20, 20, 20]], np.float32)
    # IoU of the first with the second .8, with the third exactly .7, which stays; a box without area stays.
    assert without_duplicates(boxes, np.array([0.9, 0.8, 0.7, 0.6])).tolist() == [0, 2, 3]
    assert without_duplicates(boxes, np.array([0.8, 0.9, 0.7, 0.6])).tolist() == [1, 3]  # .875 of the third
    assert without_duplicates(np.zeros((0, 4), np.float32), np.zeros(0)).tolist() == []


@pytest.mark.parametrize("side", [1, 2, 5, 8, 32])
def test_point_grids_are_sams_from_coarse_to_fine(side):
    points = point_grid(side)
    centres = (np.arange(side) + 0.5) / side
    assert sorted(map(tuple, points)) == [(x, y) for x in centres for y in centres]
    if side == 8:
        assert points[:4].tolist() == [[0.0625, 0.0625], [0.5625, 0.0625], [0.0625, 0.5625], [0.5625, 0.5625]]
