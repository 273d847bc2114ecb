"""The map as pictures, and what moves: what is published, with which header, and when nothing is."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest
import rclpy
from sensor_msgs.msg import CameraInfo, Image, PointCloud2

from magic3d_ros.config import Settings
from magic3d_ros.frames import RGBDFrame
from magic3d_ros.geometry.camera import Camera
from magic3d_ros.mapping.distractors.verdict import DistractorVerdict
from magic3d_ros.mapping.surface import View
from magic3d_ros.nodes.clouds import cloud_columns
from magic3d_ros.nodes.conversions import nanoseconds
from magic3d_ros.nodes.distractor_topics import DistractorTopics
from magic3d_ros.nodes.frame_counts import FrameCounts
from magic3d_ros.nodes.live_mapping import Incoming, LiveMapping, Mapped
from magic3d_ros.nodes.rendered_views import RenderedViews
from magic3d_ros.nodes.scene_topics import LATCHED
from magic3d_ros.scene import Scene
from magic3d_ros.sources.image_codec import decode_color, decode_depth

pytestmark = pytest.mark.ros

CAMERA = Camera(64, 48, 50.0, 50.0, 31.5, 23.5)


def newest(stamp: int) -> Mapped:
    rgb, depth = np.zeros((48, 64, 3), np.uint8), np.full((48, 64), 2.0, np.float32)
    return Mapped(RGBDFrame(stamp, rgb, depth, CAMERA, np.eye(4)), "optical")


class Pipeline:
    def __init__(self) -> None:
        self.scene = Scene.empty()
        self.waiting_pictures = 0
        self.cameras: list[Camera] = []
        self.poses: list[np.ndarray] = []
        self.failure: Exception | None = None

    def preview(self, camera: Camera, camera_to_world: np.ndarray) -> View:
        if self.failure is not None:
            raise self.failure
        self.cameras.append(camera)
        self.poses.append(camera_to_world)
        shape = (camera.height, camera.width)
        return View(np.full((*shape, 3), 9, np.uint8), np.full(shape, 1.5, np.float32), np.zeros((*shape, 3), np.float32))


@pytest.fixture
def node(ros_context: object):
    made = rclpy.create_node("mapper", context=ros_context)
    yield made
    made.destroy_node()


@pytest.fixture
def mapping():
    pipeline = Pipeline()
    made = LiveMapping(Settings(), lambda: pipeline, FrameCounts())  # type: ignore[arg-type,return-value]
    made.start()
    while made.pipeline is None:
        time.sleep(0.01)
    yield made
    assert made.stop()


def test_the_map_is_drawn_where_somebody_looks_and_something_is_new(node, mapping: LiveMapping, spin_until: Callable[..., bool]):
    settings = Settings().ros
    settings.rendered_width = 32
    views = RenderedViews(node, settings, mapping)
    mapping.newest = newest(4_900_000_000)
    ahead = np.eye(4)
    ahead[0, 3] = 0.25  # of a frame that waits while a keyframe is looked at
    mapping.latest = Incoming(5_000_000_007, lambda: mapping.newest.frame, 0.0, "optical", ahead)
    views.draw()  # nobody listens
    heard: list = []
    kinds = {"rgb": Image, "depth": Image, "camera_info": CameraInfo}
    for name, kind in kinds.items():
        node.create_subscription(kind, f"~/rendered/{name}", heard.append, LATCHED)
    assert spin_until([node], lambda: views._rgb.get_subscription_count() == 1)
    assert mapping.pipeline.cameras == []
    views.draw()
    assert spin_until([node], lambda: len(heard) == 3)
    rgb, depth = (next(m for m in heard if getattr(m, "encoding", "") == name) for name in ("rgb8", "32FC1"))
    assert (decode_color(rgb).shape, decode_depth(depth)[0, 0]) == ((24, 32, 3), 1.5)
    info = next(m for m in heard if isinstance(m, CameraInfo))
    assert (info.width, info.height, info.k[0]) == (32, 24, 25.0)
    assert {(nanoseconds(m.header.stamp), m.header.frame_id) for m in heard} == {(5_000_000_007, "optical")}
    assert mapping.pipeline.poses[0] is ahead
    views.draw()  # nothing is new
    mapping.version += 1
    assert spin_until([node], lambda: views.draw() or len(heard) == 6)
    assert len(mapping.pipeline.cameras) == 2
    mapping.pipeline.failure = ValueError("no")  # is logged, and the next picture comes
    mapping.version += 1
    views.draw()
    mapping.pipeline.failure = None
    mapping.version += 1
    assert spin_until([node], lambda: views.draw() or len(heard) == 9)


def test_what_moves_is_told_with_every_frame(node, spin_until: Callable[..., bool]):
    topics = DistractorTopics(node, "map")
    heard: dict[str, list] = {"distractor_mask": [], "uncertainty": [], "moving_points": []}
    for name, kind in zip(heard, (Image, Image, PointCloud2), strict=True):
        node.create_subscription(kind, f"~/{name}", heard[name].append, 10)
    assert spin_until([node], lambda: topics._points.get_subscription_count() == topics._mask.get_subscription_count() == 1)
    mask = np.zeros((48, 64), bool)
    mask[:24] = True
    verdict = DistractorVerdict(7, np.where(mask, 3.0, 0.5).astype(np.float32), mask, (~mask).astype(np.float32))
    pipeline = SimpleNamespace(last_verdict=verdict, moving_points=lambda: np.array([[1, 2, 3], [4, 5, 6]], np.float32))
    topics.publish(pipeline, newest(6))  # the verdict is not about this frame
    topics.publish(pipeline, newest(7))
    assert spin_until([node], lambda: all(heard.values()))
    assert [len(messages) for messages in heard.values()] == [1, 1, 1]
    image, beta, cloud = (messages[0] for messages in heard.values())
    assert image.encoding == "mono8"
    np.testing.assert_array_equal(np.asarray(image.data).reshape(48, 64), mask * np.uint8(255))
    assert decode_depth(beta)[0, 0] == 3.0
    assert [(nanoseconds(m.header.stamp), m.header.frame_id) for m in (image, beta, cloud)] == [
        (7, "optical"), (7, "optical"), (7, "map")]
    np.testing.assert_array_equal(cloud_columns(cloud)["x"], [1, 4])
    pipeline.last_verdict = None
    topics.publish(pipeline, newest(8))
