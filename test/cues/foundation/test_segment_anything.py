"""The authors' SAM format: a tiny random checkpoint, and segment-anything's own automatic masks as the reference."""

from __future__ import annotations

import logging
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from naive_suppression import naive_nms

from magic3d_ros.cues.foundation.segment_anything import SegmentAnything, build_sam
from magic3d_ros.cues.placement import Placement
from magic3d_ros.cues.running_model import RunningModel
from magic3d_ros.cues.weights import ModelError
from magic3d_ros.frames import FrameError

pytestmark = pytest.mark.usefixtures("torchvision")
CPU = Placement(torch.device("cpu"))
SIDE = 128


@pytest.fixture(scope="module")
def network(torchvision):
    return tiny_sam()


@pytest.fixture(scope="module")
def checkpoint(network, tmp_path_factory):
    path = tmp_path_factory.mktemp("sam") / "sam_vit_t.pth"
    torch.save(network.state_dict(), path)
    return path


def tiny_sam():
    """As build_sam.py puts it together, with small numbers. Random weights answer every point with the same noise over the whole
    image; these are scaled so that answers differ in place and size and pass the usual thresholds."""
    from segment_anything.modeling import ImageEncoderViT, MaskDecoder, PromptEncoder, Sam, TwoWayTransformer

    torch.manual_seed(2)
    channels = 32
    sam = Sam(
        image_encoder=ImageEncoderViT(
            depth=2, embed_dim=16, img_size=SIDE, mlp_ratio=4, norm_layer=partial(torch.nn.LayerNorm, eps=1e-6), num_heads=2,
            patch_size=16, qkv_bias=True, use_rel_pos=True, global_attn_indexes=[1], window_size=3, out_chans=channels),
        prompt_encoder=PromptEncoder(embed_dim=channels, image_embedding_size=(SIDE // 16, SIDE // 16),
                                     input_image_size=(SIDE, SIDE), mask_in_chans=16),
        mask_decoder=MaskDecoder(num_multimask_outputs=3, transformer_dim=channels, iou_head_depth=3, iou_head_hidden_dim=32,
                                 transformer=TwoWayTransformer(depth=2, embedding_dim=channels, mlp_dim=64, num_heads=8)),
        pixel_mean=[123.675, 116.28, 103.53], pixel_std=[58.395, 57.12, 57.375]).eval().requires_grad_(False)
    for parameter in sam.image_encoder.parameters():
        if not parameter.any():
            parameter.normal_(std=0.3)
    enliven(sam.mask_decoder)
    return sam


def enliven(decoder):
    for layer in decoder.output_upscaling:
        if isinstance(layer, torch.nn.ConvTranspose2d):
            layer.weight[:] = layer.weight[:, :, :1, :1]
    for mlp in decoder.output_hypernetworks_mlps:
        mlp.layers[-1].weight *= 20000
        mlp.layers[-1].bias -= 0.2
        mlp.layers[-1].bias *= 20000
    for layer in decoder.transformer.layers:
        for attention in (layer.cross_attn_token_to_image, layer.cross_attn_image_to_token):
            for projection in (attention.q_proj, attention.k_proj, attention.v_proj):
                projection.weight *= 3
    decoder.iou_prediction_head.layers[-1].weight *= 0.3
    decoder.iou_prediction_head.layers[-1].bias.fill_(0.9)


def picture(height, width):
    generator = np.random.default_rng(0)
    coarse = generator.integers(0, 256, (height // 16 + 1, width // 16 + 1, 3)).astype(np.uint8)
    return np.kron(coarse, np.ones((16, 16, 1), np.uint8))[:height, :width]


@pytest.mark.parametrize("size", [(97, 131), (131, 97), (40, 300)])
def test_masks_equal_the_packages_own(network, checkpoint, monkeypatch, size):
    from segment_anything import SamAutomaticMaskGenerator

    monkeypatch.setattr("segment_anything.automatic_mask_generator.batched_nms", naive_nms)
    rgb = picture(*size)
    expected = SamAutomaticMaskGenerator(network, points_per_side=8).generate(rgb)
    proposals = SegmentAnything(checkpoint, CPU, points_per_side=8).propose(rgb)
    found = proposals.distinct()
    assert len(found) == len(expected) >= 3
    expected.sort(key=lambda record: -record["predicted_iou"])
    for index, record in zip(found, expected, strict=True):
        assert proposals.scores[index] == pytest.approx(record["predicted_iou"], abs=1e-4)
        assert (proposals.mask(index) == record["segmentation"]).all()
        left, top, width, height = record["bbox"]
        assert proposals.boxes[index] == pytest.approx([left, top, left + width, top + height])


def test_pixels_and_logits_equal_the_packages_own(network, checkpoint):
    from segment_anything import SamPredictor

    model = SegmentAnything(checkpoint, CPU)
    rgb = picture(97, 131)
    predictor = SamPredictor(network)
    predictor.set_image(rgb)
    resized = torch.from_numpy(predictor.transform.apply_image(rgb)).permute(2, 0, 1)[None]
    assert torch.allclose(model.pixel_values(rgb), network.preprocess(resized), atol=1e-5)
    points = np.array([[3.5, 90.25], [130.0, 1.0]])
    with torch.no_grad():
        embedding = model._embed(rgb)
        logits, quality = model._answer(embedding, points)
    places = torch.from_numpy(predictor.transform.apply_coords(points, rgb.shape[:2]))[:, None]
    expected, expected_quality, low = predictor.predict_torch(places, torch.ones(places.shape[:2]), return_logits=True)
    assert torch.allclose(embedding.features, predictor.features, atol=1e-4)
    assert torch.allclose(quality, expected_quality, atol=1e-4)
    assert (logits - low).abs().max() < 1e-4 * low.abs().max()
    large = model._enlarge(logits.flatten(0, 1), embedding, (97, 131))
    assert (large - expected.flatten(0, 1)).abs().max() < 1e-4 * low.abs().max()


def test_label_images_have_the_images_size(checkpoint):
    model = SegmentAnything(checkpoint, CPU, points_per_side=8, max_width=100)
    images = [picture(97, 131), picture(33, 32), picture(400, 80)]
    for rgb, labels in zip(images, model.masks(images), strict=True):
        assert labels.shape == rgb.shape[:2] and labels.dtype == np.int32
        assert set(np.unique(labels)) - {-1} == set(range(labels.max() + 1))
    assert model.masks(images[:1])[0].max() >= 2
    assert model.masks([np.zeros((4320, 7680, 3), np.uint8)])[0].shape == (4320, 7680)


def test_when_time_is_over_it_returns_what_it_has(checkpoint, monkeypatch, caplog):
    """A clock that counts its readings: start, one before the second batch of 64 points, one before the third."""
    clock = iter([0.0, 0.4, 1.1])
    monkeypatch.setattr("magic3d_ros.cues.foundation.point_prompts.time.monotonic", lambda: next(clock))
    model = SegmentAnything(checkpoint, CPU, points_per_side=16, time_budget=1.0)
    asked = []
    answer = model._answer
    monkeypatch.setattr(model, "_answer", lambda embedding, points: asked.append(points) or answer(embedding, points))
    with caplog.at_level(logging.WARNING):
        proposals = model.propose(picture(64, 128))
    assert [len(points) for points in asked] == [64, 64] and len(proposals) > 0
    assert model.cut_short == 1 and "after 128 of 256 points" in caplog.text
    assert RunningModel("masks", model, list, CPU.device).figures()["cut_short.sam_vit_t"] == 1
    # The first 64 of 16 x 16 points are every other column and row.
    assert sorted(set(asked[0][:, 0])) == [4, 20, 36, 52, 68, 84, 100, 116]
    assert sorted(set(asked[0][:, 1])) == [2, 10, 18, 26, 34, 42, 50, 58]


def test_where_memory_ends_fewer_points_are_asked_at_once(checkpoint, monkeypatch):
    model = SegmentAnything(checkpoint, CPU, points_per_side=8)
    rgb = picture(64, 64)
    expected = model.masks([rgb])[0]
    answer = model._answer

    def small(embedding, points):
        if len(points) > 16:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return answer(embedding, points)

    monkeypatch.setattr(model, "_answer", small)
    running = RunningModel("masks", model, model.masks, CPU.device)
    assert (running.run([rgb])[0] == expected).all()
    assert model.points_at_once == 16 and "points at once 16" in running.reduced


def test_without_a_budget_no_clock_stops_it(checkpoint):
    model = SegmentAnything(checkpoint, CPU, points_per_side=9)
    model.propose(picture(64, 64))
    assert model.cut_short == 0


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_half_precision_encoder_runs(checkpoint, dtype):
    rgb = picture(97, 131)
    model = SegmentAnything(checkpoint, Placement(torch.device("cpu"), dtype))
    with torch.no_grad():
        near = model._embed(rgb).features
        exact = SegmentAnything(checkpoint, CPU)._embed(rgb).features
    assert near.dtype == torch.float32
    assert torch.nn.functional.cosine_similarity(near, exact, dim=1).min() > 0.99


def test_the_authors_three_sizes_are_read_from_shapes(torchvision):
    """Of ViT-B, L and H: widths, depths, heads and which blocks look at the whole image, as build_sam.py has them."""
    from segment_anything import sam_model_registry

    with torch.device("meta"):
        for size in ("vit_b", "vit_l", "vit_h"):
            expected = sam_model_registry[size]()
            found = build_sam(expected.state_dict(), Path("sam.pth"))
            assert {name: value.shape for name, value in found.state_dict().items()} == {
                name: value.shape for name, value in expected.state_dict().items()}
            for ours, theirs in zip(found.image_encoder.blocks, expected.image_encoder.blocks, strict=True):
                assert (ours.window_size, ours.attn.num_heads, ours.attn.scale) == (
                    theirs.window_size, theirs.attn.num_heads, theirs.attn.scale)
            assert found.image_encoder.img_size == expected.image_encoder.img_size
            assert str(found) == str(expected)


def test_images_that_are_none(checkpoint):
    model = SegmentAnything(checkpoint, CPU)
    with pytest.raises(FrameError, match="grey"):
        model.masks([np.zeros((32, 32), np.uint8)])
    with pytest.raises(FrameError, match="RGBA"):
        model.masks([np.zeros((32, 32, 4), np.uint8)])


def test_files_that_are_no_sam(tmp_path, checkpoint, network):
    def message(path):
        with pytest.raises(ModelError) as caught:
            SegmentAnything(path, CPU)
        assert "\n" not in str(caught.value) and path.name in str(caught.value)
        return str(caught.value)

    def saved(name, weights):
        torch.save(weights, tmp_path / name)
        return tmp_path / name

    (tmp_path / "cut.pth").write_bytes(checkpoint.read_bytes()[:5000])
    assert "truncated" in message(tmp_path / "cut.pth")
    assert "no weights" in message(tmp_path / "missing.pth")
    assert "image_encoder.pos_embed" in message(saved("other.pth", {"weight": torch.zeros(3)}))
    weights = network.state_dict()
    assert "also holds" in message(saved("more.pth", {**weights, "mask_decoder.extra": torch.zeros(3)}))
    fewer = {name: value for name, value in weights.items() if name != "image_encoder.blocks.1.attn.qkv.weight"}
    assert "lacks image_encoder.blocks.1.attn.qkv.weight" in message(saved("fewer.pth", fewer))
    assert "Python objects" in message(saved("program.pth", {"weights": partial(print, "ran")}))
