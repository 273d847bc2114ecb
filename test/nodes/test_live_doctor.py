"""The doctor hears a real graph: publishers in this process, over DDS."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
import rclpy
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image
from tf2_msgs.msg import TFMessage

from magic3d_ros.config import Settings
from magic3d_ros.geometry.camera import Camera
from magic3d_ros.nodes.conversions import camera_info_message, header, image_message, transform_stamped
from magic3d_ros.nodes.live_doctor import examine_graph

pytestmark = pytest.mark.ros

CAMERA = Camera(8, 6, 10.0, 10.0, 3.5, 2.5)


@pytest.fixture
def camera(ros_context):
    """camera(**changes): publish a camera at 20 Hz from a thread, wrong in one way."""
    node = rclpy.create_node("camera_driver", context=ros_context)
    stop = threading.Event()
    threads = []

    def start(reliable: bool = True, depth_value: float = 2.0, info: CameraInfo | None = None, parent: str = "map",
              rgb: str = "rgb", lag: float = 0.0) -> None:
        qos = QoSProfile(depth=5, reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT)
        publishers = (node.create_publisher(Image, rgb, qos), node.create_publisher(Image, "depth", qos),
                      node.create_publisher(CameraInfo, "camera_info", qos), node.create_publisher(TFMessage, "/tf", 10))

        def run() -> None:
            while not stop.wait(0.05):
                head = header(node.get_clock().now().nanoseconds - round(lag * 1e9), "cam")
                calibration = info or camera_info_message(CAMERA, head)
                depth = np.full((6, 8), depth_value, np.float32)
                pose = transform_stamped(np.eye(4), header(head.stamp.sec * 10**9 + head.stamp.nanosec, parent), "cam")
                messages = (image_message(np.zeros((6, 8, 3), np.uint8), head), image_message(depth, head), calibration,
                            TFMessage(transforms=[pose]))
                for publisher, message in zip(publishers, messages, strict=True):
                    publisher.publish(message)

        threads.append(threading.Thread(target=run))
        threads[0].start()
        time.sleep(0.3)

    yield start
    stop.set()
    for thread in threads:
        thread.join()
    node.destroy_node()


def levels(settings: Settings | None = None) -> dict[str, tuple[str, str, str]]:
    found: dict[str, tuple[str, str, str]] = {}
    for f in examine_graph(settings or Settings(), 1.5):
        if f.subject not in found or f.level == "ERROR":
            found[f.subject] = (f.level, f.text, f.cure)
    return found


def test_a_camera_that_can_be_mapped(camera):
    camera()
    found = levels()
    assert {subject for subject, (level, _, _) in found.items() if level == "OK"} >= {
        "graph", "rgb", "depth", "camera_info", "colour", "calibration", "time", "synchronisation", "poses"}
    assert found["scene_mapper"][0] == "WARN"  # none runs here
    assert "Hz" in found["rgb"][1]


def test_topics_of_other_names_are_offered_as_remappings(camera):
    camera(rgb="front/image_raw")
    level, text, cure = levels()["rgb"]
    assert level == "ERROR"
    assert "nobody publishes /rgb" in text
    assert cure == "start the mapper with -r rgb:=/front/image_raw"


def test_best_effort_publishers_are_not_heard_by_a_reliable_subscriber(camera):
    camera(reliable=False)
    assert levels()["rgb"][0] == "ERROR"
    settings = Settings()
    settings.ros.reliable = False
    assert levels(settings)["rgb"][0] == "OK"


def test_unit_calibration_transform_and_clock_are_named(camera):
    camera(depth_value=1500.0, info=CameraInfo(width=8, height=6), parent="odom", lag=100.0)
    found = levels()
    assert "input.depth_scale to 0.001" in found["depth"][2]
    assert "focal length" in found["images"][1]
    assert "map" in found["poses"][1]
    assert "odom" in found["poses"][2]
    assert found["time"][0] == "WARN"
    assert {found[subject][0] for subject in ("depth", "images", "poses")} == {"ERROR"}


def test_an_empty_graph(ros_domain, monkeypatch: pytest.MonkeyPatch):
    from domain_coordinator import domain_id

    with domain_id() as empty:
        monkeypatch.setenv("ROS_DOMAIN_ID", str(empty))
        level, text, _ = levels()["graph"]
    assert level == "ERROR"
    assert f"in domain {empty}" in text
