"""docs/parameters.md, made from the settings themselves."""

from __future__ import annotations

from itertools import groupby

from magic3d_ros.config import Setting, Settings, describe

_HEAD = """# Settings

One name everywhere: `map.voxel_size` is `map: {voxel_size: ...}` in a YAML file (`--config`), `--set map.voxel_size=...` on the
command line, and the ROS parameter `map.voxel_size` of the nodes. This page is made by `magic3d settings --markdown`."""


def markdown_table() -> str:
    """The page: one table a section."""
    values = Settings().flat()
    sections = []
    for section, members in groupby(describe(), lambda item: item[0].split(".")[0]):
        rows = [f"| `{name}` | {_shown(values[name])} | {known.unit} | {limits(known)} | {known.doc} |"
                for name, known in members]
        head = [f"## {section}", "", "| name | default | unit | allowed | what it does |", "|---|---|---|---|---|"]
        sections.append("\n".join([*head, *rows]))
    return "\n\n".join([_HEAD, *sections]) + "\n"


def limits(known: Setting) -> str:
    """What values a setting takes: choices, or the ends of its range."""
    if known.choices:
        return ", ".join(known.choices)
    if known.minimum is None and known.maximum is None:
        return ""
    low = "" if known.minimum is None else f"{known.minimum:g}"
    high = "" if known.maximum is None else f"{known.maximum:g}"
    return f"{low} to {high}".strip()


def _shown(value: object) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"`{text}`" if text else "empty"
