"""`map` and `export`: a recording becomes a map folder, a map folder becomes files for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from magic3d_ros.commands.terminal import CommandError, ConfigOption, SetOption, notes, out, progress_bar, settings_from

if TYPE_CHECKING:
    from magic3d_ros.frames import RGBDFrame
    from magic3d_ros.offline import MappingRun
    from magic3d_ros.pipeline import ScenePipeline

RunDirectory = Annotated[Path, typer.Option("--out", help="folder for the map", file_okay=False)]


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.command("map")(map_source)
    app.command("export")(export)


def map_source(
    source: Annotated[str, typer.Argument(help="a folder or bag with RGB-D frames and poses, or `room`")],
    out_directory: RunDirectory,
    hold_out: Annotated[int, typer.Option("--hold-out", min=0, help="keep frames n % N == 4 out, measure on them; 0 = none")] = 0,
    config: ConfigOption = None,
    assignments: SetOption = None,
    max_frames: Annotated[int, typer.Option("--max-frames", min=0, help="stop after so many frames; 0 = all")] = 0,
    refine: Annotated[float, typer.Option("--refine", metavar="SECONDS", min=0, max=3600,
                                          help="improve poses and colour for so long after mapping; 0 = not")] = 0,
    calibrate: Annotated[bool, typer.Option("--calibrate", help="with --refine: also intrinsics, depth against colour")] = False,
    masks: Annotated[bool, typer.Option("--masks", help="also write masks/NAME.png of every frame used")] = False,
    report: Annotated[bool, typer.Option("--report/--no-report", help="write report.html into the map folder")] = True,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace a map that is already there")] = False,
) -> None:
    """Map a recording: surface, separate things and their meaning, saved in a folder. Needs no ROS graph."""
    from magic3d_ros.storage.map_folder import MANIFEST, check_replaceable, save_map
    from magic3d_ros.storage.mask_images import MaskImages

    settings = settings_from(config, assignments)
    check_replaceable(out_directory)
    if (out_directory / MANIFEST).exists() and not overwrite:
        raise CommandError(f"{out_directory} already holds a map: --overwrite replaces it, or name another --out")
    with notes.status("loading models"):
        from magic3d_ros.cues.extractor import CueExtractor
        from magic3d_ros.offline import map_source as run_over
        from magic3d_ros.pipeline import ScenePipeline
        from magic3d_ros.sources.open import open_source

        frames = open_source(source, settings)
        pipeline = ScenePipeline(settings, CueExtractor(settings))
    with progress_bar(rate="[green]{task.fields[rate]}", things="{task.fields[things]}") as bar:
        task = bar.add_task("mapping", total=max_frames or len(frames), rate="", things="")

        def show(run: MappingRun) -> None:
            bar.update(task, completed=run.seen, rate=f"{run.rate:.1f} frames/s", things=f"{run.things} objects")

        images = MaskImages(out_directory, getattr(frames, "file_names", None)) if masks else None

        def keep_mask(frame: RGBDFrame) -> None:
            if images is not None and pipeline.last_verdict is not None:
                images.write(frame, pipeline.last_verdict)

        run = run_over(pipeline, frames, hold_out, max_frames, show, keep_mask)
    if run.used == 0:
        raise CommandError(f"no frame of {source} could be used ({_reasons(run) or 'it has none'}): "
                           f"`magic3d doctor {source}` says why")
    figures = _measure_held_out(pipeline, run) if hold_out else {}
    statistics = run.statistics() | ({"hold_out": figures} if figures else {})
    if refine:
        statistics["refinement"] = _refine(pipeline, refine, calibrate)
        if hold_out:
            statistics["hold_out_refined"] = figures = _measure_held_out(pipeline, run, align=True)
    with notes.status("saving"):
        save_map(pipeline, out_directory, statistics)
        if images is not None:
            images.finish()
    if report:
        _write_report(pipeline, statistics, out_directory)
    _print_summary(pipeline, run, figures, bool(refine))
    out.print(f"map: {out_directory}" + (f"   report: {out_directory / 'report.html'}" if report else ""), soft_wrap=True)


def export(
    directory: Annotated[Path, typer.Argument(help="a map folder", file_okay=False)],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="folder for the files", file_okay=False)],
    watertight: Annotated[bool, typer.Option("--watertight", help="also mesh_watertight.ply: closed, for simulators")] = False,
    filled: Annotated[bool, typer.Option("--filled", help="also mesh_filled.ply: with surface guessed from pictures")] = False,
) -> None:
    """Copy what other programs read out of a map: mesh.ply, points.ply, objects.json."""
    import shutil

    from magic3d_ros.storage.map_folder import FILLED_MESH, MESH, OBJECTS, POINTS, read_manifest

    read_manifest(directory)
    if filled and not (directory / FILLED_MESH).is_file():
        raise CommandError(f"{directory} has no guessed surface: it was mapped without monocular depth (depth.model)")
    target.mkdir(parents=True, exist_ok=True)
    for name in (MESH, POINTS, OBJECTS, *([FILLED_MESH] if filled else [])):
        shutil.copyfile(directory / name, target / name)
        out.print(str(target / name), soft_wrap=True)
    if watertight:
        _close_mesh(directory, target)


def _close_mesh(directory: Path, target: Path) -> None:
    import os

    from magic3d_ros.geometry.watertight import watertight
    from magic3d_ros.mapping.surface import Surface
    from magic3d_ros.storage.map_folder import MESH, WATERTIGHT_MESH, saved_settings
    from magic3d_ros.storage.ply import read_mesh, write_mesh

    cell = saved_settings(directory).map.voxel_size
    surface = read_mesh(directory / MESH)
    with notes.status("closing the surface"):
        try:
            vertices, faces, normals, colors = watertight(surface.vertices, surface.normals, surface.colors, cell)
        except (ValueError, ImportError) as error:
            raise CommandError(f"{target / WATERTIGHT_MESH} was not written: {error}") from error
    closed = Surface(vertices, faces, normals, colors, surface.weights[:0])
    unfinished = target / f".{WATERTIGHT_MESH}.{os.getpid()}"
    write_mesh(unfinished, closed)
    unfinished.replace(target / WATERTIGHT_MESH)
    out.print(str(target / WATERTIGHT_MESH), soft_wrap=True)


def _measure_held_out(pipeline: ScenePipeline, run: MappingRun, align: bool = False) -> dict[str, float]:
    """The figures of what the map shows, and as voxel_psnr and voxel_ssim those of voxel colour without detail from photographs.

    align: at poses aligned to the map by depth, because a refined map is no longer where the recording's poses say.
    """
    from magic3d_ros.evaluation.holdout import evaluate
    from magic3d_ros.evaluation.pose_alignment import aligned

    if not run.held_out:
        return {}
    with notes.status(f"rendering {len(run.held_out)} held-out frames"):
        frames = [aligned(pipeline.mapper.render, frame) for frame in run.held_out] if align else run.held_out
        voxels = evaluate(pipeline.mapper.voxels.render, frames)
        return evaluate(pipeline.render, frames).figures() | {"voxel_psnr": voxels.psnr, "voxel_ssim": voxels.ssim}


def _refine(pipeline: ScenePipeline, seconds: float, calibrate: bool) -> dict[str, Any]:
    """Refine with a progress bar and a line of results; the figures for map.json."""
    import dataclasses
    import math

    with progress_bar(loss="{task.fields[loss]}") as bar:
        task = bar.add_task("refining", total=100, loss="")

        def show(stage: str, share: float, loss: float) -> None:
            bar.update(task, description=stage, completed=round(100 * share), loss="" if math.isnan(loss) else f"loss {loss:.4g}")

        result = pipeline.refine(seconds, progress=show, calibration=calibrate)
    if not result.success:
        raise CommandError(result.message)
    out.print(f"refined in {result.seconds_spent:.1f} s: {result.message}; depth error {1000 * result.depth_error_before:.1f} -> "
              f"{1000 * result.depth_error_after:.1f} mm, PSNR {result.psnr_before:.2f} -> {result.psnr_after:.2f} dB",
              soft_wrap=True)
    return {name: None if isinstance(value, float) and math.isnan(value) else value
            for name, value in dataclasses.asdict(result).items()}


def _write_report(pipeline: ScenePipeline, statistics: dict[str, Any], directory: Path) -> None:
    from magic3d_ros.report.build import write_report

    with notes.status("drawing the report"):
        write_report(directory / "report.html", pipeline, statistics)


def _print_summary(pipeline: ScenePipeline, run: MappingRun, figures: dict[str, float], refined: bool) -> None:
    skipped = f", {sum(run.skipped.values())} skipped ({_reasons(run)})" if run.skipped else ""
    held_out = f", {len(run.held_out)} held out" if run.held_out else ""
    out.print(f"frames: {run.used} used ({run.keyframes} keyframes){held_out}{skipped}")
    out.print(f"rate: {run.rate:.2f} frames/s, {run.seconds:.1f} s in all")
    structure = sum(thing.kind == "structure" for thing in pipeline.scene.objects)
    out.print(f"scene: {len(pipeline.scene.objects) - structure} objects, {structure} pieces of structure, "
              f"{len(pipeline.scene.surface):,} surface points")
    out.print(stage_table(run))
    if figures:
        protocol = " at poses aligned to the refined map" if refined else ""
        out.print(f"held-out frames{protocol}: in25 {figures['in25']:.3f}, PSNR {figures['psnr']:.2f} dB, "
                  f"SSIM {figures['ssim']:.3f} "
                  f"(voxel colour alone: {figures['voxel_psnr']:.2f} dB, {figures['voxel_ssim']:.3f}), "
                  f"coverage {figures['coverage']:.3f}, median depth error {1000 * figures['depth_error']:.1f} mm",
                  soft_wrap=True)


def stage_table(run: MappingRun) -> Table:
    """Where the time went."""
    table = Table("stage", "calls", "ms a call", "s in all", "share", box=None, header_style="bold", pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for name, seconds in run.stages.items():
        calls = run.stage_calls.get(name, 0)
        table.add_row(name, str(calls), f"{1000 * seconds / max(calls, 1):.1f}", f"{seconds:.2f}",
                      f"{seconds / max(run.seconds, 1e-9):.0%}")
    return table


def _reasons(run: MappingRun) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in run.skipped.most_common())
