"""Checkpoints in the format of the transformers library: read strictly, from a local folder, with one clear error."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from magic3d_ros.cues.placement import Placement
from magic3d_ros.cues.weights import ModelError, check_names, read_config, weight_files

TOKENIZERS = ("tokenizer.json", "vocab.json", "vocab.txt", "spiece.model", "tokenizer.model", "sentencepiece.bpe.model")
"""Any of these makes a folder one with a tokenizer."""


def model_type(folder: Path) -> str:
    """What kind of network a folder's config.json names ("dinov2", "sam2", ...). Raises ModelError when it cannot be read."""
    kind = read_config(folder).get("model_type")
    if not isinstance(kind, str) or not kind:
        raise ModelError(f"{folder / 'config.json'} names no model_type: it is no checkpoint of the transformers library")
    return kind


def load_pretrained(auto_class: str, folder: Path, placement: Placement) -> Any:
    """A network with all its weights, on its device, ready for inference.

    auto_class: name of the transformers class that chooses the architecture by config.json ("AutoModel", ...).
    Raises ModelError naming what is missing, truncated, of another architecture, or not installed.
    """
    weight_files(folder)
    with naming_the_cause(folder):
        import transformers

        with _quiet():
            network, found = getattr(transformers, auto_class).from_pretrained(
                folder, local_files_only=True, trust_remote_code=False, dtype=torch.float32, ignore_mismatched_sizes=True,
                output_loading_info=True)
    mismatched = [entry[0] if isinstance(entry, tuple) else entry for entry in found["mismatched_keys"]]
    check_names(folder, type(network).__name__, found["missing_keys"], mismatched=mismatched)
    return placement.put(network)


def has_tokenizer(folder: Path) -> bool:
    """Whether a folder holds a tokenizer's words."""
    return any((folder / name).is_file() for name in TOKENIZERS)


def text_tokenizer(folder: Path) -> Any:
    """The tokenizer of a model that reads texts. Raises ModelError when there is none or its package is missing."""
    if not has_tokenizer(folder):
        raise ModelError(f"{folder} holds no tokenizer ({TOKENIZERS[0]}), without which texts cannot be read: copy the whole "
                         "model there")
    with naming_the_cause(folder):
        from transformers import AutoTokenizer

        # CLIPs and SigLIPs were trained with padding behind the text; Gemma's tokenizer by itself pads before it.
        return AutoTokenizer.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False, padding_side="right")


def check_vocabulary(folder: Path, tokenizer: Any, text_config: Any) -> None:
    """Raise ModelError when a tokenizer has more words than the text tower knows."""
    if len(tokenizer) > text_config.vocab_size:
        raise ModelError(f"{folder}: its tokenizer has {len(tokenizer)} words but the model knows {text_config.vocab_size}: "
                         "they belong to different models")


@contextlib.contextmanager
def naming_the_cause(path: Path) -> Iterator[None]:
    """Turn whatever a model library raises while it is imported or reads a checkpoint into a ModelError of one line."""
    try:
        yield
    except (ModelError, MemoryError, torch.OutOfMemoryError):
        raise
    except Exception as error:  # the libraries raise everything from KeyError to RuntimeError
        text = " ".join(str(error).split())
        if any("torchvision::" in cause or "partially initialized module 'torchvision'" in cause for cause in _causes(error)):
            raise ModelError(f"the installed torchvision was not built for torch {torch.__version__}: install the pair from one "
                             "index (torchvision 0.28.0 belongs to torch 2.13.0), or uninstall torchvision") from error
        if isinstance(error, ImportError):
            raise ModelError(f"{path} needs a package that is not installed ({text[:200]}): "
                             "pip install 'magic3d_ros[foundation]'") from error
        raise ModelError(f"{path} cannot be loaded ({type(error).__name__}: {text[:300]}): wrong kind of model for this setting, "
                         "or a damaged copy") from error


def _causes(error: BaseException) -> Iterator[str]:
    """What an exception and those it was raised from say: transformers hides a broken import behind one of its own."""
    reason: BaseException | None = error
    while reason is not None:
        yield str(reason)
        reason = reason.__cause__ or reason.__context__


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without transformers' progress bar and its table of missing weights, of which check_names makes one line."""
    from transformers.utils import logging

    level, bar = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bar:
            logging.enable_progress_bar()
