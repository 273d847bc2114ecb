"""Which topics of a bag carry colour, depth, calibration and poses: as set, or guessed by type and name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import takewhile

from magic3d_ros.config import BagSettings
from magic3d_ros.sources.bag_reader import BagTopic
from magic3d_ros.sources.source import SourceError

IMAGE_TYPES = ("sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage")
CAMERA_INFO_TYPE = "sensor_msgs/msg/CameraInfo"
TF_TYPE = "tf2_msgs/msg/TFMessage"
POSE_TYPES = ("geometry_msgs/msg/PoseStamped", "geometry_msgs/msg/PoseWithCovarianceStamped", "nav_msgs/msg/Odometry")

_TRANSPORTS = ("/compressedDepth", "/compressed")
_NOT_FOR_MAPPING = ("infra", "/ir", "mask", "label", "segment", "heatmap", "rendered", "uncertainty", "theora", "debug",
                    "overlay")


@dataclass(frozen=True)
class BagTopics:
    """Topic names. camera_info and depth_camera_info: "" where there is none. transforms: /tf and /tf_static as recorded.
    poses: pose topics, the likeliest first."""

    rgb: str
    depth: str
    camera_info: str
    depth_camera_info: str
    transforms: tuple[str, ...]
    poses: tuple[str, ...]


def choose_topics(topics: Mapping[str, BagTopic], settings: BagSettings, name: str) -> BagTopics:
    """Raises SourceError, saying what the bag `name` holds, when colour, depth, or a topic that was set is not in it."""
    if not any(topic.count for topic in topics.values()):
        raise SourceError(f"the bag {name} holds no messages")
    images = [topic for topic in topics.values() if topic.type in IMAGE_TYPES and topic.count]
    depth = _set_or_guessed(settings.depth, "depth", topics, images, _depth_score, name)
    # Of several cameras, the colour camera beside the depth camera: the longer the common beginning of the names, the better.
    rgb = _set_or_guessed(settings.rgb, "rgb", topics, [topic for topic in images if topic.name != depth],
                          lambda topic: _color_score(topic) + 0.01 * _shared(topic.name, depth), name)
    infos = [topic.name for topic in topics.values() if topic.type == CAMERA_INFO_TYPE and topic.count]
    camera_info = _set(settings.camera_info, "camera_info", topics, name) or _color_info(rgb, infos)
    depth_info = ""
    if settings.depth_camera_info != "none":
        depth_info = _set(settings.depth_camera_info, "depth_camera_info", topics, name) or _sibling_info(depth, infos)
    poses = [topic.name for topic in topics.values() if topic.type in POSE_TYPES and topic.count]
    transforms = tuple(topic.name for topic in topics.values() if topic.type == TF_TYPE and topic.count)
    if settings.pose == "tf":
        poses = []
    elif settings.pose:
        poses = [_set(settings.pose, "pose", topics, name)]
        if topics[poses[0]].type not in POSE_TYPES:
            raise SourceError(f"the topic bag.pose={settings.pose} is a {topics[poses[0]].type}; poses come as "
                              f"{', '.join(POSE_TYPES)}, or set it to 'tf'")
    ranked = sorted(poses, key=lambda pose: (POSE_TYPES.index(topics[pose].type), -_shared(pose, rgb), pose))
    return BagTopics(rgb, depth, camera_info, "" if depth_info == camera_info else depth_info, transforms, tuple(ranked))


def is_rectified(topic: str) -> bool:
    """image_proc's naming: topics called image_rect... hold undistorted images; CameraInfo's P holds for them, not K and D."""
    return "rect" in _without_transport(topic).rsplit("/", 1)[-1]


def is_registered(topic: str) -> bool:
    """True for a depth topic whose name says that it is registered to colour (RealSense, OpenNI, depth_image_proc)."""
    return "aligned" in topic or "registered" in topic


def _set(value: str, key: str, topics: Mapping[str, BagTopic], name: str) -> str:
    if value and value not in topics:
        raise SourceError(f"the bag {name} has no topic {value} (setting bag.{key}); it has {_listed(topics.values())}")
    return value


def _set_or_guessed(value: str, key: str, topics: Mapping[str, BagTopic], images: list[BagTopic],
                    score: Callable[[BagTopic], float], name: str) -> str:
    if _set(value, key, topics, name):
        return value
    best = max(images, key=lambda topic: (score(topic), topic.count), default=None)
    if best is None or score(best) <= 0:
        what = "depth images (a topic with 'depth' in its name)" if key == "depth" else "colour images"
        raise SourceError(f"the bag {name} has no {what}: set bag.{key} to the topic; it has {_listed(topics.values())}")
    return best.name


def _listed(topics: Iterable[BagTopic]) -> str:
    listed = sorted(f"{topic.name} ({topic.type}, {topic.count})" for topic in topics)
    return ", ".join(listed[:20]) + (" ..." if len(listed) > 20 else "") or "no topics"


def _depth_score(topic: BagTopic) -> float:
    name = topic.name.lower()
    if "depth" not in name or any(word in name for word in _NOT_FOR_MAPPING):
        return 0.0
    score = 4.0 + 2.0 * is_registered(name)
    if name.endswith("/compressed"):  # rarely depth that can be used: JPEG
        score -= 3.0
    elif name.endswith("/compresseddepth"):
        score -= 1.0  # raw where there are both
    return score


def _color_score(topic: BagTopic) -> float:
    name = topic.name.lower()
    if "depth" in name or any(word in name for word in _NOT_FOR_MAPPING):
        return 0.0
    score = 1.0 + 3.0 * any(word in name for word in ("rgb", "color", "colour"))
    return score - (0.5 if name.endswith("/compressed") else 0.0)


def _color_info(rgb: str, infos: list[str]) -> str:
    found = _sibling_info(rgb, infos)
    if found:
        return found
    others = [name for name in infos if "depth" not in name and "infra" not in name] or infos
    return max(others, key=lambda name: _shared(name, rgb), default="")


def _sibling_info(topic: str, infos: list[str]) -> str:
    base = _without_transport(topic)
    candidates = (f"{base.rsplit('/', 1)[0]}/camera_info", f"{base}/camera_info")
    return next((name for name in candidates if name in infos), "")


def _without_transport(topic: str) -> str:
    return next((topic[:-len(transport)] for transport in _TRANSPORTS if topic.endswith(transport)), topic)


def _shared(first: str, second: str) -> int:
    """How many leading parts two topic names have in common."""
    pairs = zip(first.split("/"), second.split("/"), strict=False)
    return len(list(takewhile(lambda pair: pair[0] == pair[1], pairs)))
