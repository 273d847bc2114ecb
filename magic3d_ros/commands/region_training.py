"""`train regions`: which regions of a map are one thing, from rooms whose truth is known."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from magic3d_ros.commands.terminal import CommandError, ConfigOption, SetOption, notes, out, progress_bar, settings_from


def regions(
    rooms: Annotated[list[Path], typer.Argument(help="recorded folders with gt_mesh_labels.npz, as `magic3d room` writes them")],
    file: Annotated[Path, typer.Option("--out", help="file of weights to write", dir_okay=False)],
    held_out: Annotated[int, typer.Option("--held-out", min=1, help="every so many-th folder is only checked on")] = 5,
    seed: Annotated[int, typer.Option("--seed", min=0, help="of maps, batches and first weights")] = 0,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """The classifier of regions. Rooms are seen in turn as they are, by another camera, exactly, and roughly.

    On one core about 20 s a room to map and 15 s a room to train."""
    import numpy as np

    from magic3d_ros.sources.source import SourceError
    from magic3d_ros.training.region_pairs import map_room
    from magic3d_ros.training.region_pairs_training import train
    from magic3d_ros.training.room_variations import KINDS

    settings = settings_from(config, assignments)
    if len(rooms) < 2:
        raise CommandError("a training needs at least two rooms, one to check on: name more folders")
    if not file.parent.is_dir():
        raise CommandError(f"the folder {file.parent} does not exist: make it, or name another --out")
    mapped = []
    with progress_bar() as bar:
        for number, folder in enumerate(bar.track(rooms, description="mapping")):
            try:
                mapped.append(map_room(folder, settings, KINDS[number % len(KINDS)], np.random.default_rng((seed, number))))
            except (SourceError, ValueError) as error:
                raise CommandError(str(error)) from error
    checked = [number % held_out == held_out - 1 or number == len(rooms) - 1 for number in range(len(rooms))]
    figures = train([room for room, check in zip(mapped, checked, strict=True) if not check],
                    [room for room, check in zip(mapped, checked, strict=True) if check], file, seed,
                    settings.instances.join_probability, {"rooms": " ".join(folder.name for folder in rooms)}, notes.print)
    out.print(f"{file}: held-out rooms AP {figures.ap:.3f} / {figures.ap50:.3f} / {figures.ap25:.3f}, {figures.things:.0f} "
              f"things a room, loss of pairs {figures.pair_loss:.3f}", markup=False, soft_wrap=True)
