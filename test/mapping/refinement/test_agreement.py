from __future__ import annotations

import numpy as np
import pytest

from magic3d_ros.mapping.keyframe import Keyframe
from magic3d_ros.mapping.mapper import Mapper
from magic3d_ros.mapping.refinement.agreement import Agreement, agreement
from magic3d_ros.mapping.surface import View

from .conftest import corner_run


def test_a_view_that_is_off_by_a_known_length_and_colour():
    frame = corner_run(1)[0]

    def render(camera, pose):
        rgb = frame.rgb.astype(np.int16) + 5  # stripes stay within 60 and 160
        return View(rgb.astype(np.uint8), np.where(frame.depth > 0, frame.depth + 0.02, 0).astype(np.float32),
                    np.zeros((*frame.depth.shape, 3), np.float32))

    found = agreement(render, [Keyframe.of(frame)])
    assert found.depth_error == pytest.approx(0.02, abs=1e-3)  # depth is kept in millimetres
    assert found.psnr == pytest.approx(20 * np.log10(255 / 5), abs=0.5)  # and colour as JPEG


def test_nothing_to_compare_is_not_a_number(settings):
    assert np.isnan(agreement(Mapper(settings).render, []).depth_error)
    empty = agreement(Mapper(settings).render, [Keyframe.of(corner_run(1)[0])])
    assert np.isnan([empty.depth_error, empty.psnr]).all()


def test_better_is_told_by_depth_and_by_colours_where_they_count():
    before = Agreement(0.005, 20.0)
    assert Agreement(0.0049, 19.0).better_than(before)
    assert not Agreement(0.005, 30.0).better_than(before)
    assert Agreement(0.0051, 20.6).better_than(before, colors=True)
    assert not Agreement(0.0051, 20.4).better_than(before, colors=True)
    assert Agreement().better_than(before) and Agreement(0.005, 20.0).better_than(Agreement())
