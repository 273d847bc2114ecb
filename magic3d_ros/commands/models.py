"""`models`: which models the settings name, whether they are there, how to get them, and whether they run."""

from __future__ import annotations

import json
import logging
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Column, Table

from magic3d_ros.commands.terminal import CommandError, ConfigOption, JsonOption, SetOption, notes, out, settings_from

if TYPE_CHECKING:
    from magic3d_ros.config import Settings

_CHECK_SIZE = (120, 160)
"""Rows and columns of the image that `check` shows the models: small, and no multiple of a patch."""

_KINDS = "features, masks, language, depth, normals, edges; none = all"

models = typer.Typer(no_args_is_help=True, help="The 2D models: which are configured, whether they are there, whether they run.")


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.add_typer(models, name="models")


@models.command("list")
def list_models(as_json: JsonOption = False, config: ConfigOption = None, assignments: SetOption = None) -> None:
    """Each configured model: where it is expected, licence, size, present or not, how to get it on a machine without network."""
    from magic3d_ros.cues.catalogue import entries
    from magic3d_ros.cues.tiers import NONE

    found = entries(settings_from(config, assignments))
    if as_json:
        print(json.dumps([asdict(entry) for entry in found], ensure_ascii=False))
        return
    folded = (Column(title, overflow="fold") for title in ("kind", "model", "there", "MB", "licence", "place"))
    table = Table(*folded, box=None, header_style="bold", pad_edge=False)
    for entry in found:
        size = str(entry.megabytes) if entry.megabytes else ""
        there = "" if entry.model == NONE else "yes" if entry.present else "no"
        table.add_row(entry.kind, entry.model, there, size, entry.licence, entry.place)
    out.print(table, markup=False)
    for entry in found:
        if not entry.present:
            out.print(f"{entry.kind}: {entry.cure}", markup=False, soft_wrap=True)


@models.command()
def fetch(
    kinds: Annotated[list[str] | None, typer.Argument(help=_KINDS)] = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Fetch the configured models that are not there into the hub's cache. Needs cues.allow_download."""
    from magic3d_ros.cues import tiers
    from magic3d_ros.cues.catalogue import entry

    settings = settings_from(config, assignments)
    if not settings.cues.allow_download:
        raise CommandError("nothing is fetched unless cues.allow_download is set: add --set cues.allow_download=true")
    for kind in chosen(kinds):
        known = entry(kind, settings)
        if known.model == tiers.NONE:
            continue
        if known.present:
            out.print(f"{kind}: {known.model} is there", markup=False)
            continue
        with notes.status(f"fetching {known.model}"):
            place = tiers.find(kind, settings)
        out.print(f"{kind}: {known.model} fetched to {place}", markup=False, soft_wrap=True)


@models.command()
def check(
    kinds: Annotated[list[str] | None, typer.Argument(help=_KINDS)] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Load each configured model, show it a small image, say how long that took and what came out. Exit code 1 if one fails."""
    from magic3d_ros.cues.tiers import has_model

    settings = settings_from(config, assignments)
    results = {kind: checked(kind, settings) for kind in chosen(kinds) if has_model(kind, settings)}
    if as_json:
        print(json.dumps(results, ensure_ascii=False))
    for kind, result in results.items() if not as_json else ():
        if "problem" in result:
            out.print(f"{kind:9} FAILS  {result['problem']}", markup=False, soft_wrap=True)
        else:
            out.print(f"{kind:9} runs   {result['model']} on {result['device']}: loaded in {result['load_s']:.1f} s, "
                      f"{result['ms']:.0f} ms for {_CHECK_SIZE[1]}x{_CHECK_SIZE[0]}; {result['output']}", markup=False,
                      soft_wrap=True)
    if any("problem" in result for result in results.values()):
        raise typer.Exit(1)


def checked(kind: str, settings: Settings) -> dict[str, Any]:
    """Load and run one kind's model: its figures, or what is wrong under "problem"."""
    from magic3d_ros.cues.extractor import grey_frame, start_model
    from magic3d_ros.cues.weights import ModelError

    started = time.perf_counter()
    quiet = logging.getLogger("magic3d_ros.cues.running_model")
    quiet.disabled = True  # what it would say is the answer here
    try:
        with notes.status(f"loading the model of {kind}"):
            running = start_model(kind, settings)
            seconds = time.perf_counter() - started
            found = running.run([grey_frame(*_CHECK_SIZE)])
    except (ModelError, ImportError) as error:
        return {"problem": str(error)}
    finally:
        quiet.disabled = False
    if found is None:
        return {"problem": running.problem}
    return {"model": running.name, "device": str(running.device), "load_s": round(seconds, 3),
            "ms": round(running.milliseconds, 1), "output": described(found[0])}


def described(result: Any) -> str:
    """The shapes of what a model made of one image."""
    if isinstance(result, tuple):
        return ", ".join(described(part) for part in result)
    if hasattr(result, "kind"):
        maps = {name: getattr(result, name) for name in ("depth", "normals", "uncertainty")}
        return ", ".join(f"{result.kind + ' ' if name == 'depth' else ''}{name} {_shape(value)}"
                         for name, value in maps.items() if value is not None)
    if hasattr(result, "stride_x"):
        return f"features {_shape(result.values)}, a cell every {result.stride_x:.1f} pixels"
    if result.dtype == "uint8":
        return f"edges {_shape(result)}"
    return f"{int(result.max()) + 1} masks {_shape(result)}"


def chosen(kinds: list[str] | None) -> list[str]:
    """The kinds named, or all. Raises CommandError for one that does not exist."""
    from magic3d_ros.cues.tiers import KINDS

    for kind in kinds or []:
        if kind not in KINDS:
            raise CommandError(f"there is no kind of model '{kind}': there are {', '.join(KINDS)}")
    return list(kinds or KINDS)


def _shape(values: Any) -> str:
    return "x".join(map(str, values.shape))
