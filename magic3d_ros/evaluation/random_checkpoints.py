"""Checkpoints with random weights in the real formats, of published sizes or tiny: for benchmarks and tests, without downloads.

Sizes: configurations that their authors publish beside the weights (DINOv2: facebook/dinov2-*; SAM: facebook/sam-vit-base,
facebook/sam2.1-hiera-*; SigLIP: google/siglip-base-patch16-224; CLIP: open_clip's ViT-B-16.json; Depth Anything:
depth-anything/Depth-Anything-V2-Small-hf).
"""

from __future__ import annotations

import json
import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from magic3d_ros.cues.foundation.pretrained import naming_the_cause

_IMAGENET = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225], "rescale_factor": 1 / 255}
_DINO: dict[str, dict[str, Any]] = {
    "small": {"hidden_size": 384, "num_hidden_layers": 12, "num_attention_heads": 6, "image_size": 518},
    "base": {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "image_size": 518},
    "tiny": {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 70}}
_SAM: dict[str, dict[str, Any]] = {"base": {"vision": {}, "prompts": {}, "decoder": {}},
        "tiny": {"vision": {"hidden_size": 16, "output_channels": 32, "num_hidden_layers": 2, "num_attention_heads": 2,
                            "image_size": 128, "window_size": 3, "global_attn_indexes": [1], "mlp_dim": 32, "num_pos_feats": 16},
                 "prompts": {"hidden_size": 32, "image_size": 128, "image_embedding_size": 8},
                 "decoder": {"hidden_size": 32, "mlp_dim": 64, "iou_head_hidden_dim": 32}}}
_HIERA: dict[str, dict[str, Any]] = {
    "tiny": {"blocks_per_stage": [1, 2, 7, 2], "global_attention_blocks": [5, 7, 9]},
    "small": {"blocks_per_stage": [1, 2, 11, 2], "global_attention_blocks": [7, 10, 13]}}
_CLIP: dict[str, Any] = {"embed_dim": 512,
         "vision_cfg": {"image_size": 224, "layers": 12, "width": 768, "patch_size": 16},
         "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 512, "heads": 8, "layers": 12}}
_SIGLIP: dict[str, dict[str, Any]] = {
    "base": {"vision": {"image_size": 224}, "text": {}},
    "tiny": {"vision": {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2,
                        "image_size": 64},
             "text": {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 1, "num_attention_heads": 2,
                      "vocab_size": 200}}}
_DEPTH: dict[str, dict[str, Any]] = {
    "small": {"stages": (3, 6, 9, 12), "side": 518, "neck": [48, 96, 192, 384], "fusion": 64, "head": 32},
    "tiny": {"stages": (1, 2, 3, 4), "side": 42, "neck": [8] * 4, "fusion": 16, "head": 8}}


def write(name: str, folder: Path, seed: int = 0) -> Path:
    """Write the checkpoint of one of ARCHITECTURES into a folder, which is made; returns it.

    Raises KeyError for another name, ModelError where the library that describes the architecture is not there or does not load.
    """
    write_into = ARCHITECTURES[name][1]
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    write_into(folder)
    return folder


def _dinov2(size: str) -> Callable[[Path], None]:
    def write_into(folder: Path) -> None:
        library = _transformers()
        library.Dinov2Model(library.Dinov2Config(**_DINO[size], patch_size=14)).save_pretrained(folder)
        _processor(folder, image_processor_type="BitImageProcessor", resample=3, size={"shortest_edge": 256},
                   crop_size={"height": 224, "width": 224}, do_center_crop=True)
    return write_into


def _sam(size: str) -> Callable[[Path], None]:
    def write_into(folder: Path) -> None:
        library = _transformers()
        parts = _SAM[size]
        config = library.SamConfig(vision_config=parts["vision"], prompt_encoder_config=parts["prompts"],
                           mask_decoder_config=parts["decoder"])
        library.SamModel(config).save_pretrained(folder)
        side = config.vision_config.image_size
        _processor(folder, image_processor_type="SamImageProcessor", resample=2, size={"longest_edge": side},
                   pad_size={"height": side, "width": side}, do_pad=True)
    return write_into


def _sam2(size: str) -> Callable[[Path], None]:
    def write_into(folder: Path) -> None:
        library = _transformers()
        vision = library.Sam2VisionConfig(backbone_config={"model_type": "sam2_hiera_det_model", **_HIERA[size]})
        library.Sam2Model(library.Sam2Config(vision_config=vision)).save_pretrained(folder)
        _processor(folder, image_processor_type="Sam2ImageProcessorFast", resample=2, size={"height": 1024, "width": 1024})
    return write_into


def _clip(folder: Path) -> None:
    with naming_the_cause(folder):
        import open_clip

    weights = {name: value.clone() for name, value in open_clip.CLIP(**_CLIP).state_dict().items()}
    save_file(weights, folder / "open_clip_model.safetensors")
    colours = {"mean": [0.48145466, 0.4578275, 0.40821073], "std": [0.26862954, 0.26130258, 0.27577711]}
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": _CLIP, "preprocess_cfg": colours}), encoding="utf-8")


def _siglip(size: str) -> Callable[[Path], None]:
    def write_into(folder: Path) -> None:
        library = _transformers()
        parts = _SIGLIP[size]
        config = library.SiglipConfig(vision_config={"patch_size": 16, **parts["vision"]}, text_config=parts["text"])
        library.SiglipModel(config).save_pretrained(folder)
        side = config.vision_config.image_size
        _processor(folder, image_processor_type="SiglipImageProcessor", resample=3, size={"height": side, "width": side},
                   image_mean=[0.5] * 3, image_std=[0.5] * 3)
        _letters(folder)
    return write_into


def _depth_anything(size: str) -> Callable[[Path], None]:
    def write_into(folder: Path) -> None:
        library = _transformers()
        sizes = _DEPTH[size]
        backbone, side = {**_DINO[size], "num_hidden_layers": sizes["stages"][-1]}, sizes["side"]
        config = library.DepthAnythingConfig(
            backbone_config={"model_type": "dinov2", **backbone, "patch_size": 14, "apply_layernorm": True,
                             "reshape_hidden_states": False, "image_size": side,
                             "out_features": [f"stage{stage}" for stage in sizes["stages"]]},
            reassemble_hidden_size=backbone["hidden_size"], patch_size=14, neck_hidden_sizes=sizes["neck"],
            fusion_hidden_size=sizes["fusion"], head_hidden_size=sizes["head"])
        library.DepthAnythingForDepthEstimation(config).save_pretrained(folder)
        _processor(folder, image_processor_type="DPTImageProcessor", resample=3, size={"height": side, "width": side},
                   keep_aspect_ratio=True, ensure_multiple_of=14)
    return write_into


ARCHITECTURES: dict[str, tuple[str, Callable[[Path], None]]] = {
    "dinov2-small": ("features", _dinov2("small")), "dinov2-base": ("features", _dinov2("base")),
    "sam-vit-base": ("masks", _sam("base")),
    "sam2.1-hiera-tiny": ("masks", _sam2("tiny")), "sam2.1-hiera-small": ("masks", _sam2("small")),
    "open-clip-vit-b-16": ("language", _clip), "siglip-base-patch16-224": ("language", _siglip("base")),
    "depth-anything-v2-small": ("depth", _depth_anything("small")),
    "tiny-dinov2": ("features", _dinov2("tiny")), "tiny-sam": ("masks", _sam("tiny")),
    "tiny-siglip": ("language", _siglip("tiny")), "tiny-depth-anything": ("depth", _depth_anything("tiny")),
}
"""name -> the section of the settings that it serves, and what writes it."""


def _transformers() -> Any:
    import transformers  # its classes are made when asked for, which a type checker cannot follow

    return transformers


def _processor(folder: Path, **values: Any) -> None:
    (folder / "preprocessor_config.json").write_text(json.dumps({**_IMAGENET, **values}), encoding="utf-8")


def _letters(folder: Path) -> None:
    """A tokenizer of single letters, saved as fast tokenizers are."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    words = ["<pad>", "</s>", "<unk>", *string.ascii_lowercase, *string.digits, *string.punctuation, " "]
    tokenizer = Tokenizer(models.WordLevel({word: index for index, word in enumerate(words)}, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer.post_processor = processors.TemplateProcessing("$A </s>", special_tokens=[("</s>", 1)])
    _transformers().PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>", unk_token="<unk>",
                                            model_input_names=["input_ids"]).save_pretrained(folder)
