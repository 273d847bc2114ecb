"""Depth and colour of held-out frames: our map in its steps, and Open3D's VoxelBlockGrid mesh of the same frames.

    ./run bench holdout [SOURCE ...] [--every 8] [--take 1] [--refine-seconds 60] [--field-seconds 60 | --field-steps N]
        [--set NAME=VALUE]

Frames n with n % 8 == 4 are left out. in25: share of sensor-valid pixels whose rendered depth is within 2.5 cm, misses wrong.
PSNR and SSIM (luma, 11x11 Gaussian, sigma 1.5) over the pixels that are rendered and have a reading, at full resolution. Two
protocols: held-out frames at their poses as given; and at poses aligned to the map by depth (`evaluation/pose_alignment.py`, the
same code against every map's rendered depth and normals, Open3D's too). --take 3 looks at every third held-out frame only.

Rows. Open3D: mesh of voxels seen at least three times, ray-cast; and at least once, which is what our rendering draws. "+ neural
colour": our geometry in the colours of the field alone, trained for --field-seconds (or --field-steps, which is the same however
busy the machine is) on the remembered frames; "photographs": as it is shown, with detail from the remembered frames nearest to
each view (a held-out frame lies between frames taken a tenth of a second before and after it). "+ poses": refined for at most
--refine-seconds as `input.pose_error` says; "unlimited": then as far as depth says; "calibration": and the intrinsics and the
transform from depth to colour, each for as long again; held-out frames are then looked at with what was found. Seconds are wall
clock and add up.
"""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from rich.console import Console

from magic3d_ros.config import Settings, load_settings
from magic3d_ros.evaluation.holdout import evaluate, is_held_out
from magic3d_ros.evaluation.open3d_map import Open3DMap
from magic3d_ros.evaluation.pose_alignment import aligned
from magic3d_ros.frames import RGBDFrame
from magic3d_ros.geometry.camera import Camera
from magic3d_ros.mapping.field.trainer import FieldTrainer, rate_at
from magic3d_ros.mapping.keyframes import KeyframeStore
from magic3d_ros.mapping.mapper import Mapper
from magic3d_ros.mapping.refinement.calibration import CameraCalibration
from magic3d_ros.mapping.refinement.refiner import MapRefiner
from magic3d_ros.mapping.surface import View
from magic3d_ros.sources.open import open_source

RECORDINGS = Path(__file__).resolve().parents[2] / "shared" / "data"
GOALS = {"redkitchen": "in25 >= .875, PSNR >= 21.3, SSIM >= .75",
         "replica_office0": "in25 >= .990, PSNR >= 34, SSIM >= .945"}

Render = Callable[[Camera, np.ndarray], View]
console = Console(highlight=False, soft_wrap=True)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bench holdout", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    known = [str(RECORDINGS / name) for name in GOALS if (RECORDINGS / name).is_dir()]
    parser.add_argument("sources", nargs="*", default=known or ["room"], help="folders, bags or room")
    parser.add_argument("--every", type=int, default=8, help="one of so many frames is held out")
    parser.add_argument("--take", type=int, default=1, help="one of so many held-out frames is looked at")
    parser.add_argument("--refine-seconds", type=float, default=60.0, help="refining of poses, wall clock; 0 = none")
    parser.add_argument("--field-seconds", type=float, default=60.0, help="training of neural colour, wall clock; 0 = none")
    parser.add_argument("--field-steps", type=int, default=0, help="of training instead of --field-seconds")
    parser.add_argument("--set", dest="assignments", action="append", default=[], metavar="NAME=VALUE")
    options = parser.parse_args(arguments)
    settings = load_settings(None, dict(item.split("=", 1) for item in options.assignments))
    for text in options.sources:
        compare(text, settings, options)
    return 0


def compare(text: str, settings: Settings, options: argparse.Namespace) -> None:
    """One source's table, printed row by row."""
    mapper, baseline, keyframes = Mapper(settings), Open3DMap(settings), KeyframeStore(settings.keyframes)
    held_out: list[RGBDFrame] = []
    ours = theirs = 0.0
    for number, frame in enumerate(open_source(text, settings)):
        if is_held_out(number, options.every):
            held_out.append(frame)
            continue
        start = time.perf_counter()
        is_keyframe = keyframes.wants(frame)
        (keyframes.add if is_keyframe else keyframes.add_between)(frame)
        mapper.integrate(frame, carve=is_keyframe)
        middle = time.perf_counter()
        baseline.integrate(frame)
        ours, theirs = ours + middle - start, theirs + time.perf_counter() - middle
    held_out = held_out[::options.take]
    console.print(f"{text}: {len(held_out)} held-out frames; poses as given | poses aligned to the map by depth")
    console.print(f"{'':34} {'seconds':>7}   in25  PSNR  SSIM   median mm | in25  PSNR  SSIM   median mm")
    for least in (settings.map.min_weight, 1.0):
        baseline.finish(least)
        _row(f"Open3D mesh, seen >= {least:g}", theirs, baseline.render, *_both(baseline.render, held_out))
    spent = ours

    def neural(label: str, given: list[RGBDFrame], aligned_frames: list[RGBDFrame]) -> None:
        if options.field_seconds > 0 or options.field_steps > 0:
            trainer, start = FieldTrainer(mapper, keyframes, settings), time.perf_counter()
            for number in range(options.field_steps):
                trainer.step(rate_at(number / options.field_steps))
            if not options.field_steps:
                trainer.run(options.field_seconds)
            seconds = spent + time.perf_counter() - start
            _row(f"{label} + neural colour", seconds, partial(trainer.render, photographs=False), given, aligned_frames)
            _row(f"{label} + neural, photographs", seconds, trainer.render, given, aligned_frames)

    frames = _both(mapper.render, held_out)
    _row("ours", spent, mapper.render, *frames)
    neural("ours", *frames)
    calibration = CameraCalibration()
    steps = [("+ poses", settings.input.pose_error, False), ("+ poses, unlimited", "unlimited", False),
             ("+ poses, calibration", "unlimited", True)]
    if settings.input.pose_error == "unlimited":
        del steps[0]
    for label, pose_error, calibrate in steps if options.refine_seconds > 0 else []:
        refiner = MapRefiner(replace(settings, input=replace(settings.input, pose_error=pose_error)), mapper, keyframes,
                             threading.RLock(), threading.RLock(), lambda motion: lambda: None, calibration)
        report = refiner.refine(options.refine_seconds, lambda: False, lambda *_: None, True, calibrate, None)
        spent += report.seconds_spent
        console.print(report.message)
        frames = _both(mapper.render, [calibration.applied(frame) for frame in held_out])
        _row(label, spent, mapper.render, *frames)
        neural(label, *frames)
    if Path(text).name in GOALS:
        console.print(f"goal, aligned: {GOALS[Path(text).name]}\n")


def _both(render: Render, frames: list[RGBDFrame]) -> tuple[list[RGBDFrame], list[RGBDFrame]]:
    """The frames as given, and aligned to a map."""
    return frames, [aligned(render, frame) for frame in frames]


def _row(name: str, seconds: float, render: Render, given: list[RGBDFrame], aligned_frames: list[RGBDFrame]) -> None:
    reports = [evaluate(render, frames) for frames in (given, aligned_frames)]
    figures = [f"{r.in25:.4f} {r.psnr:5.2f} {r.ssim:.4f} {1e3 * r.depth_error:7.1f}" for r in reports]
    console.print(f"{name:34} {seconds:7.0f}   {figures[0]}   | {figures[1]}")


if __name__ == "__main__":
    main()
