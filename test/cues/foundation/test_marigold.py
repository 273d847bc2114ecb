from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from PIL import Image

from magic3d_ros.cues.foundation.marigold import SEED, Marigold, camera_normals
from magic3d_ros.cues.placement import Placement
from magic3d_ros.cues.weights import ModelError
from magic3d_ros.frames import FrameError

CPU = Placement(torch.device("cpu"))


def image(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.fixture
def checkpoint(tmp_path):
    """Writes a tiny Marigold in the format of its checkpoints."""
    def write(kind: str = "MarigoldDepthPipeline", scheduler: str = "DDIMScheduler", **options):
        diffusers = pytest.importorskip("diffusers", reason="diffusers is not installed: Marigold is not tested")
        from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

        torch.manual_seed(0)
        words = tmp_path / "words"
        words.mkdir()
        (words / "vocab.json").write_text(json.dumps({"<|startoftext|>": 0, "<|endoftext|>": 1, "a</w>": 2}))
        (words / "merges.txt").write_text("#version: 0.2\n")
        tokenizer = CLIPTokenizer(str(words / "vocab.json"), str(words / "merges.txt"), model_max_length=8)
        unet = diffusers.UNet2DConditionModel(
            block_out_channels=(8, 16), layers_per_block=1, sample_size=8, in_channels=8, out_channels=4, cross_attention_dim=16,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
            attention_head_dim=4, norm_num_groups=4)
        vae = diffusers.AutoencoderKL(block_out_channels=(8, 16), in_channels=3, out_channels=3, latent_channels=4,
                                      down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2,
                                      norm_num_groups=4)
        text = CLIPTextModel(CLIPTextConfig(hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2,
                                            vocab_size=3, max_position_embeddings=8, bos_token_id=0, eos_token_id=1))
        made = {"depth": {"prediction_type": "depth"}, "normals": {"prediction_type": "normals"}}[
            "depth" if "Depth" in kind else "normals"]
        pipeline = getattr(diffusers, kind)(
            unet, vae, getattr(diffusers, scheduler)(prediction_type="v_prediction"), text, tokenizer,
            default_denoising_steps=2, default_processing_resolution=32, **{**made, **options})
        folder = tmp_path / "model"
        pipeline.save_pretrained(folder)
        return folder
    return write


def reference(kind: str, folder, rgb: np.ndarray, **options):
    import diffusers

    pipeline = getattr(diffusers, kind).from_pretrained(folder)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline(Image.fromarray(rgb), generator=torch.Generator().manual_seed(SEED), **options)


@pytest.mark.parametrize("scheduler", ["DDIMScheduler", "LCMScheduler"])
def test_depth_is_the_library_s(checkpoint, scheduler):
    folder, rgb = checkpoint(scheduler=scheduler), image(45, 64)
    expected = reference("MarigoldDepthPipeline", folder, rgb, num_inference_steps=3).prediction[0, ..., 0]
    model = Marigold(folder, CPU, steps=3)
    found = model.geometry([rgb])[0]
    assert found.kind == "affine" and found.uncertainty is None and found.normals is None
    assert found.depth.shape == (45, 64) and np.ptp(expected) > 0
    np.testing.assert_allclose(found.depth, expected, atol=1.01e-4)
    assert found.depth.min() > 0  # 0 would mean unknown
    np.testing.assert_array_equal(model.geometry([rgb])[0].depth, found.depth)  # the same noise again


def test_ensemble_tells_uncertainty(checkpoint):
    folder, rgb = checkpoint(), image(32, 40)
    expected = reference("MarigoldDepthPipeline", folder, rgb, ensemble_size=3, batch_size=3, output_uncertainty=True)
    found = Marigold(folder, CPU, ensemble=3).geometry([rgb])[0]
    np.testing.assert_allclose(found.depth, expected.prediction[0, ..., 0], atol=1.01e-4)
    np.testing.assert_allclose(found.uncertainty, expected.uncertainty[0, ..., 0], atol=1e-4)
    assert found.uncertainty.shape == (32, 40) and found.uncertainty.max() > 0


@pytest.mark.parametrize("ensemble", [1, 3])
def test_normals_are_the_library_s_in_our_frame(checkpoint, ensemble):
    folder, rgb = checkpoint("MarigoldNormalsPipeline"), image(40, 33)
    expected = reference("MarigoldNormalsPipeline", folder, rgb, ensemble_size=ensemble, batch_size=ensemble).prediction[0]
    found = Marigold(folder, CPU, ensemble=ensemble).geometry([rgb])[0]
    assert found.depth is None and found.normals.shape == (40, 33, 3)
    kept = np.linalg.norm(expected, axis=-1) > 0.5
    units = expected[kept] / np.linalg.norm(expected[kept], axis=-1, keepdims=True)
    np.testing.assert_allclose(found.normals[kept], units * [1, -1, -1], atol=1e-4)
    assert kept.any() and np.isnan(found.normals[~kept]).all()


def test_normals_of_known_planes():
    """Marigold's wall faces the observer (+z), its floor is up (+y), its left wall looks right (+x)."""
    found = camera_normals(np.array([[[0, 0, 1], [0, 1, 0], [1, 0, 0], [0, 0, 0]]], np.float32))
    np.testing.assert_allclose(found[0, :3], [[0, 0, -1], [0, -1, 0], [1, 0, 0]])
    assert np.isnan(found[0, 3]).all()


def test_normals_agree_with_those_of_depth():
    """A floor and a wall seen by a camera: normals of their depth, and the same as Marigold would paint them."""
    from magic3d_ros.cues.embedded.normals import DepthNormals
    from magic3d_ros.frames import Camera, RGBDFrame

    camera = Camera(64, 48, 60.0, 60.0, 31.5, 23.5)
    rays = camera.rays()
    floor = np.where(rays[..., 1] > 0.05, 0.5 / np.maximum(rays[..., 1], 1e-6), 9.0)  # half a metre below the camera
    depth = np.minimum(floor, 3.0).astype(np.float32)  # and a wall 3 m ahead
    known = DepthNormals().normals(RGBDFrame(0, np.zeros((48, 64, 3), np.uint8), depth, camera, np.eye(4)))
    painted = np.where((floor < 3.0)[::2, ::2, None], np.float32([0, 1, 0]), np.float32([0, 0, 1]))  # up, and at the observer
    ours = camera_normals(painted)
    sure = np.isfinite(known).all(-1)
    sure[13:20] = False  # at the edge between both
    assert sure.mean() > 0.5
    assert ((known * ours).sum(-1)[sure] > 0.98).all()


def test_disparity_and_metric_variants(checkpoint, tmp_path):
    assert Marigold(checkpoint(prediction_type="disparity"), CPU).kind == "affine_inverse"


def test_bad_checkpoints_are_named(checkpoint, tmp_path):
    with pytest.raises(ModelError, match="model_index"):
        Marigold(tmp_path, CPU)
    folder = checkpoint()
    with pytest.raises(ModelError, match="ensemble of 0"):
        Marigold(folder, CPU, ensemble=0)
    with pytest.raises(FrameError, match="grey"):
        Marigold(folder, CPU).geometry([np.zeros((9, 9), np.uint8)])
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    from safetensors.torch import load_file, save_file

    whole = load_file(weights)
    save_file({name: value for name, value in whole.items() if name != "conv_out.bias"}, weights)
    with pytest.raises(ModelError, match=r"lacks conv_out\.bias"):
        Marigold(folder, CPU)
    weights.write_bytes(weights.read_bytes()[:-8])
    with pytest.raises(ModelError, match="truncated"):
        Marigold(folder, CPU)
    index = folder / "model_index.json"
    index.write_text(json.dumps({**json.loads(index.read_text()), "_class_name": "StableDiffusionPipeline"}))
    with pytest.raises(ModelError, match="StableDiffusionPipeline"):
        Marigold(folder, CPU)
