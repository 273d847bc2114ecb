"""Checks of posed RGB-D frames, whatever they come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from magic3d_ros.config import Settings
from magic3d_ros.doctor.finding import Finding, error, ok, warning
from magic3d_ros.frames import FrameError, RGBDFrame
from magic3d_ros.mapping.keyframes import distance

MIN_VALID = 0.2
"""Share of depth pixels with a reading below which a sensor is warned about; the recordings at hand have .6 and more."""
MIN_IN_RANGE = 0.5
"""Share of the readings that should lie within input.min_depth and input.max_depth."""
MAX_STEP, MAX_TURN = 0.5, 45.0
"""Metres and degrees between neighbouring frames (at 10 Hz or more) that no hand-held camera or indoor robot does."""


@dataclass(frozen=True)
class FrameFacts:
    """What is kept of a frame for the checks."""

    index: int
    stamp: int
    pose: np.ndarray
    size: tuple[int, int]
    valid: float
    in_range: float
    median: float
    brightness: float
    refused: tuple[str, str] | None


def facts_of(frame: RGBDFrame, settings: Settings) -> FrameFacts:
    """Look at a frame once; its images can be forgotten then."""
    refused = None
    try:
        frame.check()
    except FrameError as problem:
        refused = (problem.reason, str(problem))
    readings = frame.depth[::4, ::4]
    good = readings[np.isfinite(readings) & (readings > 0)]
    near = (good >= settings.input.min_depth) & (good <= settings.input.max_depth)
    return FrameFacts(frame.index, frame.stamp, frame.camera_to_world, (frame.camera.width, frame.camera.height),
                      good.size / max(readings.size, 1), float(near.mean()) if good.size else 0.0,
                      float(np.median(good)) if good.size else 0.0, float(frame.rgb[::8, ::8].mean()), refused)


def check_frames(facts: Sequence[FrameFacts], settings: Settings) -> list[Finding]:
    """All checks on frames in the order of the source."""
    usable = [f for f in facts if f.refused is None]
    return [*_refused(facts), *(_depth(usable, settings) + _colour(usable) + _time(usable) + _motion(usable) if usable else [])]


def _refused(facts: Sequence[FrameFacts]) -> list[Finding]:
    findings = []
    for reason in sorted({f.refused[0] for f in facts if f.refused}):
        those = [f for f in facts if f.refused and f.refused[0] == reason]
        text = those[0].refused[1]  # type: ignore[index]
        level = error if len(those) == len(facts) else warning
        findings.append(level("frames", f"{len(those)} of {len(facts)} cannot be used: {text}", "as said"))
    return findings


def _depth(facts: Sequence[FrameFacts], settings: Settings) -> list[Finding]:
    valid = float(np.mean([f.valid for f in facts]))
    in_range = float(np.mean([f.in_range for f in facts]))
    median = float(np.median([f.median for f in facts]))
    low, high = settings.input.min_depth, settings.input.max_depth
    findings = [ok("depth", f"median {median:.2f} m, {valid:.0%} of the pixels have a reading")] if valid >= MIN_VALID else [
        warning("depth", f"only {valid:.0%} of the pixels have a reading (median {median:.2f} m)",
                "is the sensor too near, too far, or blinded by sun or glass?")]
    if in_range < MIN_IN_RANGE:
        level = error if in_range < 0.01 else warning
        findings.append(level("depth", f"only {in_range:.0%} of the readings lie within {low:g} to {high:g} m",
                              "set input.max_depth (or input.depth_scale, when the median above cannot be right)"))
    return findings


def _colour(facts: Sequence[FrameFacts]) -> list[Finding]:
    sizes = sorted({f.size for f in facts})
    named = ", ".join(f"{width}x{height}" for width, height in sizes)
    findings = [ok("colour", named)] if len(sizes) == 1 else [
        warning("colour", f"frames have different sizes: {named}", "record with one camera mode")]
    brightness = float(np.mean([f.brightness for f in facts]))
    if not 15 <= brightness <= 240:
        extreme = "black" if brightness < 15 else "white"
        findings.append(warning("colour", f"images are almost {extreme} (mean {brightness:.0f} of 255)",
                                "set the exposure, switch on the light: the 2D models see nothing like this"))
    return findings


def _time(facts: Sequence[FrameFacts]) -> list[Finding]:
    steps = np.diff([f.stamp for f in facts])
    if len(steps) == 0:
        return [warning("time", "there is one usable frame only", "record more of the scene")]
    back, double = int((steps < 0).sum()), int((steps == 0).sum())
    if back or double:
        return [warning("time", f"{back} stamps jump back, {double} repeat",
                        "record with one clock; use_sim_time only with /clock")]
    rate = 1e9 / float(np.median(steps))
    return [ok("time", f"{len(facts)} frames over {(facts[-1].stamp - facts[0].stamp) * 1e-9:.1f} s, median {rate:.1f} Hz")]


def _motion(facts: Sequence[FrameFacts]) -> list[Finding]:
    if len(facts) < 2:
        return []
    moves = np.array([distance(a.pose, b.pose) for a, b in pairwise(facts)])
    path, turned = float(moves[:, 0].sum()), float(moves[:, 1].sum())
    if path < 1e-6 and turned < 1e-3:
        return [warning("poses", "all frames have the same pose",
                        "is the pose source running? A camera at rest shows one side only")]
    # What a camera may do between two frames grows with the time between them.
    seconds = np.maximum(np.diff([f.stamp for f in facts]) * 1e-9, 0.1)
    jumps = int(((moves[:, 0] > MAX_STEP * seconds / 0.1) | (moves[:, 1] > MAX_TURN * seconds / 0.1)).sum())
    if jumps:
        return [warning("poses", f"{jumps} jumps among {len(facts)} frames (path {path:.1f} m)",
                        "the localisation loses itself there: the map will show double walls")]
    return [ok("poses", f"rigid; path {path:.2f} m, {turned:.0f} degrees turned")]
