"""`query` and `ask`: where is what I ask for? In a saved map, or in the scene of a running mapper."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from magic3d_ros.commands.terminal import CommandError, ConfigOption, JsonOption, SetOption, TopOption, notes, out, settings_from

if TYPE_CHECKING:
    from magic3d_ros.cues.protocols import LanguageModel
    from magic3d_ros.language.semantic_memory import SemanticMemory
    from magic3d_ros.scene_object import SceneObject

STATUS_STYLE = {"found": "bold green", "ambiguous": "bold yellow", "not_found": "bold red"}
_IMAGE_BYTES = 64 * 2**20

TextArgument = Annotated[str, typer.Argument(help="what is looked for, in plain words")]
NegativeOption = Annotated[list[str] | None, typer.Option("--negative", help="what is not meant; may be repeated")]
ImageOption = Annotated[Path | None, typer.Option("--image", help="a picture of the thing", dir_okay=False)]
RelationsOption = Annotated[bool, typer.Option(
    "--relations", help='understand where: "the mug on the table", "left of", "near the door", "between A and B"')]
ViewpointOption = Annotated[tuple[float, float, float] | None, typer.Option(
    "--from", metavar="X Y Z", help="the place from where left, right, in front of and behind are meant (m)")]
RegionOption = Annotated[tuple[float, float, float, float, float, float] | None, typer.Option(
    "--region", metavar="X0 Y0 Z0 X1 Y1 Z1", help="only what has its centre between these corners (m, the map's frame)")]
AgeOption = Annotated[float, typer.Option(
    "--max-age", min=0.0, help="only what was seen so many seconds before the newest sight of anything, or later; 0 = all")]
SinceOption = Annotated[int, typer.Option("--seen-after", min=0, help="only what was seen at this time or later (ns)")]


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.command("query")(query)
    app.command("ask")(ask)


def query(
    directory: Annotated[Path, typer.Argument(help="a map folder, or a folder of maps", file_okay=False)],
    text: TextArgument = "",
    also: Annotated[list[Path] | None, typer.Option("--also", help="another such folder; may be repeated",
                                                    file_okay=False)] = None,
    image: ImageOption = None,
    top: TopOption = 5,
    negatives: NegativeOption = None,
    relations: RelationsOption = False,
    viewpoint: ViewpointOption = None,
    region: RegionOption = None,
    max_age: AgeOption = 0.0,
    seen_after: SinceOption = 0,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Ask a saved map, or several, where something is."""
    picture = None if image is None else _read_image(image)
    with notes.status("loading models"):
        from magic3d_ros.language.answer import Question
        from magic3d_ros.storage.records import search_record
        from magic3d_ros.storage.semantic_search import search

        memories = _memories([directory, *(also or [])], config, assignments)
    question = Question(text, picture, tuple(negatives or ()), _corners(region), top, seen_after, max_age, relations,
                        _place(viewpoint))
    answer, maps = search(memories, question)
    show_answer(text, search_record(answer, maps, memories), as_json, len(memories) > 1)


def _memories(directories: list[Path], config: Path | None, assignments: list[str] | None
              ) -> dict[str, SemanticMemory[SceneObject] | None]:
    """What each map knows, by its folder; maps that were made with the same models share them."""
    from magic3d_ros.storage.map_folder import saved_settings
    from magic3d_ros.storage.semantic_search import language_of, load_memory, map_folders

    languages: dict[str, LanguageModel] = {}
    memories = {}
    for folder in map_folders(directories):
        settings = settings_from(config, assignments, saved_settings(folder))
        models = repr((settings.cues, settings.language))
        if models not in languages:
            languages[models] = language_of(settings)
        memories[str(folder)] = load_memory(folder, settings, languages[models])
    return memories


def ask(
    text: TextArgument = "",
    image: ImageOption = None,
    top: TopOption = 5,
    negatives: NegativeOption = None,
    relations: RelationsOption = False,
    viewpoint: ViewpointOption = None,
    region: RegionOption = None,
    max_age: AgeOption = 0.0,
    seen_after: SinceOption = 0,
    as_json: JsonOption = False,
    node: Annotated[str, typer.Option("--node", help="name of the mapper's node")] = "scene_mapper",
    wait: Annotated[float, typer.Option("--wait", min=0.1, help="seconds to wait for the service")] = 10.0,
) -> None:
    """Ask the running mapper, through its service."""
    from magic3d_ros.commands.processes import need_ros

    need_ros()
    picture = None if image is None else _read_image(image)
    from magic3d_ros.nodes.client import SceneClient

    with notes.status(f"asking {node}"), SceneClient(node_name=node) as client:
        record = client.query(text, picture, tuple(negatives or ()), _corners(region), top, timeout=wait, relations=relations,
                              viewpoint=_place(viewpoint), seen_after=seen_after, max_age=max_age)
    show_answer(text, record, as_json)


def show_answer(text: str, record: dict[str, Any], as_json: bool, with_maps: bool = False) -> None:
    """Print an answer record. Words that cannot be a question end in an error, as JSON they are the status `invalid`.
    with_maps: show which map each object is in."""
    if as_json:
        print(json.dumps(record, ensure_ascii=False))
        return
    status = record["status"]
    if status in ("invalid", "not_ready"):
        raise CommandError(record["why"])
    out.print(f"{status.upper()}", style=STATUS_STYLE[status], end="  ")
    out.print(record["why"], markup=False, soft_wrap=True)
    if record["objects"]:
        out.print(answer_table(record, with_maps))


def answer_table(record: dict[str, Any], with_maps: bool = False) -> Table:
    """The objects of an answer, best first."""
    table = Table("id", "label", "probability", "centre (m)", "size (m)", "views", box=None, header_style="bold", pad_edge=False)
    if with_maps:
        table.add_column("map", overflow="fold")
    for thing in record["objects"]:
        table.add_row(str(thing["id"]), thing["label"], f"{thing['probability']:.2f}", _triple(thing["center"]),
                      _triple(thing["size"]), str(thing["n_views"]), *([Text(thing["map"])] if with_maps else []))
    return table


def _triple(values: list[float]) -> str:
    return " ".join(f"{value:.2f}" for value in values)


def _corners(region: tuple[float, ...] | None) -> Any:
    """(2, 3) lowest and highest corner, whichever was given first; None for no region."""
    import numpy as np

    return None if region is None else np.sort(np.reshape(region, (2, 3)), axis=0)


def _place(viewpoint: tuple[float, ...] | None) -> Any:
    import numpy as np

    return None if viewpoint is None else np.array(viewpoint)


def _read_image(path: Path) -> Any:
    import cv2

    from magic3d_ros.frames import FrameError
    from magic3d_ros.sources.image_file import decode_image_file

    if not path.is_file():
        raise CommandError(f"{path} is not there")
    if path.stat().st_size > _IMAGE_BYTES:
        raise CommandError(f"{path} is larger than 64 MB: give a smaller picture")
    try:
        image = decode_image_file(path.read_bytes(), path.name, cv2.IMREAD_COLOR)
    except FrameError as error:
        raise CommandError(f"{path} is not a picture that can be read (JPEG and PNG can): {error}") from error
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
