import math

import pytest

from magic3d_ros.mapping.losses.schedule import CueWeights, cue_share


def test_cues_fade_by_exp_minus_ten():
    assert cue_share(0, 200) == 1.0
    assert cue_share(100, 200) == pytest.approx(math.exp(-5))
    assert cue_share(200, 200) == pytest.approx(4.54e-5, rel=1e-3)


def test_without_an_end_they_stay():
    assert cue_share(10**6, 0) == 1.0
    assert CueWeights().share(10**6) == 1.0
    assert CueWeights(end_step=10).share(10) == pytest.approx(math.exp(-10))
