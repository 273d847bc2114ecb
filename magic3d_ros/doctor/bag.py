"""Checks of a ROS 2 bag's topics, before anything is put together: what is there, how often, and does it fit together in time."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from magic3d_ros.config import Settings
from magic3d_ros.doctor.finding import Finding, error, ok, warning
from magic3d_ros.sources.bag_reader import BagDamaged, BagReader, BagTopic
from magic3d_ros.sources.bag_topics import BagTopics, choose_topics
from magic3d_ros.sources.source import SourceError
from magic3d_ros.sources.time_sync import TimeSynchronizer

LOW_MATCH = 0.5
"""Share of colour images without a depth image of their time above which the recording is warned about."""
CLOCKS_APART = 60.0
"""Seconds between the stamps of two topics beyond which their clocks, not their rates, differ."""
DEPTH_ENCODINGS = ("16UC1", "mono16", "32FC1")


def examine_bag(path: Path, settings: Settings) -> list[Finding]:
    """Findings about topics, calibration and times. What the frames themselves look like is `check_frames`' business."""
    try:
        with BagReader(path) as bag:
            listed = _listed(bag.topics)
            try:
                chosen = choose_topics(bag.topics, settings.bag, path.name)
            except SourceError as problem:
                return [listed, error("topics", str(problem), "record colour, depth, camera_info and /tf (or a pose topic)")]
            findings = [listed, *_presence(bag.topics, chosen)]
            stamps = _stamps(bag, chosen, findings)
            findings += _encodings(bag, chosen) + _calibration(bag, chosen)
            findings += _times(bag.topics, stamps) + _synchronisation(chosen, stamps, settings)
            return findings + _poses(bag.topics, chosen, stamps)
    except SourceError as problem:
        return [error("bag", str(problem), "record it again, or repair it (ros2 bag reindex)")]


def _listed(topics: Mapping[str, BagTopic]) -> Finding:
    return ok("topics", f"{len(topics)} topics, {sum(topic.count for topic in topics.values())} messages")


def _presence(topics: Mapping[str, BagTopic], chosen: BagTopics) -> list[Finding]:
    findings = [ok("colour", _named(topics[chosen.rgb])), ok("depth", _named(topics[chosen.depth]))]
    if chosen.camera_info:
        findings.append(ok("camera_info", _named(topics[chosen.camera_info])))
    else:
        findings.append(error("camera_info", "no topic of type sensor_msgs/msg/CameraInfo has messages",
                              "record the camera's camera_info, or set input.intrinsics to 'fx fy cx cy'"))
    if chosen.poses:
        findings.append(ok("poses", _named(topics[chosen.poses[0]])))
    elif chosen.transforms:
        findings.append(ok("poses", "from TF: " + ", ".join(_named(topics[name]) for name in chosen.transforms)))
    else:
        findings.append(error("poses", "no TF and no pose topic",
                              "record /tf and /tf_static, or a PoseStamped or Odometry topic"))
    return findings


def _stamps(bag: BagReader, chosen: BagTopics, findings: list[Finding]) -> dict[str, np.ndarray]:
    """Header stamps (ns) of every message of the chosen topics, in the order of recording; what cannot be read is a finding."""
    wanted = {chosen.rgb, chosen.depth, chosen.camera_info, *chosen.poses[:1]} - {""}
    stamps: dict[str, list[int]] = {name: [] for name in wanted}
    try:
        for topic, _, data in bag.messages(wanted):
            stamps[topic].append(header_stamp(data))
    except BagDamaged as problem:
        findings.append(warning("bag", str(problem), "what comes before the damage is used; ros2 bag reindex may save more"))
    return {name: np.array(values, np.int64) for name, values in stamps.items()}


def header_stamp(data: bytes) -> int:
    """The stamp (ns) of a serialised message that begins with a std_msgs/Header, without decoding the rest; 0 if too short."""
    if len(data) < 12:
        return 0
    # Four bytes of encapsulation (the second one: 1 = little endian), then int32 seconds and uint32 nanoseconds.
    seconds, nanoseconds = struct.unpack_from("<iI" if data[1] & 1 else ">iI", data, 4)
    return seconds * 1_000_000_000 + nanoseconds


def _encodings(bag: BagReader, chosen: BagTopics) -> list[Finding]:
    message = bag.first(chosen.depth)
    if message is None:
        return [error("depth", f"no message on {chosen.depth} can be decoded", "record it again")]
    if hasattr(message, "encoding"):
        if message.encoding in DEPTH_ENCODINGS:
            return [ok("depth", f"{message.width}x{message.height} {message.encoding}")]
        return [error("depth", f"{chosen.depth} is {message.encoding}, which is no depth", "record 16UC1 (millimetres) or 32FC1 "
                      "(metres), or set bag.depth to the right topic")]
    if "compressedDepth" in str(message.format) or "png" in str(message.format).lower():
        return [ok("depth", f"compressed: {message.format}")]
    return [error("depth", f"{chosen.depth} is compressed as '{message.format}'",
                  "JPEG destroys depth: record compressedDepth or raw")]


def _calibration(bag: BagReader, chosen: BagTopics) -> list[Finding]:
    info = bag.first(chosen.camera_info) if chosen.camera_info else None
    if info is None:
        return []
    findings = []
    matrix = np.asarray(info.k, np.float64).reshape(3, 3)
    if not np.isfinite(matrix).all() or matrix[0, 0] <= 0 or matrix[1, 1] <= 0:
        findings.append(error("camera_info", f"focal length ({matrix[0, 0]:g}, {matrix[1, 1]:g})",
                              "the driver publishes no calibration: calibrate, or set input.intrinsics to 'fx fy cx cy'"))
    elif not (0.3 < matrix[0, 0] / max(info.width, 1) < 5 and abs(matrix[0, 0] / matrix[1, 1] - 1) < 0.1):
        focal = f"fx {matrix[0, 0]:.0f}, fy {matrix[1, 1]:.0f}"
        findings.append(warning("camera_info", f"{focal} at {info.width} pixels width is unusual",
                                "is it the calibration of this camera at this resolution?"))
    image = bag.first(chosen.rgb)
    size = (getattr(image, "width", info.width), getattr(image, "height", info.height))
    if size != (info.width, info.height):
        findings.append(error("camera_info", f"it says {info.width}x{info.height}, the images are {size[0]}x{size[1]}",
                              "record the camera_info that belongs to this topic (setting bag.camera_info)"))
    lens = f"{info.distortion_model or 'no'} distortion" if np.any(np.asarray(info.d)) else "no distortion"
    return findings or [ok("camera_info", f"{info.width}x{info.height}, fx {matrix[0, 0]:.1f}, fy {matrix[1, 1]:.1f}, {lens}")]


def _times(topics: Mapping[str, BagTopic], stamps: Mapping[str, np.ndarray]) -> list[Finding]:
    findings = []
    for name, times in stamps.items():
        if len(times) < 2:
            continue
        steps = np.diff(times)
        back = int((steps < 0).sum())
        rate = 1e9 / max(float(np.median(steps)), 1.0)
        if back:
            findings.append(warning("time", f"{name}: {back} of {len(times)} stamps jump back",
                                    "two recordings in one bag, or two publishers: what jumps back is left out"))
        elif np.median(steps) <= 0:
            findings.append(error("time", f"{name}: all stamps are the same ({times[0]})",
                                  "the driver does not stamp its messages (is use_sim_time on without /clock?)"))
        else:
            findings.append(ok("time", f"{name}: {len(times)} messages at {rate:.1f} Hz"))
    return findings


def _synchronisation(chosen: BagTopics, stamps: Mapping[str, np.ndarray], settings: Settings) -> list[Finding]:
    color, depth = stamps[chosen.rgb], stamps[chosen.depth]
    if not len(color) or not len(depth):
        return []
    apart = abs(float(np.median(color) - np.median(depth))) * 1e-9
    if apart > CLOCKS_APART:
        return [error("synchronisation", f"colour and depth are stamped {apart:.0f} s apart", "stamp both with one clock")]
    slop = int(settings.ros.sync_slop * 1e9)
    synchronizer = TimeSynchronizer(("colour", "depth"), slop)
    merged = sorted([(int(t), 0) for t in color] + [(int(t), 1) for t in depth])
    for time, stream in merged:
        synchronizer.add(stream, time, None)
    synchronizer.flush()
    rate, text = synchronizer.match_rate, synchronizer.describe()
    if synchronizer.matched == 0:
        return [error("synchronisation", text, "raise ros.sync_slop above the offset, or let the driver stamp both alike")]
    if rate < LOW_MATCH and len(color) <= 1.5 * len(depth):  # a faster colour camera is no fault
        return [warning("synchronisation", text, "raise ros.sync_slop")]
    return [ok("synchronisation", text)]


def _poses(topics: Mapping[str, BagTopic], chosen: BagTopics, stamps: Mapping[str, np.ndarray]) -> list[Finding]:
    if not chosen.poses:
        return []
    color, poses = stamps[chosen.rgb], stamps[chosen.poses[0]]
    if not len(color) or not len(poses):
        return []
    covered = float(((color >= poses.min() - 5e8) & (color <= poses.max() + 5e8)).mean())
    if covered == 0:
        return [error("poses", f"{chosen.poses[0]} has no pose of the images' time", "stamp poses and images with one clock")]
    if covered < 0.9:
        return [warning("poses", f"{chosen.poses[0]} covers {covered:.0%} of the images' time", "record both for the whole time")]
    return [ok("poses", f"{chosen.poses[0]} covers {covered:.0%} of the images' time")]


def _named(topic: Any) -> str:
    return f"{topic.name} ({topic.type.rpartition('/')[2]}, {topic.count} messages)"
