"""The SAM family in the transformers format: tiny random checkpoints, and the library's own pipeline as the reference."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
import transformers
from naive_suppression import naive_nms

from magic3d_ros.cues.foundation.sam_transformers import TransformersSam
from magic3d_ros.cues.placement import Placement
from magic3d_ros.cues.weights import ModelError
from magic3d_ros.frames import FrameError

pytestmark = pytest.mark.usefixtures("torchvision")
CPU = Placement(torch.device("cpu"))
IMAGENET = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225], "rescale_factor": 1 / 255, "resample": 2}
PROMPTS = {"hidden_size": 32, "image_size": 128, "patch_size": 16}
DECODER = {"hidden_size": 32, "mlp_dim": 64, "num_attention_heads": 8, "iou_head_hidden_dim": 32}
PADDED = {"hidden_size": 16, "output_channels": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 128,
          "patch_size": 16, "window_size": 3, "global_attn_indexes": [1], "mlp_dim": 32, "num_pos_feats": 16}
HIERA = {"model_type": "sam2_hiera_det_model", "hidden_size": 8, "image_size": [128, 128], "blocks_per_stage": [1, 1, 2, 1],
         "embed_dim_per_stage": [8, 16, 32, 64], "num_attention_heads_per_stage": [1, 1, 2, 2],
         "window_size_per_stage": [8, 4, 4, 4], "global_attention_blocks": [3]}
SIZES = {"backbone_feature_sizes": [[32, 32], [16, 16], [8, 8]], "fpn_hidden_size": 32}


def sam():
    return transformers.SamModel(transformers.SamConfig(
        vision_config=PADDED, prompt_encoder_config={**PROMPTS, "image_embedding_size": 8}, mask_decoder_config=DECODER))


def sam_hq():
    return transformers.SamHQModel(transformers.SamHQConfig(
        vision_config=PADDED, prompt_encoder_config={**PROMPTS, "image_embedding_size": 8},
        mask_decoder_config={**DECODER, "vit_dim": 16}))


def sam2():
    vision = transformers.Sam2VisionConfig(backbone_config=HIERA, backbone_channel_list=[64, 32, 16, 8], **SIZES)
    return transformers.Sam2Model(transformers.Sam2Config(
        vision_config=vision, prompt_encoder_config=transformers.Sam2PromptEncoderConfig(**PROMPTS),
        mask_decoder_config=transformers.Sam2MaskDecoderConfig(**DECODER)))


def sam2_video():
    """What the hub's facebook/sam2.1-* hold: the video model, with a memory that single images do not need."""
    vision = transformers.Sam2VisionConfig(backbone_config=HIERA, backbone_channel_list=[64, 32, 16, 8], **SIZES)
    return transformers.Sam2VideoModel(transformers.Sam2VideoConfig(
        vision_config=vision, prompt_encoder_config=transformers.Sam2VideoPromptEncoderConfig(**PROMPTS),
        mask_decoder_config=transformers.Sam2VideoMaskDecoderConfig(**DECODER), image_size=128, memory_attention_hidden_size=32,
        memory_attention_num_layers=1, memory_attention_feed_forward_hidden_size=32, memory_attention_num_attention_heads=1,
        memory_encoder_hidden_size=32, memory_encoder_output_channels=8, memory_attention_rope_feat_sizes=[8, 8],
        mask_downsampler_embed_dim=32, memory_fuser_embed_dim=32, memory_fuser_intermediate_dim=32, memory_fuser_num_layers=1))


def sam3_tracker():
    vit = {"model_type": "sam3_vit_model", "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
           "num_attention_heads": 2, "image_size": 112, "patch_size": 14, "window_size": 4, "global_attn_indexes": [1],
           "pretrain_image_size": 112}
    prompts = transformers.Sam3TrackerPromptEncoderConfig(hidden_size=32, image_size=112, patch_size=14)
    return transformers.Sam3TrackerModel(transformers.Sam3TrackerConfig(
        vision_config=transformers.Sam3VisionConfig(backbone_config=vit, **SIZES), prompt_encoder_config=prompts,
        mask_decoder_config=transformers.Sam3TrackerMaskDecoderConfig(**DECODER)))


NETWORKS = {"sam": sam, "sam_hq": sam_hq, "sam2": sam2, "sam2_video": sam2_video, "sam3_tracker": sam3_tracker}


@pytest.fixture(scope="module", params=list(NETWORKS))
def folder(request, tmp_path_factory, torchvision):
    return checkpoint(request.param, tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="module")
def sam2_folder(tmp_path_factory, torchvision):
    return checkpoint("sam2", tmp_path_factory.mktemp("plain"))


def checkpoint(kind, folder):
    """As on the hub: config.json, model.safetensors, preprocessor_config.json."""
    torch.manual_seed(2)
    network = NETWORKS[kind]().requires_grad_(False)
    enliven(network, sigmoid=kind not in ("sam", "sam_hq"))
    network.save_pretrained(folder)
    if kind in ("sam", "sam_hq"):
        values = {"image_processor_type": "SamImageProcessor", "size": {"longest_edge": 128},
                  "pad_size": {"height": 128, "width": 128}}
    else:
        side = 112 if kind == "sam3_tracker" else 128
        values = {"image_processor_type": "Sam3ImageProcessorFast" if side == 112 else "Sam2ImageProcessorFast",
                  "size": {"height": side, "width": side}}
    (folder / "preprocessor_config.json").write_text(json.dumps({**IMAGENET, **values}))
    return folder


def enliven(network, sigmoid):
    """Random weights answer every point with the same faint noise over the whole image; scaled, answers differ in place and size
    and pass the usual thresholds."""
    for module in network.modules():
        if isinstance(module, torch.nn.Linear | torch.nn.Conv2d | torch.nn.ConvTranspose2d):
            module.reset_parameters()  # the library draws them smaller
    decoder = network.mask_decoder
    for layer in (decoder.upscale_conv1, decoder.upscale_conv2):
        layer.weight[:] = layer.weight[:, :, :1, :1]
    for mlp in decoder.output_hypernetworks_mlps:
        mlp.proj_out.weight *= 20000
        mlp.proj_out.bias -= 0.2
        mlp.proj_out.bias *= 20000
    for layer in decoder.transformer.layers:
        for attention in (layer.cross_attn_token_to_image, layer.cross_attn_image_to_token):
            for projection in (attention.q_proj, attention.k_proj, attention.v_proj):
                projection.weight *= 3
    decoder.iou_prediction_head.proj_out.weight *= 0.3
    decoder.iou_prediction_head.proj_out.bias.fill_(2.2 if sigmoid else 0.9)  # .9 after the sigmoid, too


def picture(height, width):
    generator = np.random.default_rng(0)
    coarse = generator.integers(0, 256, (height // 16 + 1, width // 16 + 1, 3)).astype(np.uint8)
    return np.kron(coarse, np.ones((16, 16, 1), np.uint8))[:height, :width]


def official_processor(folder):
    from transformers.models.sam.image_processing_pil_sam import SamImageProcessorPil
    from transformers.models.sam2.image_processing_sam2 import Sam2ImageProcessor
    from transformers.models.sam3.image_processing_sam3 import Sam3ImageProcessor

    name = json.loads((folder / "preprocessor_config.json").read_text())["image_processor_type"]
    kinds = {"SamImageProcessor": SamImageProcessorPil, "Sam2ImageProcessorFast": Sam2ImageProcessor,
             "Sam3ImageProcessorFast": Sam3ImageProcessor}
    return kinds[name].from_pretrained(folder)


@pytest.mark.parametrize("size", [(100, 100), (97, 131)])
def test_masks_equal_the_librarys_own(folder, monkeypatch, size):
    from PIL import Image
    from transformers.models.sam2 import image_processing_sam2
    from transformers.models.sam3 import image_processing_sam3

    for module in ("torchvision.ops.boxes", image_processing_sam2.__name__, image_processing_sam3.__name__):
        monkeypatch.setattr(f"{module}.batched_nms", naive_nms)
    # transformers 5.23's pipeline scales points of SAM 2 and 3 by the longer side alone, as if they padded like SAM. They
    # stretch, and their processors, through which users prompt them, scale each axis by itself.
    for module in (image_processing_sam2, image_processing_sam3):
        monkeypatch.setattr(module, "_normalize_coordinates",
                            lambda side, points, size: (points * side / torch.tensor([size[1], size[0]])).float())
    rgb = picture(*size)
    network = transformers.AutoModelForMaskGeneration.from_pretrained(folder)
    reference = transformers.pipeline("mask-generation", model=network, image_processor=official_processor(folder))
    model = TransformersSam(folder, CPU, points_per_side=8)
    arguments = {"points_per_crop": 8, "pred_iou_thresh": model.min_quality}
    proposals = model.propose(rgb)
    expected = reference(Image.fromarray(rgb), **arguments)
    found = proposals.distinct()
    assert len(found) == len(expected["masks"]) > 0
    for index, mask, score in zip(found, expected["masks"], expected["scores"], strict=True):
        assert proposals.scores[index] == pytest.approx(float(score), abs=1e-4)
        assert (proposals.mask(index) == np.asarray(mask)).all()
    every = reference(Image.fromarray(rgb), crops_nms_thresh=1.0, **arguments)["masks"]
    ours, theirs = ({np.asarray(mask).tobytes() for mask in masks}
                    for masks in ((proposals.mask(index) for index in range(len(proposals))), every))
    assert len(ours & theirs) >= 0.95 * max(len(ours), len(theirs))  # where a logit is 0 but for rounding, a pixel differs


@pytest.mark.parametrize("size", [(97, 131), (300, 40)])
def test_logits_equal_the_librarys_own(folder, size):
    model = TransformersSam(folder, CPU)
    rgb = picture(*size)
    official = official_processor(folder)
    inputs = official(rgb, return_tensors="pt")
    side = inputs["pixel_values"].shape[-1]
    seen = np.array(inputs["reshaped_input_sizes"][0].tolist() if "reshaped_input_sizes" in inputs else [side, side])
    points = np.array([[3.5, 90.25], [39.0, 1.0]])
    places = torch.tensor(points * seen[::-1] / (size[1], size[0]), dtype=torch.float32)[None, :, None]
    with torch.no_grad():
        network = transformers.AutoModelForMaskGeneration.from_pretrained(folder)
        expected = network(pixel_values=inputs["pixel_values"], input_points=places)
        embedding = model._embed(rgb)
        logits, quality = model._answer(embedding, points)
    step = 1e-4 * expected.pred_masks.abs().max()
    assert torch.allclose(quality, expected.iou_scores[0], atol=1e-4)
    assert torch.allclose(logits, expected.pred_masks[0], atol=step, rtol=0)
    shapes = {"reshaped_input_sizes": [seen.tolist()]} if "reshaped_input_sizes" in inputs else {}
    large = official.post_process_masks(expected.pred_masks, original_sizes=[size], binarize=False, **shapes)[0]
    assert torch.allclose(model._enlarge(logits.flatten(0, 1), embedding, size), large.flatten(0, 1), atol=step, rtol=0)


@pytest.mark.parametrize("size", [(97, 131), (480, 640), (33, 20)])
def test_pixels_equal_the_official_processors(folder, size):
    expected = official_processor(folder)(picture(*size), return_tensors="pt")["pixel_values"]
    assert torch.allclose(TransformersSam(folder, CPU).pixel_values(picture(*size)), expected, atol=1e-5)


def test_label_images_have_the_images_size(folder):
    model = TransformersSam(folder, CPU, points_per_side=4, max_width=100)
    images = [picture(97, 131), picture(33, 32), picture(400, 80)]
    for rgb, labels in zip(images, model.masks(images), strict=True):
        assert labels.shape == rgb.shape[:2] and labels.dtype == np.int32
        assert set(np.unique(labels)) - {-1} == set(range(labels.max() + 1))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_runs(folder, dtype):
    model = TransformersSam(folder, Placement(torch.device("cpu"), dtype), points_per_side=4)
    labels = model.masks([picture(97, 131)])[0]
    assert labels.shape == (97, 131)


def test_images_that_are_none(sam2_folder):
    model = TransformersSam(sam2_folder, CPU)
    with pytest.raises(FrameError, match="grey"):
        model.masks([np.zeros((32, 32), np.uint8)])
    with pytest.raises(FrameError, match="RGBA"):
        model.masks([np.zeros((32, 32, 4), np.uint8)])


def test_folders_that_are_no_sam(sam2_folder, tmp_path):
    def message(name, change):
        folder = tmp_path / name
        folder.mkdir()
        for file in sam2_folder.iterdir():
            (folder / file.name).write_bytes(file.read_bytes())
        change(folder)
        with pytest.raises(ModelError) as caught:
            TransformersSam(folder, CPU)
        assert "\n" not in str(caught.value) and name in str(caught.value)
        return str(caught.value)

    def named(folder, kind):
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**config, "model_type": kind}))

    def truncate(folder):
        weights = folder / "model.safetensors"
        weights.write_bytes(weights.read_bytes()[:-100])

    assert "truncated" in message("cut", truncate)
    assert "no weights" in message("empty", lambda folder: (folder / "model.safetensors").unlink())
    assert "preprocessor_config.json" in message("unprepared", lambda folder: (folder / "preprocessor_config.json").unlink())
    assert "holds a dinov2 model" in message("dino", lambda folder: named(folder, "dinov2"))
    assert "cannot be loaded" in message("older", lambda folder: named(folder, "sam"))
