"""The share of a refinement that goes to guessed surface: all cues aligned at once, then signed distances trained."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace

import numpy as np
import torch

from magic3d_ros.config import Settings
from magic3d_ros.mapping.blocks import unpack
from magic3d_ros.mapping.cue_layer import joined
from magic3d_ros.mapping.field.neural_field import NeuralField
from magic3d_ros.mapping.field.trainer import LAST_RATE, STEADY
from magic3d_ros.mapping.field_voxels import distances_into
from magic3d_ros.mapping.guessed_surface import GuessedSurface
from magic3d_ros.mapping.keyframe import Keyframe
from magic3d_ros.mapping.mapper import Mapper
from magic3d_ros.mapping.metric_cues import MetricCues
from magic3d_ros.mapping.refinement.refiner import Progress
from magic3d_ros.mapping.refinement.reports import RefinementReport
from magic3d_ros.mapping.surface_training import SurfaceTraining
from magic3d_ros.mapping.tsdf import TSDFVolume

logger = logging.getLogger(__name__)

SHARE = 0.3  # of a refinement's time
ALIGNING = 0.2  # seconds a keyframe that aligning and fusing take (0.15 measured on one core, replica_office0)
LEAST_TRAINING = 2.0  # seconds: with less nothing is learned
HELD = 8  # one of so many keyframes is not trained on but tells whether training helped
EYES = 160  # pixels: width of the views that tell


def refined(guessed: GuessedSurface, measured: Mapper, keyframes: Iterable[Keyframe], settings: Settings,
            lock: AbstractContextManager[object], seconds: float, cancelled: Callable[[], bool], progress: Progress,
            refine_measured: Callable[[float], RefinementReport]) -> RefinementReport:
    """Refine the measured map for most of the time, then the guesses beside it; the report of both.

    Guesses are fused again at the new poses in any case. Where there is time all scales and shifts are found anew, jointly, and
    what is left goes into training (`SurfaceTraining`); what was trained is kept only if held-back keyframes agree better.
    """
    start = time.monotonic()
    report = refine_measured((1.0 - SHARE) * seconds)
    if not report.success:
        return report
    end = start + seconds
    with lock:
        cued = [k for k in keyframes if k.monocular_depth_png]
    done = "guessed surface fused again"
    if not cancelled() and time.monotonic() + ALIGNING * len(cued) < end:
        progress("guesses", (time.monotonic() - start) / seconds, float("nan"))
        guessed.align(cued)
        done = f"monocular depth of {len(guessed.alignments)} of {len(cued)} keyframes aligned"
    guessed.rebuild(keyframes, lock)
    left = end - time.monotonic()
    if not cancelled() and left > LEAST_TRAINING:
        before, after, steps = train(guessed, measured, keyframes, settings, lock, left, cancelled,
                                     lambda share, loss: progress("surface", 1.0 - left / seconds * (1.0 - share), loss))
        done += (f", guessed surface trained for {steps} steps ({1000 * before:.1f} -> {1000 * after:.1f} mm)" if after < before
                 else f", {steps} steps of training did not better it")
    return replace(report, message=f"{report.message}; {done}", seconds_spent=time.monotonic() - start)


def train(guessed: GuessedSurface, measured: Mapper, keyframes: Iterable[Keyframe], settings: Settings,
          lock: AbstractContextManager[object], seconds: float, cancelled: Callable[[], bool],
          progress: Callable[[float, float], None]) -> tuple[float, float, int]:
    """Train signed distances on photographs and cues over measured and guessed voxels, and write them into the guessed ones.

    Returns the median disagreement, in metres, of guesses with the cues of held-back keyframes, before and after, and the steps.
    The guesses stay as they were unless it fell, or when the world moved meanwhile; keyframes that came meanwhile are added.
    """
    with lock:
        cued = [k for k in keyframes if k.stamp in guessed.alignments]
        original = guessed.voxels
        both = joined(measured.volume, guessed.voxels.volume, settings)
        before_state = guessed.voxels.state()
    # With too few keyframes to hold some back training is judged by those it saw.
    held = cued[HELD // 2::HELD] or cued
    taught = [k for k in cued if k not in held] or cued
    field = NeuralField(None, settings.field, lambda: both)
    cues = MetricCues()
    cues.alignments = dict(guessed.alignments)
    training = SurfaceTraining(field, settings.field, _bounds(both), torch.Generator().manual_seed(0))
    training.renew(taught, cues)
    before = _disagreement(guessed.voxels, held, guessed)
    begin, loss = time.monotonic(), float("nan")
    while not cancelled() and (over := (time.monotonic() - begin) / (0.8 * seconds)) < 1.0:  # the rest writes and judges
        loss = sum(training.step(1.0 if over < STEADY else LAST_RATE ** ((over - STEADY) / (1.0 - STEADY))).values())
        progress(over, loss)
    trained = Mapper(settings)
    trained.load_state(before_state)
    distances_into(trained.volume, field)
    after = _disagreement(trained, held, guessed)
    known = {keyframe.stamp for keyframe in cued}
    with lock:
        if guessed.voxels is not original:
            return before, before, training.steps
        if after < before:
            guessed.take(trained, (k for k in keyframes if k.stamp not in known))
    return before, after, training.steps


def _disagreement(voxels: Mapper, keyframes: Sequence[Keyframe], guessed: GuessedSurface) -> float:
    errors = []
    for keyframe in keyframes:
        alignment, cue = guessed.alignments.get(keyframe.stamp), keyframe.monocular_depth
        if alignment is None or cue is None:
            continue
        small = keyframe.camera.resized(EYES, max(1, round(keyframe.camera.height * EYES / keyframe.camera.width)))
        rendered = voxels.render(small, keyframe.camera_to_world).depth
        rows = np.linspace(0, cue.shape[0] - 1, small.height).astype(int)
        columns = np.linspace(0, cue.shape[1] - 1, small.width).astype(int)
        metric = alignment.metric(cue)[np.ix_(rows, columns)]
        known = (metric > 0) & (rendered > 0)
        errors.append(np.abs(metric - rendered)[known])
    return float(np.median(np.concatenate(errors))) if sum(len(e) for e in errors) else float("inf")


def _bounds(volume: TSDFVolume) -> np.ndarray:
    blocks = unpack(volume.blocks.keys)
    return np.stack([blocks.amin(0).cpu().numpy(), blocks.amax(0).cpu().numpy() + 1]) * volume.block_size
