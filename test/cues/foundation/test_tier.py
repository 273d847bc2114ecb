"""The foundation tier behind the extractor, on tiny random checkpoints: what it delivers, and what it says of bad input."""

from __future__ import annotations

import logging

import numpy as np
import pytest
import torch

from magic3d_ros.config import Settings
from magic3d_ros.cues import tiers
from magic3d_ros.cues.extractor import CueExtractor, start_model
from magic3d_ros.cues.running_model import weight_megabytes
from magic3d_ros.cues.weights import ModelError
from magic3d_ros.evaluation.random_checkpoints import ARCHITECTURES, write
from magic3d_ros.frames import Camera, FrameError, RGBDFrame

TINY = ("tiny-dinov2", "tiny-sam", "tiny-siglip", "tiny-depth-anything")


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    return {ARCHITECTURES[name][0]: write(name, root / name) for name in TINY}


@pytest.fixture
def settings(folders, monkeypatch, tmp_path):
    """The foundation tier with tiny models of every kind."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    made = Settings()
    made.cues.tier = "foundation"
    made.masks.points_per_side = 4
    for kind, folder in folders.items():
        getattr(made, kind).model = str(folder)
    return made


def frame(rgb, stamp=7):
    height, width = rgb.shape[:2]
    camera = Camera(width, height, 100.0, 100.0, 1.0, 1.0)
    return RGBDFrame(stamp, rgb, np.full((height, width), 1.5, np.float32), camera, np.eye(4))


def noise(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 255, shape, dtype=np.uint8)


def test_every_kind_of_cue_is_there_and_a_batch_says_what_single_frames_say(settings):
    settings.cues.batch = 3
    extractor = CueExtractor(settings)
    assert extractor.name == "foundation/tiny-siglip/64/tiny-dinov2"
    frames = [frame(noise(96, 128, 3, seed=seed), stamp) for seed, stamp in ((0, 5), (1, 6), (2, 9))]
    frames.append(frame(noise(128, 96, 3), 10))  # another size in the same batch
    together = extractor.extract_many(frames)
    assert [cues.stamp for cues in together] == [5, 6, 9, 10]
    for one, cues in zip(frames, together, strict=True):
        alone = extractor.extract(one)
        for name in ("features", "language"):
            np.testing.assert_allclose(getattr(cues, name).values, getattr(alone, name).values, atol=2e-3)
        np.testing.assert_array_equal(cues.masks, alone.masks)
        np.testing.assert_allclose(cues.monocular.depth, alone.monocular.depth, atol=1e-4)
        assert cues.masks.shape == one.rgb.shape[:2] and cues.monocular.kind == "affine_inverse"
    assert set(together[0].timings) == {*TINY, "depth-normals"}
    assert extractor.problems == {}
    assert {f"ms.{name}" for name in TINY} | {f"MB.{name}" for name in TINY} <= set(extractor.figures())


@pytest.mark.parametrize("kind", ["features", "language"])
def test_one_line_mixes_the_tiers(settings, kind):
    getattr(settings, kind).model = "embedded"
    settings.masks.model = settings.depth.model = "none"
    cues = CueExtractor(settings).extract(frame(noise(96, 128, 3)))
    assert cues.features.values.shape[2] == (112 if kind == "features" else 32)
    assert cues.language.values.shape[2] == 64
    assert cues.masks is None and cues.monocular is None


@pytest.mark.parametrize("shape", [(32, 32, 3), (33, 47, 3)])
def test_tiny_images_are_looked_at(settings, shape):
    extractor = CueExtractor(settings)
    cues = extractor.extract(frame(noise(*shape)))
    assert extractor.problems == {}
    assert cues.masks.shape == cues.monocular.depth.shape == shape[:2]


@pytest.mark.slow
def test_an_image_of_8k_is_looked_at(settings):
    extractor = CueExtractor(settings)
    cues = extractor.extract(frame(np.kron(noise(54, 96, 3), np.ones((80, 80, 1), np.uint8))))
    assert extractor.problems == {}
    assert cues.masks.shape == (4320, 7680)
    assert cues.features.values.shape[:2] == (26, 46)


@pytest.mark.parametrize(("image", "cure"), [
    (noise(96, 128), r"one channel \(grey\): repeat it three times"), (noise(96, 128, 1), "one channel"),
    (noise(96, 128, 4), r"four channels \(RGBA\): drop the last"), (noise(96, 128, 3).astype(np.float32), "must be uint8"),
    (noise(96, 128, 3, 2), "with at least one pixel")])
def test_other_images_are_refused_with_a_cure(settings, image, cure):
    with pytest.raises(FrameError, match=cure):
        CueExtractor(settings).extract(frame(image))


def test_a_missing_model_is_named_and_the_others_go_on(settings, caplog):
    settings.masks.model = "owner/not-here"
    extractor = CueExtractor(settings)
    cues = extractor.extract(frame(noise(96, 128, 3)))
    assert cues.masks is None and cues.features is not None and cues.monocular is not None
    assert "owner/not-here" in extractor.problems["masks"] and "hf download" in extractor.problems["masks"]
    assert sum("there will be no masks" in record.message for record in caplog.records) == 1


def test_without_a_language_model_nothing_starts(settings):
    settings.language.model = "owner/not-here"
    with pytest.raises(ModelError, match="owner/not-here"):
        CueExtractor(settings).load()
    settings.language.model = "none"
    with pytest.raises(ModelError, match=r"language\.model cannot be 'none'"):
        CueExtractor(settings).load()


@pytest.mark.parametrize(("kind", "other"), [("features", "depth"), ("masks", "features"), ("depth", "language"),
                                             ("language", "masks"), ("normals", "features")])
def test_a_checkpoint_of_another_kind_is_named(settings, folders, kind, other):
    getattr(settings, kind).model = str(folders[other])
    with pytest.raises(ModelError) as caught:
        tiers.load(kind, settings)
    assert str(folders[other]) in str(caught.value) and "\n" not in str(caught.value)


def test_a_truncated_checkpoint_is_named(settings, folders, tmp_path):
    for file in folders["features"].iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    settings.features.model = str(tmp_path)
    with pytest.raises(ModelError, match=r"model\.safetensors is truncated"):
        tiers.load("features", settings)


@pytest.mark.parametrize("kind", ["masks", "depth", "normals"])
def test_the_embedded_tier_says_what_it_has_not(settings, kind):
    getattr(settings, kind).model = "embedded"
    with pytest.raises(ModelError, match=f"no model of {kind}"):
        tiers.load(kind, settings)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_the_setting_is_named(settings):
    settings.features.device = "cuda"
    with pytest.raises(ModelError, match=r"device cuda is not there .*set device to auto"):
        tiers.load("features", settings)


def limit(model, method, monkeypatch):
    """The model's own work, but memory for one image of at most 100 pixels' width only."""
    works = getattr(model, method)

    def limited(images):
        if model.batch > 1 or model.max_width > 100:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")
        return works(images)

    monkeypatch.setattr(model, method, limited)


def test_when_memory_runs_out_a_model_works_smaller_and_says_so(settings, monkeypatch, caplog):
    caplog.set_level(logging.WARNING)
    settings.masks.model = settings.depth.model = "none"
    settings.cues.max_width, settings.cues.batch = 300, 4
    extractor = CueExtractor(settings)
    extractor.load()
    running = extractor._running["features"]
    limit(running.model, "features", monkeypatch)
    monkeypatch.setattr("magic3d_ros.cues.running_model.MIN_WIDTH", 64)
    frames = [frame(noise(96, 200, 3, seed=seed)) for seed in range(2)]
    first = extractor.extract_many(frames)
    assert first[0].features.values.shape[1] == round(94 / 14)  # 300 .. 94 pixels wide
    assert running.reduced == "images at once 1, image width 94"
    assert extractor.figures()["reduced.tiny-dinov2"] == running.reduced
    said = [record.message for record in caplog.records if "out of memory" in record.message]
    assert said[0].startswith("tiny-dinov2 (features) ran out of memory on cpu: from now on images at once 2")
    extractor.extract_many(frames)
    assert len([record for record in caplog.records if "out of memory" in record.message]) == len(said)


def test_a_model_that_never_has_room_is_given_up_without_the_others(settings, monkeypatch):
    settings.masks.model = settings.depth.model = "none"
    extractor = CueExtractor(settings)
    extractor.load()
    limit(extractor._running["features"].model, "features", monkeypatch)
    cues = extractor.extract(frame(noise(96, 128, 3)))
    assert cues.features is None and cues.language is not None
    assert "has no room on cpu even for one small image: choose a smaller model" in extractor.problems["features"]


def test_a_model_that_fails_does_not_stop_the_others(settings, monkeypatch, caplog):
    extractor = CueExtractor(settings)
    extractor.load()

    def broken(images):
        raise ValueError("cannot reshape\nsecond line")

    monkeypatch.setattr(extractor._running["masks"].model, "masks", broken)
    for _ in range(3):
        cues = extractor.extract(frame(noise(96, 128, 3)))
    assert cues.masks is None and cues.language is not None
    assert extractor.problems == {"masks": "tiny-sam (masks) failed: ValueError: cannot reshape second line"}
    assert extractor.figures()["failures.tiny-sam"] == 3
    assert sum("tiny-sam (masks) failed" in record.message for record in caplog.records) == 1
    monkeypatch.undo()
    assert extractor.extract(frame(noise(96, 128, 3))).masks is not None
    assert extractor.problems == {}


def test_when_every_model_fails_the_frame_is_not_answered(settings, monkeypatch):
    settings.masks.model = settings.depth.model = settings.features.model = "none"
    extractor = CueExtractor(settings)

    def broken(images):
        raise ValueError("no")

    monkeypatch.setattr(extractor.language, "encode_dense", broken)
    with pytest.raises(ModelError, match=r"no model had an answer: tiny-siglip \(language\) failed"):
        extractor.extract(frame(noise(96, 128, 3)))


def test_weights_are_counted_once_wherever_they_lie():
    class Holder:
        name = "holder"

        def __init__(self):
            self.network = torch.nn.Linear(1024, 256, bias=False)  # 1 MB
            self.again = self.network
            self.part = type("Part", (), {})()
            self.part.inner = torch.nn.Linear(256, 1024, bias=False)

    assert weight_megabytes(Holder()) == 2.0


@pytest.mark.parametrize("breaks", [True, False])
def test_what_cannot_be_compiled_runs_uncompiled(settings, monkeypatch, caplog, breaks):
    """torch.compile fails when the model first runs; here the compiled model is one that raises as its compiler would."""
    settings.cues.compile = True
    plain = tiers.load("features", tiers.without_compiling(settings))
    loaded = []

    class Compiled:
        name = "tiny-dinov2"

        def features(self, images):
            if breaks:
                raise RuntimeError("backend='inductor' raised: no C++ compiler")
            return plain.features(images)

    def load(kind, wanted):
        loaded.append(wanted.cues.compile)
        return Compiled() if wanted.cues.compile else plain

    monkeypatch.setattr(tiers, "load", load)
    running = start_model("features", settings)
    assert loaded == ([True, False] if breaks else [True])
    assert running.problem == "" and running.milliseconds > 0
    assert (running.model is plain) == breaks
    assert any("runs without torch.compile" in record.message for record in caplog.records) == breaks
