"""SigLIP and SigLIP 2 from tiny random checkpoints in the real format, held against transformers itself."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
import transformers
from language_checkpoints import siglip_folder
from PIL import Image
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil
from transformers.models.siglip2.image_processing_pil_siglip2 import Siglip2ImageProcessorPil

from magic3d_ros.cues.foundation.prompts import prompts
from magic3d_ros.cues.foundation.siglip import Siglip
from magic3d_ros.cues.placement import Placement
from magic3d_ros.cues.weights import ModelError
from magic3d_ros.frames import FrameError

CPU = Placement(torch.device("cpu"))
PROCESSORS = {"siglip": SiglipImageProcessorPil, "siglip2": Siglip2ImageProcessorPil}


@pytest.fixture(scope="module", params=list(PROCESSORS))
def place(request, tmp_path_factory):
    """(folder, kind, network, image processor)"""
    folder = tmp_path_factory.mktemp(request.param)
    network = siglip_folder(folder, request.param)
    return folder, request.param, network, PROCESSORS[request.param].from_pretrained(folder)


@pytest.fixture(scope="module")
def model(place, tmp_path_factory):
    return load(place[0], tmp_path_factory.mktemp("cache"))


def load(folder, cache, **options):
    return Siglip(folder, options.pop("placement", CPU), cache=cache, **{"feature_dimension": 32, **options})


def picture(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize(("height", "width"), [(64, 64), (97, 61), (333, 517), (32, 32), (20, 300)])
def test_crops_are_what_the_library_makes_of_them(place, model, height, width):
    rgb = picture(height, width)
    official = place[3](images=Image.fromarray(rgb), return_tensors="pt")
    for name, value in model.crop_pixels([rgb]).items():
        torch.testing.assert_close(value.float(), official[name].float(), atol=1e-5, rtol=0)
    with torch.inference_mode():
        expected = torch.nn.functional.normalize(place[2].get_image_features(**official).pooler_output, dim=-1)
    np.testing.assert_allclose(model.encode_crops([rgb]), expected.numpy(), atol=1e-4)


def test_crops_of_different_shapes_in_a_batch_are_seen_as_alone(model):
    crops = [picture(64, 20), picture(31, 90, 1), picture(64, 64, 2)]
    alone = np.concatenate([model.encode_crops([crop]) for crop in crops])
    np.testing.assert_allclose(model.encode_crops(crops), alone, atol=1e-5)


def test_texts_are_what_the_library_makes_of_them(place, model):
    tokenizer = transformers.AutoTokenizer.from_pretrained(place[0])
    for text in ("mug", "where can I sit", "a very long question " * 20):
        tokens = tokenizer(prompts(text), padding="max_length", max_length=64, truncation=True, return_tensors="pt")
        with torch.inference_mode():
            each = torch.nn.functional.normalize(place[2].get_text_features(**tokens).pooler_output, dim=-1).numpy().mean(0)
        np.testing.assert_allclose(model.encode_text([text])[0], each / np.linalg.norm(each), atol=1e-4)


def test_the_models_scale_comes_along(model):
    assert model.contrast.logit_scale == pytest.approx(np.exp(4.7), rel=1e-5)


def test_on_the_plain_path_the_head_gives_the_librarys_embedding(place, model):
    rgb = picture(64, 64)
    official = place[3](images=Image.fromarray(rgb), return_tensors="pt")
    with torch.inference_mode():
        expected = place[2].vision_model(**official)
        tokens = model.patch_tokens(model._pixels.pixel_values(rgb, 64, 64)[None], "plain")
        torch.testing.assert_close(tokens, expected.last_hidden_state, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(model.head(tokens, alone=False), expected.pooler_output, atol=1e-4, rtol=1e-4)


def test_a_patch_alone_is_the_head_over_one_token(place, model):
    tokens = torch.randn(2, 5, 32)
    with torch.inference_mode():
        expected = torch.stack([place[2].vision_model.head(tokens[:, i:i + 1]) for i in range(5)], 1)
        torch.testing.assert_close(model.head(tokens, alone=True), expected, atol=1e-5, rtol=1e-5)


def test_the_value_path_of_a_patch_written_out(place, model):
    pixels, vision = torch.randn(1, 3, 48, 80), place[2].vision_model
    seen = {}
    hook = model._vision.encoder.layers[-1].layer_norm1.register_forward_hook(lambda m, i, o: seen.update(before=i[0], normed=o))
    with torch.inference_mode():
        found = model.patch_tokens(pixels, "maskclip")
        hook.remove()
        layer = vision.encoder.layers[-1]
        x = seen["before"] + layer.self_attn.out_proj(layer.self_attn.v_proj(seen["normed"]))
        x = x + layer.mlp(layer.layer_norm2(x))
        torch.testing.assert_close(found, vision.post_layernorm(x), atol=1e-5, rtol=1e-5)
    assert found.shape == (1, 3 * 5, 32)


@pytest.mark.parametrize(("height", "width"), [(333, 517), (97, 640), (480, 131), (64, 64)])
def test_a_bright_square_lights_the_cells_that_see_it(place, tmp_path, height, width):
    model = load(place[0], tmp_path, dense="maskclip")
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
    assert inside.any() and change[inside].min() > change[away].max()


@pytest.mark.parametrize(("size", "cells"), [
    ((32, 32), (4, 4)), ((4320, 7680), (22, 40)), ((10, 4000), (1, 40)), ((1, 1), (4, 4))])
def test_any_size_is_seen_whole_and_without_nan(model, size, cells):
    grid = model.encode_dense([picture(*size)])[0]
    assert grid.values.shape == (*cells, 32) and np.isfinite(grid.values).all()
    np.testing.assert_allclose(np.linalg.norm(grid.values.astype(np.float32), axis=2), 1, atol=2e-3)
    assert np.isfinite(model.encode_crops([picture(*size)])).all()


def test_half_precision_says_the_same(place, model, tmp_path):
    half = load(place[0], tmp_path, placement=Placement(torch.device("cpu"), torch.bfloat16))
    rgb = picture(64, 96)
    assert (half.encode_crops([rgb]) @ model.encode_crops([rgb]).T).item() > 0.99
    np.testing.assert_array_equal(half._projection, model._projection)


@pytest.mark.parametrize(("spoil", "message"), [
    (lambda f: (f / "tokenizer.json").unlink(), "holds no tokenizer"),
    (lambda f: (f / "preprocessor_config.json").unlink(), "preprocessor_config.json"),
    (lambda f: (f / "model.safetensors").write_bytes((f / "model.safetensors").read_bytes()[:-500]), "truncated"),
    (lambda f: (f / "model.safetensors").unlink(), "no weights"),
    (lambda f: edit(f, lambda c: c["vision_config"].update(hidden_size=64)), "has other sizes for"),
    (lambda f: edit(f, lambda c: c["vision_config"].update(num_hidden_layers=3)), "it lacks"),
    (lambda f: edit(f, lambda c: c["vision_config"].update(vision_use_head=False)), "without the head"),
    (lambda f: edit(f, lambda c: c.update(model_type="dinov2")), "holds a dinov2 model, language needs siglip")])
def test_what_is_missing_or_wrong_is_named_in_one_line(tmp_path, spoil, message):
    siglip_folder(tmp_path)
    spoil(tmp_path)
    with pytest.raises(ModelError, match=message) as error:
        load(tmp_path, tmp_path)
    assert "\n" not in str(error.value)


def edit(folder, change):
    config = json.loads((folder / "config.json").read_text())
    change(config)
    (folder / "config.json").write_text(json.dumps(config))


def test_a_tokenizer_of_another_model_is_refused(tmp_path):
    siglip_folder(tmp_path)
    tokenizer = json.loads((tmp_path / "tokenizer.json").read_text())
    tokenizer["model"]["vocab"] |= {f"word{i}": 1000 + i for i in range(300)}
    (tmp_path / "tokenizer.json").write_text(json.dumps(tokenizer))
    with pytest.raises(ModelError, match="belong to different models"):
        load(tmp_path, tmp_path)


def test_other_images_are_refused_in_one_line(model):
    with pytest.raises(FrameError, match="RGBA"):
        model.encode_crops([np.zeros((8, 8, 4), np.uint8)])


def test_texts_are_padded_behind_whatever_the_tokenizers_own_habit(tmp_path):
    siglip_folder(tmp_path)
    settings = json.loads((tmp_path / "tokenizer_config.json").read_text())
    settings |= {"tokenizer_class": "GemmaTokenizer", "padding_side": "left"}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings))
    ids = load(tmp_path, tmp_path)._tokenizer(["mug"], padding="max_length", max_length=64)["input_ids"][0]
    assert ids[-1] == 0 and ids[0] != 0
