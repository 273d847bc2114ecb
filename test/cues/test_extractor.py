"""All cues of a frame."""

from __future__ import annotations

import numpy as np

from magic3d_ros.config import Settings, load_settings
from magic3d_ros.cues import tiers
from magic3d_ros.cues.extractor import CueExtractor
from magic3d_ros.frames import Camera, RGBDFrame


def test_a_frame_has_all_cues_of_the_embedded_tier(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    settings = Settings()
    settings.language.feature_dimension = 32
    extractor = CueExtractor(settings)
    rgb = np.random.default_rng(0).integers(0, 255, (96, 128, 3), dtype=np.uint8)
    frame = RGBDFrame(7, rgb, np.full((96, 128), 1.5, np.float32), Camera(128, 96, 100.0, 100.0, 64.0, 48.0), np.eye(4))
    cues = extractor.extract(frame)
    assert cues.stamp == 7
    assert cues.features.values.shape == (6, 8, 112)
    assert cues.language.values.shape == (3, 4, 32) and cues.language.values.dtype == np.float16
    assert cues.normals.shape == (48, 64, 3)
    assert set(cues.timings) == {extractor.language.name, "depth-normals"}
    assert extractor.name == "embedded/efficientnet-lite0/32"
    np.testing.assert_array_equal(extractor.extract(frame).language.values, cues.language.values)


def test_the_embedded_tiers_masks_are_no_models() -> None:
    settings = load_settings(None, {"masks.model": "embedded"})
    assert tiers.model_of("masks", settings) == tiers.EMBEDDED and not tiers.has_model("masks", settings)
    assert tiers.has_model("language", settings) and not tiers.has_model("depth", settings)
