"""`label`: every surface point of a saved map named by the best of a list of labels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from magic3d_ros.commands.terminal import CommandError, ConfigOption, JsonOption, SetOption, notes, out, settings_from


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("label")(label)


def label(
    directory: Annotated[Path, typer.Argument(help="a map folder", file_okay=False)],
    name: Annotated[str, typer.Option("--list", help="scannet20 or matterport160")] = "",
    labels: Annotated[str, typer.Option("--labels", help="labels of your own instead, separated by commas")] = "",
    target: Annotated[Path | None, typer.Option("--out", help="PLY file to write", dir_okay=False)] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Name every surface point of a saved map by the best of a list of labels; floor, walls and ceiling come from geometry."""
    import numpy as np

    from magic3d_ros.language.label_set import label_set, own_labels

    if bool(name) == bool(labels):
        raise CommandError("give either --list scannet20 (or matterport160) or --labels 'chair, table, floor'")
    chosen = label_set(name) if name else own_labels(labels)
    from magic3d_ros.storage.map_folder import load_map, saved_settings

    settings = settings_from(config, assignments, saved_settings(directory))
    with notes.status("loading map and models"):
        from magic3d_ros.cues.extractor import CueExtractor
        from magic3d_ros.storage.ply import write_labels

        scene = load_map(directory, settings, CueExtractor(settings)).understand(thorough=True)
    index, confidence = scene.segment(list(chosen.texts))
    if target is not None:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_labels(target, scene.surface, chosen.names, index, confidence)
    counts = np.bincount(index + 1, minlength=len(chosen.names) + 1)
    order = [i for i in np.argsort(-counts[1:], kind="stable") if counts[i + 1]]
    if as_json:
        print(json.dumps({"points": len(index), "unnamed": int(counts[0]),
                          "labels": {chosen.names[i]: int(counts[i + 1]) for i in order}}, ensure_ascii=False))
        return
    table = Table("label", "points", "share", "mean confidence", box=None, header_style="bold", pad_edge=False)
    for i in order:
        table.add_row(chosen.names[i], str(counts[i + 1]), f"{counts[i + 1] / len(index):.1%}",
                      f"{confidence[index == i].mean():.2f}")
    out.print(table)
    out.print(f"{counts[0]} of {len(index)} points have none of the labels")
    if target is not None:
        out.print(str(target), soft_wrap=True)
