from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from magic3d_ros.nodes.frame_counts import FrameCounts
from magic3d_ros.nodes.frame_input import SequenceGaps
from magic3d_ros.nodes.mapping_diagnosis import (
    InputState,
    input_report,
    own_cue_report,
    pose_report,
    self_check_report,
    sync_report,
)

pytestmark = pytest.mark.ros

TOPICS = {"rgb": "/camera/color", "depth": "/camera/depth", "camera_info": "/camera/info"}
LISTENING = InputState(TOPICS, {"rgb": 1, "depth": 1, "camera_info": 1}, has_info=True)


def received(colour: int = 1, depth: int = 1) -> FrameCounts:
    counts = FrameCounts()
    for _ in range(colour):
        counts.arrived()
    counts.note("depth_received", depth)
    return counts


@pytest.mark.parametrize(("state", "counts", "words"), [
    (replace(LISTENING, publishers={"depth": 1}), received(0), ["nobody publishes /camera/color", "-r rgb:="]),
    (LISTENING, received(0), ["/camera/color has a publisher, but nothing arrives", "ros.reliable", "ros.compressed"]),
    (replace(LISTENING, publishers={"rgb": 1}), received(5, 0), ["nobody publishes /camera/depth"]),
    (replace(LISTENING, has_info=False), received(), ["/camera/info"]),
])
def test_nothing_comes_in(state: InputState, counts: FrameCounts, words: list[str]):
    report = input_report(state, counts, True, "")
    assert report.level == 2
    for word in words:
        assert word in report.message


def test_no_frame_can_be_used():
    counts = received(3, 3)
    for _ in range(3):
        counts.drop("no_pose", "no transform from 'camera' to 'map'")
    report = input_report(LISTENING, counts, True, "")
    assert (report.level, report.values["received"], report.values["dropped.no_pose"]) == (2, 3, 3)
    assert "no frame could be used: no transform from 'camera' to 'map'" in report.message


def test_all_is_well():
    counts = received(2, 2)
    counts.use(True, 0.1)
    counts.use(False, 0.1)
    report = input_report(LISTENING, counts, True, "")
    assert report.level == 0
    assert [report.values[name] for name in ("received", "used", "keyframes", "waiting")] == [2, 2, 1, 0]


def test_many_dropped_frames_are_a_warning_that_says_why():
    counts = received(4, 4)
    for _ in range(2):
        counts.use(False, 0.1)
        counts.drop("queue_full", "the mapper is slower than the camera")
    report = input_report(LISTENING, counts, True, "")
    assert report.level == 1
    assert "2 of 4 frames dropped" in report.message
    assert "slower than the camera" in report.message


def test_loading_and_inactive():
    assert input_report(LISTENING, received(), True, "the models are loading").level == 1
    assert input_report(LISTENING, received(), True, "the models could not be loaded: x").level == 2
    assert "not active" in input_report(LISTENING, received(), False, "").message


def test_streams_that_never_match():
    report = sync_report(replace(LISTENING, matched=0, unmatched=9, match_rate=0.0, sync="received rgb 9, depth 9"))
    assert report.level == 2
    assert "ros.sync_slop" in report.message
    assert sync_report(replace(LISTENING, matched=9, unmatched=1, match_rate=0.9)).level == 0


def test_the_pose_that_was_tried_is_told():
    report = pose_report(replace(LISTENING, tried="map <- camera", pose_failure="no transform from 'camera' to 'map': x",
                                 known_frames=("odom", "base")))
    assert (report.level, report.values["tried"], report.values["known_frames"]) == (2, "map <- camera", "odom, base")
    assert pose_report(replace(LISTENING, refused_poses=2, invalid_pose="NaN")).level == 1


def test_gaps_in_a_publishers_numbers():
    gaps = SequenceGaps()
    assert [gaps.see(number) for number in (5, 6, 9, 10)] == [0, 0, 2, 0]
    assert gaps.see(2) == 0  # it was started again
    assert gaps.see(4) == 1
    assert gaps.see(None) == 0
    assert gaps.see(10**9) == 0  # another publisher


def test_the_self_check_warns_when_the_map_contradicts_the_camera():
    assert self_check_report({"checked": 0.0, "waiting": 1.0}).level == 0
    right = {"checked": 9.0, "waiting": 0.0, "in25": 0.873, "depth_error": 0.0061, "psnr": 21.5}
    report = self_check_report(right)
    assert (report.level, report.values) == (0, right)
    assert "87% of what keyframes measured lies within 2.5 cm" in report.message
    assert "half within 6 mm" in report.message
    report = self_check_report(right | {"in25": 0.3})
    assert report.level == 1
    assert "poses, calibration or the depth's unit" in report.message


def test_models_in_the_mapper_s_own_process_tell_time_memory_and_problems():
    extractor = SimpleNamespace(name="foundation/siglip/64", problems={}, figures=lambda: {"ms.siglip": 12.5, "MB.siglip": 813})
    report = own_cue_report(extractor)
    assert (report.level, report.values["ms.siglip"], report.values["model"]) == (0, 12.5, "foundation/siglip/64")
    extractor.problems = {"masks": "model 'owner/sam' is not on this machine"}
    report = own_cue_report(extractor)
    assert (report.level, report.message) == (1, "model 'owner/sam' is not on this machine")
