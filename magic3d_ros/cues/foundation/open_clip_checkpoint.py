"""Networks, tokenizers and preprocessing in open_clip's format, read strictly and without its downloads."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import torch

from magic3d_ros.cues.foundation.open_clip_towers import ClipTower, SiglipTower, tower_of
from magic3d_ros.cues.weights import ModelError, check_names, read_config, read_weights

CONFIG = "open_clip_config.json"
_WEIGHTS = ("open_clip_model.safetensors", "open_clip_pytorch_model.safetensors", "open_clip_pytorch_model.bin",
            "open_clip_pytorch_model.pth")
"""In the order that open_clip prefers; folders from the hub hold the same model in other libraries' formats too."""
_TOKENIZERS = ("tokenizer.json", "vocab.json", "vocab.txt", "spiece.model", "tokenizer.model", "sentencepiece.bpe.model")
_NO_WEIGHTS = ("input_resolution", "context_length", "vocab_size")
"""What OpenAI's checkpoints hold beside weights."""


def load_network(path: Path, architecture: str) -> tuple[Any, ClipTower | SiglipTower, dict[str, Any]]:
    """A CLIP in float32 on the CPU with all its weights, its image tower, and its preprocessing (open_clip's PreprocessCfg as a
    dict).

    path: a folder, or a file with weights of a named architecture. Raises ModelError.
    """
    settings, preprocessing = _settings(path, architecture)
    what = architecture or path.name
    if "hf_model_name" in settings["text_cfg"]:
        raise ModelError(f"{what} has a text tower that open_clip fetches from the hub under another name "
                         f"({settings['text_cfg']['hf_model_name']}): take a model with a text tower of its own")
    network = _built(settings, what)
    tower = tower_of(network, what)
    file = path if path.is_file() else _weights_file(path)
    _fill(network, read_weights(file), file, what)
    return network, tower, {**preprocessing, "size": network.visual.image_size}


def tokenizer_of(path: Path, architecture: str, network: Any) -> Any:
    """What turns texts into tokens: open_clip's own, or the Hugging Face one beside the weights where the architecture has one.

    Raises ModelError when that is not there.
    """
    from open_clip.tokenizer import HFTokenizer, SimpleTokenizer

    text = _settings(path, architecture)[0]["text_cfg"]
    context = int(getattr(network, "context_length", None) or network.text.context_length)
    options = text.get("tokenizer_kwargs", {})
    if not text.get("hf_tokenizer_name"):
        return SimpleTokenizer(context_length=context, **options)
    folder = path if path.is_dir() else path.parent
    if not any((folder / name).is_file() for name in _TOKENIZERS):
        raise ModelError(f"{folder} holds no tokenizer ({_TOKENIZERS[0]}), without which texts cannot be read: copy the files of "
                         f"{text['hf_tokenizer_name']} there")
    return HFTokenizer(str(folder), context_length=context, tokenizer_mode=text.get("tokenizer_mode"), local_files_only=True,
                       **options)


def _settings(path: Path, architecture: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The model's and the preprocessing's configuration."""
    import open_clip
    from open_clip.transform import PreprocessCfg, merge_preprocess_dict

    if architecture:
        settings = open_clip.get_model_config(architecture)
        if settings is None:
            raise ModelError(f"open_clip knows no architecture '{architecture}': see open_clip.list_models()")
        return settings, merge_preprocess_dict(PreprocessCfg(), _usual_preprocessing(architecture))
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


def _built(settings: dict[str, Any], what: str) -> Any:
    from open_clip.model import CLIP, CustomTextCLIP

    if "multimodal_cfg" in settings:
        raise ModelError(f"{what} is a CoCa, for which dense features are unknown: take a CLIP with a ViT, or a SigLIP")
    settings = copy.deepcopy(settings)
    settings["vision_cfg"] |= {"timm_model_pretrained": False}  # timm would fetch its own weights first
    return (CustomTextCLIP if settings.pop("custom_text", False) else CLIP)(**settings)


def _weights_file(folder: Path) -> Path:
    for name in _WEIGHTS:
        if (folder / name).is_file():
            return folder / name
    raise ModelError(f"{folder} holds {CONFIG} but no weights ({' or '.join(_WEIGHTS[::2])}): copy the whole model there")


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
    for scalar in ("logit_scale", "logit_bias"):
        if scalar in weights and scalar in own:
            weights[scalar] = weights[scalar].reshape(own[scalar].shape)
    positions = weights.get("visual.positional_embedding")
    if positions is not None and positions.shape[-1] == own["visual.positional_embedding"].shape[-1]:
        resize_pos_embed(weights, network)
    resize_text_pos_embed(weights, network)
    shared = weights.keys() & own.keys()
    check_names(file, what, own.keys() - weights.keys(), weights.keys() - own.keys(),
                [name for name in shared if weights[name].shape != own[name].shape])
    network.load_state_dict(weights)
