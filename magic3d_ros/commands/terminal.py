"""What every command shares: the two consoles, progress bars, warnings in plain lines, settings from options."""

from __future__ import annotations

import logging
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.logging import RichHandler

if TYPE_CHECKING:
    from rich.progress import Progress

    from magic3d_ros.config import Settings

out = Console(highlight=False)
"""Results. Machine-readable output is printed plainly, past this console."""
notes = Console(stderr=True, highlight=False)
"""Progress, warnings, errors: never mixed with results."""

ConfigOption = Annotated[Path | None, typer.Option("--config", help="YAML file with settings", dir_okay=False)]
SetOption = Annotated[list[str] | None, typer.Option(
    "--set", metavar="NAME=VALUE", help="one setting, as `magic3d settings` lists them; may be repeated")]
JsonOption = Annotated[bool, typer.Option("--json", help="print JSON for programs instead of a table")]
TopOption = Annotated[int, typer.Option("--top", min=1, max=1000, help="objects at most")]

_REPEATS_SHOWN = 3


class CommandError(Exception):
    """Something the user can put right; the message is the one line that says what and how."""


class _FirstFew(logging.Filter):
    """Lets the first few warnings of a kind through: three frames without a pose tell as much as three hundred."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: Counter[str] = Counter()

    def filter(self, record: logging.LogRecord) -> bool:
        self._seen[record.msg] += 1
        if self._seen[record.msg] == _REPEATS_SHOWN:
            record.msg = f"{record.msg} (more of these are only counted)"
        return self._seen[record.msg] <= _REPEATS_SHOWN


def start_logging(debug: bool) -> None:
    """Warnings of the library as plain lines above the progress bar."""
    handler = RichHandler(console=notes, show_time=debug, show_path=debug, markup=False, highlighter=None, rich_tracebacks=False)
    if not debug:
        handler.addFilter(_FirstFew())
    logging.basicConfig(level=logging.INFO if debug else logging.WARNING, format="%(message)s", handlers=[handler], force=True)


def progress_bar(**columns: str) -> Progress:
    """A progress bar on stderr with elapsed and remaining time, and one text column for each named task field."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    texts = [TextColumn(text) for text in columns.values()]
    return Progress(TextColumn("[bold]{task.description}"), BarColumn(bar_width=18), MofNCompleteColumn(), *texts,
                    TimeElapsedColumn(), TimeRemainingColumn(compact=True), console=notes)


def settings_from(config: Path | None, assignments: list[str] | None, base: Settings | None = None) -> Settings:
    """Defaults (or `base`), then a YAML file, then NAME=VALUE assignments. Raises SettingsError, CommandError."""
    from magic3d_ros.config import load_settings

    overrides = {}
    for assignment in assignments or []:
        name, equals, value = assignment.partition("=")
        if not equals:
            raise CommandError(f"--set takes NAME=VALUE, not '{assignment}': for example --set map.voxel_size=0.01")
        overrides[name.strip()] = value.strip()
    if base is None:
        return load_settings(config, overrides)
    if config is not None:
        base.update(_explicit(config))
    base.update(overrides)
    base.check()
    return base


def _explicit(config: Path) -> dict[str, object]:
    """Only the settings that a file names and that differ from the defaults."""
    from magic3d_ros.config import Settings, load_settings

    defaults = Settings().flat()
    return {name: value for name, value in load_settings(config).flat().items() if value != defaults[name]}
