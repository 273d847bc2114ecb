"""Milliseconds a frame to integrate depth and colour: our plain-torch map and Open3D's VoxelBlockGrid, interleaved in one run.

    ./run bench tsdf [SOURCE] [--frames N] [--threads 1,2] [--set NAME=VALUE]

Same frames, voxels and truncation. Both see each frame right after the other, so that what else the machine does hits both;
the figure is the median over frames of the ratio. Each number of threads gets a process of its own, because OpenMP reads it
once. The goal is a ratio of at most 1.3. SOURCE is ../shared/data/redkitchen, or the simulated room where that is not there.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

GOAL = 1.3
RECORDING = Path(__file__).resolve().parents[2] / "shared" / "data" / "redkitchen"
WARM_UP = 10  # frames before timing begins: caches, thread pools and first allocations


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bench tsdf", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", nargs="?", default=str(RECORDING) if RECORDING.is_dir() else "room", help="folder, bag or room")
    parser.add_argument("--frames", type=int, default=0, help="stop after so many; 0 = all")
    parser.add_argument("--threads", default="1,2", help="numbers of threads to measure")
    parser.add_argument("--set", dest="assignments", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--measure", type=int, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.measure:
        print(json.dumps(measure(options.source, options.frames, options.measure, options.assignments)))
        return 0
    title = f"integration with colour, {options.source}; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    table = Table("threads", "frames", "ours ms", "Open3D ms", "median ratio", "goal", "blocks", "Open3D blocks", box=None,
                  pad_edge=False, title=title)
    reached = True
    for threads in (int(t) for t in options.threads.split(",")):
        command = [sys.executable, __file__, options.source, "--frames", str(options.frames), "--measure", str(threads)]
        command += [part for item in options.assignments for part in ("--set", item)]
        package = str(Path(__file__).resolve().parents[1])
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads),
                       "PYTHONPATH": os.pathsep.join([package, os.environ.get("PYTHONPATH", "")])}
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True)
        if done.returncode != 0:
            return done.returncode
        row = json.loads(done.stdout.splitlines()[-1])
        reached &= row["ratio"] <= GOAL
        table.add_row(str(threads), str(row["frames"]), f"{row['ours']:.2f}", f"{row['open3d']:.2f}", f"{row['ratio']:.2f}",
                      f"<= {GOAL}", str(row["blocks"]), str(row["open3d_blocks"]))
    Console(highlight=False).print(table)
    return 0 if reached else 1


def measure(text: str, count: int, threads: int, assignments: Sequence[str]) -> dict[str, float]:
    """Times of one process."""
    import torch

    from magic3d_ros.config import load_settings
    from magic3d_ros.evaluation.open3d_map import Open3DMap
    from magic3d_ros.mapping.mapper import Mapper
    from magic3d_ros.sources.open import open_source

    torch.set_num_threads(threads)
    settings = load_settings(None, dict(item.split("=", 1) for item in assignments))
    mapper, baseline = Mapper(settings), Open3DMap(settings)
    ours, theirs = [], []
    for number, frame in enumerate(open_source(text, settings)):
        if count and number >= count:
            break
        begin = time.perf_counter()
        mapper.integrate(frame)
        middle = time.perf_counter()
        baseline.integrate(frame)
        if number >= WARM_UP:
            ours.append(middle - begin)
            theirs.append(time.perf_counter() - middle)
    if not ours:
        raise SystemExit(f"{text} has fewer than {WARM_UP + 1} usable frames")
    first, second = np.array(ours), np.array(theirs)
    return {"frames": len(ours), "ours": float(np.median(first) * 1e3), "open3d": float(np.median(second) * 1e3),
            "ratio": float(np.median(first / second)), "blocks": len(mapper.volume.blocks), "open3d_blocks": baseline.blocks()}


if __name__ == "__main__":
    sys.exit(main())
