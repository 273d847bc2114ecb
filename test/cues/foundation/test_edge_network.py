"""HED against its formula written out in numpy, from every kind of file that holds its weights."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from magic3d_ros.config import load_settings
from magic3d_ros.cues import tiers
from magic3d_ros.cues.foundation.edge_checkpoint import convert_keras
from magic3d_ros.cues.foundation.edge_network import HolisticEdges
from magic3d_ros.cues.placement import Placement
from magic3d_ros.cues.weights import ModelError
from magic3d_ros.frames import FrameError

CPU = Placement(torch.device("cpu"))
COUNTS, WIDTHS = (2, 2, 3, 3, 3), (4, 5, 6, 7, 8)
CAFFE_BGR = (104.00698793, 116.66876762, 122.67891434)
VGG = ("One", "Two", "Thr", "Fou", "Fiv")
FIRST_LAYER = [0, 1, 1, 1, 1]  # pytorch-hed: a pooling comes first in all blocks but one


@pytest.fixture(scope="module")
def layers():
    """Random kernels (out, in, 3, 3) and biases: {("block", b, k) | ("side", b) | ("fuse",): (kernel, bias)}."""
    draw = np.random.default_rng(3)
    made, before = {}, 3
    for b, (count, width) in enumerate(zip(COUNTS, WIDTHS, strict=True)):
        for k in range(count):
            scale = (0.02 if before == 3 else 0.6) / np.sqrt(before)
            made["block", b, k] = draw.normal(size=(width, before, 3, 3)) * scale, draw.normal(size=width) * 0.2
            before = width
        made["side", b] = draw.normal(size=(1, width, 1, 1)), draw.normal(size=1) * 0.2
    made["fuse",] = draw.normal(size=(1, 5, 1, 1)), draw.normal(size=1)
    return {name: tuple(a.astype(np.float32) for a in pair) for name, pair in made.items()}


def hed(layers, image, mean, rounding, fuse=None):
    """The formula. image (H, W, 3) in the network's order of colours; rounding of pooled sizes: np.ceil or np.floor."""
    x = (image.astype(np.float64) - mean).transpose(2, 0, 1)
    height, width = image.shape[:2]
    seen = []
    for b, count in enumerate(COUNTS):
        if b:
            rows, columns = (int(rounding(side / 2)) for side in x.shape[1:])
            x = np.stack([[x[:, 2 * r:2 * r + 2, 2 * c:2 * c + 2].max((1, 2)) for c in range(columns)] for r in range(rows)])
            x = x.transpose(2, 0, 1)
        for k in range(count):
            x = np.maximum(convolved(x, *layers["block", b, k]), 0.0)
        kernel, bias = layers["side", b]
        seen.append(enlarged(np.tensordot(kernel[0, :, 0, 0], x, 1) + bias[0], height, width))
    kernel, bias = layers["fuse",] if fuse is None else fuse
    return 1.0 / (1.0 + np.exp(-(np.tensordot(kernel.ravel(), np.stack(seen), 1) + bias[0])))


def convolved(x, kernel, bias):
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1)))
    height, width = x.shape[1:]
    out = sum(np.einsum("oi,ihw->ohw", kernel[:, :, r, c], padded[:, r:r + height, c:c + width])
              for r in range(3) for c in range(3))
    return out + bias[:, None, None]


def enlarged(small, height, width):
    """Bilinear, pixels are areas: the middle of output pixel i lies at (i + .5) n / N - .5."""
    def place(count, out):
        at = np.clip((np.arange(out) + 0.5) * count / out - 0.5, 0, count - 1)
        low = np.floor(at).astype(int)
        return low, np.minimum(low + 1, count - 1), at - low

    (top, below, down), (left, right, across) = place(small.shape[0], height), place(small.shape[1], width)
    rows = small[top] * (1 - down)[:, None] + small[below] * down[:, None]
    return rows[:, left] * (1 - across) + rows[:, right] * across


def plain(layers):
    names = {"block": lambda b, k: f"block{b + 1}.{k}", "side": lambda b: f"side{b + 1}", "fuse": lambda: "fuse"}
    return named(layers, names)


def pytorch_hed(layers, prefix="module"):
    return named(layers, {"block": lambda b, k: f"{prefix}Vgg{VGG[b]}.{FIRST_LAYER[b] + 2 * k}",
                          "side": lambda b: f"{prefix}Score{VGG[b]}", "fuse": lambda: f"{prefix}Combine.0"})


def controlnet(layers):
    names = {"block": lambda b, k: f"block{b + 1}.convs.{k}", "side": lambda b: f"block{b + 1}.projection"}
    made = named({name: pair for name, pair in layers.items() if name[0] != "fuse"}, names)
    return made | {"norm": torch.tensor([10.0, 20.0, 30.0]).view(1, 3, 1, 1)}


def named(layers, names):
    return {f"{names[name[0]](*name[1:])}.{part}": torch.from_numpy(values)
            for name, pair in layers.items() for part, values in zip(("weight", "bias"), pair, strict=True)}


def write_keras(path, layers, changed=None):
    h5py = pytest.importorskip("h5py", reason="h5py is not installed: Keras files are not tested")
    names = {"block": lambda b, k: f"block{b + 1}/layers/conv2d{f'_{k}' if k else ''}", "side": lambda b: f"dsn{b + 1}",
             "fuse": lambda: "fuse"}
    with h5py.File(path, "w") as file:
        for name, (kernel, bias) in layers.items():
            where = names[name[0]](*name[1:])
            file[f"{where}/vars/0"], file[f"{where}/vars/1"] = kernel.transpose(2, 3, 1, 0), bias
        for name, values in (changed or {}).items():
            del file[name]
            if values is not None:
                file[name] = values
    return path


def picture(height=37, width=51):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def assert_shows(edges, probability):
    assert edges.dtype == np.uint8 and edges.shape == probability.shape
    assert np.ptp(probability) > 0.3  # it would not tell much of a grey image
    np.testing.assert_allclose(edges, 255 * probability, atol=0.51)


def test_our_own_file_follows_the_formula(layers, tmp_path):
    save_file(plain(layers), tmp_path / "hed.safetensors")
    network = HolisticEdges(tmp_path / "hed.safetensors", CPU)
    assert network.name == "hed.safetensors"
    assert_shows(network.edges([picture()])[0], hed(layers, picture()[..., ::-1], CAFFE_BGR, np.ceil))


def test_hed_tensors_keras_file_follows_the_formula_and_is_converted(layers, tmp_path):
    keras = write_keras(tmp_path / "hed.weights.h5", layers)
    expected = hed(layers, picture()[..., ::-1], CAFFE_BGR, np.ceil)
    assert_shows(HolisticEdges(keras, CPU).edges([picture()])[0], expected)
    convert_keras(keras, tmp_path / "converted.safetensors")
    assert_shows(HolisticEdges(tmp_path / "converted.safetensors", CPU).edges([picture()])[0], expected)


@pytest.mark.parametrize("prefix", ["module", "net"])
def test_pytorch_hed_pools_to_smaller_sizes(layers, tmp_path, prefix):
    torch.save(pytorch_hed(layers, prefix), tmp_path / "network-bsds500.pytorch")
    edges = HolisticEdges(tmp_path / "network-bsds500.pytorch", CPU).edges([picture()])[0]
    assert_shows(edges, hed(layers, picture()[..., ::-1], CAFFE_BGR, np.floor))
    assert np.abs(edges - 255 * hed(layers, picture()[..., ::-1], CAFFE_BGR, np.ceil)).max() > 2  # it is not the same as above


def test_controlnets_hed_takes_red_first_has_its_own_mean_and_no_fusion(layers, tmp_path):
    torch.save(controlnet(layers), tmp_path / "ControlNetHED.pth")
    mean_of_sides = np.full((1, 5, 1, 1), 0.2), np.zeros(1)
    assert_shows(HolisticEdges(tmp_path / "ControlNetHED.pth", CPU).edges([picture()])[0],
                 hed(layers, picture(), (10.0, 20.0, 30.0), np.floor, mean_of_sides))


def test_batches_of_several_sizes_say_what_single_images_say(layers, tmp_path):
    save_file(plain(layers), tmp_path / "hed.safetensors")
    network = HolisticEdges(tmp_path / "hed.safetensors", CPU, batch=2)
    images = [picture(), picture(40, 30), picture()[::-1].copy(), picture()[:, ::-1].copy()]
    for image, edges in zip(images, network.edges(images), strict=True):
        assert np.abs(edges.astype(int) - network.edges([image])[0]).max() <= 1
    assert network.edges([picture(480, 640)])[0].shape == (240, 320)
    assert network.edges([picture(3, 700)])[0].shape == (16, 320)  # what four poolings leave something of
    network.max_width = 160  # as when memory did not suffice
    assert network.edges([picture(480, 640)])[0].shape == (120, 160)
    with pytest.raises(FrameError, match="uint8"):
        network.edges([np.zeros((20, 20, 3))])


def test_other_files_are_named(layers, tmp_path):
    def refused(tensors):
        save_file(tensors, tmp_path / "wrong.safetensors")
        with pytest.raises(ModelError) as caught:
            HolisticEdges(tmp_path / "wrong.safetensors", CPU)
        assert "wrong.safetensors" in str(caught.value) and "\n" not in str(caught.value)
        return str(caught.value)

    ours = plain(layers)
    assert "moduleVggOne.0.weight" in refused({"some.weight": torch.zeros(3)})
    assert "lacks side3.bias" in refused({name: t for name, t in ours.items() if name != "side3.bias"})
    assert "lacks block4.projection.weight" in refused({n: t for n, t in controlnet(layers).items() if "4.projection.w" not in n})
    assert "also holds extra" in refused(ours | {"extra": torch.zeros(1)})
    assert "other sizes for blocks.1.0.weight" in refused(ours | {"block2.0.weight": torch.zeros(5, 3, 3, 3)})
    assert "other sizes for" in refused(ours | {"block1.0.weight": torch.zeros(4)})
    assert "other sizes for block5.2.bias" in refused(ours | {"block5.2.bias": torch.zeros(512 * 512 * 9 + 1)})
    (tmp_path / "cut.safetensors").write_bytes((tmp_path / "wrong.safetensors").read_bytes()[:500])
    with pytest.raises(ModelError, match="truncated"):
        HolisticEdges(tmp_path / "cut.safetensors", CPU)
    torch.save({"block1.0.weight": object()}, tmp_path / "objects.pth")
    with pytest.raises(ModelError, match="Python objects"):
        HolisticEdges(tmp_path / "objects.pth", CPU)


def test_keras_files_that_do_not_fit_are_named(layers, tmp_path):
    file = tmp_path / "hed.weights.h5"
    for changed, reason in (({"dsn4/vars/1": None}, "lacks dsn4/vars/1"),
                            ({"fuse/vars/0": np.zeros(5, np.float32)}, r"fuse/vars/0 is float32 of shape \(5,\)"),
                            ({"dsn1/vars/1": np.array([b"x"])}, "dsn1/vars/1 is"),
                            ({"dsn1/vars/1": np.zeros(2_400_000, np.float32)}, r"of shape \(2400000,\)")):
        with pytest.raises(ModelError, match=reason):
            HolisticEdges(write_keras(file, layers, changed), CPU)
    file.write_bytes(file.read_bytes()[:2000])
    with pytest.raises(ModelError, match="cannot be read as a Keras file"):
        HolisticEdges(file, CPU)


def test_without_h5py_a_keras_file_says_what_reads_it(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(ModelError, match="pip install h5py"):
        HolisticEdges(tmp_path / "hed.weights.h5", CPU)


def test_the_settings_name_a_file_or_a_folder_with_one(layers, tmp_path):
    folder = tmp_path / "hed"
    folder.mkdir()
    torch.save(controlnet(layers), folder / "ControlNetHED.pth")
    for model in (folder, folder / "ControlNetHED.pth"):
        assert tiers.load_edges(load_settings(None, {"edges.model": str(model)})).edges([picture()])[0].shape == (37, 51)
    for tier in ("embedded", "foundation"):
        assert tiers.load("edges", load_settings(None, {"cues.tier": tier})) is None
    with pytest.raises(ModelError, match="no model of edges"):
        tiers.load("edges", load_settings(None, {"edges.model": "embedded"}))
    with pytest.raises(ModelError, match="is not on this machine"):
        tiers.load("edges", load_settings(None, {"edges.model": str(tmp_path / "nothing.pth")}))
