"""What became of a refinement or a correction."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RefinementReport:
    """The figures of a refinement, as action/RefineMap.action has them.

    message: one line, what was done or why nothing could be. keyframes_moved: those fused again at another pose.
    mean_correction: metres, over the keyframes. depth_error: metres, median |rendered - measured| over some keyframes, and psnr:
    dB of the rendered colour against them, before and after; NaN = not measured. seconds_spent: wall clock.
    """

    success: bool
    message: str
    keyframes_moved: int = 0
    mean_correction: float = 0.0
    depth_error_before: float = float("nan")
    depth_error_after: float = float("nan")
    psnr_before: float = float("nan")
    psnr_after: float = float("nan")
    seconds_spent: float = 0.0


@dataclass(frozen=True)
class CorrectionReport:
    """What corrected poses did. applied: corrections of remembered stamps; unknown: the others; keyframes_moved: keyframes now
    elsewhere, also those between and after corrected ones; mean_correction: metres, over them; message: one line."""

    applied: int
    unknown: int
    keyframes_moved: int
    mean_correction: float
    message: str
