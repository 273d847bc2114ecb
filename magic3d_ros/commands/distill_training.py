"""`train distill` and `train directions`: what surface means by its shape, and what to keep of features, without any label."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from magic3d_ros.commands.terminal import CommandError, ConfigOption, SetOption, out, progress_bar, settings_from

if TYPE_CHECKING:
    from magic3d_ros.config import Settings
    from magic3d_ros.cues.extractor import CueExtractor
    from magic3d_ros.training.distill_training import Figures

HELD_OUT = 8
"""One scene of so many, and at least one, is only checked on."""


def distill(
    scenes: Annotated[list[str], typer.Option("--scenes", metavar="SOURCE", help="folder, bag or room:NAME; for each scene")],
    folder: Annotated[Path, typer.Option("--out", help="folder of scenes, log, state and weights", file_okay=False)],
    steps: Annotated[int, typer.Option("--steps", min=1, help="batches to train on")] = 1000,
    batch: Annotated[int, typer.Option("--batch", min=1, max=1024, help="scenes a batch and process")] = 1,
    inputs: Annotated[str, typer.Option("--inputs", help="besides geometry: some of normals, height, colors, by commas")] = "",
    check_every: Annotated[int, typer.Option("--check-every", min=1, help="steps between checks, which keep the state")] = 100,
    seed: Annotated[int, typer.Option("--seed", min=0, help="of batches and first weights")] = 0,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Language features of 2D models, distilled into a 3D network across scenes; distillation.weights takes what it writes.

    Interrupted at any time, the same command goes on where it was. On several GPUs: torchrun --nproc-per-node N -m
    magic3d_ros.cli train distill and the same options.
    """
    from magic3d_ros.cues.extractor import CueExtractor
    from magic3d_ros.language.distillation import input_names
    from magic3d_ros.language.distillation_network import DistillationPlan
    from magic3d_ros.training.distill_scenes import load_scene, scene_file
    from magic3d_ros.training.distill_training import Plan, train
    from magic3d_ros.training.processes import processes

    sources = list(dict.fromkeys(scenes))
    if len(sources) < 2:
        raise CommandError("a training needs at least two scenes, one to check on: repeat --scenes")
    settings = settings_from(config, assignments)
    extractor = CueExtractor(settings)
    made_for = DistillationPlan(extractor.language.name, settings.language.feature_dimension, settings.language.voxel_size,
                                input_names(inputs))
    kept = folder / "scenes"
    kept.mkdir(parents=True, exist_ok=True)
    files = [scene_file(kept, source, made_for.encoder, settings) for source in sources]
    weights = folder / "distillation.safetensors"
    with processes() as process:
        if process.rank == 0:
            _prepare(sources, files, settings, extractor)
        process.wait()
        made = [load_scene(file) for file in files]
        training, held_out = [s for k, s in enumerate(made) if k % HELD_OUT], made[::HELD_OUT]
        with progress_bar(figures="{task.fields[figures]}") as bar:
            task = bar.add_task("distilling", total=steps, figures="", visible=process.rank == 0)

            def show(step: int, figures: Figures | None) -> None:
                bar.update(task, completed=step)
                if figures is not None:
                    bar.update(task, figures=f"1 - cosine {figures.loss:.3f}")

            last = train(training, held_out, weights, made_for, Plan(steps, batch, seed, check_every), show, process)
    if process.rank == 0:
        out.print(f"{weights}: step {last.step}, 1 - cosine {last.loss:.3f} on held-out scenes", markup=False, soft_wrap=True)


def directions(
    scenes: Annotated[list[str], typer.Option("--scenes", metavar="SOURCE", help="folder, bag or room:NAME; for each room")],
    file: Annotated[Path, typer.Option("--out", help="file to write, for cues/embedded/", dir_okay=False)],
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """The directions that the embedded tier's compressed features keep, fitted on rooms (bench fusion: what they lose)."""
    from magic3d_ros.training.indoor_directions import fit_directions

    with progress_bar() as bar:
        task = bar.add_task("looking at rooms", total=len(scenes))
        count = fit_directions(scenes, settings_from(config, assignments), file,
                               lambda done, total: bar.update(task, completed=done))
    out.print(f"{file}: fitted to {count} features of {len(scenes)} rooms", markup=False, soft_wrap=True)


def _prepare(sources: list[str], files: list[Path], settings: Settings, extractor: CueExtractor) -> None:
    """Map every scene that was not mapped before."""
    from magic3d_ros.training.distill_scenes import fused_scene, save_scene

    missing = [(source, file) for source, file in zip(sources, files, strict=True) if not file.is_file()]
    with progress_bar() as bar:
        for source, file in bar.track(missing, description="mapping scenes"):
            save_scene(fused_scene(source, settings, extractor), file)
