from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from magic3d_ros.cues.foundation.depth_pixels import DepthPixels
from magic3d_ros.cues.foundation.depth_transformers import TransformersDepth
from magic3d_ros.cues.placement import Placement
from magic3d_ros.cues.weights import ModelError
from magic3d_ros.frames import FrameError

CPU = Placement(torch.device("cpu"))
BACKBONE = {"model_type": "dinov2", "hidden_size": 32, "num_hidden_layers": 4, "num_attention_heads": 2, "image_size": 42,
            "patch_size": 14, "out_features": ["stage1", "stage2", "stage3", "stage4"], "apply_layernorm": True,
            "reshape_hidden_states": False}
IMAGENET = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225], "rescale_factor": 1 / 255}


def image(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def write_processor(folder, **values) -> None:
    (folder / "preprocessor_config.json").write_text(json.dumps({**IMAGENET, **values}))


@pytest.fixture
def depth_anything(tmp_path):
    """Writes a tiny Depth Anything in the format of its checkpoints."""
    def write(**options):
        from transformers import DepthAnythingConfig, DepthAnythingForDepthEstimation

        torch.manual_seed(0)
        config = DepthAnythingConfig(backbone_config=BACKBONE, reassemble_hidden_size=32, patch_size=14,
                                     neck_hidden_sizes=[8] * 4, fusion_hidden_size=16, head_hidden_size=8, **options)
        DepthAnythingForDepthEstimation(config).save_pretrained(tmp_path)
        write_processor(tmp_path, image_processor_type="DPTImageProcessor", size={"height": 42, "width": 42}, resample=3,
                        keep_aspect_ratio=True, ensure_multiple_of=14)
        return tmp_path
    return write


@pytest.fixture
def zoedepth(tmp_path):
    from transformers import ZoeDepthConfig, ZoeDepthForDepthEstimation

    torch.manual_seed(0)
    beit = {"model_type": "beit", "hidden_size": 32, "num_hidden_layers": 4, "num_attention_heads": 2, "intermediate_size": 32,
            "image_size": 64, "patch_size": 16, "out_features": ["stage1", "stage2", "stage3", "stage4"],
            "reshape_hidden_states": False, "use_relative_position_bias": True}
    config = ZoeDepthConfig(backbone_config=beit, backbone_hidden_size=32, neck_hidden_sizes=[8] * 4, fusion_hidden_size=16,
                            bottleneck_features=16, num_relative_features=8, bin_embedding_dim=16,
                            num_attractors=[4, 2, 2, 1], patch_transformer_hidden_size=16, patch_transformer_intermediate_size=16,
                            patch_transformer_num_attention_heads=2, patch_transformer_num_hidden_layers=1)
    ZoeDepthForDepthEstimation(config).save_pretrained(tmp_path)
    write_processor(tmp_path, image_processor_type="ZoeDepthImageProcessor", size={"height": 64, "width": 96}, resample=2,
                    keep_aspect_ratio=True, ensure_multiple_of=32, do_pad=True, image_mean=[0.5] * 3, image_std=[0.5] * 3)
    return tmp_path


@pytest.fixture
def depth_pro(tmp_path):
    """Writes a tiny Depth Pro, with or without the head that tells the field of view."""
    def write(fields: bool = True):
        from transformers import DepthProConfig, DepthProForDepthEstimation

        torch.manual_seed(0)
        vit = {"model_type": "dinov2", "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 32,
               "patch_size": 8, "use_mask_token": False}
        config = DepthProConfig(fusion_hidden_size=16, patch_size=32, intermediate_hook_ids=[1, 0],
                                intermediate_feature_dims=[8, 8], scaled_images_ratios=[0.5, 1.0],
                                scaled_images_overlap_ratios=[0.0, 0.25], scaled_images_feature_dims=[8, 8],
                                use_fov_model=fields, image_model_config=vit, patch_model_config=vit, fov_model_config=vit)
        DepthProForDepthEstimation(config).save_pretrained(tmp_path)
        write_processor(tmp_path, image_processor_type="DepthProImageProcessor", size={"height": 64, "width": 64}, resample=2,
                        image_mean=[0.5] * 3, image_std=[0.5] * 3)
        return tmp_path
    return write


@pytest.mark.parametrize("size", [(48, 64), (101, 67), (32, 32)])
@pytest.mark.parametrize(("options", "kind"), [({}, "affine_inverse"),
                                               ({"depth_estimation_type": "metric", "max_depth": 20}, "metric")])
def test_depth_anything_is_the_library_s(depth_anything, size, options, kind):
    from transformers import AutoModelForDepthEstimation, DPTImageProcessorPil

    folder, rgb = depth_anything(**options), image(*size)
    processor = DPTImageProcessorPil.from_pretrained(folder)
    inputs = processor(images=rgb, return_tensors="pt")
    with torch.no_grad():
        outputs = AutoModelForDepthEstimation.from_pretrained(folder)(**inputs)
    expected = processor.post_process_depth_estimation(outputs, target_sizes=[size])[0]["predicted_depth"].numpy()
    found = TransformersDepth(folder, CPU).geometry([rgb])[0]
    assert found.kind == kind
    assert found.depth.shape == size and found.depth.dtype == np.float32
    assert np.ptp(expected) > 0
    np.testing.assert_allclose(found.depth, expected, atol=1e-4, rtol=1e-4)
    pixels = DepthPixels.of(folder, "depth_anything").pixel_values(rgb)
    np.testing.assert_allclose(pixels, inputs["pixel_values"][0], atol=1e-5)


def test_zoedepth_is_the_library_s(zoedepth, torchvision):
    from transformers import AutoModelForDepthEstimation
    from transformers.models.zoedepth.image_processing_pil_zoedepth import ZoeDepthImageProcessorPil

    rgb = image(61, 90)
    processor = ZoeDepthImageProcessorPil.from_pretrained(zoedepth)
    inputs = processor(images=rgb, return_tensors="pt")
    np.testing.assert_allclose(DepthPixels.of(zoedepth, "zoedepth").pixel_values(rgb), inputs["pixel_values"][0], atol=1e-5)
    with torch.no_grad():
        outputs = AutoModelForDepthEstimation.from_pretrained(zoedepth)(**inputs)
    expected = processor.post_process_depth_estimation(outputs, source_sizes=[(61, 90)], target_sizes=[(61, 90)])
    found = TransformersDepth(zoedepth, CPU).geometry([rgb])[0]
    assert found.kind == "metric"
    np.testing.assert_allclose(found.depth, expected[0]["predicted_depth"], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("size", [(48, 64), (75, 50)])
def test_depth_pro_is_the_library_s(depth_pro, torchvision, size):
    from transformers import AutoModelForDepthEstimation, DepthProImageProcessor

    folder, rgb = depth_pro(), image(*size)
    processor = DepthProImageProcessor.from_pretrained(folder)
    inputs = processor(images=rgb, return_tensors="pt")
    np.testing.assert_allclose(DepthPixels.of(folder, "depth_pro").pixel_values(rgb), inputs["pixel_values"][0], atol=1e-5)
    with torch.no_grad():
        outputs = AutoModelForDepthEstimation.from_pretrained(folder)(**inputs)
    expected = processor.post_process_depth_estimation(outputs, target_sizes=[size])[0]
    model = TransformersDepth(folder, CPU)
    found = model.geometry([rgb])[0]
    assert found.kind == "metric"
    np.testing.assert_allclose(1 / found.depth, 1 / expected["predicted_depth"], atol=1e-4, rtol=1e-4)
    known = model.geometry([rgb], focal_lengths=[2.0 * float(expected["focal_length"])])[0]
    inverse = 0.5 / expected["predicted_depth"].numpy()
    near = (inverse > 0.01) & (1 / known.depth < 1e3)  # away from the bounds
    assert near.mean() > 0.1
    np.testing.assert_allclose(1 / known.depth[near], inverse[near], rtol=1e-3)


def test_depth_pro_without_field_of_view_knows_no_metres(depth_pro):
    model = TransformersDepth(depth_pro(fields=False), CPU)
    assert model.geometry([image(40, 40)])[0].kind == "affine"
    assert model.geometry([image(40, 40)], focal_lengths=[50.0])[0].kind == "metric"


def test_images_of_several_sizes_in_one_call(depth_anything):
    model = TransformersDepth(depth_anything(), CPU, batch=2)
    images = [image(40, 56, 1), image(56, 40, 2), image(40, 56, 3), image(40, 56, 4)]
    together = model.geometry(images)
    for rgb, found in zip(images, together, strict=True):
        np.testing.assert_allclose(found.depth, model.geometry([rgb])[0].depth, atol=1e-5)


@pytest.mark.parametrize("family", ["depth_anything", "zoedepth", "depth_pro"])
def test_a_bright_square_stays_where_it_is(tmp_path, family):
    """The way in and out of every family keeps pixels in their places: its own brightness as depth."""
    write_processor(tmp_path, size={"height": 64, "width": 96}, resample=2 if family != "depth_anything" else 3,
                    keep_aspect_ratio=True, ensure_multiple_of=16, do_pad=True)
    pixels = DepthPixels.of(tmp_path, family)
    rgb = np.zeros((97, 131, 3), np.uint8)
    rgb[60:90, 20:50] = 255
    depth = pixels.on_image(pixels.pixel_values(rgb)[0], 97, 131).numpy()
    bright = depth > (depth.max() + depth.min()) / 2
    rows, columns = np.nonzero(bright)
    assert np.abs(rows.mean() - 74.5) < 0.6 and np.abs(columns.mean() - 34.5) < 0.6
    assert abs(bright.sum() - 900) < 90


def test_bad_input_is_named(depth_anything, tmp_path):
    model = TransformersDepth(depth_anything(), CPU)
    with pytest.raises(FrameError, match="grey"):
        model.geometry([np.zeros((40, 40), np.uint8)])
    with pytest.raises(FrameError, match="RGBA"):
        model.geometry([np.zeros((40, 40, 4), np.uint8)])
    with pytest.raises(FrameError, match="too elongated"):
        model.geometry([image(100, 2000)])
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(ModelError, match="truncated"):
        TransformersDepth(tmp_path, CPU)


@pytest.mark.parametrize(("config", "message"), [
    ({"model_type": "dinov2"}, "holds a dinov2 model"), ({"model_type": "prompt_depth_anything"}, "LiDAR"),
    ({}, "model_type")])
def test_other_models_are_named(tmp_path, config, message):
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match=message):
        TransformersDepth(tmp_path, CPU)


def test_weights_of_another_size_are_named(depth_anything, tmp_path):
    folder = depth_anything()
    config = json.loads((folder / "config.json").read_text())
    config["head_hidden_size"] = 12
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match="other sizes"):
        TransformersDepth(folder, CPU)
