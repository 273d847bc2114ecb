"""Baked light: where it should be, and its cache."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from magic3d_ros.config import Settings
from magic3d_ros.sources.room import open_room
from magic3d_ros.sources.room.assembly import load_texture
from magic3d_ros.sources.room.body import compile_body
from magic3d_ros.sources.room.light import AreaLight, bake
from magic3d_ros.sources.room.light_cache import baked, cache_folder
from magic3d_ros.sources.room.material import Material, Part
from magic3d_ros.sources.room.triangles import box, rectangle

LAMP = AreaLight(np.array([-0.1, -0.1, 2.0]), np.array([0, 0.2, 0.0]), np.array([0.2, 0, 0.0]), np.array([10.0, 10.0, 10.0]))
NO_AMBIENT = np.zeros(3)


def floor_and_table():
    floor = rectangle((-2, -2, 0), (4, 0, 0), (0, 4, 0), 0.1)
    table = box((1.0, 0, 0.5), (0.8, 0.8, 0.05))
    return compile_body([(1, [Part(floor, Material("", (0.5, 0.5, 0.5)))]), (2, [Part(table, Material("", (0.5, 0.5, 0.5)))])],
                        load_texture)


def test_light_falls_off_as_physics_says_and_a_table_casts_a_shadow():
    body = floor_and_table()
    light = bake(body, [LAMP], NO_AMBIENT)
    place = body.triangles.positions
    on_floor = np.repeat(body.instance == 1, 3)

    def at(x, y):
        return light[on_floor][np.argmin(np.linalg.norm(place[on_floor, :2] - (x, y), axis=1)), 0]

    # a small lamp of area A and radiance L, d above: irradiance / pi = L A cos^4 / (pi d^2)
    assert at(0, 0) == pytest.approx(10 * 0.04 / (np.pi * 4), rel=0.05)
    assert at(-1, 0) == pytest.approx(10 * 0.04 / (np.pi * 4) * (4 / 5) ** 2, rel=0.08)
    assert at(1.2, 0) < 0.1 * at(-1.2, 0)  # under the table: only what bounces back
    assert bake(body, [LAMP], NO_AMBIENT).tobytes() == light.tobytes()


def test_the_cache_is_used_is_safe_and_is_not_needed(tmp_path, monkeypatch, caplog):
    caplog.set_level(logging.INFO)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "magic3d_ros" / "room"
    body = floor_and_table()
    first = baked(body, [LAMP], NO_AMBIENT)
    file, = cache_folder().iterdir()  # one file, and no temporary one beside it
    assert "baking" in caplog.text
    caplog.clear()
    np.testing.assert_array_equal(baked(body, [LAMP], NO_AMBIENT), first)
    assert caplog.text == ""
    baked(body, [LAMP], np.full(3, 0.1))
    assert len(list(cache_folder().iterdir())) == 2, "other light, other file"
    for damaged in (b"", b"\x93NUMPY garbage", file.read_bytes()[:200]):
        file.write_bytes(damaged)
        np.testing.assert_array_equal(baked(body, [LAMP], NO_AMBIENT), first)
    np.save(file, np.zeros((3, 3), np.float32))
    np.testing.assert_array_equal(baked(body, [LAMP], NO_AMBIENT), first)
    assert "does not hold this room's light" in caplog.text
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    np.testing.assert_array_equal(baked(body, [LAMP], NO_AMBIENT), first)
    assert "the next start will bake it again" in caplog.text


def test_a_bright_window_side_and_a_dark_corner(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    room = open_room("tiny", Settings(), frames=2, distractors=False)
    picture = room.render(0).frame.rgb
    assert 60 < picture.mean() < 190, "neither black nor burnt out"
    assert picture.std() > 15
