"""Things and answers as plain JSON records: one form for objects.json, `query --json`, `ask --json` and the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from magic3d_ros.geometry.box import OrientedBox
from magic3d_ros.language.answer import Answer, Match

if TYPE_CHECKING:  # `magic3d ask` starts without torch
    from magic3d_ros.language.semantic_memory import SemanticMemory
    from magic3d_ros.scene import Scene
    from magic3d_ros.scene_object import SceneObject


def object_record(thing: SceneObject) -> dict[str, Any]:
    """A thing as objects.json holds it: metres, world frame; `rotation` is 3x3, row by row, box to world; times in ns; `support`
    is the id of what it stands on, -1 = unknown or nothing."""
    return {
        "id": thing.id, "kind": thing.kind, "label": thing.label, "probability": rounded(thing.probability),
        "confidence": rounded(thing.confidence), "n_points": thing.n_points, "n_views": thing.n_views,
        **box_record(thing.box), "centroid": rounded(thing.centroid),
        "first_seen": thing.first_seen, "last_seen": thing.last_seen, "support": thing.support,
    }


def answer_record(answer: Answer, scene: Scene) -> dict[str, Any]:
    """An answer as `--json` prints it; `status` is found, ambiguous, not_found, not_ready or invalid."""
    found = ((match, scene.object(match.id)) for match in answer.matches)
    return _record(answer, [match_record(match, thing) for match, thing in found if thing is not None])


def search_record(answer: Answer, maps: Sequence[str],
                  memories: Mapping[str, SemanticMemory[SceneObject] | None]) -> dict[str, Any]:
    """The same of saved maps (semantic_search.search); each object names its `map` too."""
    found = ((name, match, memory.object(match.id)) for match, name in zip(answer.matches, maps, strict=True)
             if (memory := memories[name]) is not None)
    return _record(answer, [match_record(match, thing) | {"map": name} for name, match, thing in found if thing is not None])


def match_record(match: Match, thing: SceneObject) -> dict[str, Any]:
    """One object of an answer."""
    return {"id": match.id, "score": rounded(match.score), "probability": rounded(match.probability),
            **box_record(thing.box), "label": match.label or thing.label, "n_views": thing.n_views,
            "last_seen": thing.last_seen, "support": thing.support}


def _record(answer: Answer, objects: list[dict[str, Any]]) -> dict[str, Any]:
    return {"status": answer.status.name.lower(), "why": answer.why, "objects": objects}


def box_record(box: OrientedBox) -> dict[str, Any]:
    """center, size and rotation of a box."""
    return {"center": rounded(box.center), "size": rounded(box.size), "rotation": rounded(box.rotation, 6)}


def rounded(value: Any, digits: int = 4) -> Any:
    """A number or array as plain Python floats; a tenth of a millimetre is finer than any sensor. Not finite -> None."""
    array = np.asarray(value, np.float64)
    if array.ndim:
        return [rounded(item, digits) for item in array]
    return round(float(array), digits) if np.isfinite(array) else None
