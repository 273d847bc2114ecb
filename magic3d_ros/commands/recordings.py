"""`play`, `convert`, `room`: recordings as topics, as bags, and rendered."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from magic3d_ros.commands.processes import need_ros
from magic3d_ros.commands.terminal import CommandError, ConfigOption, SetOption, notes, out, progress_bar, settings_from

if TYPE_CHECKING:
    from magic3d_ros.nodes.player import PlayReport

SourceArgument = Annotated[str, typer.Argument(help="a folder or bag with RGB-D frames and poses, or `room`")]


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.command("play", context_settings={"allow_extra_args": True})(play)
    app.command("convert")(convert)
    app.command("room")(room)


def play(
    context: typer.Context,
    source: SourceArgument,
    rate: Annotated[float, typer.Option("--rate", min=0.001, help="times real time")] = 1.0,
    loop: Annotated[bool, typer.Option("--loop", help="begin again at the end")] = False,
    wait: Annotated[float, typer.Option("--wait", min=0.0, help="seconds to wait for a subscriber; 0 = do not")] = 60.0,
    compressed: Annotated[bool, typer.Option("--compressed", help="JPEG and compressedDepth instead of raw images")] = False,
    pose_topic: Annotated[bool, typer.Option("--pose-topic", help="also publish PoseStamped on `pose`")] = False,
    clock: Annotated[bool, typer.Option("--clock", help="publish /clock and keep the recording's stamps")] = False,
    depth_encoding: Annotated[str, typer.Option("--depth-encoding", help="16UC1 (mm) or 32FC1 (m)")] = "16UC1",
    max_frames: Annotated[int, typer.Option("--max-frames", min=0, help="stop after so many frames; 0 = all")] = 0,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Publish a recording as a camera's topics: rgb, depth, camera_info, TF. Further arguments go to ROS: -- --ros-args -r ..."""
    settings = settings_from(config, assignments)
    need_ros()
    from magic3d_ros.nodes.player import PlayOptions
    from magic3d_ros.nodes.player import play as play_source
    from magic3d_ros.sources.open import open_source

    frames = open_source(source, settings)
    options = PlayOptions(rate=rate, pose_topic=pose_topic, clock=clock, compressed=compressed, depth_encoding=depth_encoding,
                          loop=loop, wait=wait, max_frames=max_frames)
    with progress_bar(listeners="{task.fields[listeners]}") as bar:
        task = bar.add_task("playing", total=None, listeners="waiting for a subscriber" if wait else "")

        def show(report: PlayReport, total: int) -> None:
            bar.update(task, completed=report.sent, total=total, listeners=f"{report.subscribers} subscriber(s)")

        try:
            report = play_source(frames, options, show, node_arguments=context.args)
        except TimeoutError as error:
            raise CommandError(str(error)) from error
    skipped = "".join(f", {count} {reason}" for reason, count in report.skipped.items() if count)
    out.print(f"sent {report.sent} frames in {report.seconds:.1f} s to {report.subscribers} subscriber(s){skipped}")
    if not report.confirmed:
        notes.print("not all of them were confirmed by the subscribers", style="yellow")


def convert(
    source: SourceArgument,
    bag: Annotated[Path, typer.Argument(metavar="OUT.mcap", help="the bag to write; without .mcap a bag folder")],
    compressed: Annotated[bool, typer.Option("--compressed", help="JPEG and compressedDepth instead of raw images")] = False,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Write a recording as a ROS 2 bag (MCAP): colour, depth, camera info, pose and TF."""
    settings = settings_from(config, assignments)
    from magic3d_ros.sources.convert import convert as write_bag
    from magic3d_ros.sources.open import open_source

    frames = open_source(source, settings)
    with progress_bar() as bar:
        task = bar.add_task("writing", total=len(frames))
        count = write_bag(frames, bag, compressed, progress=lambda done, total: bar.update(task, completed=done, total=total))
    skipped = "".join(f", {number} skipped: {reason}" for reason, number in frames.skipped.items() if number)
    size = bag.stat().st_size if bag.is_file() else sum(file.stat().st_size for file in bag.rglob("*"))
    out.print(f"{count} frames in {bag} ({size / 1e6:.0f} MB){skipped}", soft_wrap=True)


def room(
    directory: Annotated[Path, typer.Option("--out", help="folder for the frames", file_okay=False)],
    name: Annotated[str, typer.Argument(help="a scene that ships, or a .yaml file; empty takes the furnished one")] = "",
    frames: Annotated[int, typer.Option("--frames", min=0, help="how many along the way; 0 = as the scene says")] = 0,
    width: Annotated[int, typer.Option("--width", min=0, help="of the images; 0 = as the scene says")] = 0,
    distractors: Annotated[bool, typer.Option("--distractors/--no-distractors", help="whether somebody walks through")] = True,
    seed: Annotated[int, typer.Option("--seed", help="of the sensor noise")] = 0,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Render the simulated room into a folder, with ground truth: exact poses, instances, class names, distractor masks."""
    settings = settings_from(config, assignments)
    if directory.exists() and any(directory.iterdir()):
        raise CommandError(f"{directory} is not empty: name a new folder")
    with notes.status("building the room"):
        from magic3d_ros.sources.room import open_room, write_folder

        source = open_room(name, settings, frames=frames or None, width=width or None, distractors=distractors, seed=seed)
    with progress_bar() as bar:
        task = bar.add_task("rendering", total=len(source))
        write_folder(source, directory, progress=lambda done, total: bar.update(task, completed=done, total=total))
    out.print(f"{len(source)} frames of {source.name} in {directory}", soft_wrap=True)
