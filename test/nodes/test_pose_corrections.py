from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace

import numpy as np
import pytest
import rclpy
from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Path

from magic3d_ros.config import Settings
from magic3d_ros.mapping.refinement.reports import CorrectionReport
from magic3d_ros.nodes.conversions import header, pose_stamped
from magic3d_ros.nodes.frame_counts import FrameCounts
from magic3d_ros.nodes.live_mapping import LiveMapping
from magic3d_ros.nodes.mapping_diagnosis import refinement_report
from magic3d_ros.nodes.pose_corrections import PoseCorrections, at_known_stamps
from magic3d_ros.scene import Scene

pytestmark = pytest.mark.ros

SECOND = 1_000_000_000
KNOWN = [10 * SECOND, 11 * SECOND, 12 * SECOND]


def moved(x: float) -> np.ndarray:
    pose = np.eye(4)
    pose[0, 3] = x
    return pose


class Pipeline:
    """Remembers the corrections it is given, one after the other; waits in the first until it is let go."""

    def __init__(self) -> None:
        self.scene = Scene.empty()
        self.waiting_pictures = 0
        keyframes = SimpleNamespace(remembered=lambda: [SimpleNamespace(stamp=stamp) for stamp in KNOWN])
        self.mapper = SimpleNamespace(keyframes=keyframes)
        self.given: list[Mapping[int, np.ndarray]] = []
        self.at_work, self.go_on = threading.Event(), threading.Event()

    def correct_poses(self, poses: Mapping[int, np.ndarray]) -> CorrectionReport:
        self.given.append(poses)
        self.at_work.set()
        assert self.go_on.wait(10)
        self.scene = Scene.empty()
        applied = sum(stamp in KNOWN for stamp in poses)
        return CorrectionReport(applied, len(poses) - applied, applied, 0.1, f"{applied} moved")


def until(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 5
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return condition()


@pytest.fixture
def listening(ros_context: object) -> Iterator[tuple[Pipeline, LiveMapping, PoseCorrections]]:
    pipeline, settings = Pipeline(), Settings()
    settings.ros.corrected_frame = "base"
    mapping = LiveMapping(settings, lambda: pipeline, FrameCounts())  # type: ignore[arg-type,return-value]
    mapping.start()
    assert until(lambda: mapping.pipeline is not None)
    node = rclpy.create_node("mapper", context=ros_context)

    def between(target: str, source: str, stamp: int) -> np.ndarray:
        edges = {("map", "odom"): moved(5.0), ("base", "cam"): moved(0.25)}
        if (target, source) not in edges:
            raise LookupError(f"no transform from '{source}' to '{target}'")
        return edges[target, source]

    yield pipeline, mapping, PoseCorrections(node, settings.ros, mapping, between)
    pipeline.go_on.set()
    assert mapping.stop()
    node.destroy_node()


def path(poses: Mapping[int, float], frame: str = "map") -> Path:
    return Path(header=header(0, frame), poses=[pose_stamped(moved(x), header(stamp, frame)) for stamp, x in poses.items()])


def test_corrections_are_applied_beside_the_callback_and_those_that_wait_together(listening):
    pipeline, mapping, corrections = listening
    corrections._on_path(path({KNOWN[0]: 1.0}))
    assert pipeline.at_work.wait(5)
    corrections._on_path(path({KNOWN[1]: 2.0, 77: 2.0}))
    corrections._on_path(path({KNOWN[1]: 3.0, KNOWN[2]: 3.0}))
    pipeline.go_on.set()
    assert until(lambda: corrections.applied == 3)
    first, then = pipeline.given
    assert {stamp: pose[0, 3] for stamp, pose in first.items()} == {KNOWN[0]: 1.0}
    assert {stamp: pose[0, 3] for stamp, pose in then.items()} == {KNOWN[1]: 3.0, 77: 2.0, KNOWN[2]: 3.0}
    assert (corrections.unknown, corrections.message) == (1, "2 moved")
    assert mapping.version == 2  # the scene moved: topics follow


def test_poses_of_another_frame_in_another_frame(listening):
    pipeline, mapping, corrections = listening
    pipeline.go_on.set()
    mapping.newest = SimpleNamespace(frame_id="cam")
    corrections._on_path(path({KNOWN[0]: 1.0}, "odom"))
    assert until(lambda: corrections.applied == 1)
    assert pipeline.given[0][KNOWN[0]][0, 3] == pytest.approx(5.0 + 1.0 + 0.25)
    corrections._on_path(path({KNOWN[0]: 1.0}, "elsewhere"))
    assert "no transform from 'elsewhere'" in corrections.message


def test_a_broken_pose_spoils_its_message_and_an_empty_one_does_nothing(listening):
    pipeline, _, corrections = listening
    broken = path({KNOWN[0]: 1.0})
    broken.poses.append(PoseStamped(header=header(KNOWN[1], "map")))
    broken.poses[1].pose.orientation.w = 0.0
    corrections._on_path(broken)
    assert "1 of 2 corrected poses are no rigid transforms" in corrections.message
    corrections._on_path(Path(header=header(0, "map")))
    assert pipeline.given == []


def test_stamps_off_by_rounding_are_the_frames():
    found = at_known_stamps({KNOWN[0] + 200: moved(1), KNOWN[1] - 499_999: moved(2), KNOWN[2] + 600_000: moved(3)}, KNOWN)
    assert {stamp: pose[0, 3] for stamp, pose in found.items()} == {KNOWN[0]: 1, KNOWN[1]: 2, KNOWN[2] + 600_000: 3}
    assert list(at_known_stamps({5: moved(1)}, [])) == [5]


def test_corrections_end_a_refinement_early(listening):
    pipeline, mapping, corrections = listening
    pipeline.go_on.set()
    order: list[str] = []

    def refine(_: object, ended: Callable[[], bool]) -> None:
        order.append("refining")
        assert until(ended)
        order.append("ended early")

    mapping.refine(refine, lambda result, error: None)
    assert until(lambda: order == ["refining"])
    corrections._on_path(path({KNOWN[0]: 1.0}))
    assert until(lambda: corrections.applied == 1)
    assert order == ["refining", "ended early"]
    mapping.refine(lambda _, ended: order.append(str(ended())), lambda result, error: None)
    assert until(lambda: order[-1] == "False")


def test_diagnostics_say_when_no_stamp_fits():
    refinement = SimpleNamespace(under_way="", last="")
    report = refinement_report(refinement, SimpleNamespace(message="", applied=0, unknown=9))  # type: ignore[arg-type]
    assert report.level == 1
    assert "none of 9 corrected poses has the stamp" in report.message
    refinement.under_way = "poses, 40% of the time"
    report = refinement_report(refinement, SimpleNamespace(message="", applied=3, unknown=9))  # type: ignore[arg-type]
    assert (report.level, report.message) == (0, "refining: poses, 40% of the time")
