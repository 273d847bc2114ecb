"""Who looks at which keyframe: one each, the least busy; the share of the dead is taken over. Without ROS."""

from __future__ import annotations

import numpy as np
import pytest

from magic3d_ros.frames import Camera, RGBDFrame
from magic3d_ros.nodes.cue_dispatch import ALIVE_FOR, CueDispatch


def frame(stamp):
    camera = Camera(4, 3, 4.0, 4.0, 2.0, 1.5)
    return RGBDFrame(stamp, np.zeros((3, 4, 3), np.uint8), np.ones((3, 4), np.float32), camera, np.eye(4))


def everywhere(shard):
    return True


@pytest.fixture
def two():
    """Two extractors, each with room for two keyframes."""
    dispatch = CueDispatch()
    for shard in (0, 1):
        dispatch.heard(shard, 2, instance=100 + shard, room=2, now=0.0)
    return dispatch


def sent(dispatch, now, reachable=everywhere):
    return [(shard, keyframe.stamp) for shard, keyframe in dispatch.due(now, reachable)]


def test_each_keyframe_goes_to_one_extractor_the_least_busy(two):
    for stamp in range(6):
        two.add(frame(stamp), now=0.0, patience=10.0)
    first = sent(two, 0.1)
    assert sorted(stamp for _, stamp in first) == [0, 1, 2, 3]  # room for four
    assert sorted(shard for shard, _ in first) == [0, 0, 1, 1]
    assert sent(two, 0.2) == []
    assert two.answered(1)
    (again,) = sent(two, 0.3)
    assert again == (dict((stamp, shard) for shard, stamp in first)[1], 4)
    assert (two.alive, two.expected, two.resent) == (2, 2, 0)


def test_without_a_listener_nothing_is_sent_into_the_void(two):
    two.add(frame(1), 0.0, 10.0)
    assert sent(two, 0.1, lambda shard: False) == []
    assert sent(two, 0.2, lambda shard: shard == 1) == [(1, 1)]


def test_the_share_of_a_dead_extractor_is_taken_over(two):
    for stamp in range(4):
        two.add(frame(stamp), 0.0, 10.0)
    of_zero = [stamp for shard, stamp in sent(two, 0.1) if shard == 0]
    two.heard(1, 2, 101, 2, now=ALIVE_FOR)  # extractor 0 is silent since 0.0
    assert sent(two, ALIVE_FOR + 0.1) == []  # the other has no room yet
    assert (two.alive, two.expected, two.resent) == (1, 2, 2)
    for stamp in set(range(4)) - set(of_zero):
        assert two.answered(stamp)
    assert sent(two, ALIVE_FOR + 0.2) == [(1, stamp) for stamp in of_zero]


def test_an_extractor_that_was_started_anew_gets_again_what_it_lost(two):
    two.add(frame(1), 0.0, 10.0)
    ((shard, _),) = sent(two, 0.1)
    assert sent(two, 0.2) == []
    two.heard(shard, 2, instance=555, room=2, now=0.3)  # it never was silent for long
    assert len(sent(two, 0.4)) == 1
    assert two.resent == 1


def test_what_hangs_goes_to_an_idle_extractor_and_late_answers_are_duplicates(two):
    two.add(frame(1), 0.0, patience=4.0)
    ((shard, _),) = sent(two, 0.1)
    for now in (1.0, 1.9):
        for other in (0, 1):
            two.heard(other, 2, 100 + other, 2, now)
        assert sent(two, now) == []
    assert sent(two, 2.1) == [(1 - shard, 1)]
    assert two.resent == 1
    assert sent(two, 2.2) == []
    assert two.answered(1) and not two.answered(1)


def test_nobody_waits_longer_than_the_bound():
    dispatch = CueDispatch()
    dispatch.add(frame(1), 0.0, patience=5.0)
    dispatch.add(frame(2), 3.0, patience=5.0)
    assert sent(dispatch, 6.0) == []
    dispatch.heard(0, 1, 9, 4, 6.5)
    assert sent(dispatch, 6.6) == [(0, 2)]
