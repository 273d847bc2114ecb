from __future__ import annotations

import functools
import importlib.util
import json
import sys
import types

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from magic3d_ros.config import Settings
from magic3d_ros.cues import tiers
from magic3d_ros.cues.foundation.depth_anything_3 import DepthAnything3, input_size, pixel_values
from magic3d_ros.cues.placement import Placement
from magic3d_ros.cues.weights import ModelError
from magic3d_ros.frames import FrameError

CPU = Placement(torch.device("cpu"))
WIDTH = 32
ANY_VIEW = {"net": {"name": "vits", "out_layers": [0, 1, 2, 3], "alt_start": 2, "qknorm_start": 2, "rope_start": 2,
                    "cat_token": True},
            "head": {"dim_in": 2 * WIDTH, "output_dim": 2, "features": 16, "out_channels": [8] * 4},
            "cam_enc": {"dim_out": WIDTH, "num_heads": 2, "trunk_depth": 1}, "cam_dec": {"dim_in": 2 * WIDTH}}
ONE_VIEW = {"net": {"name": "vits", "out_layers": [0, 1, 2, 3], "cat_token": False},
            "head": {"dim_in": WIDTH, "output_dim": 1, "features": 16, "out_channels": [8] * 4}}
OBJECTS = {"net": ("dinov2.dinov2", "DinoV2"), "cam_enc": ("cam_enc", "CameraEnc"), "cam_dec": ("cam_dec", "CameraDec")}


def image(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Smooth, so that resizing leaves something to tell apart."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    return np.kron(coarse, np.ones((-(-height // 6), -(-width // 6), 1), np.uint8))[:height, :width]


def made_of(module: str, name: str) -> dict[str, dict[str, str]]:
    return {"__object__": {"path": f"depth_anything_3.model.{module}", "name": name, "args": "as_params"}}


@pytest.fixture
def published(tmp_path, monkeypatch):
    """Writes a checkpoint as the package's save_pretrained does, of a few small layers under a published name. Returns the
    folder and the package's own network."""
    pytest.importorskip("depth_anything_3.model.da3", reason="depth-anything-3 is not installed: its networks are not tested")
    from depth_anything_3.cfg import create_object, load_config
    from depth_anything_3.model.dinov2 import dinov2
    from depth_anything_3.model.dinov2.vision_transformer import DinoVisionTransformer
    from depth_anything_3.registry import MODEL_REGISTRY
    from huggingface_hub import PyTorchModelHubMixin

    class Published(torch.nn.Module, PyTorchModelHubMixin):
        """As api.py has it, without what it imports for the web and for videos."""

        def __init__(self, model_name: str = "da3-large", **_kwargs):
            super().__init__()
            self.model = create_object(load_config(MODEL_REGISTRY[model_name])).eval()

    def write(name: str):
        parts = ONE_VIEW if name.startswith(("da3mono", "da3metric")) else ANY_VIEW
        objects = {**OBJECTS, "head": ("dpt", "DPT") if parts is ONE_VIEW else ("dualdpt", "DualDPT")}
        config = {part: {**made_of(*objects[part]), **values} for part, values in parts.items()}
        config.update(made_of("da3", "DepthAnything3Net"))
        (tmp_path / "architecture.yaml").write_text(json.dumps(config))  # YAML reads JSON
        monkeypatch.setitem(MODEL_REGISTRY, name, str(tmp_path / "architecture.yaml"))
        monkeypatch.setattr(dinov2, "vit_small", functools.partial(DinoVisionTransformer, embed_dim=WIDTH, depth=4, num_heads=2))
        torch.manual_seed(0)
        model = Published(model_name=name)
        for weight in model.parameters():
            torch.nn.init.normal_(weight, std=0.15)
        folder = tmp_path / name.upper()
        model.save_pretrained(folder)
        assert json.loads((folder / "config.json").read_text())["model_name"] == name
        return folder, model.model
    return write


def by_the_package(network, rgb: np.ndarray) -> dict[str, torch.Tensor]:
    with torch.no_grad():
        return network(pixel_values(rgb)[None, None])


@pytest.mark.parametrize("size", [(48, 64), (480, 640), (700, 333), (504, 378), (504, 504), (1300, 1000), (380, 2000), (9, 640)])
def test_pixels_are_the_package_s(size, torchvision, monkeypatch):
    pytest.importorskip("depth_anything_3.cfg", reason="depth-anything-3 is not installed: its input processor is not compared")
    if importlib.util.find_spec("imageio") is None:  # only named beside the input processor, for reading videos
        monkeypatch.setitem(sys.modules, "imageio", types.ModuleType("imageio"))
    from depth_anything_3.utils.io.input_processor import InputProcessor

    rgb = np.random.default_rng(1).integers(0, 256, (*size, 3), dtype=np.uint8)
    expected = InputProcessor()(image=[rgb], num_workers=1)[0][0]
    assert tuple(expected.shape[1:]) == input_size(*size)
    np.testing.assert_allclose(pixel_values(rgb), expected, atol=1e-6)


@pytest.mark.parametrize("size", [(48, 64), (160, 101)])
@pytest.mark.parametrize("name", ["da3-small", "da3-base", "da3-large"])
def test_any_view_model_is_the_package_s(published, name, size):
    folder, network = published(name)
    rgb = image(*size)
    expected = by_the_package(network, rgb)["depth"][0, 0].numpy()
    found = DepthAnything3(folder, CPU).geometry([rgb], focal_lengths=[50.0])[0]
    assert found.kind == "affine" and found.depth.dtype == np.float32
    assert np.ptp(expected) > 0.01 * expected.mean()
    np.testing.assert_allclose(found.depth, expected, atol=1e-4, rtol=1e-4)


def test_mono_model_is_the_package_s_but_for_the_sky(published):
    folder, network = published("da3mono-large")
    rgb = image(60, 80)
    expected = by_the_package(network, rgb)
    sky = expected["sky"][0, 0].numpy() >= 0.3
    found = DepthAnything3(folder, CPU).geometry([rgb])[0]
    assert 0.02 < sky.mean() < 0.98
    np.testing.assert_allclose(found.depth[~sky], expected["depth"][0, 0].numpy()[~sky], atol=1e-4, rtol=1e-4)
    assert (found.depth[sky] == 0).all() and found.kind == "affine"


def test_metres_follow_the_focal_length(published):
    """By the package's README: metres = focal length in pixels * output / 300. 126 pixels are seen four times as wide."""
    folder, network = published("da3metric-large")
    model, rgb = DepthAnything3(folder, CPU), image(84, 126)
    expected = by_the_package(network, rgb)
    ground = expected["sky"][0, 0].numpy() < 0.3
    found, canonical = model.geometry([rgb], focal_lengths=[150.0])[0], model.geometry([rgb])[0]
    assert model.kind == found.kind == "metric" and canonical.kind == "affine"
    np.testing.assert_allclose(found.depth[ground], 2.0 * expected["depth"][0, 0].numpy()[ground], rtol=1e-4)
    np.testing.assert_allclose(found.depth, 2.0 * canonical.depth, rtol=1e-6)


@pytest.mark.parametrize("name", ["da3-small", "da3mono-large"])
def test_a_batch_says_what_single_images_say(published, name):
    """Sizes mixed; the sky of one image has no part in another's depth."""
    model = DepthAnything3(published(name)[0], CPU, batch=2)
    images = [image(40, 56, 1), image(56, 40, 2), image(80, 112, 3), image(40, 56, 4)]
    for rgb, found in zip(images, model.geometry(images), strict=True):
        np.testing.assert_allclose(found.depth, model.geometry([rgb])[0].depth, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("size", [(97, 131), (260, 170)])
def test_a_bright_square_stays_where_it_is(published, size):
    """The window of the square's size whose depth changes most with it is where it is, within two patches of the network."""
    model = DepthAnything3(published("da3-small")[0], CPU)
    rgb = np.full((*size, 3), 90, np.uint8)
    plain = np.log(model.geometry([rgb])[0].depth)
    rgb[60:90, 20:50] = 255
    change = np.abs(np.log(model.geometry([rgb])[0].depth) - plain)
    pixel = change.shape[1] / size[1]  # of the image, in the network's
    windows = cv2.blur(change, (round(30 * pixel), round(30 * pixel)), borderType=cv2.BORDER_CONSTANT)
    row, column = np.unravel_index(windows.argmax(), windows.shape)
    assert np.abs([row - 75 * pixel, column - 35 * pixel]).max() < 28
    assert windows.max() > 3 * np.median(change)


def test_half_precision_stays_near(published):
    folder, _ = published("da3-small")
    rgb = image(60, 80)
    whole = DepthAnything3(folder, CPU).geometry([rgb])[0].depth
    half = DepthAnything3(folder, Placement(torch.device("cpu"), torch.bfloat16)).geometry([rgb])[0].depth
    assert half.dtype == np.float32
    assert np.corrcoef(whole.ravel(), half.ravel())[0, 1] > 0.99


def test_the_tier_finds_it(published):
    settings = Settings()
    settings.depth.model = str(published("da3metric-large")[0])
    assert isinstance(tiers.load("depth", settings), DepthAnything3)


def test_gaussians_beside_the_depth_do_no_harm(published):
    folder, _ = published("da3-giant")
    file = folder / "model.safetensors"
    save_file({**load_file(file), "model.gs_head.projects.0.weight": torch.zeros(1)}, file)
    assert DepthAnything3(folder, CPU).kind == "affine"


@pytest.mark.parametrize(("change", "message"), [
    (lambda weights: weights.pop("model.head.projects.0.weight"), r"lacks head\.projects\.0\.weight"),
    (lambda weights: weights.update({"model.more.weight": torch.zeros(1)}), r"also holds more\.weight"),
    (lambda weights: weights.update({"model.head.projects.0.bias": torch.zeros(3)}), r"other sizes for head\.projects\.0\.bias")])
def test_other_weights_are_named(published, change, message):
    folder, _ = published("da3-small")
    weights = load_file(folder / "model.safetensors")
    change(weights)
    save_file(weights, folder / "model.safetensors")
    with pytest.raises(ModelError, match=message):
        DepthAnything3(folder, CPU)


def test_bad_input_is_named(published):
    folder, _ = published("da3-small")
    model = DepthAnything3(folder, CPU)
    with pytest.raises(FrameError, match="grey"):
        model.geometry([np.zeros((40, 40), np.uint8)])
    with pytest.raises(FrameError, match="too elongated"):
        model.geometry([image(10, 2000)])
    with pytest.raises(ValueError, match="1 focal lengths for 2 images"):
        model.geometry([image(40, 40)] * 2, focal_lengths=[50.0])


@pytest.mark.parametrize(("name", "message"), [("da3nested-giant-large", "DA3METRIC-LARGE"), ("da3-huge", "called 'da3-huge'")])
def test_other_models_are_named(tmp_path, name, message):
    (tmp_path / "config.json").write_text(json.dumps({"model_name": name}))
    with pytest.raises(ModelError, match=message):
        DepthAnything3(tmp_path, CPU)


def test_truncated_weights_are_named(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"model_name": "da3-small"}))
    with pytest.raises(ModelError, match="holds no weights"):
        DepthAnything3(tmp_path, CPU)
    file = tmp_path / "model.safetensors"
    save_file({"model.weight": torch.zeros(100)}, file)
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(ModelError, match="truncated"):
        DepthAnything3(tmp_path, CPU)


def test_without_the_package_one_line_says_what_to_install(tmp_path, monkeypatch):
    (tmp_path / "config.json").write_text(json.dumps({"model_name": "da3-small"}))
    save_file({"model.weight": torch.zeros(1)}, tmp_path / "model.safetensors")
    monkeypatch.setitem(sys.modules, "depth_anything_3.cfg", None)
    with pytest.raises(ModelError, match=r"pip install --no-deps depth-anything-3==0\.1\.1"):
        DepthAnything3(tmp_path, CPU)
