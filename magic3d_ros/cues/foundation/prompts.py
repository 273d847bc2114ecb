"""From a name to sentences such as those that image-text models were trained on."""

from __future__ import annotations

import torch

TEMPLATES = ("{a}", "a photo of {a}.", "a photo of the {name}.", "a cropped photo of the {name}.", "a close-up photo of {a}.",
             "a photo of {a} in a room.", "{a} in a scene.")
"""From the 80 of CLIP's authors (Radford et al. 2021, notebooks/Prompt_Engineering_for_ImageNet) those that say nothing of style,
"in a room" for what we map, and OpenScene's "a {label} in a scene"."""
_OPENINGS = ("where is the", "where is a", "where is my", "where is", "where are the", "where are", "show me the", "show me a",
             "show me", "find the", "find me a", "find a", "find my", "find", "is there a", "is there any", "go to the",
             "the", "a", "an")
_SENTENCE_STARTS = frozenset(("where", "what", "which", "who", "how", "when", "is", "are", "can", "could", "i", "something",
                              "somewhere", "someone", "anything", "to", "the", "a", "an"))
_MAX_NAME_WORDS = 4
"""Longer texts are sentences ("a surface to put things on"): "a photo of a ..." before them makes no English."""


def prompts(text: str, templates: tuple[str, ...] = TEMPLATES) -> list[str]:
    """What a text encoder is to read for a text: the templates filled in for a name, the text itself for a sentence.

    Opening words of questions ("where is the") and punctuation at the ends are cut off. A template holds {name}, or {a} for the
    name with its article.
    """
    words = " ".join(text.lower().split()).strip(" ?!.,;:\"'")
    name = words
    for opening in sorted(_OPENINGS, key=len, reverse=True):
        if name.startswith(opening + " "):
            name = name.removeprefix(opening + " ")
            break
    parts = name.split()
    if not parts or len(parts) > _MAX_NAME_WORDS or parts[0] in _SENTENCE_STARTS:
        return [words or text]
    article = "an" if name[0] in "aeiou" else "a"
    return [template.format(name=name, a=f"{article} {name}") for template in templates]


def mean_direction(vectors: torch.Tensor, owner: torch.Tensor, count: int) -> torch.Tensor:
    """(count, D) unit vectors: for each owner the direction of the mean of its vectors, each scaled to unit length first.

    vectors (N, D); owner (N,) int64 in 0..count-1, each occurring.
    """
    unit = torch.nn.functional.normalize(vectors.float(), dim=-1)
    sums = torch.zeros(count, unit.shape[1], device=unit.device).index_add_(0, owner, unit)
    return torch.nn.functional.normalize(sums, dim=-1)
