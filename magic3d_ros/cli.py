"""`magic3d`: everything the package does, from a terminal."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from magic3d_ros import __version__
from magic3d_ros.commands import (
    inspection,
    labelling,
    maps,
    measuring,
    models,
    processes,
    questions,
    recordings,
    refinement,
    training,
    viewing,
)
from magic3d_ros.commands.terminal import notes, start_logging
from magic3d_ros.cpu_sharing import wait_without_spinning

INTERRUPTED = 130
"""Exit code after Ctrl-C: 128 + SIGINT, as shells have it."""

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="rich",
                  context_settings={"help_option_names": ["-h", "--help"]})
for group in (maps, questions, labelling, viewing, refinement, recordings, processes, models, inspection, training,
              measuring):
    group.register(app)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"magic3d_ros {__version__}")
        raise typer.Exit


@app.callback()
def common(
    debug: Annotated[bool, typer.Option("--debug", help="show log messages, and the whole traceback of an error")] = False,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="print the version")] = False,
) -> None:
    """RGB-D in, a living 3D scene out, questions answered."""
    start_logging(debug)


def main() -> None:
    """Run `magic3d`. Exit codes: 0 done, 1 an error (one line says which), 2 wrong usage, 130 Ctrl-C."""
    wait_without_spinning()
    debug = "--debug" in sys.argv
    try:
        app(prog_name="magic3d")
    except SystemExit as end:
        if end.code == INTERRUPTED:
            notes.print("stopped by Ctrl-C: nothing half-written was left behind", style="yellow", markup=False)
        raise
    except KeyboardInterrupt:
        notes.print("stopped by Ctrl-C: nothing half-written was left behind", style="yellow", markup=False)
        sys.exit(INTERRUPTED)
    except Exception as error:
        if debug:
            raise
        notes.print(explain(error), style="bold red", markup=False, soft_wrap=True)
        sys.exit(1)


def explain(error: Exception) -> str:
    """What to print: errors of this package speak for themselves, those of the system are named, anything else is unexpected."""
    if type(error).__module__.startswith("magic3d_ros.") or isinstance(error, TimeoutError) or (
            isinstance(error, FileExistsError) and not error.strerror):
        text = str(error)
    elif isinstance(error, OSError) and error.strerror:
        text = f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    elif isinstance(error, ImportError):
        text = str(error)
        if text.startswith("No module"):
            text += ": a part of the installation is missing; `./run setup` in the checkout completes it"
    else:
        text = f"{type(error).__name__}: {error} (unexpected; --debug before the command shows where)"
    return f"error: {text}"


if __name__ == "__main__":
    main()
