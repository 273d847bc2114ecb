"""Mean IoU and accuracy of names, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from magic3d_ros.evaluation.label_metrics import label_scores

TRUTH = np.array([0, 0, 0, 0, 1, 1, 2, -1])
NAMED = np.array([0, 0, 1, -1, 1, 0, 1, 2])


def test_means_over_classes():
    found = label_scores(TRUTH, NAMED)
    # class 0: 2 right of 4, named 3 times: 2 / 5; class 1: 1 of 2, named 3 times: 1 / 4; class 2: 0 of 1
    assert found.miou == pytest.approx((2 / 5 + 1 / 4 + 0) / 3)
    assert found.macc == pytest.approx((2 / 4 + 1 / 2 + 0) / 3)
    assert found.accuracy == pytest.approx(3 / 7)


def test_among_some_classes_what_others_are_called_still_counts():
    found = label_scores(TRUTH, NAMED, np.array([1, 5]))
    assert (found.miou, found.macc, found.accuracy) == (pytest.approx(1 / 4), 0.5, 0.5)


def test_nothing_to_score_and_sizes_that_differ():
    assert np.isnan(label_scores(np.array([-1]), np.array([0])).miou)
    with pytest.raises(ValueError, match="one of each"):
        label_scores(TRUTH, NAMED[:3])
