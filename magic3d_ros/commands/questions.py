"""`query` and `ask`: where is what I ask for? In a saved map, or in the scene of a running mapper."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from magic3d_ros.commands.terminal import CommandError, ConfigOption, JsonOption, SetOption, TopOption, notes, out, settings_from

STATUS_STYLE = {"found": "bold green", "ambiguous": "bold yellow", "not_found": "bold red"}
_IMAGE_BYTES = 64 * 2**20

TextArgument = Annotated[str, typer.Argument(help="what is looked for, in plain words")]
NegativeOption = Annotated[list[str] | None, typer.Option("--negative", help="what is not meant; may be repeated")]


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.command("query")(query)
    app.command("ask")(ask)


def query(
    directory: Annotated[Path, typer.Argument(help="a map folder", file_okay=False)],
    text: TextArgument = "",
    image: Annotated[Path | None, typer.Option("--image", help="a picture of the thing", dir_okay=False)] = None,
    top: TopOption = 5,
    negatives: NegativeOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Ask a saved map where something is."""
    from magic3d_ros.storage.map_folder import load_map, read_manifest, saved_settings

    if not text and image is None:
        raise CommandError("nothing to look for: give words, or --image FILE")
    picture = None if image is None else _read_image(image)
    settings = settings_from(config, assignments, saved_settings(directory, read_manifest(directory)))
    with notes.status("loading map and models"):
        from magic3d_ros.cues.extractor import CueExtractor
        from magic3d_ros.language.answer import Question
        from magic3d_ros.storage.records import answer_record

        scene = load_map(directory, settings, CueExtractor(settings)).understand(thorough=True)
    answer = scene.query(Question(text, picture, tuple(negatives or ()), None, top))
    show_answer(text, answer_record(answer, scene), as_json)


def ask(
    text: TextArgument,
    top: TopOption = 5,
    negatives: NegativeOption = None,
    as_json: JsonOption = False,
    node: Annotated[str, typer.Option("--node", help="name of the mapper's node")] = "scene_mapper",
    wait: Annotated[float, typer.Option("--wait", min=0.1, help="seconds to wait for the service")] = 10.0,
) -> None:
    """Ask the running mapper, through its service."""
    from magic3d_ros.commands.processes import need_ros

    need_ros()
    from magic3d_ros.nodes.client import SceneClient

    with notes.status(f"asking {node}"), SceneClient(node_name=node) as client:
        record = client.query(text, max_results=top, negatives=tuple(negatives or ()), timeout=wait)
    show_answer(text, record, as_json)


def show_answer(text: str, record: dict[str, Any], as_json: bool) -> None:
    """Print an answer record. Words that cannot be a question end in an error, as JSON they are the status `invalid`."""
    if as_json:
        print(json.dumps(record, ensure_ascii=False))
        return
    status = record["status"]
    if status in ("invalid", "not_ready"):
        raise CommandError(record["why"])
    out.print(f"{status.upper()}", style=STATUS_STYLE[status], end="  ")
    out.print(record["why"], markup=False, soft_wrap=True)
    if record["objects"]:
        out.print(answer_table(record))


def answer_table(record: dict[str, Any]) -> Table:
    """The objects of an answer, best first."""
    table = Table("id", "label", "probability", "centre (m)", "size (m)", "views", box=None, header_style="bold", pad_edge=False)
    for thing in record["objects"]:
        table.add_row(str(thing["id"]), thing["label"], f"{thing['probability']:.2f}", _triple(thing["center"]),
                      _triple(thing["size"]), str(thing["n_views"]))
    return table


def _triple(values: list[float]) -> str:
    return " ".join(f"{value:.2f}" for value in values)


def _read_image(path: Path) -> Any:
    import cv2
    import numpy as np

    if not path.is_file():
        raise CommandError(f"{path} is not there")
    if path.stat().st_size > _IMAGE_BYTES:
        raise CommandError(f"{path} is larger than 64 MB: give a smaller picture")
    image = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise CommandError(f"{path} is not a picture that can be read (JPEG and PNG can)")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
