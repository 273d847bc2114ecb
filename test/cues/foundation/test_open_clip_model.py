"""open_clip from tiny random checkpoints in the real format, held against the library itself."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from language_checkpoints import CLIP, clip_folder, clip_network, tokenizer_files
from safetensors.torch import save_file

from magic3d_ros.config import CueSettings
from magic3d_ros.cues.foundation.prompts import prompts
from magic3d_ros.cues.placement import Placement
from magic3d_ros.cues.weights import ModelError
from magic3d_ros.frames import FrameError

CPU = Placement(torch.device("cpu"))
pytestmark = pytest.mark.usefixtures("torchvision")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clip")
    return folder, clip_folder(folder)


@pytest.fixture(scope="module")
def load(tmp_path_factory):
    cache = tmp_path_factory.mktemp("cache")

    def loaded(path, **options):
        from magic3d_ros.cues.foundation.open_clip_model import OpenClip

        return OpenClip(path, options.pop("placement", CPU), cache=cache, **{"feature_dimension": 48, **options})

    return loaded


@pytest.fixture(scope="module")
def model(place, load):
    return load(place[0])


def picture(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def official(place, torchvision):
    """open_clip's own loading of the same folder: network, transform, tokenizer."""
    import open_clip

    name = f"local-dir:{place[0]}"
    network, transform = open_clip.create_model_from_pretrained(name)
    return network.eval(), transform, open_clip.get_tokenizer(name)


@pytest.mark.parametrize(("height", "width"), [(64, 64), (97, 61), (333, 517), (32, 32), (20, 300)])
def test_crops_are_what_the_library_makes_of_them(model, official, height, width):
    from PIL import Image

    network, transform, _ = official
    rgb = picture(height, width)
    pixels = transform(Image.fromarray(rgb))
    torch.testing.assert_close(model.crop_pixels(rgb), pixels, atol=0, rtol=0)
    with torch.inference_mode():
        expected = network.encode_image(pixels[None], normalize=True).numpy()
    np.testing.assert_allclose(model.encode_crops([rgb]), expected, atol=1e-4)


def test_texts_are_what_the_library_makes_of_them(model, official):
    network, _, tokenizer = official
    texts = ["mug", "where can I sit", "an extraordinarily long question about " + "chairs " * 60]
    with torch.inference_mode():
        for text in texts:
            each = network.encode_text(tokenizer(prompts(text)), normalize=True).numpy().mean(0)
            np.testing.assert_allclose(model.encode_text([text])[0], each / np.linalg.norm(each), atol=1e-4)


def test_the_models_scale_and_negatives_come_along(model, official):
    assert model.contrast.logit_scale == pytest.approx(float(official[0].logit_scale.detach().exp()), rel=1e-5)
    np.testing.assert_allclose(np.linalg.norm(model.contrast.negatives, axis=1), 1, atol=1e-5)


def test_on_the_plain_path_the_class_token_is_the_librarys_embedding(model, official):
    from PIL import Image

    pixels = official[1](Image.fromarray(picture(80, 120)))[None]
    with torch.inference_mode():
        tokens = model.tower.tokens(pixels, "plain")
        torch.testing.assert_close(model.tower.pooled(tokens), official[0].encode_image(pixels), atol=1e-4, rtol=1e-4)
    assert tokens.shape == (1, 17, 32) and model.tower.cells(tokens).shape == (1, 16, 48)


def test_the_value_path_of_a_patch_written_out(model):
    pixels = torch.randn(1, 3, 48, 80)
    visual = model._network.visual
    seen = {}
    hook = visual.transformer.resblocks[-1].ln_1.register_forward_hook(lambda m, i, o: seen.update(before=i[0], normed=o))
    with torch.inference_mode():
        found = model.tower.cells(model.tower.tokens(pixels, "maskclip"))
        hook.remove()
        block = visual.transformer.resblocks[-1]
        weight, bias = block.attn.in_proj_weight[64:], block.attn.in_proj_bias[64:]
        x = seen["before"] + block.attn.out_proj(seen["normed"] @ weight.T + bias)
        x = x + block.mlp(block.ln_2(x))
        torch.testing.assert_close(found, visual.ln_post(x[:, 1:]) @ visual.proj, atol=1e-5, rtol=1e-5)
    assert found.shape == (1, 3 * 5, 48)


def test_dense_features_are_compressed_unit_vectors(place, load, model):
    rgb = picture(100, 150)
    full = model.encode_dense([rgb])[0].values.astype(np.float32)
    np.testing.assert_allclose(np.linalg.norm(full, axis=2), 1, atol=2e-3)  # 48 of 48 dimensions, float16
    small = load(place[0], feature_dimension=8)
    expected = small.compress(full.reshape(-1, 48)).reshape(*full.shape[:2], 8)
    np.testing.assert_allclose(small.encode_dense([rgb])[0].values, expected, atol=3e-3)


@pytest.mark.parametrize(("height", "width"), [(333, 517), (97, 640), (480, 131), (64, 64), (1080, 1920)])
def test_a_bright_square_lights_the_cells_that_see_it(place, load, height, width):
    model = load(place[0], dense="maskclip")
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
    assert rows[0] - after.stride_y / 2 == pytest.approx(-0.5) and rows[-1] + after.stride_y / 2 == pytest.approx(height - 0.5)


@pytest.mark.parametrize(("size", "cells"), [
    ((32, 32), (4, 4)), ((480, 640), (30, 40)), ((4320, 7680), (22, 40)), ((10, 4000), (1, 40)), ((1, 1), (4, 4))])
def test_any_size_is_seen_whole_and_without_nan(model, size, cells):
    grid = model.encode_dense([picture(*size)])[0]
    assert grid.values.shape == (*cells, 48) and np.isfinite(grid.values).all()
    assert np.isfinite(model.encode_crops([picture(*size)])).all()


def test_images_of_different_sizes_in_a_batch_are_seen_as_alone(model):
    images = [picture(64, 96), picture(96, 64, 1), picture(64, 96, 2)]
    for grid, rgb in zip(model.encode_dense(images), images, strict=True):
        np.testing.assert_allclose(grid.values, model.encode_dense([rgb])[0].values, atol=2e-3)
    np.testing.assert_allclose(model.encode_crops(images)[1], model.encode_crops(images[1:2])[0], atol=1e-5)


def test_half_precision_says_the_same(place, load, model):
    half = load(place[0], placement=Placement(torch.device("cpu"), torch.bfloat16))
    rgb = picture(64, 96)
    assert (half.encode_crops([rgb]) @ model.encode_crops([rgb]).T).item() > 0.99
    np.testing.assert_array_equal(half._projection, model._projection)
    assert half.encode_text(["mug"])[0] @ model.encode_text(["mug"])[0] > 0.99


def test_pickled_weights_and_a_named_architecture(place, load, model, tmp_path, monkeypatch):
    import open_clip

    clip_folder(tmp_path, pickled=True)
    rgb = picture(50, 70)
    np.testing.assert_allclose(load(tmp_path).encode_crops([rgb]), model.encode_crops([rgb]), atol=1e-6)
    file = tmp_path / "mine.bin"
    weights = {f"module.{name}": value for name, value in place[1].state_dict().items()}
    torch.save({"state_dict": weights}, file)  # as open_clip's training writes it
    monkeypatch.setattr(open_clip.factory, "_MODEL_CONFIGS", {"Tiny": CLIP})
    np.testing.assert_allclose(load(file, architecture="Tiny").encode_crops([rgb]), model.encode_crops([rgb]), atol=1e-6)
    with pytest.raises(ModelError, match=r"does not say its architecture.*ViT-B-16:mine\.bin"):
        load(file)


def test_names_of_architecture_and_tag(tmp_path, torchvision):
    from magic3d_ros.cues.foundation.open_clip_model import find_open_clip

    file = tmp_path / "weights.bin"
    file.write_bytes(b"x")
    cues = CueSettings(model_directory=str(tmp_path))
    assert find_open_clip("ViT-B-16:weights.bin", cues) == (file, "ViT-B-16")
    hub = tmp_path / "laion" / "CLIP-ViT-B-16-laion2B-s34B-b88K"
    hub.mkdir(parents=True)
    assert find_open_clip("ViT-B-16:laion2b_s34b_b88k", cues) == (hub, "")
    with pytest.raises(ModelError, match="no architecture 'ViT-B-61': did you mean 'ViT-B-"):
        find_open_clip("ViT-B-61:weights.bin", cues)


def test_a_tokenizer_of_its_own_is_read_from_the_folder(tmp_path, load):
    config = json.loads(json.dumps(CLIP))
    config["text_cfg"]["vocab_size"] = 200
    clip_folder(tmp_path, config, tokenizer="timm/some-model")
    with pytest.raises(ModelError, match=r"holds no tokenizer \(tokenizer.json\).*timm/some-model"):
        load(tmp_path)
    tokenizer_files(tmp_path)
    assert np.isfinite(load(tmp_path).encode_text(["mug"])).all()


def changed(folder, **values):
    config = json.loads((folder / "open_clip_config.json").read_text())
    for name, value in values.items():
        section, key = name.split("__")
        config["model_cfg"][section][key] = value
    (folder / "open_clip_config.json").write_text(json.dumps(config))


@pytest.mark.parametrize(("values", "message"), [
    ({"vision_cfg__width": 64}, "has other sizes for"), ({"vision_cfg__layers": 3}, "it lacks visual.transformer.resblocks.2"),
    ({"vision_cfg__layers": 1}, "it also holds"), ({"vision_cfg__layers": [1, 1, 1, 1]}, "it lacks"),
    ({"vision_cfg__timm_model_name": "vit_tiny_patch16_224"}, "it lacks"),
    ({"vision_cfg__timm_model_name": "no_such_network"}, "Unknown model"),
    ({"text_cfg__hf_model_name": "roberta-base"}, "copy the files of roberta-base"),
    ({"vision_cfg__attentional_pool": True}, "it lacks visual.attn_pool"),
    ({"vision_cfg__qk_norm": True}, "it lacks")])
def test_a_checkpoint_of_another_model_is_named_in_one_line(tmp_path, load, values, message):
    clip_folder(tmp_path)
    changed(tmp_path, **values)
    with pytest.raises(ModelError, match=message) as error:
        load(tmp_path)
    assert "\n" not in str(error.value)


def test_what_is_missing_or_damaged_is_named_in_one_line(tmp_path, load):
    with pytest.raises(ModelError, match=r"open_clip_config\.json cannot be read"):
        load(tmp_path)
    clip_folder(tmp_path)
    weights = tmp_path / "open_clip_model.safetensors"
    data = weights.read_bytes()
    weights.write_bytes(data[:-1000])
    with pytest.raises(ModelError, match=r"open_clip_model\.safetensors is truncated"):
        load(tmp_path)
    weights.unlink()
    save_file({"a": torch.zeros(1)}, tmp_path / "model.safetensors")  # another library's format beside it is not taken
    (tmp_path / "config.json").write_text('{"model_type": "clip"}')
    with pytest.raises(ModelError, match=r"no weights \(open_clip_model\.safetensors or"):
        load(tmp_path)
    (tmp_path / "open_clip_config.json").write_text("{}")
    with pytest.raises(ModelError, match="lacks model_cfg"):
        load(tmp_path)


def test_weights_may_have_a_plain_name_where_no_other_library_has_any(tmp_path, load, model):
    clip_folder(tmp_path)
    (tmp_path / "open_clip_model.safetensors").rename(tmp_path / "model.safetensors")
    rgb = picture(50, 70)
    np.testing.assert_allclose(load(tmp_path).encode_crops([rgb]), model.encode_crops([rgb]), atol=1e-6)


def test_objects_in_a_checkpoint_are_not_opened(tmp_path, load):
    clip_folder(tmp_path)
    (tmp_path / "open_clip_model.safetensors").unlink()
    torch.save(clip_network(), tmp_path / "open_clip_pytorch_model.bin")
    with pytest.raises(ModelError, match="could run any program"):
        load(tmp_path)


@pytest.mark.parametrize(("image", "message"), [
    (np.zeros((8, 8), np.uint8), "grey"), (np.zeros((8, 8, 4), np.uint8), "RGBA"),
    (np.zeros((8, 8, 3), np.float32), "uint8"), (np.zeros((0, 8, 3), np.uint8), "one pixel")])
def test_other_images_are_refused_in_one_line(model, image, message):
    for call in (model.encode_crops, model.encode_dense):
        with pytest.raises(FrameError, match=message):
            call([image])


def test_another_kind_of_dense_features_is_refused(place, load):
    with pytest.raises(ModelError, match="naclip or maskclip"):
        load(place[0], dense="sclip")


def test_background_is_the_same_for_the_same_image(model):
    rgb = picture(90, 120)
    np.testing.assert_array_equal(model.background(rgb), model.background(rgb))
    assert model.background(rgb).shape == (4, 48)
