"""Maps survive saving and loading, and whatever happens on the way."""

from __future__ import annotations

import errno
import json
import shutil
import struct
import subprocess

import numpy as np
import pytest

from magic3d_ros.config import Settings
from magic3d_ros.pipeline import ScenePipeline
from magic3d_ros.sources.room import open_room
from magic3d_ros.storage import map_folder
from magic3d_ros.storage.map_error import MapError
from magic3d_ros.storage.map_folder import check_replaceable, export_map, load_map, read_manifest, save_map, saved_settings
from magic3d_ros.storage.ply import read_points


@pytest.fixture(scope="module")
def pipeline(mapped_room):
    return mapped_room[0]


@pytest.fixture(scope="module")
def saved(pipeline, tmp_path_factory):
    folder = tmp_path_factory.mktemp("maps") / "map"
    save_map(pipeline, folder, {"frames": {"used": 10}})
    return folder


@pytest.fixture
def copy(saved, tmp_path):
    """A saved map that a test may damage."""
    return shutil.copytree(saved, tmp_path / "map")


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_the_folder_holds_what_the_format_says(saved, pipeline):
    assert sorted(contents(saved)) == ["map.json", "mesh.ply", "objects.json", "points.ply", "semantics.sqlite",
                                       "state.safetensors"]
    manifest = read_manifest(saved)
    assert manifest["version"] == 2
    assert manifest["settings"]["map.voxel_size"] == 0.02
    assert manifest["statistics"] == {"frames": {"used": 10}}
    vertices, colors, labels = read_points(saved / "points.ply")
    np.testing.assert_array_equal(vertices, pipeline.scene.surface.vertices)
    np.testing.assert_array_equal(colors, pipeline.scene.surface.colors)
    np.testing.assert_array_equal(labels, pipeline.scene.labels)
    things = json.loads((saved / "objects.json").read_text())
    assert {thing["id"] for thing in things} == {thing.id for thing in pipeline.scene.objects}
    assert set(things[0]) >= {"id", "kind", "confidence", "n_points", "center", "size", "rotation", "n_views", "label",
                              "probability"}
    assert all(len(thing["rotation"]) == 3 and len(thing["rotation"][0]) == 3 for thing in things)


def test_everybody_may_read_the_files(saved):
    assert {oct(path.stat().st_mode & 0o444) for path in [saved, *saved.iterdir()]} == {oct(0o444)}


def test_a_loaded_map_is_the_same_scene(saved, pipeline):
    loaded = load_map(saved, Settings(), pipeline.extractor)
    before, after = pipeline.state(), loaded.state()
    assert before.keys() == after.keys()
    for name, array in before.items():
        np.testing.assert_array_equal(after[name], array, err_msg=name)
    scene = loaded.understand()
    assert scene.stamp == pipeline.scene.stamp
    np.testing.assert_allclose(scene.surface.vertices, pipeline.scene.surface.vertices, atol=1e-5)
    np.testing.assert_array_equal(scene.labels, pipeline.scene.labels)
    assert [(o.id, o.label, o.kind) for o in scene.objects] == [(o.id, o.label, o.kind) for o in pipeline.scene.objects]


def test_mapping_goes_on_after_loading(pipeline, tmp_path):
    settings = Settings()
    frames = list(open_room("tiny", settings))
    whole, half = ScenePipeline(settings, pipeline.extractor), ScenePipeline(settings, pipeline.extractor)
    for frame in frames[:6]:
        whole.add(frame)
        half.add(frame)
    save_map(half, tmp_path / "half")
    resumed = load_map(tmp_path / "half", settings, pipeline.extractor)
    for frame in frames[6:]:
        whole.add(frame)
        resumed.add(frame)
    expected, got = whole.mapper.voxels.surface(), resumed.mapper.voxels.surface()
    assert len(got) == len(expected)
    order, other = (np.lexsort(np.round(s.vertices, 4).T) for s in (expected, got))
    np.testing.assert_allclose(got.vertices[other], expected.vertices[order], atol=2e-4)
    assert [k.stamp for k in resumed.mapper.keyframes] == [k.stamp for k in whole.mapper.keyframes]


def test_saving_brings_the_scene_up_to_date(pipeline, tmp_path):
    settings = Settings()
    fresh = ScenePipeline(settings, pipeline.extractor)
    for frame in list(open_room("tiny", settings))[:4]:
        fresh.add(frame)
    save_map(fresh, tmp_path / "map")
    assert len(read_points(tmp_path / "map" / "points.ply")[0]) == len(fresh.scene.surface) > 0


def test_settings_come_with_the_map(saved):
    assert saved_settings(saved).flat() == Settings().flat()


def test_a_voxel_size_of_the_map_wins(saved, pipeline, caplog):
    settings = Settings()
    settings.set("map.voxel_size", 0.01)
    loaded = load_map(saved, settings, pipeline.extractor)
    assert loaded.settings.map.voxel_size == 0.02
    assert settings.map.voxel_size == 0.01
    assert "map.voxel_size" in caplog.text


def test_other_models_are_refused(saved, pipeline):
    settings = Settings()
    settings.set("language.feature_dimension", 32)
    with pytest.raises(MapError, match=r"language\.feature_dimension = 64, not 32: set language\.feature_dimension to 64"):
        load_map(saved, settings, pipeline.extractor)


def test_a_failing_disk_leaves_the_old_map(copy, pipeline, monkeypatch):
    before = contents(copy)

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(map_folder, "write_points", full)
    with pytest.raises(MapError, match=r"was not saved .* no space left on device; what was there before is untouched; free"):
        save_map(pipeline, copy)
    assert contents(copy) == before
    assert [path.name for path in copy.parent.iterdir()] == ["map"]


@pytest.fixture
def small_disk(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", disk]
    if not shutil.which("mount") or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small disk needs root")
    yield disk
    subprocess.run(["umount", disk], check=True)


def test_a_full_disk_is_said_so(small_disk, pipeline):
    with pytest.raises(MapError, match=r"(?i)was not saved .*no space left on device"):
        save_map(pipeline, small_disk / "map")
    assert list(small_disk.iterdir()) == []


def test_a_read_only_disk_is_said_so(small_disk, pipeline):
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    with pytest.raises(MapError, match=r"was not saved .*read-only file system"):
        save_map(pipeline, small_disk / "map")
    with pytest.raises(MapError, match=r"nothing was exported .*read-only file system"):
        export_map(pipeline.scene, small_disk / "out")


def test_saving_over_a_map_keeps_foreign_files(copy, pipeline):
    (copy / "notes.txt").write_text("mine")
    save_map(pipeline, copy)
    assert (copy / "notes.txt").read_text() == "mine"


def test_other_folders_are_never_replaced(pipeline, tmp_path):
    (tmp_path / "thesis.tex").write_text("do not lose this")
    with pytest.raises(MapError, match="holds other files and is not a map"):
        save_map(pipeline, tmp_path)
    assert (tmp_path / "thesis.tex").read_text() == "do not lose this"
    with pytest.raises(MapError, match="is a file"):
        check_replaceable(tmp_path / "thesis.tex")


def broken_manifest(folder, **changes):
    path = folder / "map.json"
    manifest = json.loads(path.read_text()) | changes
    path.write_text(json.dumps(manifest))


@pytest.mark.parametrize(("damage", "said"), [
    (lambda f: broken_manifest(f, version=99), r"format version 99, this program reads 2: use the program that wrote it"),
    (lambda f: broken_manifest(f, format="something else"), "does not describe a map of this program"),
    (lambda f: broken_manifest(f, files={}), "does not name its files"),
    (lambda f: broken_manifest(f, settings={"map.voxel_size": "huge"}), r"the settings .* cannot be used"),
    (lambda f: (f / "map.json").unlink(), r"is not a map: it has no map\.json"),
    (lambda f: (f / "map.json").write_text('{"format": "magic3d'), "not readable JSON"),
    (lambda f: (f / "map.json").write_text("[1, 2]"), "does not describe a map"),
    (lambda f: (f / "state.safetensors").unlink(), r"0 of \d+ bytes: the map is half-written or half-copied"),
    (lambda f: (f / "mesh.ply").write_bytes(b"ply"), r"mesh\.ply has 3 of \d+ bytes"),
])
def test_damaged_folders_say_what_is_wrong(copy, pipeline, damage, said):
    damage(copy)
    with pytest.raises(MapError, match=said):
        load_map(copy, Settings(), pipeline.extractor)


def test_a_missing_folder_is_said_so(tmp_path):
    with pytest.raises(MapError, match=r"is not there: `magic3d map SOURCE --out nowhere` makes a map"):
        read_manifest(tmp_path / "nowhere")


def replace_state(folder, data: bytes) -> None:
    (folder / "state.safetensors").write_bytes(data)
    files = json.loads((folder / "map.json").read_text())["files"]
    broken_manifest(folder, files=files | {"state.safetensors": len(data)})


def test_a_state_whose_header_claims_too_much_is_refused(copy, pipeline):
    header = json.dumps({"mapper.x": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]}}).encode()
    replace_state(copy, struct.pack("<Q", len(header)) + header + b"\0" * 64)
    with pytest.raises(MapError, match=r"cannot be read .* cut off or damaged"):
        load_map(copy, Settings(), pipeline.extractor)


def test_a_cut_off_state_is_refused(copy, pipeline):
    replace_state(copy, (copy / "state.safetensors").read_bytes()[:-100])
    with pytest.raises(MapError, match=r"cannot be read .* cut off or damaged"):
        load_map(copy, Settings(), pipeline.extractor)


def test_a_state_without_its_parts_is_refused(copy, pipeline):
    from safetensors.numpy import save

    replace_state(copy, save({"pipeline.last_stamp": np.array([5], np.int64)}))
    with pytest.raises(MapError, match="does not fit together"):
        load_map(copy, Settings(), pipeline.extractor)


def test_arrays_of_another_shape_are_refused(copy, pipeline):
    from safetensors.numpy import load_file, save

    state = load_file(copy / "state.safetensors")
    for name in [name for name in state if name.startswith("mapper.tsdf.")]:
        replace_state(copy, save(state | {name: np.zeros((3, 5, 7), state[name].dtype)}))
        with pytest.raises(MapError, match="does not fit together"):
            load_map(copy, Settings(), pipeline.extractor)


def test_export_writes_the_three_files_and_touches_no_other(pipeline, tmp_path):
    (tmp_path / "other").write_text("mine")
    assert export_map(pipeline.scene, tmp_path) == ["mesh.ply", "points.ply", "objects.json"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mesh.ply", "objects.json", "other", "points.ply"]
