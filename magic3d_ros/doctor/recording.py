"""Examine a folder or a bag: can it be mapped?"""

from __future__ import annotations

import logging
from pathlib import Path

from magic3d_ros.config import Settings
from magic3d_ros.doctor.finding import Finding, error, ok, warning
from magic3d_ros.doctor.frames import check_frames, facts_of
from magic3d_ros.sources.bag_reader import is_bag
from magic3d_ros.sources.open import open_source
from magic3d_ros.sources.source import FrameSource, SourceError

MAX_FRAMES = 2000
"""Frames looked at; with more the beginning of the recording speaks for the rest."""


def examine(source: str, settings: Settings) -> list[Finding]:
    """All findings about a source, the most basic first. Looks at the raw topics of a bag, then at the frames as the mapper
    would get them."""
    findings: list[Finding] = []
    path = Path(source).expanduser()
    if path.exists() and is_bag(path):
        from magic3d_ros.doctor.bag import examine_bag

        findings += examine_bag(path, settings)
    try:
        frames = open_source(source, settings)
    except SourceError as problem:
        if any(finding.text == str(problem) for finding in findings):
            return findings
        return [*findings, error("source", str(problem), "as said; nothing can be read before that")]
    return findings + _examine_frames(frames, settings)


def _examine_frames(source: FrameSource, settings: Settings) -> list[Finding]:
    facts = []
    quiet = logging.getLogger("magic3d_ros")
    level = quiet.level
    quiet.setLevel(logging.ERROR)  # what is skipped is reported below, by reason
    try:
        for frame in source:
            facts.append(facts_of(frame, settings))
            if len(facts) >= MAX_FRAMES:
                break
    except SourceError as problem:
        return [error("source", str(problem), "as said")]
    finally:
        quiet.setLevel(level)
    skipped = sum(source.skipped.values())
    reasons = ", ".join(f"{count} {reason}" for reason, count in source.skipped.items() if count)
    if not facts:
        return [error("source", f"{source.name}: no frame could be read" + (f" ({reasons})" if reasons else " (it has none)"),
                      "see the findings above; each frame needs colour, depth, intrinsics and a pose of its time")]
    findings = [ok("source", f"{source.name}: {len(facts)} frames read")]
    if skipped:
        findings.append(warning("source", f"{skipped} frames cannot be read: {reasons}", "`magic3d map` logs each cause"))
    return findings + check_frames(facts, settings)
