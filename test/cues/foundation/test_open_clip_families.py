"""Every family of networks that open_clip publishes, from tiny random checkpoints, held against the library itself."""

from __future__ import annotations

import json
import logging
import shutil

import numpy as np
import pytest
import torch
from open_clip_families import FAMILIES, family_folder

from magic3d_ros.cues.foundation.prompts import prompts
from magic3d_ros.cues.placement import Placement
from magic3d_ros.cues.weights import ModelError

CPU = Placement(torch.device("cpu"))
pytestmark = pytest.mark.usefixtures("torchvision")
TEXTS = ("mug", "where can I sit", "an extraordinarily long question about " + "chairs " * 60)


@pytest.fixture(scope="module", params=list(FAMILIES))
def family(request, tmp_path_factory):
    """(name, folder, open_clip's network)"""
    folder = tmp_path_factory.mktemp("family")
    return request.param, folder, family_folder(folder, request.param)


@pytest.fixture(scope="module")
def model(family, tmp_path_factory):
    return load(family[1], tmp_path_factory.mktemp("cache"))


def load(path, cache, **options):
    from magic3d_ros.cues.foundation.open_clip_model import OpenClip

    return OpenClip(path, options.pop("placement", CPU), cache=cache, **{"feature_dimension": 48, **options})


def picture(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize(("height", "width"), [(64, 64), (97, 61), (333, 517)])
def test_crops_are_what_the_library_makes_of_them(family, model, height, width):
    from open_clip.transform import PreprocessCfg, image_transform_v2
    from PIL import Image

    rgb, network = picture(height, width), family[2]
    values = json.loads((family[1] / "open_clip_config.json").read_text())["preprocess_cfg"]
    pixels = image_transform_v2(PreprocessCfg(size=network.visual.image_size, **values), is_train=False)(Image.fromarray(rgb))
    torch.testing.assert_close(model.crop_pixels(rgb), pixels, atol=0, rtol=0)
    with torch.inference_mode():
        expected = network.encode_image(pixels[None], normalize=True).numpy()
    np.testing.assert_allclose(model.encode_crops([rgb]), expected, atol=1e-4)


def test_texts_are_what_the_library_makes_of_them(family, model):
    from open_clip.tokenizer import HFTokenizer, SimpleTokenizer

    text_cfg = json.loads((family[1] / "open_clip_config.json").read_text())["model_cfg"]["text_cfg"]
    name, context = text_cfg.get("hf_tokenizer_name"), text_cfg.get("context_length", 77)
    folder = family[1] / name.rpartition("/")[2] if text_cfg.get("hf_model_name") else family[1]
    tokenizer = HFTokenizer(str(folder), context_length=context) if name else SimpleTokenizer(context_length=context)
    for text in TEXTS:
        with torch.inference_mode():
            each = family[2].encode_text(tokenizer(prompts(text)), normalize=True).numpy().mean(0)
        np.testing.assert_allclose(model.encode_text([text])[0], each / np.linalg.norm(each), atol=1e-4)


def test_on_the_plain_path_the_pooling_gives_the_librarys_embedding(family, model):
    if family[0] == "Swin":
        assert model.tower is None
        pytest.skip("no cells")
    side = model.image_size
    pixels = torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        pooled = model.tower.pooled(model.tower.tokens(pixels, "plain"))
        expected = family[2].encode_image(pixels, normalize=False)
    torch.testing.assert_close(pooled, expected, atol=1e-4, rtol=1e-4)
    assert pooled.std(0).max() > 1e-2  # the two images are told apart


@pytest.mark.parametrize("kind", ["naclip", "maskclip"])
def test_a_cell_is_the_pooling_over_itself_alone(family, model, kind):
    if family[0] in ("Swin", "ResNet"):  # a ResNet's pooling would add the place that MaskCLIP leaves out: see below
        pytest.skip("no pooling over one cell")
    side = model.patch_size
    pixels = torch.randn(1, 3, 2 * side, 3 * side, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        tokens = model.tower.tokens(pixels, kind)
        cells = model.tower.cells(tokens)[0]
        prefix = tokens.shape[1] - 6
        visual = family[2].visual
        for index, cell in enumerate(cells):
            token = tokens[:, prefix + index:prefix + index + 1]
            if hasattr(visual, "trunk"):
                alone = token if hasattr(visual.trunk, "blocks") else token.transpose(1, 2)[..., None]
                expected = visual.head(visual.trunk.forward_head(alone))
            else:
                expected = visual._pool(torch.cat([token, token], 1) if visual.attn_pool is None else token)[0] @ visual.proj
            torch.testing.assert_close(cell[None], expected, atol=1e-4, rtol=1e-4)


def test_a_resnets_cell_is_its_projected_value(tmp_path):
    network = family_folder(tmp_path, "ResNet")
    model = load(tmp_path, tmp_path)
    pixels = torch.randn(1, 3, 96, 64)
    with torch.inference_mode():
        x = network.visual.stem(pixels)
        for number in range(1, 5):
            x = getattr(network.visual, f"layer{number}")(x)
        pool = network.visual.attnpool
        value = torch.einsum("nchw,dc->nhwd", x, pool.v_proj.weight) + pool.v_proj.bias
        expected = (value @ pool.c_proj.weight.T + pool.c_proj.bias).flatten(1, 2)
        torch.testing.assert_close(model.tower.cells(model.tower.tokens(pixels, "naclip")), expected, atol=1e-4, rtol=1e-4)
    assert expected.shape == (1, 6, 48)


@pytest.mark.parametrize("name", ["MobileCLIP-S", "MobileCLIP2-S3"])
def test_the_mean_over_cells_is_the_image_where_the_head_is_linear(tmp_path, name):
    network = family_folder(tmp_path, name)
    model = load(tmp_path, tmp_path)
    pixels = torch.randn(1, 3, model.image_size, model.image_size)
    with torch.inference_mode():
        cells = model.tower.cells(model.tower.tokens(pixels, "maskclip"))
        torch.testing.assert_close(cells.mean(1), network.encode_image(pixels), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(("height", "width"), [(333, 517), (581, 267)])
def test_a_bright_square_lights_the_cells_that_see_it(family, model, monkeypatch, height, width):
    """Convolutions see far, so how the centre of the change moves with the square is what tells where a cell looks."""
    monkeypatch.setattr(model, "_dense", "maskclip")
    monkeypatch.setattr(model, "max_width", 20 * model.patch_size)
    if model.patch_size > 32:
        height, width = 3 * height, 3 * width
    side = min(height, width) // 3
    centres = []
    for top, left in ((height // 6, width // 6), (height - height // 6 - side, width - width // 6 - side)):
        dark = np.full((height, width, 3), 30, np.uint8)
        lit = dark.copy()
        lit[top:top + side, left:left + side] = 250
        before, after = model.encode_dense([dark, lit])
        change = np.linalg.norm(after.values.astype(np.float32) - before.values.astype(np.float32), axis=2) ** 2
        rows = after.offset_y + after.stride_y * np.arange(change.shape[0])
        columns = after.offset_x + after.stride_x * np.arange(change.shape[1])
        inside = ((rows >= top) & (rows < top + side))[:, None] & ((columns >= left) & (columns < left + side))
        assert inside.any() and change[inside].mean() > 1.5 * change[~inside].mean()
        change = np.maximum(change - np.median(change), 0)  # attention spreads a little of it everywhere
        centres.append((change.sum(1) @ rows / change.sum(), change.sum(0) @ columns / change.sum()))
        assert rows[0] - after.stride_y / 2 == pytest.approx(-0.5)
        assert columns[-1] + after.stride_x / 2 == pytest.approx(width - 0.5)
    moved, went = np.subtract(centres[1], centres[0]), (height - height // 6 * 2 - side, width - width // 6 * 2 - side)
    assert (moved > np.multiply(went, 0.3)).all() and (moved < np.multiply(went, 1.3)).all()


@pytest.mark.parametrize("size", [(32, 32), (10, 4000), (1, 1), (480, 640)])
def test_any_size_is_seen_whole_and_without_nan(model, size):
    grid = model.encode_dense([picture(*size)])[0]
    assert grid.values.shape[:2] == model.cells(*size) and np.isfinite(grid.values).all()
    np.testing.assert_allclose(np.linalg.norm(grid.values.astype(np.float32), axis=2), 1, atol=2e-3)


def test_half_precision_says_the_same(family, model, tmp_path):
    half = load(family[1], tmp_path, placement=Placement(torch.device("cpu"), torch.bfloat16))
    rgb = picture(64, 96)
    assert (half.encode_crops([rgb]) @ model.encode_crops([rgb]).T).item() > 0.98
    assert half.encode_text(["mug"])[0] @ model.encode_text(["mug"])[0] > 0.98
    one, other = (each.encode_dense([rgb])[0].values.astype(np.float32) for each in (half, model))
    assert (one * other).sum(2).mean() > 0.98


@pytest.mark.parametrize(("name", "missing", "message"), [
    ("RoBERTa", "config.json", r"configuration of its text tower \(config.json\): copy the files of xlm-roberta-base"),
    ("NLLB", "tokenizer.json", r"no tokenizer \(tokenizer.json\).*copy the files of facebook/nllb-200-distilled-600M")])
def test_a_text_tower_without_its_files_is_named_with_the_cure(tmp_path, name, missing, message):
    family_folder(tmp_path, name)
    folder = next(path for path in tmp_path.iterdir() if path.is_dir())
    (folder / missing).unlink()
    with pytest.raises(ModelError, match=message) as error:
        load(tmp_path, tmp_path)
    assert "\n" not in str(error.value)


def test_a_text_towers_files_are_found_by_its_name(tmp_path):
    weights, elsewhere = tmp_path / "weights", tmp_path / "models"
    weights.mkdir()
    family_folder(weights, "RoBERTa")
    shutil.move(weights / "xlm-roberta-base", elsewhere)
    asked = []
    model = load(weights, tmp_path, find=lambda name: asked.append(name) or elsewhere)
    assert asked == ["xlm-roberta-base"] * 2 and np.isfinite(model.encode_text(["mug"])).all()


def test_where_no_cell_means_anything_alone_windows_are_shown_and_said(tmp_path, caplog):
    family_folder(tmp_path, "Swin")
    with caplog.at_level(logging.WARNING):
        model = load(tmp_path, tmp_path)
    assert "image tower (SwinTransformer)" in caplog.text and "overlapping windows" in caplog.text
    rgb = picture(96, 160)
    grid = model.encode_dense([rgb])[0].values.astype(np.float32)
    assert grid.shape[:2] == (3, 5)  # cells of 32 pixels, half of the side that it was trained on
    window = rgb[16:80, 48:112]  # around the cell of row 1, column 2
    np.testing.assert_allclose(grid[1, 2], model.encode_crops([window])[0], atol=2e-3)
    corner = rgb[0:48, 112:160]
    np.testing.assert_allclose(grid[0, 4], model.encode_crops([corner])[0], atol=2e-3)


def test_a_published_tag_is_found_by_the_file_that_it_names(tmp_path):
    from magic3d_ros.config import CueSettings
    from magic3d_ros.cues.foundation.open_clip_model import find_open_clip, published_at

    assert published_at("ViTamin-S:datacomp1b") == ("jienengchen/ViTamin-S", "pytorch_model.bin")
    assert published_at("RN50:openai") == ("timm/resnet50_clip.openai", "") and published_at("RN50:mine.pt") == ("", "")
    folder = tmp_path / "jienengchen" / "ViTamin-S"
    folder.mkdir(parents=True)
    cues = CueSettings(model_directory=str(tmp_path))
    (folder / "pytorch_model.bin").write_bytes(b"x")
    assert find_open_clip("ViTamin-S:datacomp1b", cues) == (folder / "pytorch_model.bin", "ViTamin-S:datacomp1b")
    (folder / "open_clip_config.json").write_text("{}")
    assert find_open_clip("ViTamin-S:datacomp1b", cues)[0] == folder / "pytorch_model.bin"
    (folder / "pytorch_model.bin").unlink()
    assert find_open_clip("ViTamin-S:datacomp1b", cues) == (folder, "")


def test_a_tag_is_listed_under_its_name_on_the_hub(tmp_path, monkeypatch):
    from magic3d_ros.config import Settings
    from magic3d_ros.cues.catalogue import entry

    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    settings = Settings()
    settings.cues.model_directory, settings.language.model = str(tmp_path), "ViT-B-16:laion2b_s34b_b88k"
    listed, hub = entry("language", settings), "laion/CLIP-ViT-B-16-laion2B-s34B-b88K"
    assert (listed.present, listed.place, listed.licence, listed.megabytes) == (False, str(tmp_path / hub), "MIT", 599)
    assert f"hf download {hub} --local-dir" in listed.cure and hub in listed.problem


def test_a_tags_own_preprocessing_and_activation_are_taken(tmp_path, monkeypatch):
    import open_clip

    config = {"embed_dim": 48, "vision_cfg": {"image_size": 64, "layers": 1, "width": 32, "head_width": 16, "patch_size": 16},
              "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1}}
    monkeypatch.setitem(open_clip.factory._MODEL_CONFIGS, "ViT-B-32", config)
    torch.manual_seed(0)
    torch.save(open_clip.CLIP(**config).state_dict(), tmp_path / "weights.pt")
    model = load(tmp_path / "weights.pt", tmp_path, architecture="ViT-B-32:openai")
    assert isinstance(model._network.visual.transformer.resblocks[0].mlp.gelu, open_clip.model.QuickGELU)
    plain = load(tmp_path / "weights.pt", tmp_path, architecture="ViT-B-32")
    assert isinstance(plain._network.visual.transformer.resblocks[0].mlp.gelu, torch.nn.GELU)


@pytest.mark.slow
def test_every_published_tag_has_cells_that_mean_something_alone():
    """Of the published sizes, without weights: 196 tags of 115 architectures in open_clip 3.3."""
    import open_clip
    from open_clip.model import _build_vision_tower

    from magic3d_ros.cues.foundation.open_clip_towers import tower_of

    for name in dict(open_clip.list_pretrained()):
        config = open_clip.get_model_config(name)
        with torch.device("meta"):
            visual = _build_vision_tower(config["embed_dim"], {**config["vision_cfg"], "timm_model_pretrained": False})
            assert tower_of(visual) is not None, name
