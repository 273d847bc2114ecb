from __future__ import annotations

import numpy as np

from magic3d_ros.evaluation.robust_trimming import outliers


def test_a_patch_of_another_colour_is_trimmed_and_a_speck_is_not():
    random = np.random.default_rng(0)
    rendered = np.full((64, 64, 3), 100, np.uint8)
    observed = (rendered + random.integers(0, 4, rendered.shape)).astype(np.uint8)
    observed[24:48, 24:48] = 200
    observed[8, 8] = 200
    trimmed = outliers(rendered, observed, np.ones((64, 64), bool), quantile=0.8)
    assert trimmed[28:44, 28:44].all()
    assert trimmed[:16].sum() == 0
    assert trimmed.mean() < 0.2


def test_where_nothing_is_rendered_nothing_is_trimmed():
    rendered, observed = np.zeros((32, 32, 3), np.uint8), np.full((32, 32, 3), 250, np.uint8)
    assert not outliers(rendered, observed, np.zeros((32, 32), bool)).any()
    half = np.zeros((32, 32), bool)
    half[:, :16] = True
    assert not outliers(rendered, observed, half)[:, 16:].any()
