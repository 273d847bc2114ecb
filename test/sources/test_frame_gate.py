from __future__ import annotations

import logging

import numpy as np

from magic3d_ros.frames import FrameError
from magic3d_ros.sources.frame_gate import FrameGate

SECOND = 1_000_000_000


def test_good_frames_pass(tiny):
    gate = FrameGate("kitchen")
    assert [gate.admit(tiny.frame(n)) for n in range(3)] == [True] * 3
    assert (gate.admitted, gate.skipped, gate.restarts) == (3, {}, 0)


def test_duplicates_and_late_frames_are_counted(tiny):
    gate = FrameGate("kitchen")
    stamps = [10 * SECOND, 10 * SECOND, 10 * SECOND + 1, 10 * SECOND - 1, 9 * SECOND + 2, 11 * SECOND]
    assert [gate.admit(tiny.frame(stamp=stamp)) for stamp in stamps] == [True, False, True, False, False, True]
    assert gate.skipped == {"duplicate": 1, "out_of_order": 2}
    assert gate.restarts == 0


def test_a_large_jump_back_is_a_restart(tiny, caplog):
    gate = FrameGate("kitchen")
    with caplog.at_level(logging.WARNING):
        stamps = [100 * SECOND, 5 * SECOND, 5 * SECOND + 1, 100 * SECOND]
        assert [gate.admit(tiny.frame(stamp=stamp)) for stamp in stamps] == [True] * 4
    assert gate.restarts == 1
    assert gate.skipped == {}
    assert "jumped back by 95.0 s" in caplog.text


def test_bad_frames_are_counted_by_reason_and_each_reason_is_logged_once(tiny, caplog):
    nan = np.full((4, 4), np.nan)
    scaled = np.diag([2.0, 2.0, 2.0, 1.0])
    empty = np.zeros((12, 16), np.float32)
    small = np.ones((6, 8), np.float32)
    bad = [tiny.frame(0, camera_to_world=nan), tiny.frame(1, camera_to_world=scaled), tiny.frame(2, depth=empty),
           tiny.frame(3, depth=empty + 1500), tiny.frame(4, depth=empty + 0.0015), tiny.frame(5, depth=small)]
    gate = FrameGate("kitchen")
    with caplog.at_level(logging.WARNING):
        assert not any(gate.admit(frame) for frame in bad)
        assert gate.admit(tiny.frame(6))
        gate.report()
    assert gate.skipped == {"pose": 2, "depth_empty": 1, "depth_unit": 2, "size": 1}
    assert len(caplog.records) == 5  # four reasons, one total
    assert "kitchen: 1 of 7 frames used; skipped 1 for depth_empty, 2 for depth_unit, 2 for pose, 1 for size" in caplog.text


def test_a_bad_frame_does_not_move_time(tiny):
    gate = FrameGate("kitchen")
    assert not gate.admit(tiny.frame(stamp=50 * SECOND, depth=np.zeros((12, 16), np.float32)))
    assert gate.admit(tiny.frame(stamp=10 * SECOND))
    assert gate.restarts == 0


def test_what_could_not_be_put_together_is_counted_too(caplog):
    gate = FrameGate("kitchen")
    with caplog.at_level(logging.WARNING):
        gate.skip(FrameError("encoding", "/rgb: no such encoding"), 7)
        gate.skip(FrameError("encoding", "/rgb: no such encoding"), 8, count=3)
        gate.warn_once("tf", "a loop")
        gate.warn_once("tf", "a loop")
    assert gate.skipped == {"encoding": 4}
    assert [record.message for record in caplog.records] == [
        "kitchen: skipped frame 7: /rgb: no such encoding (further frames skipped for this reason are only counted)",
        "kitchen: a loop (logged once)"]
