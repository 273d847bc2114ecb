"""The demonstration: a room is rendered, played as a camera's topics, mapped by a node, asked about, saved and reported.

Player and mapper are processes of their own that talk over DDS as they would on a robot; this process watches and asks.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from rich.table import Table

from magic3d_ros.child_process import Child, children
from magic3d_ros.commands.questions import STATUS_STYLE
from magic3d_ros.commands.terminal import CommandError, notes, out, progress_bar
from magic3d_ros.config import Settings
from magic3d_ros.storage.map_folder import check_replaceable, load_map, read_manifest, saved_settings

if TYPE_CHECKING:
    from magic3d_ros.nodes.client import SceneClient

QUESTIONS = ("where can I sit", "something to drink from", "something to read", "a plant", "something that gives light",
             "where is the floor", "a bicycle")
"""The last one is in no room that ships: the answer has to be NOT_FOUND, and whatever it is, it is shown."""

Result = TypeVar("Result")
_PROGRAM = (sys.executable, "-m", "magic3d_ros.cli")
_START_SECONDS, _DRAIN_SECONDS = 180.0, 900.0


def run_demo(directory: Path, room: str, max_frames: int, rate: float) -> None:
    """Run it all and write map, report.html and answers.json into a folder; no process is left behind however it ends.

    room: name of the simulated room; empty takes the furnished one. max_frames: play only so many; 0 = all. rate: frames a second
    that are played. Raises MapError for a folder that holds something else, ChildDied when a process ends too early,
    TimeoutError when one hangs.
    """
    directory = directory.absolute()
    check_replaceable(directory)
    _check_name(directory.name)
    began = time.monotonic()
    folder, recorded_rate, count = _render(room)
    out.print(f"[bold]room[/]      {count} frames in {folder}", soft_wrap=True)
    with ExitStack() as stack:
        start = stack.enter_context(children())
        environment = _environment(stack)
        logs = directory / "logs"
        mapper = start(Child("scene_mapper", _mapper_command(directory, count), logs / "scene_mapper.log", environment))
        client = stack.enter_context(_client(environment))
        _wait_for_models(client, mapper)
        player = start(Child("player", _player_command(folder, rate / recorded_rate, max_frames),
                             logs / "player.log", environment))
        _watch(client, mapper, player, min(max_frames, count) if max_frames else count)
        with notes.status("saving the map through its service"):
            client.save_map(directory.name)
            scene = client.diagnostics()["mapping"].values
        out.print(f"[bold]saved[/]     {scene['objects']} objects, {scene['structure']} pieces of structure, "
                  f"{int(scene['surface_points']):,} surface points")
        answers = _ask(client)
        mapper.stop()
    (directory / "answers.json").write_text(json.dumps(answers, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    _report(directory, answers)
    out.print(f"\n[bold green]done[/] in {time.monotonic() - began:.0f} s. Everything is in {directory}:", soft_wrap=True)
    for name, what in (("report.html", "open it in a browser: pictures, answers, numbers"), ("mesh.ply", "the coloured surface"),
                       ("points.ply", "its points, with the object each belongs to"), ("objects.json", "the things, with boxes"),
                       ("answers.json", "what was answered"), ("logs/", "what player and mapper said")):
        out.print(f"  {name:13} {what}")
    out.print(f"Ask it more: magic3d query {directory} \"something soft\"", soft_wrap=True, markup=False)


def _render(room: str) -> tuple[Path, float, int]:
    """The rendered frames: their folder, how many a second, how many."""
    from magic3d_ros.room_cache import rendered_room
    from magic3d_ros.sources.open import open_source

    settings = Settings()
    with progress_bar() as bar:
        task = bar.add_task("rendering the room (once)", total=None, visible=False)

        def show(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total, visible=True)

        folder = rendered_room(room, settings, None, show)
    stamps = [frame.stamp for _, frame in zip(range(2), open_source(str(folder), settings), strict=False)]
    rate = 1e9 / (stamps[1] - stamps[0]) if len(stamps) == 2 else 30.0
    return folder, rate, len(open_source(str(folder), settings))


def _check_name(name: str) -> None:
    """The mapper saves under a name, never a path: the folder's own name has to be one."""
    from magic3d_ros.nodes.map_names import map_folder

    try:
        map_folder(".", name)
    except ValueError as error:
        raise CommandError(f"--out has to end in a folder name that a map can have: {error}") from error


def _environment(stack: ExitStack) -> dict[str, str]:
    """Variables of all three processes: this machine only, a ROS domain that nobody else uses, the shared-memory transport."""
    from domain_coordinator import domain_id

    from magic3d_ros.nodes.environment import prepare

    environment = dict(os.environ)
    environment["ROS_DOMAIN_ID"] = str(stack.enter_context(domain_id()))
    environment["PYTHONUNBUFFERED"] = "1"
    environment.pop("ROS_LOCALHOST_ONLY", None)
    environment.pop("ROS_AUTOMATIC_DISCOVERY_RANGE", None)
    prepare(environment, local_only=True)
    return environment


def _mapper_command(directory: Path, frames: int) -> list[str]:
    # A robot rather drops old frames than fall behind; here every frame is to be mapped, however slow the machine.
    queue = min(max(frames, 8), 1000)
    return [*_PROGRAM, "run-mapper", "--set", f"ros.map_directory={directory.parent}", "--set", f"ros.queue_size={queue}"]


def _player_command(folder: Path, rate: float, max_frames: int) -> list[str]:
    return [*_PROGRAM, "play", str(folder), "--rate", f"{rate:.6f}", "--max-frames", str(max_frames)]


def _client(environment: dict[str, str]) -> SceneClient:
    for name in ("ROS_DOMAIN_ID", "ROS_AUTOMATIC_DISCOVERY_RANGE", "FASTDDS_DEFAULT_PROFILES_FILE"):
        if name in environment:
            os.environ[name] = environment[name]
    from magic3d_ros.nodes.client import SceneClient

    return SceneClient(timeout=120.0)


def _wait_for_models(client: SceneClient, mapper: Child) -> None:
    """The first question waits on the mapper's worker until its models are loaded."""
    with notes.status("starting scene_mapper: loading its models"):
        _while_alive(lambda: client.wait(_START_SECONDS), mapper)
        _while_alive(lambda: client.query("anything"), mapper)
        state = _while_alive(client.diagnostics, mapper)
    trouble = next((part.message for part in state.values() if part.name == "mapping" and part.level >= 2), "")
    if trouble:
        raise CommandError(f"{trouble}; more in {mapper.log}")
    out.print("[bold]mapper[/]    ready, a process of its own")


def _watch(client: SceneClient, mapper: Child, player: Child, count: int) -> None:
    """Show progress until all that was played is mapped, or counted as dropped."""
    drained_by: float | None = None
    with progress_bar(rate="[green]{task.fields[rate]}", things="{task.fields[things]}") as bar:
        task = bar.add_task("mapping live", total=count, rate="", things="")
        while True:
            state = _while_alive(client.diagnostics, mapper)
            frames, scene = state.get("input"), state.get("mapping")
            if frames is not None and scene is not None:
                used, dropped = int(frames.values["used"]), int(frames.values["dropped"])
                lost = f", [red]{dropped} dropped[/]" if dropped else ""
                bar.update(task, completed=used + dropped, rate=f"{float(frames.values['used_per_second']):.1f} frames/s",
                           things=f"{scene.values['objects']} objects{lost}")
            player.check()
            if player.running or frames is None:
                continue
            if int(frames.values["waiting"]) == 0:
                break
            drained_by = drained_by or time.monotonic() + _DRAIN_SECONDS
            if time.monotonic() > drained_by:
                raise TimeoutError(f"the mapper still has {frames.values['waiting']} frames waiting; see {mapper.log}")
    values = frames.values
    reasons = ", ".join(f"{value} {name[8:]}" for name, value in values.items() if name.startswith("dropped."))
    out.print(f"[bold]played[/]    {player.last_lines(1).strip()}", soft_wrap=True)
    out.print(f"[bold]mapped[/]    {values['received']} frames received, {values['used']} used, {values['dropped']} dropped"
              + (f" ({reasons})" if reasons else ""), soft_wrap=True)


def _ask(client: SceneClient) -> dict[str, Any]:
    """Every question through the service, shown as they are answered."""
    answers: dict[str, Any] = {}
    table = Table("question", "answer", "best match", "p", "where (m)", title="asked through the service", title_justify="left",
                  box=None, header_style="bold", pad_edge=False)
    with notes.status("asking") as status:
        for text in QUESTIONS:
            status.update(f"asking: {text}")
            answer = answers[text] = client.query(text, max_results=3)
            best = answer["objects"][0] if answer["objects"] else None
            refused = answer["status"] not in ("found", "ambiguous")
            table.add_row(text, f"[{STATUS_STYLE.get(answer['status'], 'red')}]{answer['status'].upper()}[/]",
                          "" if best is None or refused else best["label"], "" if best is None else f"{best['probability']:.2f}",
                          "" if best is None or refused else " ".join(f"{value:.1f}" for value in best["center"]))
    out.print(table)
    return answers


def _report(directory: Path, answers: dict[str, Any]) -> None:
    with notes.status("drawing the report"):
        from magic3d_ros.cues.extractor import CueExtractor
        from magic3d_ros.report.build import write_report

        manifest = read_manifest(directory)
        settings = saved_settings(directory, manifest)
        pipeline = load_map(directory, settings, CueExtractor(settings))
        pipeline.understand(thorough=True)
        statistics = {"source": "the simulated room, mapped live", **manifest["statistics"]}
        write_report(directory / "report.html", pipeline, statistics, QUESTIONS, answers)


def _while_alive(call: Callable[[], Result], mapper: Child) -> Result:
    """A call to the mapper; when it fails because the mapper died, that is what is said."""
    from magic3d_ros.nodes.client import ServiceUnavailable

    try:
        return call()
    except ServiceUnavailable as error:
        if not mapper.running:
            raise mapper.death() from error
        raise
