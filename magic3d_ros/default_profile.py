"""config/magic3d.yaml, made from the settings themselves: `python -m magic3d_ros.default_profile > config/magic3d.yaml`."""

from __future__ import annotations

import sys
from itertools import groupby

import yaml

from magic3d_ros.config import Settings, describe
from magic3d_ros.settings_table import limits

_HEAD = """# The default profile: every setting with its default. Copy it, change or delete what you like, and give the copy
# as config:= to the launch files or as --config to magic3d.
# Made by `python -m magic3d_ros.default_profile > config/magic3d.yaml`.
"""


def default_profile() -> str:
    """The YAML text: a comment with meaning, unit and range above each setting."""
    values = Settings().flat()
    text = _HEAD
    for section, members in groupby(describe(), lambda item: item[0].split(".")[0]):
        text += f"\n{section}:\n"
        for name, known in members:
            allowed = limits(known)
            comment = known.doc + (f" [{known.unit}]" if known.unit else "") + (f" ({allowed})" if allowed else "")
            text += f"  # {comment}\n  {_yaml_line(name.split('.')[1], values[name])}"
    return text


def _yaml_line(key: str, value: object) -> str:
    return yaml.safe_dump({key: value}, default_flow_style=False, allow_unicode=True)


if __name__ == "__main__":
    sys.stdout.write(default_profile())
