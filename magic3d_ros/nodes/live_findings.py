"""Judges what live_doctor heard: one finding a check, in the order in which the data flows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from magic3d_ros.doctor.finding import Finding, error, ok, warning
from magic3d_ros.frames import FrameError
from magic3d_ros.nodes import shared_memory
from magic3d_ros.nodes.live_frames import is_registered
from magic3d_ros.nodes.pose_lookup import PoseUnavailable
from magic3d_ros.nodes.ros_install import color_image
from magic3d_ros.sources.camera_info import camera_model
from magic3d_ros.sources.image_codec import decode_depth

if TYPE_CHECKING:
    from magic3d_ros.nodes.live_doctor import Examination, Heard

_OPTIONAL = "depth/camera_info"
_SLOW = 1.0
"""Hz: below it keyframes lie farther apart than they are meant to."""
_CLOCKS_APART = 10.0
"""Seconds between stamps and clock; nothing that is alive lags so far behind."""
_LEVELS = {0: ok, 1: warning, 2: error}


def judge(seen: Examination) -> list[Finding]:
    """All findings."""
    if not seen.nodes and not seen.all_topics.keys() - {"/diagnostics", "/parameter_events", "/rosout"}:
        return [error("graph", f"no other ROS node is to be seen in domain {seen.domain}",
                      "start the camera and the mapper with the same ROS_DOMAIN_ID and RMW_IMPLEMENTATION as this terminal")]
    findings = [ok("graph", f"{len(seen.nodes)} nodes in domain {seen.domain}")]
    for role, heard in seen.roles.items():
        if role != _OPTIONAL or heard.publishers:
            findings.append(_topic(seen, role, heard))
    findings += _images(seen)
    findings += _times(seen)
    findings += _poses(seen)
    findings += _mapper(seen)
    findings.append(shared_memory.judge())
    return findings


def _topic(seen: Examination, role: str, heard: Heard) -> Finding:
    if not heard.publishers:
        taken = {other.topic for other in seen.roles.values()}
        same = sorted(name for name, types in seen.all_topics.items() if heard.wanted in types and name not in taken)
        there = f"; topics of this type: {', '.join(same[:8])}" if same else f"; no topic of type {heard.wanted} exists"
        return error(role, f"nobody publishes {heard.topic}{there}",
                     f"start the mapper with -r {role}:={same[0]}" if same else "start the camera's driver")
    if heard.wanted not in heard.types:
        hint = "set ros.compressed to true" if any("Compressed" in kind for kind in heard.types) else "remap another topic"
        return error(role, f"{heard.topic} is of type {', '.join(heard.types)}, needed is {heard.wanted}", hint)
    if heard.best_effort and seen.settings.ros.reliable:
        return error(role, f"{heard.topic} is published best effort, the mapper asks for reliable delivery: nothing arrives",
                     "set ros.reliable to false, or make the publisher reliable")
    if not heard.arrivals:
        return error(role, f"{heard.topic} has {heard.publishers} publisher(s), but nothing came",
                     "is the camera streaming (a lifecycle driver may be inactive), is a recording paused?")
    if any(stamp == 0 for stamp in heard.stamps):
        return error(role, f"{heard.topic} has stamps of zero", "make the driver set header.stamp")
    text = f"{heard.topic}, {heard.rate:.1f} Hz" if heard.rate else f"{heard.topic}, one message"
    if role in ("rgb", "depth") and heard.rate < _SLOW:
        return warning(role, text, "a camera below 1 Hz leaves gaps in the map: raise its rate or move slowly")
    return ok(role, text)


def _images(seen: Examination) -> list[Finding]:
    findings = []
    rgb, depth = seen.roles["rgb"].last, seen.roles["depth"].last
    info, depth_info = seen.roles["camera_info"].last, seen.roles[_OPTIONAL].last
    color = metres = None
    try:
        if rgb is not None:
            color = color_image(rgb, seen.roles["rgb"].topic)
            findings.append(ok("colour", f"{color.shape[1]}x{color.shape[0]}, {_encoding(rgb)}"))
        if depth is not None:
            metres = decode_depth(depth, seen.settings.input.depth_scale, seen.roles["depth"].topic)
            findings.append(_depth(metres, _encoding(depth)))
        if info is not None:
            model = camera_model(info, seen.settings.input.rectified, seen.roles["camera_info"].topic)
            camera = model.camera
            text = f"{camera.width}x{camera.height}, focal length {camera.fx:.1f}, distortion {model.distortion}"
            findings.append(ok("calibration", text))
            if color is not None and color.shape[:2] != (camera.height, camera.width):
                findings.append(error("calibration", f"colour is {color.shape[1]}x{color.shape[0]}, its camera_info says "
                                      f"{camera.width}x{camera.height}", "remap camera_info to the one beside the colour topic"))
    except FrameError as problem:
        findings.append(error("images", str(problem), "remap the topics, or change the driver's encoding or calibration"))
    if color is not None and metres is not None and color.shape[:2] != metres.shape and depth_info is None:
        findings.append(error("registration", f"depth is {metres.shape[1]}x{metres.shape[0]}, colour {color.shape[1]}x"
                              f"{color.shape[0]}, and depth/camera_info is silent",
                              "use the driver's depth aligned to colour, or remap depth/camera_info"))
    elif info is not None and depth_info is not None and not is_registered(info, depth_info):
        findings.append(_extrinsics(seen))
    return findings


def _depth(metres: np.ndarray, encoding: str) -> Finding:
    valid = metres[metres > 0]
    if not valid.size:
        return error("depth", "no pixel has a reading", "is the lens covered, the emitter off, or everything out of range?")
    median = float(np.median(valid))
    text = f"{encoding}, {valid.size / metres.size:.0%} valid, {valid.min():.2f} to {valid.max():.2f} m, median {median:.2f} m"
    if not 0.02 <= median <= 100.0:
        return error("depth", text, f"the unit is wrong: set input.depth_scale to {0.001 if median > 100 else 1.0}")
    return ok("depth", text)


def _extrinsics(seen: Examination) -> Finding:
    color, depth = seen.roles["rgb"].last, seen.roles[_OPTIONAL].last
    if color is None:
        return warning("registration", "depth has its own camera; no colour image came to find its place", "see rgb")
    if color.header.frame_id == depth.header.frame_id:
        return ok("registration", "depth has its own intrinsics, in the colour camera's frame")
    try:
        seen.poses.between(color.header.frame_id, depth.header.frame_id, seen.roles["rgb"].stamps[-1])
    except PoseUnavailable as problem:
        return error("registration", str(problem), "publish the static transform between depth and colour camera on /tf_static")
    return ok("registration", "depth is registered through its own intrinsics and TF")


def _times(seen: Examination) -> list[Finding]:
    findings = []
    rgb = seen.roles["rgb"]
    if rgb.stamps:
        lag = (seen.now - rgb.stamps[-1]) * 1e-9
        clock = "/clock" if seen.clock else "this machine's clock"
        if abs(lag) > _CLOCKS_APART:
            text = f"stamps are {abs(lag):.0f} s {'behind' if lag > 0 else 'ahead of'} {clock}"
            findings.append(warning("time", text, "replay with /clock and use_sim_time, or synchronise the machines' clocks; "
                                    "mapping works if TF has the same time base"))
        else:
            findings.append(ok("time", f"stamps are {lag:.2f} s behind {clock}"))
    if seen.sync.received[0] and seen.sync.received[1]:
        seen.sync.flush()
        text = seen.sync.describe()
        if seen.sync.matched == 0:
            findings.append(error("synchronisation", text, "raise ros.sync_slop, or check that both drivers use one clock"))
        elif seen.sync.match_rate < 0.5:
            findings.append(warning("synchronisation", text, "raise ros.sync_slop, or let the camera synchronise its streams"))
        else:
            findings.append(ok("synchronisation", text))
    return findings


def _poses(seen: Examination) -> list[Finding]:
    rgb = seen.roles["rgb"]
    if rgb.last is None:
        return []
    found, last = 0, ""
    for stamp in rgb.stamps:
        try:
            seen.poses.camera_to_world(stamp, rgb.last.header.frame_id, settle=True)
            found += 1
        except PoseUnavailable as problem:
            last = str(problem)
    text = f"{found} of {len(rgb.stamps)} colour images have their pose ({seen.poses.tried})"
    if found == 0:
        known = ", ".join(seen.poses.known_frames[:12]) or "none"
        return [error("poses", f"{text}: {last}", f"set ros.world_frame to a frame that exists (known: {known}), start what "
                      "localises the camera, or set ros.pose_source to pose or odometry")]
    if found < 0.9 * len(rgb.stamps):
        return [warning("poses", f"{text}; else: {last}", "raise ros.pose_timeout, or the rate of the transforms")]
    return [ok("poses", text)]


def _mapper(seen: Examination) -> list[Finding]:
    twice = sorted({name for name in seen.nodes if seen.nodes.count(name) > 1})
    if "scene_mapper" in twice:
        return [error("scene_mapper", f"several nodes of this name run in domain {seen.domain}: services answer for any of them",
                      "end one, give it another name (-r __node:=...), or use another ROS_DOMAIN_ID")]
    if not seen.mapper:
        return [warning("scene_mapper", "none is running here", "start it: magic3d run-mapper, or ros2 launch magic3d_ros "
                        "magic3d.launch.py")]
    findings = []
    for part, (level, message) in seen.mapper.items():
        subject = f"scene_mapper, {part}"
        findings.append(ok(subject, message) if level == 0 else _LEVELS[min(level, 2)](subject, message, ""))  # type: ignore[operator]
    return findings


def _encoding(message: object) -> str:
    return str(getattr(message, "encoding", "") or getattr(message, "format", ""))
