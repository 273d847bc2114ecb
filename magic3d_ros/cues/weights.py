"""Where a model's weights are, and whether they are whole. Nothing is fetched without cues.allow_download or unpickled."""

from __future__ import annotations

import json
import struct
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    from magic3d_ros.config import CueSettings

_PICKLED = (".pt", ".pth", ".bin", ".ckpt")
WEIGHTS = (".safetensors", *_PICKLED)
"""Endings of files that hold weights, the preferred one first."""
_MAX_HEADER = 100_000_000
"""Bytes; the safetensors format allows no longer header (github.com/huggingface/safetensors, "Format")."""
_MAX_CONFIG = 10_000_000
"""Bytes; configurations are some kB."""
_WITHOUT_OWNER = ("roberta-base", "xlm-roberta-base", "xlm-roberta-large", "bert-base-uncased")
"""Names from the hub's first days that open_clip's architectures still use (its model_configs)."""


class ModelError(RuntimeError):
    """A model that cannot be had or run. The message is one line: what is wrong and what to do."""


def find_model(model: str, cues: CueSettings, whole: bool = True) -> Path:
    """The folder or file of a model: a local path, else one below cues.model_directory, else the user's hub cache, else, only
    with cues.allow_download, fetched from the hub into that cache.

    whole: False where its settings and its tokenizer suffice; its weights are then not fetched.
    Raises ModelError saying where it was looked for and how to get it on a machine without network.
    """
    for place in local_places(model, cues):
        if place.exists():
            return place
    cached = find_cached(model)
    if cached is not None:
        return cached
    if cues.allow_download and is_hub_name(model):
        return fetch(model, whole)
    raise ModelError(f"model '{model}' is not on this machine; looked for {', '.join(map(str, local_places(model, cues)))} "
                     f"and in the hub's cache; {how_to_get(model, cues)}")


def local_places(model: str, cues: CueSettings) -> list[Path]:
    """Where a model is looked for before the hub's cache, in this order."""
    named = Path(model).expanduser()
    if named.is_absolute() or not cues.model_directory:
        return [named]
    directory = Path(cues.model_directory).expanduser()
    return [named, directory / named, *([directory / named.name] if named.name != str(named) else [])]


def is_hub_name(model: str) -> bool:
    """Whether the text can be the name of a repository of the hub ("owner/name")."""
    if model in _WITHOUT_OWNER:
        return True
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id

    try:
        validate_repo_id(model)
    except HFValidationError:
        return False
    return model.count("/") == 1 and not model.startswith(".")


def find_cached(model: str) -> Path | None:
    """The newest copy of a hub model in the user's cache (HF_HOME), whole or not; None when it has none."""
    if not is_hub_name(model):
        return None
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        return Path(snapshot_download(model, local_files_only=True))
    except LocalEntryNotFoundError as error:
        partial = getattr(error, "snapshot_path", None)  # of a copy without files that we never need, or cut short
        return Path(partial) if partial else None


def fetch(model: str, whole: bool = True) -> Path:
    """Fetch a model from the hub into the user's cache, with its weights or without. Raises ModelError when the hub cannot be
    reached or has no such model."""
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import GatedRepoError, OfflineModeIsEnabled, RepositoryNotFoundError

    try:
        needed = _needed(HfApi().list_repo_files(model))
        return Path(snapshot_download(model, allow_patterns=[name for name in needed if whole or not name.endswith(WEIGHTS)]))
    except GatedRepoError as error:
        raise ModelError(f"model '{model}' needs its licence accepted on its page, and `hf auth login` here") from error
    except RepositoryNotFoundError as error:
        raise ModelError(f"the hub has no model '{model}' (or it is private): check the name, or `hf auth login`") from error
    except OfflineModeIsEnabled as error:
        raise ModelError(f"model '{model}' cannot be fetched: HF_HUB_OFFLINE is set; unset it") from error
    except (OSError, RuntimeError, ValueError) as error:  # each of the libraries below the hub's has its own network errors
        raise ModelError(f"model '{model}' could not be fetched ({_first_line(error)}); {_by_hand(model)}") from error


def how_to_get(model: str, cues: CueSettings) -> str:
    """How to put the model where it is looked for."""
    if not is_hub_name(model):
        return "it is no name of the hub (owner/name) either: name a folder or file that is there"
    return f"set cues.allow_download to fetch it, or {_by_hand(model, cues.model_directory)}"


def weight_files(path: Path) -> list[Path]:
    """The files that hold a model's weights, checked to be whole: one kind only, safetensors if there are any.

    path: the model's folder, or its one file. Raises ModelError naming a file that is missing or truncated.
    """
    files = [path] if path.is_file() else _of_one_kind(path)
    for file in files:
        _check_whole(file)
    return files


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """All tensors of a model's folder or file by name, on the CPU. Raises ModelError for a file that cannot be read."""
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    weights: dict[str, Any] = {}
    for file in weight_files(path):
        try:
            if file.suffix == ".safetensors":
                loaded: Any = load_file(file)
            else:
                loaded = torch.load(file, map_location="cpu", weights_only=True)
        except Exception as error:  # torch.load has no common error of its own
            if not isinstance(error, SafetensorError) and "weights_only" in str(error):
                raise ModelError(f"{file} holds Python objects beside weights and is not opened, because that could run any "
                                 "program: convert it to safetensors where it comes from") from error
            raise ModelError(f"{file} cannot be read as weights ({_first_line(error)}): get it again") from error
        if isinstance(loaded, dict) and isinstance(loaded.get("state_dict"), dict):
            loaded = loaded["state_dict"]  # training checkpoints (PyTorch Lightning, open_clip)
        if not isinstance(loaded, dict) or not all(isinstance(value, torch.Tensor) for value in loaded.values()):
            raise ModelError(f"{file} holds a {type(loaded).__name__}, not a table of weights by name: it is no checkpoint")
        weights.update(loaded)
    return weights


def read_config(folder: Path, name: str = "config.json") -> dict[str, Any]:
    """A model folder's configuration. Raises ModelError when there is none or it is no JSON object."""
    file = folder / name
    try:
        if file.stat().st_size > _MAX_CONFIG:
            raise ModelError(f"{file} is larger than any configuration: is it the right file?")
        values = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{file} cannot be read ({_first_line(error)}): a model's folder holds its {name}") from error
    if not isinstance(values, dict):
        raise ModelError(f"{file} must hold a JSON object")
    return values


def check_names(path: Path, architecture: str, missing: Iterable[str], unexpected: Iterable[str] = (),
                mismatched: Iterable[str] = ()) -> None:
    """Raise ModelError when a checkpoint's weights are not those of the architecture they were loaded into."""
    for what, found in (("lacks", missing), ("has other sizes for", mismatched), ("also holds", unexpected)):
        names = sorted(found)
        if names:
            others = f" and {len(names) - 1} more" if len(names) > 1 else ""
            raise ModelError(f"{path} is no checkpoint of {architecture}: it {what} {names[0]}{others}; name another model or "
                             "get the whole checkpoint again")


def _of_one_kind(folder: Path) -> list[Path]:
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        shards = read_config(folder, index.name).get("weight_map", {}).values()
        return [folder / Path(str(name)).name for name in sorted(set(shards))]
    for kind in WEIGHTS:
        files = sorted(folder.glob(f"*{kind}"))
        if files:
            return files
    raise ModelError(f"{folder} holds no weights ({', '.join('*' + kind for kind in WEIGHTS)}): copy the whole model there")


def _check_whole(file: Path) -> None:
    try:
        size = file.stat().st_size
        with file.open("rb") as stream:
            start = stream.read(8)
            whole = _safetensors_size(start, stream.read, file) == size if file.suffix == ".safetensors" else (
                size > 0 and (not start.startswith(b"PK") or zipfile.is_zipfile(file)))
    except OSError as error:
        raise ModelError(f"{file} cannot be read ({error.strerror}): copy the whole model there") from error
    if start.startswith(b"version "):
        raise ModelError(f"{file} is a Git LFS pointer, not the weights: get them with `git lfs pull` or `hf download`")
    if not whole:
        raise ModelError(f"{file} is truncated or damaged ({size} bytes): get it again")


def _safetensors_size(start: bytes, read: Any, file: Path) -> int:
    """Bytes that a safetensors file has by its own header; -1 when it has none."""
    length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
    if not 2 <= length <= _MAX_HEADER:
        return -1
    try:
        header = json.loads(read(length))
        return 8 + length + max((entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"), default=0)
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        return -1


def _needed(files: Iterable[str]) -> list[str]:
    """Of a hub repository's files: the settings, and weights of one kind."""
    top = [name for name in files if not name.startswith((".", "onnx/", "openvino/", "coreml/"))]
    if "open_clip_config.json" in top:  # the same model in other libraries' formats beside
        own = [name for kind in WEIGHTS for name in top if name.startswith("open_clip_") and name.endswith(kind)]
        top = [name for name in top if not own or name == own[0] or not name.endswith(WEIGHTS)]
    kept = next((kind for kind in WEIGHTS if any(name.endswith(kind) for name in top)), "")
    others = (*WEIGHTS, ".h5", ".msgpack", ".onnx", ".tflite", ".gguf", ".npz")
    doubles = {name for name in top if ".fp16." in name and name.replace(".fp16.", ".") in top}  # the same in half precision
    return [name for name in top if name not in doubles and ((kept and name.endswith(kept)) or not name.endswith(others))]


def _by_hand(model: str, directory: str = "") -> str:
    folder = directory or "DIR"
    return (f"where there is network: `hf download {model} --local-dir {folder}/{model}`, copy {folder} here"
            + ("" if directory else " and set cues.model_directory to it"))


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0][:200]}"
