"""Tiny random checkpoints of every family of networks that open_clip publishes, in its format."""

from __future__ import annotations

import json

import torch
from language_checkpoints import tokenizer_files
from safetensors.torch import save_file

_TEXT = {"context_length": 16, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1}
_VIT = {"image_size": 64, "layers": 2, "width": 32, "head_width": 16, "patch_size": 16}
_OPENAI = {"mean": [0.48145466, 0.4578275, 0.40821073], "std": [0.26862954, 0.26130258, 0.27577711]}
_SMALL = {"embed_dim": 32, "depth": 2, "num_heads": 2, "img_size": 64}


def _timm(entry, pool, proj=None, size=64, **smaller):
    """A vision_cfg of one of timm's own networks, made smaller by its own options."""
    return {"timm": (entry, smaller), "image_size": size, "timm_model_pretrained": False, "timm_pool": pool, "timm_proj": proj}


FAMILIES = {
    "ResNet": {"vision_cfg": {"image_size": 64, "layers": [1, 1, 1, 1], "width": 8, "head_width": 16, "patch_size": None}},
    "CLIPA": {"vision_cfg": {**_VIT, "no_ln_pre": True, "pool_type": "avg", "final_ln_after_pool": True},
              "text_cfg": {**_TEXT, "vocab_size": 200, "hf_tokenizer_name": "bert-base-uncased", "pool_type": "last",
                           "no_causal_mask": True}},
    "CoCa": {"vision_cfg": {**_VIT, "attentional_pool": True, "attn_pooler_heads": 2, "attn_pooler_queries": 9,
                            "output_tokens": True},
             "text_cfg": {**_TEXT, "embed_cls": True, "output_tokens": True},
             "multimodal_cfg": {"context_length": 16, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1},
             "custom_text": True},
    "ConvNeXt": {"vision_cfg": _timm("convnext_base", "", "linear", depths=(1, 1, 1, 1), dims=(8, 8, 16, 24))},
    "ConvNeXt with MLP": {"vision_cfg": _timm("convnext_large", "", "mlp", depths=(1, 1, 1, 1), dims=(8, 8, 16, 24))},
    "MobileCLIP-S": {"vision_cfg": _timm("fastvit_mci1", "avg", layers=(1, 1, 1, 1), embed_dims=(16, 16, 32, 32)),
                     "custom_text": True},
    "MobileCLIP2-S3": {"vision_cfg": _timm("fastvit_mci3", "avg", size=128, layers=(1, 1, 1, 1, 1),
                                           embed_dims=(16, 16, 32, 32, 64)), "custom_text": True},
    "MobileCLIP-B": {"vision_cfg": _timm("vit_base_mci_224", "token", depth=2, img_size=64), "custom_text": True},
    "MobileCLIP2-L": {"vision_cfg": _timm("vit_large_patch14_clip_224", "token", patch_size=16, **_SMALL), "custom_text": True},
    "EVA01": {"vision_cfg": _timm("eva_giant_patch14_224", "token", patch_size=16, **_SMALL), "custom_text": True},
    "EVA02": {"vision_cfg": _timm("eva02_base_patch16_clip_224", "token", **_SMALL), "custom_text": True},
    "EVA02-E": {"vision_cfg": _timm("eva02_enormous_patch14_clip_224", "token", patch_size=16, **_SMALL), "custom_text": True},
    "PE-Core": {"vision_cfg": _timm("vit_pe_core_base_patch16_224", "map", ref_feat_shape=(4, 4), **_SMALL),
                "custom_text": True},
    "ViTamin": {"vision_cfg": _timm("vitamin_small_224", "", "linear", depth=2, img_size=64), "custom_text": True},
    "RoBERTa": {"vision_cfg": _VIT, "text_cfg": {"hf_model_name": "xlm-roberta-base", "hf_tokenizer_name": "xlm-roberta-base",
                                                 "hf_pooler_type": "mean_pooler"}},
    "NLLB": {"vision_cfg": _VIT, "text_cfg": {"hf_model_name": "facebook/nllb-200-distilled-600M", "hf_proj_type": "linear",
                                              "hf_tokenizer_name": "facebook/nllb-200-distilled-600M",
                                              "hf_pooler_type": "cls_pooler"}},
    "Swin": {"vision_cfg": _timm("swin_base_patch4_window7_224", "avg", "linear", embed_dim=16, depths=(1, 1), num_heads=(2, 2),
                                 img_size=64, window_size=4)},
}
"""family -> an open_clip configuration whose `timm` stands for a timm_model_name"""
_TOWERS = {"xlm-roberta-base": ("XLMRobertaConfig", {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2,
                                                     "intermediate_size": 48, "vocab_size": 200, "max_position_embeddings": 90,
                                                     "pad_token_id": 0}),
           "nllb-200-distilled-600M": ("M2M100Config", {"d_model": 32, "encoder_layers": 1, "decoder_layers": 1,
                                                        "encoder_attention_heads": 2, "decoder_attention_heads": 2,
                                                        "encoder_ffn_dim": 48, "decoder_ffn_dim": 48, "vocab_size": 200,
                                                        "pad_token_id": 0})}


def family_folder(folder, family):
    """open_clip_config.json, weights and what the texts need, as in a folder from the hub; returns the network."""
    from open_clip.coca_model import CoCa
    from open_clip.model import CLIP, CustomTextCLIP

    config = {"embed_dim": 48, "text_cfg": dict(_TEXT), **json.loads(json.dumps(FAMILIES[family]))}
    vision, text = config["vision_cfg"], config["text_cfg"]
    if "timm" in vision:
        vision["timm_model_name"] = _registered(*FAMILIES[family]["vision_cfg"]["timm"])
        del vision["timm"]
    name = text.get("hf_model_name", "").rpartition("/")[2]
    if name:
        _write_text_tower(folder / name, name)
        tokenizer_files(folder / name)
    elif "hf_tokenizer_name" in text:
        tokenizer_files(folder)
    settings = json.loads(json.dumps(config))
    if name:
        settings["text_cfg"] |= {"hf_model_name": str(folder / name), "hf_model_pretrained": False}
    torch.manual_seed(0)
    custom = settings.pop("custom_text", False) or bool(name)
    network = (CoCa if "multimodal_cfg" in settings else CustomTextCLIP if custom else CLIP)(**settings).eval()
    with torch.no_grad():
        for part in network.visual.modules():
            _shake(part)
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": config, "preprocess_cfg": _OPENAI}))
    save_file({key: value.clone().contiguous() for key, value in network.state_dict().items()},
              folder / "open_clip_model.safetensors")
    return network


def _registered(entry, smaller):
    import timm
    from timm.models import register_model

    original = timm.models.model_entrypoint(entry)

    def smaller_network(pretrained=False, **options):
        return original(pretrained=pretrained, **{**options, **smaller})

    smaller_network.__name__ = f"tiny_{entry}"
    smaller_network.__module__ = original.__module__
    register_model(smaller_network)
    return smaller_network.__name__


def _shake(part):
    """Values that a fresh network has at nought or one, which would hide mistakes."""
    if isinstance(part, torch.nn.BatchNorm2d):
        part.running_mean.normal_(0, 0.1)
        part.running_var.uniform_(0.5, 1.5)
        part.weight.uniform_(0.5, 1.5)
    if isinstance(part, torch.nn.Conv2d):
        torch.nn.init.kaiming_normal_(part.weight)
    if isinstance(getattr(part, "gamma", None), torch.nn.Parameter):
        part.gamma.uniform_(0.1, 0.3)
    if isinstance(part, torch.nn.Linear):
        torch.nn.init.xavier_normal_(part.weight)
    for name in ("bias", "q_bias", "v_bias", "in_proj_bias"):
        value = getattr(part, name, None)
        if isinstance(value, torch.nn.Parameter):
            value.normal_(0, 0.1)
    for name in ("cls_token", "pos_embed"):
        value = getattr(part, name, None)
        if isinstance(value, torch.nn.Parameter):
            value.normal_(0, 0.3)


def _write_text_tower(folder, name):
    import transformers

    kind, options = _TOWERS[name]
    getattr(transformers, kind)(**options).save_pretrained(folder)
