"""Scene descriptions: the shipped ones are sound, and errors name the key."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import yaml
from scipy.spatial import cKDTree

from magic3d_ros.config import Settings
from magic3d_ros.sources.room import SceneError, open_room, scene_names
from magic3d_ros.sources.room.assembly import assemble
from magic3d_ros.sources.room.description import load_description, parse_description
from magic3d_ros.sources.room.ground_truth import room_mesh
from magic3d_ros.sources.room.simulated_room import SCENES

TINY = yaml.safe_load((SCENES / "tiny.yaml").read_text(encoding="utf-8"))


def changed(path, value):
    """The tiny scene with one key set; path like room.walls.all.texture or furniture.0.at."""
    scene = copy.deepcopy(TINY)
    place = scene
    *parents, last = [int(key) if key.isdecimal() else key for key in path.split(".")]
    for key in parents:
        place = place[key]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return scene


@pytest.mark.parametrize(("path", "value", "message"), [
    ("room.size", [3.0, "wide", 2.2], "tiny.yaml: room: 'size' must be 3 numbers between 0.5 and 50"),
    ("room.size", None, "'size' is missing"),
    ("room.sise", [1, 1, 1], "unknown key 'sise': did you mean 'size'"),
    ("room.walls.all.texture", "brick", "walls: all: 'texture' is 'brick', unknown: there are .*plaster"),
    ("room.windows.0.wall", "nord", "windows\\[0\\]: 'wall' is 'nord', which does not exist: did you mean 'north'"),
    ("furniture.1.shape", "blok", "furniture\\[1\\]: 'shape' is 'blok', which does not exist: did you mean 'block'"),
    ("furniture.1.asset", "plant", "furniture\\[1\\]: give either 'shape' or 'asset'"),
    ("furniture.0.at", [1.0, 2.0], "furniture\\[0\\]: 'at' must be 3 numbers"),
    ("furniture.0.yaw", float("nan"), "furniture\\[0\\]: 'yaw' must be a number"),
    ("furniture", {"shape": "block"}, "'furniture' must be a list"),
    ("camera.frames", 0, "camera: 'frames' must be a number between 1 and 100000, not 0"),
    ("camera.frames", 2.5, "camera: 'frames' must be a whole number"),
    ("camera.way_points", [[0, 0, 1, 90]], "'way_points' row 0 must be 5 numbers"),
    ("distractors.0.path", [[0.5, 0, 0], [0.4, 1, 0]], "distractors\\[0\\]: 'path' moments must rise within 0..1"),
    ("sensor", {"noise_flor": 0.1}, "sensor: unknown key 'noise_flor': did you mean 'noise_floor'"),
    ("sensor", {"baseline": 0}, "sensor: 'baseline' must be a number between 1e-06"),
])
def test_errors_name_file_and_key(path, value, message):
    with pytest.raises(SceneError, match=message):
        parse_description(changed(path, value), "tiny", "tiny.yaml")


@pytest.mark.parametrize(("options", "message"), [
    ({"sise": [1, 1, 1]}, "furniture\\[0\\]: shape 'block' has no option 'sise': there are size, texture"),
    ({"size": [1, 1]}, "option 'size' must be 3 numbers"),
    ({"texture": "brick"}, "option 'texture' must be a texture"),
    ({"rounding": -1}, "option 'rounding' must be a number between 0 and 20"),
])
def test_options_of_shapes_are_checked(options, message):
    description = parse_description(changed("furniture.0.options", options), "tiny", "tiny.yaml")
    with pytest.raises(SceneError, match=message):
        assemble(description, distractors=False)


def test_impossible_counts_are_an_error_not_a_crash():
    scene = changed("furniture.0", {"shape": "sofa", "at": [0, 0, 0], "options": {"seats": 0}})
    with pytest.raises(SceneError, match="shape 'sofa' cannot be made with"):
        assemble(parse_description(scene, "tiny", "tiny.yaml"), distractors=False)


def test_a_scene_is_a_mapping_in_a_small_text_file(tmp_path):
    for text, message in (("- 1\n- 2\n", "must be a mapping"), ("room: [", "cannot read the scene"), ("", "must be a mapping")):
        (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
        with pytest.raises(SceneError, match=message):
            load_description(tmp_path / "mine.yaml", "mine")
    (tmp_path / "large.yaml").write_bytes(b"#" * 1_000_001)
    with pytest.raises(SceneError, match="larger than a scene description"):
        load_description(tmp_path / "large.yaml", "large")
    with pytest.raises(SceneError, match="cannot read the scene"):
        open_room(str(tmp_path / "missing.yaml"), Settings())


def test_a_room_of_ones_own_opens_by_its_path(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(changed("furniture", [])), encoding="utf-8")
    room = open_room(str(path), Settings(), frames=1)
    assert room.name == "room:mine"
    assert [i.label for i in room.instances if i.kind == "object"] == ["cart"]


@pytest.mark.parametrize("name", scene_names())
def test_shipped_scenes_stand_inside_their_room(name):
    description = load_description(SCENES / f"{name}.yaml", name)
    assert description.furniture and description.walkers and description.windows
    half = description.size / 2
    names = [item.name for item in description.furniture]
    assert len(set(names)) == len(names), "names tell things apart"
    for item in description.furniture:
        assert (abs(item.at[:2]) <= half[:2]).all() and 0 <= item.at[2] < description.size[2], item.name
    assert (abs(description.camera.way_points[:, :2]) < half[:2] - 0.2).all()
    for walker in description.walkers:
        assert (abs(walker.path[:, 1:]) < half[:2] - 0.2).all()


@pytest.mark.parametrize("name", ["office", "bedroom", "kitchen", "procedural_room"])
def test_things_of_shipped_scenes_touch_something_and_stay_inside(name):
    description = load_description(SCENES / f"{name}.yaml", name)
    assembly = assemble(description, distractors=False)
    objects = [i for i in assembly.instances if i.kind == "object"]
    assert name == "procedural_room" or 35 <= len(objects) <= 55
    mesh = room_mesh(assembly.body, {}, 0.06)
    half = description.size / np.array([2, 2, 1])
    for thing in objects:
        mine, others = mesh.vertices[mesh.instance == thing.id], mesh.vertices[mesh.instance != thing.id]
        near = others[((others > mine.min(0) - 0.1) & (others < mine.max(0) + 0.1)).all(1)]
        # vertices are up to 6 cm apart: what touches has one within half the diagonal of such a square
        assert cKDTree(near).query(mine)[0].min() < 0.043, f"{thing.name} hangs in the air"
        assert (np.abs(mine[:, :2]) < half[:2] + 0.002).all(), f"{thing.name} is in a wall"
        assert mine[:, 2].min() > -0.002 and mine[:, 2].max() < half[2] + 0.002, f"{thing.name} is in the floor or the ceiling"
