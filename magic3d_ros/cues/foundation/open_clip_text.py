"""What an open_clip model's texts need beside its weights: a tokenizer, and the configuration of a text tower of transformers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from magic3d_ros.cues.foundation.pretrained import TOKENIZERS, has_tokenizer
from magic3d_ros.cues.weights import ModelError, read_config

_CONTEXT = 77
"""Tokens, where a configuration names no context_length (open_clip, DEFAULT_CONTEXT_LENGTH)."""

Find = Callable[[str], Path]
"""From a name on the hub to a folder with the small files of that model (weights.find_model). Raises ModelError."""


def tokenizer_of(text: dict[str, Any], place: Path, find: Find) -> Any:
    """What turns texts into tokens: open_clip's own tokenizer, or for an architecture that names one of transformers that one,
    from beside the weights or else from where its name leads.

    text: an architecture's text_cfg. place: folder of the weights. Raises ModelError when the tokenizer is not there.
    """
    from open_clip.tokenizer import HFTokenizer, SimpleTokenizer

    context, options = int(text.get("context_length", _CONTEXT)), text.get("tokenizer_kwargs", {})
    name = text.get("hf_tokenizer_name")
    if not name:
        return SimpleTokenizer(context_length=context, **options)
    folder = _beside_or_named(place, name, find, has_tokenizer,
                              f"tokenizer ({TOKENIZERS[0]}), without which texts cannot be read")
    return HFTokenizer(str(folder), context_length=context, tokenizer_mode=text.get("tokenizer_mode"), local_files_only=True,
                       **options)


def with_local_tower(text: dict[str, Any], place: Path, find: Find) -> dict[str, Any]:
    """A text_cfg whose text tower, if it is one of transformers (RoBERTa, NLLB), is built from local files: its configuration
    alone, because its weights are in the checkpoint.

    Raises ModelError when that configuration is nowhere.
    """
    name = text.get("hf_model_name")
    if not name:
        return text
    folder = _beside_or_named(place, name, find, _describes_text_tower,
                              "configuration of its text tower (config.json)")
    return {**text, "hf_model_name": str(folder), "hf_model_pretrained": False}


def _beside_or_named(place: Path, name: str, find: Find, suits: Callable[[Path], bool], what: str) -> Path:
    """The folder that has what is needed: beside the weights, in a folder of that name there, or where the name leads."""
    nearby = [place, place / Path(name).name]
    for folder in nearby:
        if suits(folder):
            return folder
    cause = "it is not there either"
    try:
        found = find(name)
        if suits(found):
            return found
    except ModelError as error:
        cause = str(error)
    raise ModelError(f"{place} holds no {what}: copy the files of {name}, without its weights, to {nearby[1]}; {cause}")


def _describes_text_tower(folder: Path) -> bool:
    from open_clip.hf_configs import arch_dict

    return (folder / "config.json").is_file() and read_config(folder).get("model_type") in arch_dict
