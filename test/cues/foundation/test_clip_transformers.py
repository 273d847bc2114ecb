"""CLIPs in transformers' format from tiny random checkpoints, held against transformers itself."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
import transformers
from language_checkpoints import clip_transformers_folder
from PIL import Image
from transformers.models.chinese_clip.image_processing_pil_chinese_clip import ChineseCLIPImageProcessorPil
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

from magic3d_ros.cues.foundation.clip_transformers import MODEL_TYPES, TransformersClip
from magic3d_ros.cues.foundation.prompts import prompts
from magic3d_ros.cues.placement import Placement
from magic3d_ros.cues.weights import ModelError
from magic3d_ros.frames import FrameError

CPU = Placement(torch.device("cpu"))


@pytest.fixture(scope="module", params=MODEL_TYPES)
def place(request, tmp_path_factory):
    """(folder, network, image processor)"""
    folder = tmp_path_factory.mktemp(request.param)
    network = clip_transformers_folder(folder, request.param)
    processor = ChineseCLIPImageProcessorPil if request.param == "chinese_clip" else CLIPImageProcessorPil
    return folder, network, processor.from_pretrained(folder)


@pytest.fixture(scope="module")
def model(place, tmp_path_factory):
    return load(place[0], tmp_path_factory.mktemp("cache"))


def load(folder, cache, **options):
    return TransformersClip(folder, options.pop("placement", CPU), cache=cache, **{"feature_dimension": 48, **options})


def picture(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize(("height", "width"), [(64, 64), (97, 61), (333, 517), (32, 32), (20, 301)])
def test_crops_are_what_the_library_makes_of_them(place, model, height, width):
    rgb = picture(height, width)
    official = place[2](images=Image.fromarray(rgb), return_tensors="pt")
    torch.testing.assert_close(model.crop_pixels(rgb)[None], official["pixel_values"], atol=1e-5, rtol=0)
    with torch.inference_mode():
        expected = torch.nn.functional.normalize(place[1].get_image_features(**official).pooler_output, dim=-1)
    np.testing.assert_allclose(model.encode_crops([rgb]), expected.numpy(), atol=1e-4)


def test_texts_are_what_the_library_makes_of_them(place, model):
    tokenizer = transformers.AutoTokenizer.from_pretrained(place[0])
    for text in ("mug", "where can I sit", "a very long question " * 20):
        tokens = tokenizer(prompts(text), padding=True, max_length=77, truncation=True, return_tensors="pt")
        with torch.inference_mode():
            each = torch.nn.functional.normalize(place[1].get_text_features(**tokens).pooler_output, dim=-1).numpy().mean(0)
        np.testing.assert_allclose(model.encode_text([text])[0], each / np.linalg.norm(each), atol=1e-4)


def test_the_models_scale_comes_along(place, model):
    assert model.contrast.logit_scale == pytest.approx(float(place[1].logit_scale.detach().exp()), rel=1e-5)


@pytest.mark.parametrize("size", [(64, 64), (80, 48)])
def test_on_the_plain_path_the_class_token_is_the_librarys_embedding(place, model, size):
    pixels = torch.randn(2, 3, *size, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        tokens = model.token_vectors(pixels, "plain")
        expected = place[1].get_image_features(pixels, interpolate_pos_encoding=True).pooler_output
    torch.testing.assert_close(tokens[:, 0], expected, atol=1e-4, rtol=1e-4)
    assert expected.std(0).max() > 1e-2 and tokens.shape[1] == 1 + size[0] * size[1] // 256


def test_the_value_path_of_a_patch_written_out(place, model):
    pixels, vision = torch.randn(1, 3, 48, 80), place[1].vision_model
    seen = {}
    hook = model._vision.encoder.layers[-1].layer_norm1.register_forward_hook(lambda m, i, o: seen.update(before=i[0], normed=o))
    with torch.inference_mode():
        found = model.token_vectors(pixels, "maskclip")
        hook.remove()
        layer = vision.encoder.layers[-1]
        x = seen["before"] + layer.self_attn.out_proj(layer.self_attn.v_proj(seen["normed"]))
        x = x + layer.mlp(layer.layer_norm2(x))
        torch.testing.assert_close(found, place[1].visual_projection(vision.post_layernorm(x)), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(("height", "width"), [(333, 517), (97, 640), (480, 131), (64, 64)])
def test_a_bright_square_lights_the_cells_that_see_it(place, model, monkeypatch, height, width):
    monkeypatch.setattr(model, "_dense", "maskclip")
    top, left, side = int(0.55 * height), int(0.3 * width), int(0.35 * min(height, width))
    dark = np.full((height, width, 3), 30, np.uint8)
    lit = dark.copy()
    lit[top:top + side, left:left + side] = 250
    before, after = model.encode_dense([dark, lit])
    change = np.linalg.norm(after.values.astype(np.float32) - before.values.astype(np.float32), axis=2)
    rows = after.offset_y + after.stride_y * np.arange(change.shape[0])
    columns = after.offset_x + after.stride_x * np.arange(change.shape[1])
    inside = ((rows >= top) & (rows < top + side))[:, None] & ((columns >= left) & (columns < left + side))
    half = max(after.stride_x, after.stride_y)
    away = ~(((rows >= top - half) & (rows < top + side + half))[:, None]
             & ((columns >= left - half) & (columns < left + side + half)))
    assert inside.any() and change[inside].mean() > 1.5 * change[away].mean()


@pytest.mark.parametrize(("size", "cells"), [
    ((32, 32), (4, 4)), ((4320, 7680), (22, 40)), ((10, 4000), (1, 40)), ((1, 1), (4, 4))])
def test_any_size_is_seen_whole_and_without_nan(model, size, cells):
    grid = model.encode_dense([picture(*size)])[0]
    assert grid.values.shape == (*cells, 48) and np.isfinite(grid.values).all()
    assert np.isfinite(model.encode_crops([picture(*size)])).all()


def test_half_precision_says_the_same(place, model, tmp_path):
    half = load(place[0], tmp_path, placement=Placement(torch.device("cpu"), torch.bfloat16))
    rgb = picture(64, 96)
    assert (half.encode_crops([rgb]) @ model.encode_crops([rgb]).T).item() > 0.98
    assert half.encode_dense([rgb])[0].values.shape == model.encode_dense([rgb])[0].values.shape


def edit(folder, name, **values):
    config = json.loads((folder / "config.json").read_text())
    config[name].update(values)
    (folder / "config.json").write_text(json.dumps(config))


@pytest.mark.parametrize(("spoil", "message"), [
    (lambda f: (f / "tokenizer.json").unlink(), "holds no tokenizer"),
    (lambda f: (f / "preprocessor_config.json").unlink(), "preprocessor_config.json"),
    (lambda f: (f / "model.safetensors").write_bytes((f / "model.safetensors").read_bytes()[:-500]), "truncated"),
    (lambda f: (f / "model.safetensors").unlink(), "no weights"),
    (lambda f: edit(f, "vision_config", hidden_size=64), "has other sizes for"),
    (lambda f: edit(f, "vision_config", num_hidden_layers=3), "it lacks"),
    (lambda f: edit(f, "text_config", vocab_size=20), "belong to different models|has other sizes")])
def test_what_is_missing_or_wrong_is_named_in_one_line(tmp_path, spoil, message):
    clip_transformers_folder(tmp_path)
    spoil(tmp_path)
    with pytest.raises(ModelError, match=message) as error:
        load(tmp_path, tmp_path)
    assert "\n" not in str(error.value)


def test_the_tier_takes_a_folder_of_it(place, tmp_path, monkeypatch):
    from magic3d_ros.config import Settings
    from magic3d_ros.cues.tiers import load_language

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    settings = Settings()
    settings.language.model = str(place[0])
    assert isinstance(load_language(settings), TransformersClip)


def test_other_images_are_refused_in_one_line(model):
    with pytest.raises(FrameError, match="RGBA"):
        model.encode_dense([np.zeros((8, 8, 4), np.uint8)])
