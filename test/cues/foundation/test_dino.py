"""DINOv2 and DINOv3 from tiny random checkpoints in the real format."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
import transformers
from transformers.models.bit.image_processing_pil_bit import BitImageProcessorPil

from magic3d_ros.cues.foundation.dino import DinoFeatures
from magic3d_ros.cues.placement import Placement
from magic3d_ros.cues.weights import ModelError
from magic3d_ros.frames import FrameError

CPU = Placement(torch.device("cpu"))
VIT = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
NETWORKS = {
    "dinov2": lambda: transformers.Dinov2Model(transformers.Dinov2Config(**VIT, image_size=70, patch_size=14)),
    "dinov2_with_registers": lambda: transformers.Dinov2WithRegistersModel(
        transformers.Dinov2WithRegistersConfig(**VIT, image_size=70, patch_size=14, num_register_tokens=4)),
    "dinov3_vit": lambda: transformers.DINOv3ViTModel(
        transformers.DINOv3ViTConfig(**VIT, intermediate_size=64, image_size=64, patch_size=16, num_register_tokens=4)),
    "dinov3_convnext": lambda: transformers.DINOv3ConvNextModel(
        transformers.DINOv3ConvNextConfig(hidden_sizes=[8, 16, 24, 32], depths=[1, 1, 1, 1])),
}
PREFIX = {"dinov2": 1, "dinov2_with_registers": 5, "dinov3_vit": 5, "dinov3_convnext": 1}
IMAGENET = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225], "rescale_factor": 1 / 255}


@pytest.fixture(scope="module", params=list(NETWORKS))
def folder(request, tmp_path_factory):
    return checkpoint(request.param, tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="module")
def dinov2(tmp_path_factory):
    return checkpoint("dinov2", tmp_path_factory.mktemp("plain"))


def checkpoint(kind, folder):
    """As on the hub: config.json, model.safetensors, preprocessor_config.json."""
    torch.manual_seed(0)
    NETWORKS[kind]().save_pretrained(folder)
    if kind.startswith("dinov3"):
        values = {**IMAGENET, "image_processor_type": "DINOv3ViTImageProcessorFast", "resample": 2,
                  "size": {"height": 224, "width": 224}}
    else:
        values = {**IMAGENET, "image_processor_type": "BitImageProcessor", "resample": 3, "size": {"shortest_edge": 256},
                  "crop_size": {"height": 224, "width": 224}, "do_center_crop": True}
    (folder / "preprocessor_config.json").write_text(json.dumps(values))
    return folder


def picture(height, width, seed=0):
    """Smooth blobs and noise: differs under every resampling."""
    generator = np.random.default_rng(seed)
    coarse = generator.integers(0, 256, (height // 16 + 1, width // 16 + 1, 3)).astype(np.uint8)
    return np.clip(np.kron(coarse, np.ones((16, 16, 1)))[:height, :width] + generator.normal(0, 8, (height, width, 3)), 0,
                   255).astype(np.uint8)


def kind_of(folder):
    return json.loads((folder / "config.json").read_text())["model_type"]


@pytest.mark.parametrize("size", [(211, 337), (337, 211), (97, 640)])
def test_tokens_equal_the_librarys_own_call(folder, size):
    model = DinoFeatures(folder, CPU)
    rgb = picture(*size)
    rows, columns = model.cells(*size)
    patch = model.patch_size
    pixels = model._preprocessing.pixel_values(rgb, rows * patch, columns * patch)
    with torch.no_grad():
        states = transformers.AutoModel.from_pretrained(folder)(pixel_values=pixels[None]).last_hidden_state
    expected = states[0, PREFIX[kind_of(folder)]:].reshape(rows, columns, -1)
    assert torch.allclose(model.tokens([rgb])[0], expected, atol=1e-4)
    grid = model.features([rgb])[0]
    assert grid.values.dtype == np.float16 and grid.values.shape == (rows, columns, model.dimension)
    assert np.abs(grid.values.astype(np.float32) - expected.numpy()).max() < 4e-3  # half a float16 step at 4


@pytest.mark.parametrize("size", [(211, 337), (480, 640), (33, 20)])
def test_dinov2_pixels_equal_the_official_processors(dinov2, size):
    model = DinoFeatures(dinov2, CPU)
    height, width = (14 * cells for cells in model.cells(*size))
    official = BitImageProcessorPil.from_pretrained(dinov2)
    expected = official(picture(*size), do_center_crop=False, size={"height": height, "width": width}, return_tensors="pt")
    found = model._preprocessing.pixel_values(picture(*size), height, width)
    assert torch.allclose(found, expected["pixel_values"][0], atol=1e-5)


@pytest.mark.parametrize("size", [(211, 337), (480, 640), (33, 20)])
def test_dinov3_pixels_equal_the_official_processors(tmp_path, size, torchvision):
    from transformers.models.dinov3_vit.image_processing_dinov3_vit import DINOv3ViTImageProcessor

    model = DinoFeatures(checkpoint("dinov3_vit", tmp_path), CPU)
    height, width = (16 * cells for cells in model.cells(*size))
    official = DINOv3ViTImageProcessor.from_pretrained(tmp_path)
    expected = official(picture(*size), size={"height": height, "width": width}, return_tensors="pt")["pixel_values"][0]
    assert torch.allclose(model._preprocessing.pixel_values(picture(*size), height, width), expected, atol=1e-5)


@pytest.mark.parametrize("size", [(211, 337), (337, 211), (97, 640), (700, 1301)])
def test_a_bright_square_lights_the_cells_that_say_they_see_it(folder, size):
    model = DinoFeatures(folder, CPU, max_width=448)
    height, width = size
    dark = np.full((height, width, 3), 30, np.uint8)
    lit = dark.copy()
    top, bottom, left, right = int(0.2 * height), int(0.63 * height), int(0.31 * width), int(0.74 * width)
    lit[top:bottom, left:right] = 230
    quiet, loud = model.features([dark, lit])
    change = np.linalg.norm(loud.values.astype(np.float32) - quiet.values, axis=-1)
    y = quiet.offset_y + quiet.stride_y * np.arange(change.shape[0])
    x = quiet.offset_x + quiet.stride_x * np.arange(change.shape[1])
    assert x[0] - quiet.stride_x / 2 == pytest.approx(-0.5) and x[-1] + quiet.stride_x / 2 == pytest.approx(width - 0.5)
    assert y[0] - quiet.stride_y / 2 == pytest.approx(-0.5) and y[-1] + quiet.stride_y / 2 == pytest.approx(height - 0.5)
    inside = inner(y, quiet.stride_y, top, bottom)[:, None] & inner(x, quiet.stride_x, left, right)[None]
    outside = outer(y, quiet.stride_y, top, bottom)[:, None] | outer(x, quiet.stride_x, left, right)[None]
    if kind_of(folder) == "dinov3_convnext":  # sees far beyond a cell: only the middle is sure
        weight = np.where(change > 0.5 * change.max(), change, 0)
    else:
        assert inside.any() and outside.any()
        assert change[inside].min() > 2 * change[outside].max()
        weight = np.where(outside, 0, change)
    middle = (weight * y[:, None]).sum() / weight.sum(), (weight * x[None]).sum() / weight.sum()
    assert abs(middle[0] - (top + bottom - 1) / 2) < quiet.stride_y / 2
    assert abs(middle[1] - (left + right - 1) / 2) < quiet.stride_x / 2


def inner(centres, stride, low, high):
    """Cells that lie within low..high altogether."""
    return (centres - stride / 2 >= low) & (centres + stride / 2 <= high - 1)


def outer(centres, stride, low, high):
    """Cells that lie outside by more than the two pixels that bicubic resampling reaches."""
    return (centres + stride / 2 < low - 2 * stride / 14) | (centres - stride / 2 > high - 1 + 2 * stride / 14)


def test_grids_are_exact():
    """Expected values by hand: 337 x 211 to 24 x 15 patches of 14."""
    from magic3d_ros.cues.foundation.dino import _grid

    grid = _grid(np.zeros((15, 24, 1), np.float16), np.zeros((211, 337, 3), np.uint8))
    assert grid.stride_x == pytest.approx(14.041667) and grid.stride_y == pytest.approx(14.066667)
    assert grid.offset_x == pytest.approx(6.520833) and grid.offset_y == pytest.approx(6.533333)


def test_mixed_sizes_in_one_call_equal_one_by_one(dinov2):
    model = DinoFeatures(dinov2, CPU, batch=2)
    images = [picture(*size, seed) for seed, size in enumerate([(60, 80), (98, 70), (60, 80), (60, 80), (98, 70)])]
    for together, rgb in zip(model.tokens(images), images, strict=True):
        assert torch.allclose(together, model.tokens([rgb])[0], atol=1e-5)
    assert model.features([]) == []


def test_the_longer_side_is_capped(dinov2):
    model = DinoFeatures(dinov2, CPU, max_width=280)
    assert model.cells(480, 640) == (15, 20) and model.cells(640, 480) == (20, 15)
    assert model.cells(32, 32) == (2, 2) and model.cells(10, 2000) == (1, 20)
    grid = model.features([np.zeros((4320, 7680, 3), np.uint8)])[0]
    assert grid.values.shape == (11, 20, 32) and grid.stride_x == 384


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_stays_near(folder, dtype):
    rgb = picture(98, 140)
    exact = DinoFeatures(folder, CPU).tokens([rgb])[0]
    half = DinoFeatures(folder, Placement(torch.device("cpu"), dtype)).tokens([rgb])[0]
    assert half.dtype == dtype
    cosine = torch.nn.functional.cosine_similarity(exact, half.float(), dim=-1)
    assert cosine.min() > 0.99


def test_images_that_are_none(dinov2):
    model = DinoFeatures(dinov2, CPU)
    for image, words in [(np.zeros((32, 32), np.uint8), "grey"), (np.zeros((32, 32, 1), np.uint8), "grey"),
                         (np.zeros((32, 32, 4), np.uint8), "RGBA"), (np.zeros((32, 32, 3), np.float32), "uint8"),
                         (np.zeros((0, 32, 3), np.uint8), "at least one pixel")]:
        with pytest.raises(FrameError, match=words):
            model.features([image])


def test_folders_that_are_no_dino(tmp_path, dinov2):
    def broken(name, change):
        folder = tmp_path / name
        folder.mkdir()
        for file in dinov2.iterdir():
            (folder / file.name).write_bytes(file.read_bytes())
        change(folder)
        with pytest.raises(ModelError) as caught:
            DinoFeatures(folder, CPU)
        assert "\n" not in str(caught.value) and name in str(caught.value)
        return str(caught.value)

    def rewrite(folder, **values):
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**config, **values}))

    def truncate(folder):
        weights = folder / "model.safetensors"
        weights.write_bytes(weights.read_bytes()[:-100])

    assert "truncated" in broken("cut", truncate)
    assert "no weights" in broken("empty", lambda folder: (folder / "model.safetensors").unlink())
    assert "preprocessor_config.json" in broken("unprepared", lambda folder: (folder / "preprocessor_config.json").unlink())
    assert "holds a sam model" in broken("sam", lambda folder: rewrite(folder, model_type="sam"))
    assert "other sizes" in broken("wide", lambda folder: rewrite(folder, hidden_size=48))
    assert "lacks" in broken("deep", lambda folder: rewrite(folder, num_hidden_layers=3))
    assert "lacks" in broken("kin", lambda folder: rewrite(folder, model_type="dinov2_with_registers"))
    with pytest.raises(ModelError, match=r"config\.json"):
        DinoFeatures(tmp_path / "nowhere", CPU)


@pytest.mark.gpu
def test_the_same_on_a_gpu(dinov2):
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    rgb = picture(211, 337)
    on_gpu = DinoFeatures(dinov2, Placement(torch.device("cuda"))).tokens([rgb])[0].cpu()
    assert torch.allclose(on_gpu, DinoFeatures(dinov2, CPU).tokens([rgb])[0], atol=1e-3)
