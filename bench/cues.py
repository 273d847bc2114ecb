"""The 2D models: milliseconds and memory of each, keyframes a second.

    ./run bench cues [--config FILE] [--set NAME=VALUE ...]        the configured tier, as an extractor runs it
    ./run bench cues --architectures all|NAME [NAME ...]           foundation models alone, of published sizes, random weights

Random weights take the same time and memory as trained ones, except that masks found by chance are more or fewer. Images are
noise of 640x480 (--size). Checkpoints take up to 800 MB each in a temporary folder and are deleted afterwards.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from rich.console import Console

from magic3d_ros.config import Settings, load_settings
from magic3d_ros.cues.extractor import CueExtractor, grey_frame, start_model
from magic3d_ros.cues.running_model import RunningModel, weight_megabytes
from magic3d_ros.cues.tiers import KINDS, placement_of
from magic3d_ros.cues.weights import ModelError
from magic3d_ros.evaluation.random_checkpoints import ARCHITECTURES, write
from magic3d_ros.frames import RGBDFrame

PUBLISHED = [name for name in ARCHITECTURES if not name.startswith("tiny-")]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bench cues", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--architectures", nargs="+", choices=["all", *ARCHITECTURES], metavar="NAME",
                        help=f"all, or of {', '.join(ARCHITECTURES)}")
    parser.add_argument("--config", type=Path, help="settings in YAML")
    parser.add_argument("--set", dest="assignments", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--size", default="640x480", help="of the images")
    parser.add_argument("--repeat", type=int, default=5, help="batches timed, after one that is not")
    options = parser.parse_args(arguments)
    settings = load_settings(options.config, dict(item.split("=", 1) for item in options.assignments))
    width, height = (int(side) for side in options.size.split("x"))
    console = Console(highlight=False)
    cues = settings.cues
    console.print(f"{device_name(settings)}, {cues.precision} precision, batches of {cues.batch}, {options.size}")
    row(console, "model", "kind", "ms a frame", "slowest", "frames/s", "CPU ms", "MB weights", "MB working")
    if options.architectures:
        names = PUBLISHED if "all" in options.architectures else options.architectures
        problems = [problem for name in names if (problem := alone(name, settings, height, width, options.repeat, console))]
    else:
        problems = together(settings, height, width, options.repeat, console)
    for problem in problems:
        console.print(f"not measured: {problem}", markup=False, soft_wrap=True)
    return 1 if problems else 0


def alone(name: str, settings: Settings, height: int, width: int, repeat: int, console: Console) -> str:
    """Measure one architecture by itself; returns what went wrong."""
    kind = ARCHITECTURES[name][0]
    with tempfile.TemporaryDirectory(prefix="magic3d_bench_") as folder:
        try:
            getattr(settings, kind).model = str(write(name, Path(folder) / name))
            running = start_model(kind, settings)
        except (ModelError, ImportError) as error:
            return f"{name}: {error}"
        times, spent = [], 0.0
        for number in range(repeat + 1):
            frames = noise(settings.cues.batch, height, width, number)
            begin = time.process_time()
            running.run(frames)
            spent += (time.process_time() - begin) * (number > 0)
            times.append(running.milliseconds)
        measured(console, running, times[1:], f"{1e3 * spent / repeat / settings.cues.batch:.1f}")
        return running.problem


def together(settings: Settings, height: int, width: int, repeat: int, console: Console) -> list[str]:
    """Measure the configured tier, all models one after another as they work on keyframes; returns what went wrong."""
    extractor = CueExtractor(settings)
    times: dict[str, list[float]] = {}
    spent = 0.0
    for number in range(repeat + 1):
        frames = noise(settings.cues.batch, height, width, number)
        begin = time.process_time()
        found = extractor.extract_many(frames)
        spent += (time.process_time() - begin) * (number > 0)
        if number:
            for name, value in found[0].timings.items():
                times.setdefault(name, []).append(value)
    for running in extractor.running:
        if running.name in times:
            measured(console, running, times[running.name], "")
    whole = [sum(values) for values in zip(*times.values(), strict=True)]
    middle = statistics.median(whole)
    row(console, "all", "", f"{middle:.1f}", f"{max(whole):.1f}", f"{1e3 / middle:.2f}",
        f"{1e3 * spent / repeat / settings.cues.batch:.1f}")
    return list(extractor.problems.values())


def measured(console: Console, running: RunningModel, times: list[float], spent: str) -> None:
    middle = statistics.median(times)
    row(console, running.name, running.kind, f"{middle:.1f}", f"{max(times):.1f}", f"{1e3 / max(middle, 1e-6):.2f}",
        spent, f"{weight_megabytes(running.model):.0f}", f"{running.peak:.0f}" if running.peak else "-", running.reduced)


def row(console: Console, name: str, kind: str, *values: str) -> None:
    """A line as soon as it is known: a large model takes minutes on a CPU."""
    console.print(f"{name:36} {kind:16}" + "".join(f" {value:>10}" for value in values), markup=False, soft_wrap=True)


def noise(count: int, height: int, width: int, seed: int) -> list[RGBDFrame]:
    generator = np.random.default_rng(seed)
    plain = grey_frame(height, width)
    return [replace(plain, stamp=index, rgb=generator.integers(0, 256, plain.rgb.shape, dtype=np.uint8))
            for index in range(count)]


def device_name(settings: Settings) -> str:
    devices = {placement_of(kind, settings).device for kind in KINDS}
    return " and ".join(sorted(torch.cuda.get_device_name(device) if device.type == "cuda"
                               else f"CPU, {torch.get_num_threads()} threads" for device in devices))
