"""The compact predictor: sizes, scale, batches, and weights that are not its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from magic3d_ros.config import load_settings
from magic3d_ros.cues.embedded.compact_network import CANONICAL_FOCAL, CompactNetwork
from magic3d_ros.cues.embedded.compact_predictor import FORMAT, CompactPredictor, network_size
from magic3d_ros.cues.placement import Placement
from magic3d_ros.cues.tiers import load_geometry
from magic3d_ros.cues.weights import ModelError
from magic3d_ros.frames import FrameError

CPU = Placement(torch.device("cpu"))
NOTE = {"format": FORMAT, "canonical_focal": str(CANONICAL_FOCAL)}


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("weights") / "predictor.safetensors"
    torch.manual_seed(0)
    network = CompactNetwork(pretrained=False)
    torch.nn.init.normal_(network.answer.weight, std=0.05)
    save_file({name: tensor.half().contiguous() for name, tensor in network.state_dict().items()}, file, NOTE)
    return file


def _image(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height).integers(0, 256, (height, width, 3), np.uint8)


def test_it_fits_into_the_repository(weights: Path) -> None:
    assert weights.stat().st_size < 20e6


@pytest.mark.parametrize(("image", "network"), [((480, 640), (160, 224)), ((680, 1200), (128, 224)), ((1080, 1920), (128, 224)),
                                                ((32, 32), (192, 192)), ((640, 480), (224, 160)), ((8, 4000), (32, 512))])
def test_the_network_looks_at_a_size_near_the_image_shape(image: tuple[int, int], network: tuple[int, int]) -> None:
    assert network_size(*image) == network


def test_batches_of_any_sizes_answer_as_single_images_do(weights: Path) -> None:
    predictor = CompactPredictor(weights, CPU, batch=2)
    images = [_image(480, 640), _image(680, 1200), _image(48, 64), _image(32, 32), _image(96, 128)]
    together = predictor.geometry(images)
    for image, result in zip(images, together, strict=True):
        alone = predictor.geometry([image])[0]
        assert result.depth is not None and result.normals is not None and result.uncertainty is not None
        assert result.depth == pytest.approx(alone.depth, rel=1e-4)
        assert result.normals == pytest.approx(alone.normals, abs=1e-4)
        assert np.linalg.norm(result.normals, axis=-1) == pytest.approx(np.ones(result.depth.shape), abs=1e-4)
        assert (result.depth > 0).all() and (result.uncertainty > 0).all()
    assert predictor.geometry([]) == []


def test_the_answer_is_the_networks_own(weights: Path) -> None:
    network = CompactNetwork(pretrained=False)
    network.load_state_dict({name: tensor.float() for name, tensor in load_file(weights).items()})
    network.eval()
    image = _image(160, 224)  # the network's size: nothing is resized
    with torch.inference_mode():
        expected = network((torch.from_numpy(image).permute(2, 0, 1)[None].float() - 127) / 128)
    found = CompactPredictor(weights, CPU).geometry([image])[0]
    assert found.kind == "affine"
    assert found.depth == pytest.approx(expected.log_depth[0].exp().numpy(), rel=1e-4)
    assert found.uncertainty == pytest.approx(2**0.5 * expected.log_scale[0].exp().numpy(), rel=1e-4)


def test_the_focal_length_sets_the_scale(weights: Path) -> None:
    """Twice the focal length: the same picture is of things twice as far."""
    image = _image(480, 640)
    predictor = CompactPredictor(weights, CPU)
    near, far = predictor.geometry([image, image], [500.0, 1000.0])
    assert near.kind == far.kind == "affine"  # a guess of the scale, which nobody should take for a measurement
    assert near.depth is not None
    assert far.depth == pytest.approx(2 * near.depth, rel=1e-5)
    exact = predictor.geometry([_image(160, 224)], [CANONICAL_FOCAL])[0]
    assert exact.depth == pytest.approx(predictor.geometry([_image(160, 224)])[0].depth, rel=1e-5)
    larger = predictor.geometry([_image(160, 224).repeat(2, 0).repeat(2, 1)], [2 * CANONICAL_FOCAL])[0]
    assert larger.depth == pytest.approx(exact.depth, rel=1e-4)  # the same camera with more pixels


def test_wrong_weights_are_named(weights: Path, tmp_path: Path) -> None:
    tensors = load_file(weights)
    missing, other, cut = tmp_path / "missing.safetensors", tmp_path / "other.safetensors", tmp_path / "cut.safetensors"
    with pytest.raises(ModelError, match="magic3d train predictor"):
        CompactPredictor(missing, CPU)
    save_file(tensors, other, {"format": "pt"})
    with pytest.raises(ModelError, match="holds other weights"):
        CompactPredictor(other, CPU)
    cut.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(ModelError, match="no whole safetensors file"):
        CompactPredictor(cut, CPU)
    save_file(tensors, other, NOTE | {"canonical_focal": "500.0"})
    with pytest.raises(ModelError, match=r"500\.0"):
        CompactPredictor(other, CPU)
    save_file({name: tensor for name, tensor in tensors.items() if not name.startswith("answer")}, other, NOTE)
    with pytest.raises(ModelError, match="does not fit"):
        CompactPredictor(other, CPU)


def test_one_line_of_settings_chooses_it(weights: Path) -> None:
    settings = load_settings(None, {"depth.model": str(weights), "depth.device": "cpu"})
    predictor = load_geometry(settings)
    assert isinstance(predictor, CompactPredictor)
    assert predictor.name == "predictor.safetensors"


def test_arrays_that_are_no_images_are_refused(weights: Path) -> None:
    predictor = CompactPredictor(weights, CPU)
    for wrong in (np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4, 3), np.float32)):
        with pytest.raises(FrameError):
            predictor.geometry([wrong])
