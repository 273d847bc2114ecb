"""`bench` and `eval`: the figures of the README, and a saved map against ground truth."""

from __future__ import annotations

import ast
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Annotated

import typer

import magic3d_ros
from magic3d_ros.commands.terminal import CommandError, JsonOption, notes, out


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.command("bench", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(bench)
    app.command("eval")(evaluate)


def bench(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="which benchmark; without a name they are listed")] = "",
) -> None:
    """Run a benchmark of the checkout; options after its name are its own (try `--help` after the name)."""
    folder = bench_folder()
    names = sorted(path.stem for path in folder.glob("*.py") if not path.stem.startswith("_"))
    if not name:
        for known in names:
            text = ast.get_docstring(ast.parse((folder / f"{known}.py").read_text(encoding="utf-8"))) or ""
            out.print(f"{known:12} {text.partition(chr(10))[0]}", markup=False, soft_wrap=True)
        return
    if name not in names:
        raise CommandError(f"there is no benchmark '{name}': there are {', '.join(names) or 'none'}")
    code = load_bench(folder / f"{name}.py").main(list(context.args))
    raise typer.Exit(int(code or 0))


def evaluate(
    directory: Annotated[Path, typer.Argument(help="a map folder", file_okay=False)],
    recording: Annotated[Path, typer.Argument(help="the recording it was made from, with gt_mesh_labels.npz", file_okay=False)],
    as_json: JsonOption = False,
) -> None:
    """Compare a saved map with the ground truth of its recording: things (AP) and surface (accuracy, completeness)."""
    truth = recording / "gt_mesh_labels.npz"
    if not truth.is_file():
        raise CommandError(f"{truth} is not there: only recordings with a labelled ground-truth mesh can be compared "
                           "(`magic3d room --out DIR` renders one); `magic3d map --hold-out 8` measures without ground truth")
    from magic3d_ros.evaluation.saved_map import compare
    from magic3d_ros.storage.records import rounded

    with notes.status("comparing"):
        figures = compare(directory, truth)
    if as_json:
        print(json.dumps({name: rounded(value) for name, value in figures.items()}))
        return
    for kind, prefix in (("confidence 1", ""), ("ranked", "ranked_")):
        out.print(f"things, {kind}: AP {figures[prefix + 'ap']:.3f}, AP50 {figures[prefix + 'ap50']:.3f}, "
                  f"AP25 {figures[prefix + 'ap25']:.3f}")
    out.print(f"        {figures['predicted_things']:.0f} predicted, {figures['true_things']:.0f} true of at least 100 points")
    out.print(f"surface: median distance to the true one {1000 * figures['accuracy']:.1f} mm, {figures['precision']:.1%} within "
              f"5 cm; {figures['completeness']:.1%} of the true one covered")


def bench_folder() -> Path:
    """The checkout's bench/. Raises CommandError where the package is installed without one."""
    for place in magic3d_ros.__path__:
        folder = Path(place).resolve().parent / "bench"
        if (folder / "map.py").is_file():
            return folder
    raise CommandError("benchmarks are part of the checkout (its folder bench/), not of an installed package: "
                       "clone the repository and run `./run bench NAME` there")


def load_bench(path: Path) -> ModuleType:
    """Import a benchmark by its file; it has `main(arguments: Sequence[str]) -> int | None`."""
    spec = importlib.util.spec_from_file_location(f"magic3d_bench_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise CommandError(f"{path} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up there while it is being executed
    spec.loader.exec_module(module)
    if not callable(getattr(module, "main", None)):
        raise CommandError(f"{path} has no main(arguments)")
    return module
