"""Tiny random CLIPs and SigLIPs on disk, in the format that their libraries and the hub use."""

from __future__ import annotations

import json
import string

import torch
from safetensors.torch import save_file

CLIP = {"embed_dim": 48,
        "vision_cfg": {"image_size": 64, "layers": 2, "width": 32, "head_width": 16, "patch_size": 16},
        "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1}}
VISION = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2, "patch_size": 16}
TEXT = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 1, "num_attention_heads": 2, "vocab_size": 200,
        "max_position_embeddings": 64}


def clip_network(config=None):
    import open_clip

    torch.manual_seed(0)
    network = open_clip.CLIP(**(config or CLIP)).eval()
    torch.nn.init.normal_(network.visual.transformer.resblocks[-1].attn.in_proj_bias)  # zero at first, which would hide mistakes
    return network


def clip_folder(folder, config=None, tokenizer=None, pickled=False):
    """open_clip_config.json and the weights; returns the network that they are of."""
    config = json.loads(json.dumps(config or CLIP))
    network = clip_network(config)
    if tokenizer:
        config["text_cfg"]["hf_tokenizer_name"] = tokenizer
    mean, std = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]
    values = {"model_cfg": config, "preprocess_cfg": {"mean": mean, "std": std}}
    (folder / "open_clip_config.json").write_text(json.dumps(values))
    weights = {name: value.clone() for name, value in network.state_dict().items()}
    if pickled:
        torch.save(weights, folder / "open_clip_pytorch_model.bin")
    else:
        save_file(weights, folder / "open_clip_model.safetensors")
    return network


def tokenizer_files(folder):
    """A tokenizer of letters, as a fast tokenizer is saved."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    words = ["<pad>", "</s>", "<unk>", *string.ascii_lowercase, *string.digits, *string.punctuation, " "]
    tokenizer = Tokenizer(models.WordLevel({word: index for index, word in enumerate(words)}, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer.post_processor = processors.TemplateProcessing("$A </s>", special_tokens=[("</s>", 1)])
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>", unk_token="<unk>",
                            padding_side="right", model_input_names=["input_ids"]).save_pretrained(folder)


def siglip_folder(folder, kind="siglip"):
    """config.json, model.safetensors, tokenizer and preprocessor_config.json; returns the network."""
    import transformers

    torch.manual_seed(0)
    if kind == "siglip":
        config = transformers.SiglipConfig(vision_config={**VISION, "image_size": 64}, text_config=TEXT)
        network = transformers.SiglipModel(config)
        processor = {"image_processor_type": "SiglipImageProcessor", "resample": 3, "size": {"height": 64, "width": 64}}
    else:
        config = transformers.Siglip2Config(vision_config={**VISION, "num_patches": 16}, text_config=TEXT)
        network = transformers.Siglip2Model(config)
        processor = {"image_processor_type": "Siglip2ImageProcessor", "resample": 2, "max_num_patches": 16, "patch_size": 16}
    with torch.no_grad():
        network.logit_scale.fill_(4.7)
        network.vision_model.head.attention.in_proj_bias.normal_()
    network.eval().save_pretrained(folder)
    processor |= {"image_mean": [0.5] * 3, "image_std": [0.5] * 3, "rescale_factor": 1 / 255, "do_resize": True,
                  "do_rescale": True, "do_normalize": True}
    (folder / "preprocessor_config.json").write_text(json.dumps(processor))
    tokenizer_files(folder)
    return network


def clip_transformers_folder(folder, kind="clip"):
    """As siglip_folder, of one of the CLIPs of transformers; returns the network."""
    import transformers

    classes = {"clip": "CLIP", "chinese_clip": "ChineseCLIP", "altclip": "AltCLIP", "metaclip_2": "MetaClip2"}
    text = {**TEXT, "max_position_embeddings": 80, "projection_dim": 48, "pad_token_id": 0, "eos_token_id": 1}
    if kind == "altclip":
        text["project_dim"] = 32
    torch.manual_seed(0)
    config = getattr(transformers, f"{classes[kind]}Config")(vision_config={**VISION, "image_size": 64, "projection_dim": 48},
                                                             text_config=text, projection_dim=48)
    network = getattr(transformers, f"{classes[kind]}Model")(config)
    with torch.no_grad():
        for layer in network.vision_model.encoder.layers:
            layer.self_attn.v_proj.bias.normal_()
        network.vision_model.embeddings.class_embedding.normal_()
        for linear in network.modules():
            if isinstance(linear, torch.nn.Linear):
                torch.nn.init.xavier_normal_(linear.weight)
    network.eval().save_pretrained(folder)
    processor = {"image_processor_type": "CLIPImageProcessor", "size": {"shortest_edge": 64}, "do_center_crop": True,
                 "crop_size": {"height": 64, "width": 64}}
    if kind == "chinese_clip":
        processor = {"image_processor_type": "ChineseCLIPImageProcessor", "size": {"height": 64, "width": 64},
                     "do_center_crop": False}
    processor |= {"resample": 3, "rescale_factor": 1 / 255, "do_resize": True, "do_rescale": True, "do_normalize": True,
                  "image_mean": [0.48145466, 0.4578275, 0.40821073], "image_std": [0.26862954, 0.26130258, 0.27577711]}
    (folder / "preprocessor_config.json").write_text(json.dumps(processor))
    tokenizer_files(folder)
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    settings["model_input_names"] = ["input_ids", "attention_mask"]
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    return network
