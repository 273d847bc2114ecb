"""`train`: networks that this package brings itself, trained on rooms that it renders itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from magic3d_ros.commands.distill_training import directions, distill
from magic3d_ros.commands.region_training import regions
from magic3d_ros.commands.segmenter_training import segmenter
from magic3d_ros.commands.terminal import CommandError, notes, out, progress_bar

if TYPE_CHECKING:
    from magic3d_ros.training.predictor_training import Figures

HELD_OUT = 16
"""One room of so many is only for choosing weights."""


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    group = typer.Typer(no_args_is_help=True, help="Train a network of this package on rendered rooms.")
    group.command("predictor")(predictor)
    group.command("regions")(regions)
    group.command("segmenter")(segmenter)
    group.command("distill")(distill)
    group.command("directions")(directions)
    group.callback()(_group)
    app.add_typer(group, name="train")


def _group() -> None:
    """Train a network of this package on rendered rooms."""


def predictor(
    folder: Annotated[Path, typer.Option("--out", help="folder of pictures, log, state and weights", file_okay=False)],
    scenes: Annotated[int, typer.Option("--scenes", min=2, max=99999, help="random rooms to render")] = 320,
    pictures: Annotated[int, typer.Option("--pictures", min=1, max=1000, help="pictures a room, at most")] = 16,
    steps: Annotated[int, typer.Option("--steps", min=1, help="batches to train on")] = 3000,
    batch: Annotated[int, typer.Option("--batch", min=1, max=4096, help="pictures a batch")] = 12,
    check_every: Annotated[int, typer.Option("--check-every", min=1, help="steps between checks on held-out rooms")] = 200,
    seed: Annotated[int, typer.Option("--seed", min=0, help="of rooms, batches and first weights")] = 0,
    workers: Annotated[int, typer.Option("--workers", min=1, max=256, help="processes that render")] = 1,
) -> None:
    """The compact monocular predictor: depth, normals and confidence from one picture.

    Interrupted at any time, the same command goes on where it was: rendered rooms stay, training goes on at its last check.
    """
    from magic3d_ros.sources.room.assets import INSTALL_HINT, assets_installed
    from magic3d_ros.sources.room.workers import in_workers
    from magic3d_ros.training.mean_map import mean_map
    from magic3d_ros.training.pictures import Pictures, RoomTask, load_pictures, room_file
    from magic3d_ros.training.predictor_training import WEIGHTS, Plan, train

    rooms = folder / f"pictures_seed{seed}"
    rooms.mkdir(parents=True, exist_ok=True)
    with_assets = assets_installed()
    if not with_assets:
        notes.print(f"rendering without the textured things of {INSTALL_HINT}", markup=False)
    with progress_bar() as bar:
        done: Iterator[tuple[int, bool]] = in_workers(RoomTask(rooms, pictures, seed, with_assets), scenes, workers)
        task = bar.add_task("rendering", total=scenes)
        for _ in done:
            bar.advance(task)
    training: list[Pictures] = []
    held_out: list[Pictures] = []
    for number in range(scenes):
        (held_out if number % HELD_OUT == 1 else training).append(load_pictures(room_file(rooms, number)))
    plan, seen = Plan(steps, batch, seed, check_every), Pictures.joined(training)
    mean_map(seen).save(folder / "mean_map.safetensors")
    with progress_bar(figures="{task.fields[figures]}") as bar:
        task = bar.add_task("training", total=steps, figures="")

        def show(step: int, figures: Figures | None) -> None:
            bar.update(task, completed=step)
            if figures is not None:
                bar.update(task, figures=describe(figures))

        best = train(seen, Pictures.joined(held_out), folder, plan, show)
    if not (folder / WEIGHTS).is_file():
        raise CommandError(f"{folder / WEIGHTS} is gone: delete {folder / 'training.pt'} and train again")
    out.print(f"{folder / WEIGHTS}: step {best.step}, {describe(best)} on held-out rooms", markup=False, soft_wrap=True)


def describe(figures: Figures) -> str:
    """One line of figures."""
    return f"loss {figures.loss:.3f}, AbsRel {figures.abs_rel:.3f}, normals {figures.normal_error:.1f} deg"
