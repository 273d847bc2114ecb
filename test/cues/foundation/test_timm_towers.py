"""SigLIP in open_clip's format: timm's image tower, from a tiny random checkpoint, held against the library itself."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from language_checkpoints import tokenizer_files
from safetensors.torch import save_file

from magic3d_ros.cues.placement import Placement

CONFIG = {"embed_dim": 32, "init_logit_bias": -10, "custom_text": True,
          "vision_cfg": {"image_size": 64, "timm_model_name": "vit_tiny_siglip", "timm_model_pretrained": False,
                         "timm_pool": "map", "timm_proj": "none"},
          "text_cfg": {"context_length": 64, "vocab_size": 200, "hf_tokenizer_name": "timm/a-siglip",
                       "tokenizer_kwargs": {"clean": "canonicalize"}, "width": 32, "heads": 2, "layers": 1,
                       "no_causal_mask": True, "proj_bias": True, "pool_type": "last", "norm_kwargs": {"eps": 1e-6}}}
SQUASH = {"mean": [0.5] * 3, "std": [0.5] * 3, "interpolation": "bicubic", "resize_mode": "squash"}


@pytest.fixture(scope="module")
def place(tmp_path_factory, torchvision):
    """(folder, network). The architecture is a small one of the kind that timm calls vit_base_patch16_siglip_224."""
    from open_clip.model import CustomTextCLIP
    from timm.models import register_model
    from timm.models.vision_transformer import VisionTransformer

    def vit_tiny_siglip(pretrained=False, **options):
        options = {name: value for name, value in options.items() if name in ("num_classes", "global_pool")}
        return VisionTransformer(img_size=64, patch_size=16, embed_dim=32, depth=2, num_heads=2, class_token=False, **options)

    vit_tiny_siglip.__module__ = "timm.models.vision_transformer"
    register_model(vit_tiny_siglip)
    torch.manual_seed(0)
    network = CustomTextCLIP(**{name: value for name, value in json.loads(json.dumps(CONFIG)).items() if name != "custom_text"})
    torch.nn.init.normal_(network.visual.trunk.attn_pool.kv.bias)
    folder = tmp_path_factory.mktemp("siglip")
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": CONFIG, "preprocess_cfg": SQUASH}))
    save_file({name: value.clone() for name, value in network.state_dict().items()}, folder / "open_clip_model.safetensors")
    tokenizer_files(folder)
    return folder, network.eval()


@pytest.fixture(scope="module")
def model(place, tmp_path_factory):
    from magic3d_ros.cues.foundation.open_clip_model import OpenClip

    return OpenClip(place[0], Placement(torch.device("cpu")), dense="maskclip", feature_dimension=32,
                    cache=tmp_path_factory.mktemp("cache"))


def test_images_and_texts_are_what_the_library_makes_of_them(place, model):
    import open_clip
    from PIL import Image

    network, transform = open_clip.create_model_from_pretrained(f"local-dir:{place[0]}")
    tokenizer = open_clip.get_tokenizer(f"local-dir:{place[0]}")
    rgb = np.random.default_rng(0).integers(0, 256, (90, 140, 3), dtype=np.uint8)
    pixels = transform(Image.fromarray(rgb))
    torch.testing.assert_close(model.crop_pixels(rgb), pixels, atol=0, rtol=0)
    with torch.inference_mode():
        image = network.eval().encode_image(pixels[None], normalize=True)
        text = network.encode_text(tokenizer(["where can i sit"]), normalize=True)
    np.testing.assert_allclose(model.encode_crops([rgb]), image, atol=1e-4)
    np.testing.assert_allclose(model.encode_text(["where can I sit"]), text, atol=1e-4)
    assert model.contrast.logit_scale == pytest.approx(float(network.logit_scale.detach().exp()), rel=1e-5)


def test_on_the_plain_path_the_pooled_token_is_the_librarys_embedding(place, model):
    pixels = torch.randn(2, 3, 64, 64)
    with torch.inference_mode():
        pooled = model.tower.pooled(model.tower.tokens(pixels, "plain"))
        torch.testing.assert_close(pooled, place[1].encode_image(pixels), atol=1e-4, rtol=1e-4)


def test_a_patch_alone_is_the_head_over_one_token(model):
    pixels = torch.randn(1, 3, 48, 80)
    with torch.inference_mode():
        tokens = model.tower.tokens(pixels, "naclip")
        expected = torch.cat([model.tower.pooled(tokens[:, i:i + 1]) for i in range(15)])
        torch.testing.assert_close(model.tower.cells(tokens)[0], expected, atol=1e-5, rtol=1e-5)


def test_a_bright_square_lights_the_cells_that_see_it(model):
    dark = np.full((97, 333, 3), 30, np.uint8)
    lit = dark.copy()
    lit[50:90, 200:240] = 250
    before, after = model.encode_dense([dark, lit])
    change = np.linalg.norm(after.values.astype(np.float32) - before.values.astype(np.float32), axis=2)
    row, column = np.unravel_index(change.argmax(), change.shape)
    assert 50 <= after.offset_y + row * after.stride_y < 90 and 200 <= after.offset_x + column * after.stride_x < 240
