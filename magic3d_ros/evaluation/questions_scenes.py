"""Scenes to ask about: recordings and simulated rooms, reduced in size, mapped by the whole product, and what is true of them."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import cv2

from magic3d_ros.config import Settings
from magic3d_ros.cues.extractor import CueExtractor
from magic3d_ros.cues.tiers import has_model
from magic3d_ros.evaluation.edges import edges_of
from magic3d_ros.evaluation.holdout import is_held_out
from magic3d_ros.evaluation.questions import QuestionSet
from magic3d_ros.evaluation.questions_truth import BoxTruth, Truth, truth_of_folder, truth_of_room
from magic3d_ros.frames import RGBDFrame
from magic3d_ros.mapping.distractors.geometric_cues import small_depth
from magic3d_ros.pipeline import ScenePipeline
from magic3d_ros.room_cache import rendered_room
from magic3d_ros.sources.open import open_source
from magic3d_ros.sources.room import open_room
from magic3d_ros.sources.source import FrameSource
from magic3d_ros.storage.map_folder import load_map, save_map

_log = logging.getLogger(__name__)
ROOM, DATA = "room:", "data:"
HOLD_OUT = 8
"""One frame of so many stays out of the map: pictures of it are shown to the scene as questions (bench image_queries)."""


@dataclass(frozen=True)
class MappedScene:
    """A mapped scene; `scene` of its pipeline is complete. source: its frames, also those that stayed out of the map."""

    name: str
    pipeline: ScenePipeline
    truth: Truth
    source: FrameSource


class ReducedSource:
    """Every n-th frame of a source, so that `about` or less than twice as many remain, at most `width` pixels wide (None = as
    they are)."""

    def __init__(self, source: FrameSource, about: int, width: int | None) -> None:
        self.name, self.skipped = source.name, source.skipped
        self._source, self._width = source, width
        self._step = max(1, len(source) // about)

    def __len__(self) -> int:
        return -(-len(self._source) // self._step)

    def __iter__(self) -> Iterator[RGBDFrame]:
        for frame in islice(self._source, 0, None, self._step):
            yield frame if self._width is None else narrowed(frame, self._width)


def narrowed(frame: RGBDFrame, width: int) -> RGBDFrame:
    """The frame at a smaller width; as it is where it is not wider."""
    if frame.camera.width <= width:
        return frame
    camera = frame.camera.resized(width, max(1, round(width * frame.camera.height / frame.camera.width)))
    rgb = cv2.resize(frame.rgb, (camera.width, camera.height), interpolation=cv2.INTER_AREA)
    return replace(frame, camera=camera, rgb=rgb, depth=small_depth(frame.depth, camera.width, camera.height))


def mapped(questions: QuestionSet, data: Path, settings: Settings, extractor: CueExtractor, frames: int,
           width: int | None = None, keep: Path | None = None) -> MappedScene:
    """Map the scene of a set of questions, and look at all of it.

    frames: of a room; of a recording about as many, see ReducedSource. width: pixels of the frames, None = what the scene has:
    640 for rooms, as robots' cameras deliver, and a recording's own. data: folder of the recordings. keep: folder for maps; one
    that is there is taken instead of mapping anew. Raises SourceError where the source is not there, MapError for a kept map
    that cannot be read.
    """
    kept = None if keep is None else keep / f"{questions.name}_{frames}_{width or 'full'}"
    truth: Truth
    source: FrameSource
    if questions.source.startswith(ROOM):
        name = questions.source.removeprefix(ROOM)
        room = open_room(name, settings, frames=frames, width=width)
        truth = truth_of_room(room)
        if kept is not None and kept.is_dir():
            source = room  # its frames are rendered where somebody asks for them
        else:
            source = open_source(str(rendered_room(name, settings, frames, _rendering, width)), settings)
    else:
        folder = data / questions.source.removeprefix(DATA)
        source = ReducedSource(open_source(str(folder), settings), frames, width)
        truth = BoxTruth(questions.boxes) if questions.boxes is not None else truth_of_folder(folder, questions.names)
    if kept is not None and kept.is_dir():
        pipeline = load_map(kept, settings, extractor)
        if has_model("edges", settings):  # the map may have been kept without
            for stamp, edges in edges_of(pipeline.mapper.keyframes, settings).items():
                pipeline.instances.observe_edges(stamp, edges)
        pipeline.understand(thorough=True)
    else:
        pipeline = ScenePipeline(settings, extractor)
        for number, frame in enumerate(source):
            if not is_held_out(number, HOLD_OUT):
                pipeline.add(frame)
        pipeline.understand(thorough=True)  # once, at the end: what it understands meanwhile changes no answer then
        if kept is not None:
            save_map(pipeline, kept)
    return MappedScene(questions.name, pipeline, truth, source)


def _rendering(done: int, of: int) -> None:
    _log.debug("rendered %d of %d", done, of)


def held_out(scene: MappedScene) -> list[RGBDFrame]:
    """The frames that stayed out of the map."""
    return [frame for number, frame in enumerate(scene.source) if is_held_out(number, HOLD_OUT)]
