"""`view`: look at a saved map, in a window or as its report."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from magic3d_ros.commands.terminal import ConfigOption, SetOption, notes, out, settings_from


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.command("view")(view)


def view(
    directory: Annotated[Path, typer.Argument(help="a map folder", file_okay=False)],
    report: Annotated[bool, typer.Option("--report", help="write report.html anew instead of opening a window")] = False,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Show a saved map: surface and things in a window; without a display, or with --report, as report.html in its folder."""
    from magic3d_ros.storage.map_folder import load_map, read_manifest, saved_settings

    manifest = read_manifest(directory)
    if has_display() and not report:
        show_window(directory)
        return
    settings = settings_from(config, assignments, saved_settings(directory, manifest))
    with notes.status("loading map and models"):
        from magic3d_ros.cues.extractor import CueExtractor
        from magic3d_ros.report.build import write_report

        pipeline = load_map(directory, settings, CueExtractor(settings))
        pipeline.understand(thorough=True)
    with notes.status("drawing the report"):
        write_report(directory / "report.html", pipeline, manifest.get("statistics", {}))
    out.print(str(directory / "report.html"), soft_wrap=True)


def has_display() -> bool:
    """Whether a window can be opened."""
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def show_window(directory: Path) -> None:
    """Open3D's viewer on a map's mesh and the boxes of its things, until the window is closed."""
    from magic3d_ros.geometry.open3d_import import load_open3d
    from magic3d_ros.storage.map_folder import MESH

    open3d: Any = load_open3d()
    mesh = open3d.io.read_triangle_mesh(str(directory / MESH))
    open3d.visualization.draw_geometries([mesh, *_boxes(open3d, directory)], window_name=str(directory))


def _boxes(open3d: Any, directory: Path) -> list[Any]:
    from magic3d_ros.storage.map_folder import OBJECTS

    things = json.loads((directory / OBJECTS).read_text(encoding="utf-8"))
    boxes = [open3d.geometry.OrientedBoundingBox(thing["center"], thing["rotation"], thing["size"])
             for thing in things if thing["kind"] == "object"]
    for box in boxes:
        box.color = (0.9, 0.3, 0.1)
    return boxes
