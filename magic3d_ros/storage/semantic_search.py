"""Questions to saved maps, one or several, without loading their geometry."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from magic3d_ros.config import Settings
from magic3d_ros.cues import tiers
from magic3d_ros.language.answer import Answer, Match, Question, Status
from magic3d_ros.language.concepts.knowledge import Knowledge
from magic3d_ros.storage.map_folder import MANIFEST, SEMANTICS, check_models, load_map, read_manifest, saved_settings
from magic3d_ros.storage.semantic_table import read_semantic_table

if TYPE_CHECKING:
    from magic3d_ros.cues.protocols import LanguageModel
    from magic3d_ros.language.semantic_memory import SemanticMemory
    from magic3d_ros.scene_object import SceneObject

_BEST_FIRST = (Status.FOUND, Status.AMBIGUOUS, Status.NOT_FOUND, Status.INVALID, Status.NOT_READY)
_log = logging.getLogger(__name__)


def map_folders(directories: Iterable[Path]) -> list[Path]:
    """Each folder that is a map, and of each that is none the maps right below it, by name; one that holds none either stays, so
    that reading it says what is wrong. No map twice."""
    found: dict[Path, Path] = {}
    for directory in directories:
        below = [] if (directory / MANIFEST).is_file() or not directory.is_dir() else sorted(
            path for path in directory.iterdir() if not path.name.startswith(".") and (path / MANIFEST).is_file())
        for path in below or [directory]:
            found.setdefault(path.resolve(), path)
    return list(found.values())


def language_of(settings: Settings) -> LanguageModel:
    """The image-language model for questions. The embedded tier's comes without torch, which takes longer to read than an answer
    takes. Raises ModelError."""
    if tiers.model_of("language", settings) == tiers.EMBEDDED:
        return tiers.load_language(settings)
    from magic3d_ros.cues.extractor import CueExtractor

    return CueExtractor(settings).language


def load_memory(directory: Path, settings: Settings, language: LanguageModel) -> SemanticMemory[SceneObject] | None:
    """What a saved map knows of its things; None for one in which nothing was mapped.

    A map that was saved without a table of them is loaded as a whole, which takes many seconds.
    Raises MapError as load_map does.
    """
    manifest = read_manifest(directory)
    if SEMANTICS in manifest["files"]:
        check_models(directory, saved_settings(directory, manifest), settings)
        return read_semantic_table(directory / SEMANTICS, Knowledge.of(language, settings.language), settings.query)
    _log.warning("%s has no %s: the whole map is loaded, which takes longer", directory, SEMANTICS)
    from magic3d_ros.cues.extractor import CueExtractor

    return load_map(directory, settings, CueExtractor(settings)).understand(thorough=True).memory


def search(memories: Mapping[str, SemanticMemory[SceneObject] | None], question: Question) -> tuple[Answer, list[str]]:
    """One answer from several maps, and the name of the map of each of its matches.

    memories: by the map's name. Matches of all are ranked by probability; status and reason are those of the map that answered
    best. Each map judges by its own scene's statistics, so probabilities can be compared and raw scores cannot; what rounding
    tells apart comes in the order of the maps.
    """
    answers = {name: memory.answer(question) if memory is not None else Answer(Status.NOT_READY, "nothing has been mapped yet")
               for name, memory in memories.items()}

    def rank(name: str) -> tuple[int, float]:
        return _BEST_FIRST.index(answers[name].status), -max((_shown(m) for m in answers[name].matches), default=0.0)

    best = min(answers, key=rank)
    ranked = sorted(((name, match) for name, answer in answers.items() for match in answer.matches),
                    key=lambda found: -_shown(found[1]))[:question.max_results]
    why = answers[best].why if len(answers) == 1 or answers[best].status == Status.INVALID else f"{best}: {answers[best].why}"
    return Answer(answers[best].status, why, [match for _, match in ranked]), [name for name, _ in ranked]


def _shown(match: Match) -> float:
    return round(match.probability, 4)
