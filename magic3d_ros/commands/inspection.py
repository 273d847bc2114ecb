"""`doctor` and `settings`: why nothing is reconstructed, and what can be set."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from magic3d_ros.commands.terminal import ConfigOption, JsonOption, SetOption, notes, out, settings_from

if TYPE_CHECKING:
    from magic3d_ros.doctor.finding import Finding

_STYLE = {"OK": "green", "WARN": "yellow", "ERROR": "bold red"}


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.command("doctor")(doctor)
    app.command("settings")(settings)


def doctor(
    source: Annotated[str, typer.Argument(help="a folder or bag; without one the running ROS graph is examined")] = "",
    seconds: Annotated[float, typer.Option("--seconds", min=0.5, help="how long to listen to the running graph")] = 5.0,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Say whether a recording or the running graph can be mapped, and if not, why not and what to do. Exit code 1 if not."""
    values = settings_from(config, assignments)
    if source:
        from magic3d_ros.doctor.recording import examine

        with notes.status(f"examining {source}"):
            findings = examine(source, values)
    else:
        from magic3d_ros.commands.processes import need_ros

        need_ros()
        from magic3d_ros.nodes.live_doctor import examine_graph

        with notes.status(f"listening for {seconds:.0f} s"):
            findings = examine_graph(values, seconds)
    if as_json:
        print(json.dumps([asdict(finding) for finding in findings], ensure_ascii=False))
    else:
        show_findings(findings)
    if any(finding.level == "ERROR" for finding in findings):
        raise typer.Exit(1)


def settings(
    markdown: Annotated[bool, typer.Option("--markdown", help="as the table of docs/parameters.md")] = False,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """List every setting: value, range, unit, what it does. Names are the same in YAML, ROS parameters and --set."""
    from magic3d_ros.config import describe
    from magic3d_ros.settings_table import limits, markdown_table

    if markdown:
        print(markdown_table(), end="")
        return
    values = settings_from(config, assignments).flat()
    table = Table("name", "value", "unit", "allowed", "what it does", box=None, header_style="bold", pad_edge=False)
    for name, known in describe():
        table.add_row(name, str(values[name]), known.unit, limits(known), known.doc)
    out.print(table, markup=False)


def show_findings(findings: list[Finding]) -> None:
    """One line a finding, its cure below it, and a verdict."""
    for finding in findings:
        out.print(f"{finding.level:5}", style=_STYLE[finding.level], end=" ")
        out.print(f"{finding.subject}: {finding.text}", markup=False, soft_wrap=True)
        if finding.cure:
            out.print(f"      -> {finding.cure}", markup=False, soft_wrap=True)
    errors = sum(finding.level == "ERROR" for finding in findings)
    warnings = sum(finding.level == "WARN" for finding in findings)
    if errors:
        out.print(f"This will not be reconstructed: {errors} error(s), {warnings} warning(s).", style="bold red")
    else:
        out.print("This can be mapped" + (f", with {warnings} warning(s)." if warnings else "."), style="bold green")
