"""A saved map answers from its table of things as it does when it is loaded as a whole."""

from __future__ import annotations

import itertools
import json
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing

import numpy as np
import pytest

from magic3d_ros.config import QuerySettings, Settings
from magic3d_ros.language.answer import Question, Status
from magic3d_ros.language.concepts.knowledge import Knowledge
from magic3d_ros.pipeline import ScenePipeline
from magic3d_ros.storage import map_folder
from magic3d_ros.storage.map_error import MapError
from magic3d_ros.storage.map_folder import load_map, save_map
from magic3d_ros.storage.semantic_search import load_memory, map_folders, search
from magic3d_ros.storage.semantic_table import read_semantic_table

TEXTS = ("where can I sit", "table", "the floor", "a red mug", "giraffe", "/etc/passwd", "wo ist der Stuhl", "", "x" * 2000)


@pytest.fixture(scope="module")
def pipeline(mapped_room):
    return mapped_room[0]


@pytest.fixture(scope="module")
def saved(pipeline, tmp_path_factory):
    folder = tmp_path_factory.mktemp("maps") / "map"
    save_map(pipeline, folder)
    return folder


@pytest.fixture
def copy(saved, tmp_path):
    return shutil.copytree(saved, tmp_path / "map")


def questions(scene, picture):
    """Words, a picture, both, negatives, regions."""
    middle = np.mean([thing.centroid for thing in scene.objects], axis=0)
    half = np.stack([middle - np.array([0, 9, 9]), middle + 9.0])
    yield from (Question(text) for text in TEXTS)
    yield from (Question(text, image) for text, image in (("", picture), ("table", picture)))
    yield from (Question("something to sit on", negatives=n) for n in (("chair",), ("table", "", "floor")))
    yield from (Question(text, relations=True) for text in ("what is on the floor", "a box left of the table", "near a giraffe"))
    yield from (Question("table", max_age=age) for age in (1e-6, 1e6))
    yield from (Question("table", region=region, max_results=n) for region in (half, half + 99) for n in (1, 100))


def same(first, second, tolerance=0.0):
    assert first.status == second.status
    assert first.why == second.why
    assert [(m.id, m.label) for m in first.matches] == [(m.id, m.label) for m in second.matches]
    np.testing.assert_allclose([(m.score, m.probability) for m in first.matches],
                               [(m.score, m.probability) for m in second.matches], atol=tolerance, rtol=0)


def test_answers_are_those_of_the_scene_that_was_saved(saved, pipeline):
    scene, memory = pipeline.scene, load_memory(saved, Settings(), pipeline.extractor.language)
    picture = next(iter(pipeline.mapper.keyframes)).rgb()[60:180, 80:240]
    statuses = set()
    for question in questions(scene, picture):
        expected = scene.query(question)
        same(memory.answer(question), expected)
        statuses.add(expected.status)
    assert statuses >= {Status.FOUND, Status.NOT_FOUND, Status.INVALID}


def test_answers_are_those_of_the_loaded_map(saved, pipeline):
    loaded = load_map(saved, Settings(), pipeline.extractor).understand(thorough=True)
    memory = load_memory(saved, Settings(), pipeline.extractor.language)
    picture = next(iter(pipeline.mapper.keyframes)).rgb()[60:180, 80:240]
    for question in questions(loaded, picture):
        same(memory.answer(question), loaded.query(question), 1e-4)  # the surface is the same within 10 micrometres


def test_everything_of_a_thing_comes_back(saved, pipeline):
    memory = load_memory(saved, Settings(), pipeline.extractor.language)
    assert len(memory.objects) == len(pipeline.scene.objects) > 3
    for got, thing in zip(memory.objects, pipeline.scene.objects, strict=True):
        for name in ("id", "kind", "label", "probability", "confidence", "n_points", "n_views", "first_seen", "last_seen",
                     "support"):
            assert getattr(got, name) == getattr(thing, name), name
        for part in ("center", "size", "rotation"):
            np.testing.assert_array_equal(getattr(got.box, part), getattr(thing.box, part))
        np.testing.assert_array_equal(got.centroid, thing.centroid)
    expected = pipeline.scene.memory
    assert memory.levels == expected.levels and memory.floor == expected.floor
    assert memory.colours.keys() == expected.colours.keys()
    for i, shares in expected.colours.items():
        np.testing.assert_allclose(memory.colours[i], shares, atol=1e-7)
    for name in ("up", "ids", "vectors", "background", "center", "seen_from"):
        np.testing.assert_array_equal(getattr(memory, name), getattr(expected, name), err_msg=name)


def test_tables_of_before_relations_are_read_without_supports_and_viewpoints(copy, pipeline):
    with closing(sqlite3.connect(copy / "semantics.sqlite")) as file, file:
        file.execute("DELETE FROM scene WHERE name IN ('supports', 'seen_from')")
    knowledge = Knowledge.of(pipeline.extractor.language, Settings().language)
    memory = read_semantic_table(copy / "semantics.sqlite", knowledge, QuerySettings())
    assert {thing.support for thing in memory.objects} == {-1}
    assert memory.seen_from.shape == (0, 3)
    same(memory.answer(Question("table")), pipeline.scene.query(Question("table")))


def test_geometry_is_not_opened(copy, pipeline):
    """Files of the same size with nothing in them would not load."""
    for name in ("state.safetensors", "mesh.ply", "points.ply", "objects.json"):
        (copy / name).write_bytes(bytes((copy / name).stat().st_size))
    memory = load_memory(copy, Settings(), pipeline.extractor.language)
    same(memory.answer(Question("table")), pipeline.scene.query(Question("table")))


def test_a_word_of_the_vocabulary_needs_no_network(saved, tmp_path):
    """Once the vocabulary is in the user's cache, neither the sentence encoder nor the image network is loaded."""
    code = ("import sys\nfrom magic3d_ros import cli\n"
            f"sys.argv = ['magic3d', 'query', {str(saved)!r}, 'where is the table?', '--json']\n"
            "try: cli.main()\nexcept SystemExit as end: assert not end.code\n"
            "print('transformers' in sys.modules)")
    def ask() -> list[str]:
        return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.splitlines()

    ask()  # fills the cache where it is empty
    answer, loaded = ask()
    assert json.loads(answer)["objects"] and loaded == "False"


def test_a_map_saved_without_a_table_is_loaded_as_a_whole(copy, pipeline, caplog):
    (copy / "semantics.sqlite").unlink()
    manifest = json.loads((copy / "map.json").read_text())
    del manifest["files"]["semantics.sqlite"]
    (copy / "map.json").write_text(json.dumps(manifest))
    same(load_memory(copy, Settings(), pipeline.extractor.language).answer(Question("table")),
         pipeline.scene.query(Question("table")), 1e-4)
    assert "the whole map is loaded" in caplog.text


def test_an_empty_map_has_no_table_and_says_so(pipeline, tmp_path):
    save_map(ScenePipeline(Settings(), pipeline.extractor), tmp_path / "empty")
    assert not (tmp_path / "empty" / "semantics.sqlite").exists()
    memory = load_memory(tmp_path / "empty", Settings(), pipeline.extractor.language)
    assert search({"empty": memory}, Question("table"))[0].status == Status.NOT_READY


def test_other_models_are_refused(saved, pipeline):
    settings = Settings()
    settings.set("language.feature_dimension", 32)
    with pytest.raises(MapError, match=r"set language\.feature_dimension to 64"):
        load_memory(saved, settings, pipeline.extractor.language)


def change(path, *statements):
    with closing(sqlite3.connect(path)) as file, file:
        for statement in statements:
            file.execute(statement)


@pytest.mark.parametrize(("damage", "said"), [
    (lambda f: f.unlink(), "is not there: the map is half-written"),
    (lambda f: f.write_bytes(b"no table" * 1000), "cannot be read .* damaged; save or copy the map again"),
    (lambda f: f.write_bytes(f.read_bytes()[:5000]), "cannot be read .* damaged"),
    (lambda f: f.write_bytes(b""), "database of another program"),
    (lambda f: change(f, "PRAGMA application_id = 7"), "database of another program"),
    (lambda f: change(f, "PRAGMA user_version = 9"), "table version 9, this program reads 1: use the program that wrote it"),
    (lambda f: change(f, "DROP TABLE scene"), "cannot be read"),
    (lambda f: change(f, "DROP TABLE scene", "CREATE VIEW scene AS SELECT 'up_and_floor' AS name, zeroblob(32) AS value"),
     "cannot be read"),
    (lambda f: change(f, "UPDATE embeddings SET vector = zeroblob(16)"), "embeddings of 4 to 4 numbers, .* makes 1000"),
    (lambda f: change(f, "UPDATE embeddings SET vector = 'words' WHERE position = 0"), "embeddings of 1 to 1000 numbers"),
    (lambda f: change(f, "UPDATE objects SET box = zeroblob(1000000)"), "boxes have the wrong size"),
    (lambda f: change(f, "UPDATE objects SET box = CAST(printf('%0120d', 7) AS TEXT)"), "cannot be read"),
    (lambda f: change(f, "UPDATE objects SET table_level = 7 WHERE table_level IS NOT NULL"), "7.0 is no share"),
    (lambda f: change(f, "UPDATE scene SET value = zeroblob(12) WHERE name = 'up_and_floor'"), "cannot be read"),
    (lambda f: change(f, "UPDATE scene SET value = X'0000C07F0000C07F' WHERE name = 'center'"), "1000 finite numbers"),
    (lambda f: change(f, "DELETE FROM scene WHERE name = 'background'"), "what describes the scene is missing"),
])
def test_damaged_tables_say_what_is_wrong(copy, pipeline, damage, said):
    damage(copy / "semantics.sqlite")
    with pytest.raises(MapError, match=said):
        knowledge = Knowledge.of(pipeline.extractor.language, Settings().language)
        read_semantic_table(copy / "semantics.sqlite", knowledge, QuerySettings())


def test_a_cut_off_table_is_told_by_its_size(copy, pipeline):
    path = copy / "semantics.sqlite"
    path.write_bytes(path.read_bytes()[:-4096])
    with pytest.raises(MapError, match=r"semantics\.sqlite has \d+ of \d+ bytes: the map is half-written"):
        load_memory(copy, Settings(), pipeline.extractor.language)


def test_a_table_that_cannot_be_written_leaves_the_old_map(copy, pipeline, monkeypatch):
    before = {path.name: path.read_bytes() for path in copy.iterdir()}

    def full(*_):
        raise OSError("semantics.sqlite: database or disk is full")

    monkeypatch.setattr(map_folder, "write_semantic_table", full)
    with pytest.raises(MapError, match=r"was not saved .*disk is full; what was there before is untouched"):
        save_map(pipeline, copy)
    assert {path.name: path.read_bytes() for path in copy.iterdir()} == before


def test_maps_below_a_folder_are_found(copy, tmp_path):
    shutil.copytree(copy, tmp_path / "another")
    shutil.copytree(copy, tmp_path / ".map.replaced")
    (tmp_path / "notes").mkdir()
    assert map_folders([tmp_path, copy]) == [tmp_path / "another", copy]
    assert map_folders([copy, copy]) == [copy]
    assert map_folders([tmp_path / "notes", tmp_path / "nowhere"]) == [tmp_path / "notes", tmp_path / "nowhere"]


def test_several_maps_are_ranked_together(saved, pipeline):
    memory = load_memory(saved, Settings(), pipeline.extractor.language)
    alone = memory.answer(Question("the floor", max_results=4))
    both, maps = search({"home": None, "office": memory, "lab": memory}, Question("the floor", max_results=8))
    assert both.status == alone.status == Status.FOUND and both.why == f"office: {alone.why}"
    found = [m.probability for m in both.matches]
    assert found == pytest.approx(sorted(found, reverse=True), abs=1e-4) and found[0] > found[-1] + 0.1
    assert [m for m, name in zip(both.matches, maps, strict=True) if name == "lab"][:4] == alone.matches
    assert maps.count("office") == maps.count("lab") == 4
    assert len(search({"office": memory, "lab": memory}, Question("the floor", max_results=1))[0].matches) == 1
    assert search({"home": None, "office": memory}, Question(""))[0].status == Status.INVALID


@pytest.mark.data
@pytest.mark.slow
def test_a_real_kitchen_answers_the_same(shared_data, tmp_path):
    from magic3d_ros.cues.extractor import CueExtractor
    from magic3d_ros.sources.open import open_source

    settings = Settings()
    pipeline = ScenePipeline(settings, CueExtractor(settings))
    for frame in itertools.islice(open_source(str(shared_data / "redkitchen"), settings), 0, 60, 2):
        pipeline.add(frame)
    save_map(pipeline, tmp_path / "kitchen")
    loaded = load_map(tmp_path / "kitchen", settings, pipeline.extractor)
    save_map(loaded, tmp_path / "again")  # which separates the surface into things anew; a few come out differently
    picture = next(iter(pipeline.mapper.keyframes)).rgb()[100:300, 200:400]
    for scene, folder in ((pipeline.scene, "kitchen"), (loaded.scene, "again")):
        memory = load_memory(tmp_path / folder, settings, pipeline.extractor.language)
        for question in questions(scene, picture):
            same(memory.answer(question), scene.query(question))
