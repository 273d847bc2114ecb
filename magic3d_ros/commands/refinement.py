"""`refine`: let the running mapper improve its map in the background."""

from __future__ import annotations

import json
import math
from typing import Annotated

import typer

from magic3d_ros.commands.terminal import JsonOption, notes, out, progress_bar


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.command("refine")(refine)


def refine(
    seconds: Annotated[float, typer.Argument(help="time to spend, at most 3600")],
    poses: Annotated[bool, typer.Option("--poses/--no-poses", help="refine poses, and fuse again what moved")] = True,
    calibration: Annotated[bool, typer.Option("--calibration/--no-calibration",
                                              help="refine intrinsics, and the transform between colour and depth")] = False,
    appearance: Annotated[bool, typer.Option("--appearance/--no-appearance",
                                             help="train colour, and geometry where the sensor saw nothing")] = True,
    as_json: JsonOption = False,
    node: Annotated[str, typer.Option("--node", help="name of the mapper's node")] = "scene_mapper",
) -> None:
    """Let the running mapper improve its map; it goes on mapping meanwhile. Ctrl-C ends early and keeps what was reached."""
    from magic3d_ros.commands.processes import need_ros

    need_ros()
    from magic3d_ros.nodes.client import SceneClient

    with progress_bar(loss="{task.fields[loss]}") as bar, SceneClient(node_name=node) as client:
        task = bar.add_task("refining", total=100, loss="")

        def show(stage: str, share: float, loss: float) -> None:
            bar.update(task, description=stage, completed=round(100 * share), loss="" if math.isnan(loss) else f"loss {loss:.4g}")

        result = client.refine(seconds, poses, calibration, appearance, show)
    if as_json:
        print(json.dumps({name: None if isinstance(value, float) and math.isnan(value) else value
                          for name, value in result.items()}))
        return
    notes.print(f"{result['seconds_spent']:.1f} s")
    out.print(result["message"], markup=False, soft_wrap=True)
    for name, scale, unit in (("depth_error", 1000.0, "mm"), ("psnr", 1.0, "dB")):
        before, after = result[f"{name}_before"], result[f"{name}_after"]
        if not math.isnan(before) and not math.isnan(after):
            out.print(f"{name.replace('_', ' ')}: {before * scale:.2f} -> {after * scale:.2f} {unit}")
