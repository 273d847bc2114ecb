from __future__ import annotations

import numpy as np
import pytest

from magic3d_ros.evaluation.mask_metrics import MaskTally


def image(*columns: int) -> np.ndarray:
    """(4, 8) bool, True in these columns."""
    mask = np.zeros((4, 8), bool)
    mask[:, list(columns)] = True
    return mask


def test_figures_of_a_known_mask():
    tally = MaskTally()
    tally.add(image(1, 2, 3), image(2, 3, 4, 5))
    tally.add(image(), image())  # a frame without distractors
    assert tally.figures()["iou"] == pytest.approx(2 / 5) and tally.figures()["recall"] == pytest.approx(0.5)
    assert tally.figures()["precision"] == pytest.approx(2 / 3)
    assert tally.figures()["false_alarms"] == pytest.approx(4 / (16 + 32))
    assert tally.frame_iou == [pytest.approx(0.4)]


def test_ignored_pixels_do_not_count():
    tally = MaskTally()
    tally.add(image(0, 1), image(1), ignored=image(0))
    assert tally.figures()["iou"] == 1.0 and tally.standing == 24


def test_auroc_is_the_chance_of_being_more_uncertain():
    tally = MaskTally(sampling=1)
    uncertainty = np.tile(np.array([0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.4, 1.6]), (4, 1))
    tally.add(image(), image(6, 7), uncertainty)
    assert tally.auroc == 1.0
    other = MaskTally(sampling=1)
    other.add(image(), image(0, 7), uncertainty)  # one above all six others, one below all
    assert other.auroc == pytest.approx(0.5)
    equal = MaskTally(sampling=1)
    equal.add(image(), image(3), np.full((4, 8), 0.5))
    assert equal.auroc == pytest.approx(0.5)
    assert np.isnan(MaskTally().auroc)


def test_how_soon_it_has_learned():
    tally = MaskTally()
    truth = image(0, 1, 2, 3)
    for found in ((), (0,), (0, 1, 2, 3), (0, 1, 2, 3), (0, 1)):
        tally.add(image(*found), truth)
    assert tally.frames_until_learned == 4  # (.25 + 1 + 1) / 3 = .75 at the fourth
    assert MaskTally().frames_until_learned is None


def test_sizes_that_differ():
    with pytest.raises(ValueError, match="compared"):
        MaskTally().add(np.zeros((2, 2), bool), np.zeros((3, 3), bool))
