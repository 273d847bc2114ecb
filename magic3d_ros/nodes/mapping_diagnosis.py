"""What the diagnostics of scene_mapper say: for each part a level, a sentence that says why, and figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from magic3d_ros.cues.extractor import CueExtractor
from magic3d_ros.nodes.diagnostics import Report
from magic3d_ros.nodes.frame_counts import FrameCounts
from magic3d_ros.nodes.live_mapping import LiveMapping
from magic3d_ros.nodes.pose_corrections import PoseCorrections
from magic3d_ros.nodes.refinement_action import RefinementAction

_FINE, _WARNING, _ERROR = 0, 1, 2
_RIGHT = 0.5
"""Share within 2.5 cm below which something is wrong: a Kinect at its 5 m limit with poses of 2 cm reaches .8 (redkitchen)."""


@dataclass(frozen=True)
class InputState:
    """What the subscriptions know at a moment. topics, publishers: by role (rgb, depth, camera_info, ...)."""

    topics: dict[str, str] = field(default_factory=dict)
    publishers: dict[str, int] = field(default_factory=dict)
    match_rate: float = 1.0
    matched: int = 0
    unmatched: int = 0
    sync: str = ""
    has_info: bool = False
    pose_source: str = "tf"
    tried: str = ""
    pose_failure: str = ""
    invalid_pose: str = ""
    refused_poses: int = 0
    known_frames: tuple[str, ...] = ()


def input_report(state: InputState, counts: FrameCounts, active: bool, loading: str) -> Report:
    """Whether frames come in, and if not, why not. loading: what is still in the way of the start."""
    summary = counts.summary()
    received, used = counts.rates()
    values = {**summary, "received_per_second": received, "used_per_second": used, "latency_s": counts.latency,
              **{f"topic.{role}": topic for role, topic in state.topics.items()},
              **{f"publishers.{role}": n for role, n in state.publishers.items()},
              **{f"why.{reason}": why for reason, why in counts.why.items()}}
    level, message = _judge_input(state, counts, summary, active, loading)
    return Report("input", level, message, values)


def _judge_input(state: InputState, counts: FrameCounts, summary: dict[str, int], active: bool, loading: str) -> tuple[int, str]:
    if loading:
        return (_ERROR if "could not" in loading else _WARNING), loading
    if not active:
        return _WARNING, "the node is not active: nothing is listened to until its lifecycle is activated"
    if not state.topics:
        return _WARNING, "the node begins to listen in a moment"
    for role, received in (("rgb", summary["received"]), ("depth", summary.get("depth_received", 0))):
        if received == 0:
            return _ERROR, _nothing_on(role, state)
    if not state.has_info:
        return _ERROR, _nothing_on("camera_info", state)
    if counts.used == 0:
        reason = max(counts.dropped, key=lambda r: counts.dropped[r], default="")
        if reason:
            return _ERROR, f"no frame could be used: {counts.why[reason]}"
        return _WARNING, "frames are on their way, none is mapped yet"
    received_rate, used_rate = counts.rates()
    if received_rate == 0:
        return _WARNING, f"no image has come on {state.topics.get('rgb')} for 5 s"
    if used_rate == 0 and counts.why:
        return _ERROR, f"no frame has been used for 5 s: {list(counts.why.values())[-1]}"
    lost = sum(n for name, n in summary.items() if name.endswith("_lost_in_transport"))
    if summary["dropped"] > 0.2 * summary["received"]:
        reason = max(counts.dropped, key=lambda r: counts.dropped[r])
        return _WARNING, f"{summary['dropped']} of {summary['received']} frames dropped, most because: {counts.why[reason]}"
    if lost > 0.05 * (summary["received"] + lost):
        return _WARNING, f"{lost} images were lost on the way here: use RELIABLE publishers and the shared-memory transport"
    return _FINE, f"{used_rate:.1f} frames/s used of {received_rate:.1f} received"


def _nothing_on(role: str, state: InputState) -> str:
    topic = state.topics.get(role, role)
    if not state.publishers.get(role, 0):
        return f"no {role}: nobody publishes {topic}; remap it (-r {role}:=/your/topic) or start the camera"
    return (f"no {role}: {topic} has a publisher, but nothing arrives: a best-effort publisher needs ros.reliable false; "
            "compressed images need ros.compressed true")


def sync_report(state: InputState) -> Report:
    """Whether colour and depth find each other."""
    values = {"match_rate": state.match_rate, "matched": state.matched, "unmatched": state.unmatched}
    if state.matched + state.unmatched == 0:
        return Report("synchronisation", _FINE, "nothing to match yet", values)
    if state.match_rate < 0.5:
        return Report("synchronisation", _ERROR if state.matched == 0 else _WARNING,
                      f"colour and depth do not belong together in time: {state.sync}; raise ros.sync_slop, or check that both "
                      "drivers use one clock", values)
    return Report("synchronisation", _FINE, state.sync, values)


def pose_report(state: InputState) -> Report:
    """Whether every frame finds its pose, which edge was tried, and why it failed."""
    values = {"source": state.pose_source, "tried": state.tried, "known_frames": ", ".join(state.known_frames),
              "refused": state.refused_poses}
    if state.pose_failure:
        return Report("poses", _ERROR, state.pose_failure, values)
    if state.refused_poses:
        return Report("poses", _WARNING, f"{state.refused_poses} poses could not be used: {state.invalid_pose}", values)
    return Report("poses", _FINE, f"{state.tried} is known" if state.tried else "no pose was needed yet", values)


def mapping_report(mapping: LiveMapping, rendered: float = 0.0) -> Report:
    """What the map holds and what its stages cost. rendered: pictures of the map a second."""
    scene, pipeline = mapping.scene, mapping.pipeline
    low, median, high = mapping.depth_range
    values: dict[str, object] = {
        "depth_min_m": low, "depth_median_m": median, "depth_max_m": high, "queued": mapping.queued,
        "understanding_for_s": mapping.busy_for,
        "scene_version": mapping.version, "surface_points": len(scene.surface),
        "objects": sum(o.kind == "object" for o in scene.objects),
        "structure": sum(o.kind == "structure" for o in scene.objects), "memory_mb": resident_megabytes(),
        "rendered_per_second": rendered}
    if pipeline is not None:
        values["keyframes"] = len(pipeline.mapper.keyframes)
        for stage, seconds in pipeline.timings.items():
            if seconds:
                values[f"ms.{stage}"] = 1e3 * float(np.median(seconds[-20:]))
    notes = list(pipeline.mapper.voxels.memory.notes.values()) if pipeline is not None else []
    values["out_of_memory"] = "; ".join(notes)
    if mapping.failure:
        return Report("mapping", _ERROR, mapping.failure, values)
    if mapping.counts.why.get("error"):
        return Report("mapping", _ERROR, f"a frame met an unexpected error: {mapping.counts.why['error']}", values)
    if notes:
        return Report("mapping", _WARNING, notes[-1], values)
    return Report("mapping", _FINE, f"{values['objects']} objects, {values['surface_points']} surface points", values)


def self_check_report(figures: Mapping[str, float]) -> Report:
    """How right the map is, by keyframes that were kept out of it for a while. figures: of mapping.self_check.SelfCheck."""
    if "in25" not in figures:
        return Report("self check", _FINE, "no keyframe was compared with the map made without it yet", figures)
    said = (f"{figures['in25']:.0%} of what keyframes measured lies within 2.5 cm of the map made without them"
            + (f", half within {1e3 * figures['depth_error']:.0f} mm" if "depth_error" in figures else ""))
    if figures["in25"] < _RIGHT:
        return Report("self check", _WARNING, f"{said}: poses, calibration or the depth's unit are off, or the map's voxels too "
                      "large", figures)
    return Report("self check", _FINE, said, figures)


def refinement_report(refinement: RefinementAction, corrections: PoseCorrections) -> Report:
    """What improves the map or moves it."""
    values = {"last_refinement": refinement.last, "last_corrections": corrections.message,
              "corrections_applied": corrections.applied, "corrections_unknown": corrections.unknown}
    message = f"refining: {refinement.under_way}" if refinement.under_way else "no refinement is under way"
    if corrections.unknown and not corrections.applied:
        return Report("refinement", _WARNING, f"none of {corrections.unknown} corrected poses has the stamp of a frame that is "
                      "remembered: pose_corrections must carry the stamps of the images", values)
    return Report("refinement", _FINE, message, values)


def cue_report(mapping: LiveMapping, extractors: int, expected: int, refused: str) -> Report:
    """Whether the external cue_extractors answer, of which `extractors` live."""
    others = mapping.counts.summary()
    values = {name: others.get(name, 0) for name in ("cues_sent", "cues_joined", "cues_missing", "cues_too_late", "cues_refused",
                                                     "cues_resent", "cues_twice")}
    values["extractors"] = extractors
    if extractors == 0:
        return Report("cues", _ERROR, "ros.external_cues is on, but no cue_extractor is ready: start one, see its diagnostics, "
                      "or set it to false", values)
    if refused:
        return Report("cues", _ERROR, refused, values)
    if extractors < expected:
        return Report("cues", _WARNING, f"{extractors} of {expected} cue_extractors live; they do the share of the others, of "
                      f"which {values['cues_resent']} keyframes were taken over: start the missing ones again", values)
    if values["cues_missing"] > 0.2 * max(values["cues_sent"], 1):
        return Report("cues", _WARNING, f"{values['cues_missing']} of {values['cues_sent']} keyframes got no cues within "
                      "ros.cue_timeout: add shards, or raise it", values)
    return Report("cues", _FINE, f"{values['cues_joined']} of {values['cues_sent']} keyframes have their cues", values)


def own_cue_report(extractor: CueExtractor) -> Report:
    """What the 2D models take that run in this process, and what is wrong with them."""
    problems = extractor.problems
    message = "; ".join(problems.values()) or f"the models {extractor.name} run in this process"
    return Report("cues", _WARNING if problems else _FINE, message, {"model": extractor.name, **extractor.figures()})


def resident_megabytes() -> float:
    """Memory of this process in use, MB; 0 where the system does not tell (/proc is Linux)."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return 0.0
    import resource

    return pages * resource.getpagesize() / 1e6
