"""The neural field: steps of colour training a CPU-second, the hash kernel beside plain torch, memory, time to render.

    ./run bench field [SOURCE] [--seconds 20] [--set NAME=VALUE]

Steps are whole ones: drawing rays, look-up, network, loss, backward pass, Adam, renewing samples and solving exposures. SOURCE is
mapped first (../shared/data/redkitchen, or the simulated room where it is not there). Time is CPU time of this process on one
thread; on a GPU it is wall clock after synchronising. The goal is 100 steps of 4096 rays a CPU-second.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

from magic3d_ros.config import Settings, load_settings
from magic3d_ros.frames import RGBDFrame
from magic3d_ros.mapping.field.color_training import RENEW_EVERY
from magic3d_ros.mapping.field.hash_grid import HashGrid
from magic3d_ros.mapping.field.trainer import FieldTrainer
from magic3d_ros.mapping.keyframes import KeyframeStore
from magic3d_ros.mapping.mapper import Mapper
from magic3d_ros.sources.open import open_source

GOAL = 100.0  # steps of 4096 rays a CPU-second
DEFAULT = Path(__file__).resolve().parents[2] / "shared" / "data" / "redkitchen"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bench field", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", nargs="?", default=str(DEFAULT) if DEFAULT.is_dir() else "room", help="folder, bag or room")
    parser.add_argument("--seconds", type=float, default=20.0, help="of training that is timed")
    parser.add_argument("--frames", type=int, default=120, help="of the source that are mapped")
    parser.add_argument("--set", dest="assignments", action="append", default=[], metavar="NAME=VALUE")
    options = parser.parse_args(arguments)
    settings = load_settings(None, dict(item.split("=", 1) for item in options.assignments))
    torch.set_num_threads(1)
    console = Console(highlight=False)
    table = Table("", "", box=None, pad_edge=False, show_header=False, title=f"neural field on {options.source}")
    trainer, frame = mapped(options.source, settings, options.frames)
    rate = steps_per_second(trainer, options.seconds)
    table.add_row(f"steps a second at {settings.field.rays} rays", f"{rate:.1f}  (goal {GOAL:.0f}; {1e3 / rate:.1f} ms a step)")
    for name, megabytes in memory(trainer).items():
        table.add_row(f"memory, {name}", f"{megabytes:.1f} MB")
    camera = frame.camera.resized(320, 240)
    for name, render in {
            "map": lambda: trainer.mapper.render(camera, frame.camera_to_world, False),
            "map, field": lambda: trainer.render(camera, frame.camera_to_world, False, False),
            "map, field, photographs": lambda: trainer.render(camera, frame.camera_to_world, False)}.items():
        table.add_row(f"320x240: {name}", f"{1e3 * seconds_of(render, 5):.0f} ms")
    for device in ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",):
        for name, spent in look_ups(settings, torch.device(device)).items():
            table.add_row(f"look-up and its gradient, {settings.field.rays} points, {device}: {name}", f"{1e3 * spent:.2f} ms")
    console.print(table)
    return 0 if rate >= GOAL else 1


def mapped(source: str, settings: Settings, count: int) -> tuple[FieldTrainer, RGBDFrame]:
    """A trainer over the map of a source's first frames, and the last of them."""
    mapper, keyframes = Mapper(settings), KeyframeStore(settings.keyframes)
    for number, frame in enumerate(open_source(source, settings)):
        if number >= count:
            break
        (keyframes.add if keyframes.wants(frame) else keyframes.add_between)(frame)
        mapper.integrate(frame)
        last = frame
    return FieldTrainer(mapper, keyframes, settings), last


def steps_per_second(trainer: FieldTrainer, seconds: float) -> float:
    """Whole steps a second, once every frame has samples."""
    for _ in range(max(2 * RENEW_EVERY, len(trainer.keyframes.remembered()))):
        trainer.step()
    start, steps = now(), 0
    while now() - start < seconds:
        trainer.step()
        steps += 1
    return steps / (now() - start)


def memory(trainer: FieldTrainer) -> dict[str, float]:
    """Megabytes of what a trainer holds."""
    parameters = sum(p.numel() * 4 for p in trainer.field.parameters()) / 1e6
    colors = sum(p.numel() * 4 for p in (trainer.field.color_grid.table, *trainer.field.color_head.parameters())) / 1e6
    return {"parameters": parameters, "Adam's moments of colour": 2 * colors, "samples": trainer.colors.samples.bytes / 1e6,
            "remembered frames": trainer.keyframes.bytes / 1e6}


def look_ups(settings: Settings, device: torch.device) -> dict[str, float]:
    """Seconds for encoding and its gradient: as it is used, and as torch's own indexing differentiates it."""
    field = settings.field
    grid = HashGrid(field.levels, field.features, field.coarsest, field.finest, field.table_bits).to(device)
    points = torch.rand(field.rays, 3, device=device) * 4 - 2

    def eager() -> None:
        rows, place = grid.corners(points)
        x, y, z = torch.stack([1.0 - place, place], 1)
        share = (x[:, None, None] * y[None, :, None] * z[None, None]).view(rows.shape)
        (grid.table.t()[rows.long()] * share[..., None]).sum(0).sum().backward()
        grid.table.grad = None

    def used() -> None:
        grid(points).sum().backward()
        grid.table.grad = None

    names = {"plain torch indexing": eager, "ours (Triton)" if device.type == "cuda" else "ours": used}
    return {name: seconds_of(function, 30) for name, function in names.items()}


def seconds_of(function: Callable[[], object], times: int) -> float:
    """Mean time of a call, after two that do not count."""
    function()
    function()
    start = now()
    for _ in range(times):
        function()
    return (now() - start) / times


def now() -> float:
    """CPU time of this process, or wall clock once the GPU is done."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
        return time.perf_counter()
    return time.process_time()


if __name__ == "__main__":
    raise SystemExit(main())
