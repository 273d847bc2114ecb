"""replay.launch.py with launch_testing, where a ROS install has launch: a recording is played, mapped and asked about."""

from __future__ import annotations

import os
import tempfile
import unittest
from contextlib import ExitStack
from pathlib import Path

import cv2
import numpy as np
import pytest

try:
    from launch import LaunchDescription  # not the folder launch/ of the checkout, which holds no such name
    from launch.actions import IncludeLaunchDescription
    from launch.launch_description_sources import PythonLaunchDescriptionSource
    from launch_testing import post_shutdown_test
    from launch_testing.actions import ReadyToTest
    from launch_testing.asserts import EXIT_OK, assertExitCodes
except ImportError:
    pytest.skip("launch and launch_testing are not here (no wheels have them): run the launch tests on a ROS install",
                allow_module_level=True)

FRAMES = 12
until_the_end = ExitStack()


def write_recording(folder: Path) -> Path:
    """A camera that moves 2 cm a frame along a checkered wall 1.5 m away."""
    (folder / "color").mkdir()
    (folder / "depth").mkdir()
    rows, columns = np.mgrid[:120, :160]
    poses = []
    for number in range(FRAMES):
        checkers = 80 + 120 * ((rows // 15 + (columns + 2 * number) // 15) % 2)
        cv2.imwrite(str(folder / "color" / f"{number:06d}.png"), np.repeat(checkers[..., None], 3, 2).astype(np.uint8))
        cv2.imwrite(str(folder / "depth" / f"{number:06d}.png"), np.full((120, 160), 1500, np.uint16))
        pose = np.eye(4)
        pose[0, 3] = 0.02 * number
        poses.append(" ".join(map(str, (number, *pose.ravel()))))
    (folder / "poses_c2w.txt").write_text("\n".join(poses) + "\n")
    (folder / "intrinsics.txt").write_text("150 150 79.5 59.5\n")
    return folder


@pytest.mark.launch_test
@pytest.mark.ros
def generate_test_description():
    from ament_index_python.packages import get_package_share_directory
    from domain_coordinator import domain_id

    os.environ["ROS_DOMAIN_ID"] = str(until_the_end.enter_context(domain_id()))
    os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
    os.environ["PYTHONUNBUFFERED"] = "1"
    recording = write_recording(Path(until_the_end.enter_context(tempfile.TemporaryDirectory())))
    launch_file = os.path.join(get_package_share_directory("magic3d_ros"), "launch", "replay.launch.py")
    source = PythonLaunchDescriptionSource(launch_file)
    return LaunchDescription([IncludeLaunchDescription(source, launch_arguments={"bag": str(recording)}.items()), ReadyToTest()])


class TestReplay(unittest.TestCase):
    def setUp(self):
        import rclpy

        rclpy.init()
        self.node = rclpy.create_node("test_replay")

    def tearDown(self):
        import rclpy

        self.node.destroy_node()
        rclpy.shutdown()

    def wait_for(self, condition, seconds=60.0):
        import rclpy

        deadline = self.node.get_clock().now().nanoseconds + seconds * 1e9
        while not condition() and self.node.get_clock().now().nanoseconds < deadline:
            rclpy.spin_once(self.node, timeout_sec=0.1)
        return condition()

    def test_the_recording_becomes_a_map(self, proc_output):
        from magic3d_ros.srv import QueryScene
        from rclpy.qos import DurabilityPolicy, QoSProfile
        from sensor_msgs.msg import PointCloud2

        clouds = []
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self.node.create_subscription(PointCloud2, "/scene_mapper/points", clouds.append, latched)
        proc_output.assertWaitFor(f"sent {FRAMES} frames", timeout=180)
        self.assertTrue(self.wait_for(lambda: clouds and clouds[-1].width > 100), "no cloud of the wall arrived")
        self.assertEqual(clouds[-1].header.frame_id, "map")

        client = self.node.create_client(QueryScene, "/scene_mapper/query_scene")
        self.assertTrue(self.wait_for(client.service_is_ready))
        answer = client.call_async(QueryScene.Request(text="something that flies"))
        self.assertTrue(self.wait_for(answer.done))
        not_answered = (QueryScene.Response.NOT_READY, QueryScene.Response.INVALID)
        self.assertNotIn(answer.result().status, not_answered, answer.result().why)


@post_shutdown_test()
class TestEnd(unittest.TestCase):
    def test_every_process_ended_well(self, proc_info):
        assertExitCodes(proc_info, allowable_exit_codes=[EXIT_OK])
