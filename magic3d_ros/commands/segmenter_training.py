"""`train segmenter`: the network for things in 3D, from recordings without any label."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from magic3d_ros.commands.terminal import CommandError, ConfigOption, SetOption, notes, out, progress_bar, settings_from

if TYPE_CHECKING:
    from magic3d_ros.config import Settings
    from magic3d_ros.training.processes import Process
    from magic3d_ros.training.segmenter_training import Figures

HELD_OUT = 8
"""One scene of so many, and at least one, is only checked on."""

CHECKED = 12
"""Clouds of those at most: a check takes about as long as three steps."""

RATES = {"small": 2e-3, "full": 2e-4}
"""Segment3D's for its network; more for the small one, which has few steps to learn in. Not compared with others."""

QUERIES = {1: 40, 2: 80}
"""Of stage 1 and stage 2: about four for each thing that a frame, or a room, shows. Segment3D, whose queries compete for things,
has 100 and 150."""


def segmenter(
    scenes: Annotated[list[str], typer.Option("--scenes", metavar="SOURCE", help="folder, bag or room:NAME; for each scene")],
    folder: Annotated[Path, typer.Option("--out", help="folder of clouds, logs, states and weights", file_okay=False)],
    stage: Annotated[int, typer.Option("--stage", min=1, max=2, help="1: single frames; 2: whole clouds, after 1")] = 1,
    architecture: Annotated[str, typer.Option("--architecture", help="small (processors) or full (Segment3D's, GPUs)")] = "small",
    teacher: Annotated[str, typer.Option("--masks", help="of stage 1: frames (each alone) or regions (of maps)")] = "frames",
    frames: Annotated[int, typer.Option("--frames", min=1, max=100000, help="of a scene at most, evenly spread")] = 48,
    steps: Annotated[int, typer.Option("--steps", min=1, help="batches to train on")] = 2000,
    batch: Annotated[int, typer.Option("--batch", min=1, max=1024, help="clouds a batch and process")] = 4,
    rate: Annotated[float, typer.Option("--rate", min=0, max=1, help="largest learning rate; 0 = .002 small, .0002 full")] = 0.0,
    queries: Annotated[int, typer.Option("--queries", min=0, max=2000, help="of the decoder; 0 = 40 in stage 1, 80 in 2")] = 0,
    check_every: Annotated[int, typer.Option("--check-every", min=1, help="steps between checks, which keep the state")] = 200,
    seed: Annotated[int, typer.Option("--seed", min=0, help="of batches and first weights")] = 0,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """The class-agnostic segmenter, without any label: masks that geometry finds in frames, then its own sure things.

    Interrupted at any time, the same command goes on where it was. On several GPUs: torchrun --nproc-per-node N -m
    magic3d_ros.cli train segmenter and the same options.
    """
    from magic3d_ros.instances.segmenter.network import ARCHITECTURES
    from magic3d_ros.training.processes import processes
    from magic3d_ros.training.segmenter_scenes import TEACHERS, frame_clouds, scene_folder
    from magic3d_ros.training.segmenter_training import Plan, train

    for name, given, known in (("--architecture", architecture, ARCHITECTURES), ("--masks", teacher, TEACHERS)):
        if given not in known:
            raise CommandError(f"{name} is one of {', '.join(known)}, not '{given}'")
    if len(set(scenes)) < 2:
        raise CommandError("a training needs at least two scenes, one to check on: repeat --scenes")
    settings = settings_from(config, assignments)
    folders = [scene_folder(folder / "clouds", source, teacher) for source in dict.fromkeys(scenes)]
    start, weights = folder / "stage1.safetensors", folder / f"stage{stage}.safetensors"
    if stage == 2 and not start.is_file():
        raise CommandError(f"stage 2 begins with the weights of stage 1, and {start} is not there: run --stage 1 first")
    plan = Plan(steps, batch, queries or QUERIES[stage], rate or RATES[architecture], seed, check_every)
    with processes() as process:
        if process.rank == 0:
            _prepare(list(dict.fromkeys(scenes)), folders, settings, frames, teacher)
            if stage == 2:
                _pseudo_label(folders, start, process)
        process.wait()
        training, held_out = [f for k, f in enumerate(folders) if k % HELD_OUT], folders[::HELD_OUT]
        if stage == 1:
            files, checked = frame_clouds(training), frame_clouds(held_out)
        else:
            from magic3d_ros.training.segmenter_pseudo_labels import pseudo_labelled, pseudo_name

            name = pseudo_name(start)
            files, checked = pseudo_labelled(training, name), pseudo_labelled(held_out, name)
        with progress_bar(figures="{task.fields[figures]}") as bar:
            task = bar.add_task(f"stage {stage}", total=steps, figures="", visible=process.rank == 0)

            def show(step: int, figures: Figures | None) -> None:
                bar.update(task, completed=step)
                if figures is not None:
                    bar.update(task, figures=describe(figures))

            checked = checked[::max(1, len(checked) // CHECKED)]
            last = train(files, checked, weights, ARCHITECTURES[architecture], plan, show, process, start if stage == 2 else None)
    if process.rank == 0:
        out.print(f"{weights}: step {last.step}, {describe(last)} on held-out scenes", markup=False, soft_wrap=True)


def describe(figures: Figures) -> str:
    """One line of figures."""
    return f"loss {figures.loss:.2f}, affinity {figures.affinity:.3f}, dice {figures.dice:.3f}, IoU {figures.iou:.3f}"


def _prepare(scenes: list[str], folders: list[Path], settings: Settings, frames: int, teacher: str) -> None:
    from magic3d_ros.training.segmenter_scenes import prepare_scene

    with progress_bar() as bar:
        for source, folder in zip(bar.track(scenes, description="clouds"), folders, strict=True):
            if prepare_scene(source, folder, settings, frames, teacher) == 0:
                notes.print(f"{source}: no frame has a usable mask, it is left out", markup=False)


def _pseudo_label(folders: list[Path], weights: Path, process: Process) -> None:
    from magic3d_ros.instances.segmenter.inference import Segmenter
    from magic3d_ros.training.segmenter_pseudo_labels import pseudo_label, pseudo_name

    segmenter_of_stage_1, name = Segmenter.load(weights, process.device), pseudo_name(weights)
    with progress_bar() as bar:
        for folder in bar.track(folders, description="what stage 1 is sure of"):
            if not (folder / name).is_file():
                pseudo_label(segmenter_of_stage_1, folder, name)
