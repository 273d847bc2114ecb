"""Questions about a scene whose right answers are known: what the files bench/queries_*.yaml hold.

A file names its `source` ("room:NAME", or "data:NAME" for a recording), its `split` (tune or report), its `questions` by kind,
its `paraphrases` and what is `absent`. A question's answers are classes or names of true things; several may be right.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

TUNE, REPORT = "tune", "report"
PARAPHRASES, ABSENT = "paraphrases", "absent"
_MAX_BYTES = 1 << 20


@dataclass(frozen=True)
class KnownQuestion:
    """kind: objects, affordances, materials, activities, rare, paraphrases, or absent. right: names that answer it; empty =
    nothing in the scene does. split: tune, or report = no constant of the product may be chosen with it."""

    text: str
    kind: str
    right: frozenset[str]
    split: str


@dataclass(frozen=True)
class QuestionSet:
    """name: of the file, without queries_. source: as in it. names: of true instances, by id, in place of their classes.
    boxes: hand-made answers as regions, where there are no true instances (questions_truth.BoxTruth)."""

    name: str
    source: str
    questions: tuple[KnownQuestion, ...]
    names: Mapping[int, str] = field(default_factory=dict)
    boxes: Mapping[str, Any] | None = None


def load_questions(path: Path) -> QuestionSet:
    """Read a file of questions. Raises ValueError naming the file and what is wrong in it."""
    if path.stat().st_size > _MAX_BYTES:
        raise ValueError(f"{path.name} is larger than questions are")
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ValueError(f"{path.name} is no YAML: {error}") from error
    split = content.get("split") if isinstance(content, dict) else None
    if split not in (TUNE, REPORT):
        raise ValueError(f"{path.name}: 'split' must be {TUNE} or {REPORT}, not {split!r}")
    found = [KnownQuestion(text, kind, _answers(right, text, path.name), split)
             for kind, asked in content["questions"].items() for text, right in asked.items()]
    found += [KnownQuestion(text, PARAPHRASES, _answers(right, text, path.name), REPORT)
              for text, right in content[PARAPHRASES].items()]
    found += [KnownQuestion(text, ABSENT, frozenset(), split) for text in content[ABSENT]]
    name = path.stem.removeprefix("queries_")
    return QuestionSet(name, content["source"], tuple(found), content.get("names", {}), content if "things" in content else None)


def _answers(right: Any, text: str, file: str) -> frozenset[str]:
    if not isinstance(right, list) or not right or not all(isinstance(name, str) for name in right):
        raise ValueError(f"{file}: the answers of '{text}' must be a list of names, not {right!r}")
    return frozenset(right)
