"""Networks and preprocessing in open_clip's format, read strictly and without its downloads."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from magic3d_ros.cues.foundation.open_clip_text import Find, tokenizer_of, with_local_tower
from magic3d_ros.cues.weights import ModelError, check_names, read_config, read_weights

CONFIG = "open_clip_config.json"
WEIGHTS = ("open_clip_model.safetensors", "open_clip_pytorch_model.safetensors", "open_clip_pytorch_model.bin",
           "open_clip_pytorch_model.pth")
"""In the order that open_clip prefers; folders from the hub hold the same model in other libraries' formats too."""
_ANY_LIBRARY = ("model.safetensors", "pytorch_model.bin")
"""What ViTamin's authors call open_clip's weights, and everybody those of transformers, which config.json then tells."""
_NO_WEIGHTS = ("input_resolution", "context_length", "vocab_size")
"""What OpenAI's checkpoints hold beside weights."""
_COMPUTED = ("text.transformer.embeddings.position_ids", "text.transformer.embed_positions.weights")
"""What older versions of transformers saved of RoBERTa and M2M-100 and newer ones compute."""


@dataclass(frozen=True)
class Checkpoint:
    """network: in float32 on the CPU with all its weights. preprocessing: open_clip's PreprocessCfg as a dict."""

    network: Any
    tokenizer: Any
    preprocessing: dict[str, Any]


def load_checkpoint(path: Path, architecture: str, find: Find) -> Checkpoint:
    """A CLIP with all that belongs to it.

    path: a folder, or a file with weights of a named architecture. architecture: "" where the folder says it, else one that
    open_clip knows, with ":TAG" where the weights are those that it publishes under that tag. find: see open_clip_text.py.
    Raises ModelError.
    """
    settings, preprocessing = _settings(path, architecture)
    what, place = architecture or path.name, path if path.is_dir() else path.parent
    file = _weights_file(path) if path.is_dir() else path
    tokenizer = tokenizer_of(settings["text_cfg"], place, find)
    settings["text_cfg"] = with_local_tower(settings["text_cfg"], place, find)
    network = _built(settings)
    _fill(network, read_weights(file), file, what)
    if hasattr(network, "text_decoder"):
        del network.text_decoder  # CoCa's, which writes captions; nothing here asks for them
    return Checkpoint(network, tokenizer, {**preprocessing, "size": network.visual.image_size})


def _settings(path: Path, architecture: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The model's and the preprocessing's configuration."""
    import open_clip
    from open_clip.transform import PreprocessCfg, merge_preprocess_dict

    if architecture:
        name, _, tag = architecture.partition(":")
        settings = open_clip.get_model_config(name)
        if settings is None:
            raise ModelError(f"open_clip knows no architecture '{name}': see open_clip.list_models()")
        published = open_clip.get_pretrained_cfg(name, tag)
        if published:
            settings["quick_gelu"] = published.get("quick_gelu", settings.get("quick_gelu", False))
        return settings, merge_preprocess_dict(PreprocessCfg(), published or _usual_preprocessing(name))
    if path.is_file():
        raise ModelError(f"{path} is a file, which does not say its architecture: name the model ARCHITECTURE:{path.name}, as in "
                         f"ViT-B-16:{path.name}")
    config = read_config(path, CONFIG)
    settings = config.get("model_cfg")
    if not isinstance(settings, dict) or not {"embed_dim", "vision_cfg", "text_cfg"} <= settings.keys():
        raise ModelError(f"{path / CONFIG} lacks model_cfg with embed_dim, vision_cfg and text_cfg: get the file again")
    return copy.deepcopy(settings), merge_preprocess_dict(PreprocessCfg(), config.get("preprocess_cfg") or {})


def _usual_preprocessing(architecture: str) -> dict[str, Any]:
    """What all published checkpoints of an architecture agree on: SigLIP's mean is not CLIP's."""
    import open_clip

    published = [open_clip.get_pretrained_cfg(architecture, tag) for tag in open_clip.list_pretrained_tags_by_model(architecture)]
    return {key: published[0][key] for key in ("mean", "std", "interpolation", "resize_mode")
            if published and all(key in other and other[key] == published[0].get(key) for other in published)}


def _built(settings: dict[str, Any]) -> Any:
    from open_clip.coca_model import CoCa
    from open_clip.model import CLIP, CustomTextCLIP

    settings = copy.deepcopy(settings)
    settings["vision_cfg"] |= {"timm_model_pretrained": False}  # timm would fetch its own weights first
    custom = settings.pop("custom_text", False) or "hf_model_name" in settings["text_cfg"]
    if "multimodal_cfg" in settings:
        return CoCa(**settings)
    return (CustomTextCLIP if custom else CLIP)(**settings)


def _weights_file(folder: Path) -> Path:
    for name in (*WEIGHTS, *(() if (folder / "config.json").is_file() else _ANY_LIBRARY)):
        if (folder / name).is_file():
            return folder / name
    raise ModelError(f"{folder} holds {CONFIG} but no weights ({' or '.join(WEIGHTS[::2])}): copy the whole model there")


def _fill(network: Any, weights: dict[str, torch.Tensor], file: Path, what: str) -> None:
    """Put weights into the network, with what open_clip itself converts: old names, OpenAI's extras, other image sizes."""
    from open_clip.convert import convert_state_dict
    from open_clip.model import convert_to_custom_text_state_dict, resize_pos_embed, resize_text_pos_embed

    weights = {name.removeprefix("module."): value for name, value in weights.items() if name not in _NO_WEIGHTS}
    if not weights:
        raise ModelError(f"{file} holds no weights: get it again")
    weights = convert_state_dict(network, weights)
    if "positional_embedding" in weights and not hasattr(network, "positional_embedding"):
        weights = convert_to_custom_text_state_dict(weights)
    own = network.state_dict()
    weights = {name: value for name, value in weights.items() if name in own or name not in _COMPUTED}
    if "logit_bias" in own and "logit_bias" not in weights and "logit_scale" in weights:
        weights["logit_bias"] = torch.zeros_like(weights["logit_scale"])  # of a model that was trained without one
    for scalar in ("logit_scale", "logit_bias"):
        if scalar in weights and scalar in own:
            weights[scalar] = weights[scalar].reshape(own[scalar].shape)
    positions = weights.get("visual.positional_embedding")
    expected = own.get("visual.positional_embedding")
    if positions is not None and expected is not None and positions.shape[-1] == expected.shape[-1]:
        resize_pos_embed(weights, network)
    resize_text_pos_embed(weights, network)
    shared = weights.keys() & own.keys()
    check_names(file, what, own.keys() - weights.keys(), weights.keys() - own.keys(),
                [name for name in shared if weights[name].shape != own[name].shape])
    network.load_state_dict(weights)
