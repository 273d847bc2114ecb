"""Depth and colour of held-out frames: our map, and Open3D's VoxelBlockGrid mesh of the same frames by the same metrics.

    ./run bench holdout [SOURCE ...] [--every 8] [--field-seconds 60] [--set NAME=VALUE]

Frames n with n % 8 == 4 are left out. in25: share of sensor-valid pixels whose rendered depth is within 2.5 cm, misses wrong.
PSNR and SSIM (luma, 11x11 Gaussian, sigma 1.5) over the pixels that are rendered and have a reading, at full resolution;
coverage is their share. Open3D: mesh of voxels seen at least three times, ray-cast; and at least once, which is what our
rendering draws. Neural colour: our geometry in the colours of the field alone, trained for --field-seconds on the remembered
frames; "and photographs": as it is shown, with detail from the remembered frames nearest to each view. A held-out frame lies
between remembered ones that were taken a tenth of a second before and after it.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

from magic3d_ros.config import load_settings
from magic3d_ros.evaluation.holdout import HoldoutReport, evaluate, is_held_out
from magic3d_ros.evaluation.open3d_map import Open3DMap
from magic3d_ros.mapping.field.trainer import FieldTrainer
from magic3d_ros.mapping.keyframes import KeyframeStore
from magic3d_ros.mapping.mapper import Mapper
from magic3d_ros.sources.open import open_source

RECORDINGS = Path(__file__).resolve().parents[2] / "shared" / "data"
GOALS = {"redkitchen": "in25 >= .84, PSNR >= 20.3, SSIM >= .73", "replica_office0": "in25 >= .988, PSNR >= 33"}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bench holdout", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    known = [str(RECORDINGS / name) for name in GOALS if (RECORDINGS / name).is_dir()]
    parser.add_argument("sources", nargs="*", default=known or ["room"], help="folders, bags or room")
    parser.add_argument("--every", type=int, default=8, help="one of so many frames is held out")
    parser.add_argument("--field-seconds", type=float, default=60.0, help="training of neural colour, wall clock; 0 = none")
    parser.add_argument("--set", dest="assignments", action="append", default=[], metavar="NAME=VALUE")
    options = parser.parse_args(arguments)
    settings = load_settings(None, dict(item.split("=", 1) for item in options.assignments))
    console = Console(highlight=False)
    for text in options.sources:
        mapper, baseline, keyframes = Mapper(settings), Open3DMap(settings), KeyframeStore(settings.keyframes)
        held_out = []
        begin = time.perf_counter()
        for number, frame in enumerate(open_source(text, settings)):
            if is_held_out(number, options.every):
                held_out.append(frame)
                continue
            is_keyframe = keyframes.wants(frame)
            (keyframes.add if is_keyframe else keyframes.add_between)(frame)
            mapper.integrate(frame, carve=is_keyframe)
            baseline.integrate(frame)
        table = Table("", "in25", "PSNR", "SSIM", "coverage", "median depth error mm", box=None, pad_edge=False,
                      title=f"{text}: {len(held_out)} frames held out, {time.perf_counter() - begin:.0f} s to fuse both")
        _add(table, "ours", evaluate(mapper.render, held_out))
        if options.field_seconds > 0:
            trainer = FieldTrainer(mapper, keyframes, settings)
            steps = trainer.run(options.field_seconds)
            _add(table, f"+ neural colour, {steps} steps in {options.field_seconds:.0f} s",
                 evaluate(partial(trainer.render, photographs=False), held_out))
            _add(table, "+ neural colour and photographs", evaluate(trainer.render, held_out))
        for least in (settings.map.min_weight, 1.0):
            baseline.finish(least)
            _add(table, f"Open3D mesh, seen >= {least:g}", evaluate(baseline.render, held_out))
        console.print(table)
        if Path(text).name in GOALS:
            console.print(f"goal: {GOALS[Path(text).name]}\n")
    return 0


def _add(table: Table, name: str, report: HoldoutReport) -> None:
    table.add_row(name, f"{report.in25:.4f}", f"{report.psnr:.2f}", f"{report.ssim:.4f}", f"{report.coverage:.4f}",
                  f"{1e3 * report.depth_error:.1f}")


if __name__ == "__main__":
    main()
