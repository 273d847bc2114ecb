"""Frames a second of the whole embedded pipeline on a recording, reading included, by stage.

    ./run bench map [SOURCE] [--frames N] [--threads N]

The goal is at least 3 frames a second on 2 cores on redkitchen. SOURCE is ../shared/data/redkitchen by default.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from magic3d_ros.config import load_settings

GOAL = 3.0
DEFAULT = Path(__file__).resolve().parents[2] / "shared" / "data" / "redkitchen"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bench map", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", nargs="?", default=str(DEFAULT), help="folder, bag or room")
    parser.add_argument("--frames", type=int, default=0, help="stop after so many; 0 = all")
    parser.add_argument("--threads", type=int, default=0, help="torch threads; 0 = as torch decides")
    parser.add_argument("--set", dest="assignments", action="append", default=[], metavar="NAME=VALUE")
    options = parser.parse_args(arguments)
    import torch

    from magic3d_ros.commands.maps import stage_table
    from magic3d_ros.cues.extractor import CueExtractor
    from magic3d_ros.offline import MappingRun, map_source
    from magic3d_ros.pipeline import ScenePipeline
    from magic3d_ros.sources.open import open_source

    if options.threads:
        torch.set_num_threads(options.threads)
    settings = load_settings(None, dict(item.split("=", 1) for item in options.assignments))
    console = Console(highlight=False)
    source = open_source(options.source, settings)
    begin = time.perf_counter()
    extractor = CueExtractor(settings)
    pipeline = ScenePipeline(settings, extractor)
    loading = time.perf_counter() - begin
    with Progress(TextColumn("mapping"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"),
                  TimeElapsedColumn(), console=Console(stderr=True)) as bar:
        task = bar.add_task("mapping", total=options.frames or len(source), rate="")

        def show(run: MappingRun) -> None:
            bar.update(task, completed=run.seen, rate=f"{run.rate:.1f} frames/s, {run.things} objects")

        run = map_source(pipeline, source, max_frames=options.frames, progress=show)
    console.print(f"{run.source}: {run.used} frames used ({run.keyframes} keyframes), {sum(run.skipped.values())} skipped; "
                  f"{os.cpu_count()} cores, {torch.get_num_threads()} torch threads; models loaded in {loading:.1f} s before",
                  soft_wrap=True)
    console.print(stage_table(run))
    verdict = "reached" if run.rate >= GOAL else "missed"
    console.print(f"{run.rate:.2f} frames/s over {run.seconds:.1f} s wall clock, reading included (goal {GOAL:.0f}, {verdict})")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
