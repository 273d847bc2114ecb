"""Guessed surface through the whole pipeline: the smallest simulated room, seen by a sensor that is blind beyond 2 m."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from magic3d_ros.cli import app
from magic3d_ros.config import Settings
from magic3d_ros.cues.extractor import CueExtractor
from magic3d_ros.evaluation.hidden_surface import evaluate_hidden
from magic3d_ros.evaluation.monocular_cues import SyntheticCues, blind_beyond
from magic3d_ros.geometry.open3d_import import load_open3d
from magic3d_ros.pipeline import ScenePipeline
from magic3d_ros.sources.room import open_room
from magic3d_ros.storage.map_folder import export_map, save_map


@pytest.fixture(scope="module")
def clean():
    return list(open_room("tiny", Settings()))


def mapped(clean, with_cues: bool) -> ScenePipeline:
    settings = Settings()
    pipeline = ScenePipeline(settings, CueExtractor(settings))
    for frame in clean:
        blind = blind_beyond(frame)
        if not pipeline.mapper.keyframes.wants(blind):
            pipeline.integrate(blind)
            continue
        cues = pipeline.extractor.extract(blind)
        pipeline.integrate(blind, cues)
        if with_cues:
            cues = replace(cues, monocular=SyntheticCues().of(frame).monocular)
        pipeline.add_cues(blind, cues)
    pipeline.understand(thorough=True)
    return pipeline


@pytest.fixture(scope="module")
def without(clean):
    return mapped(clean, False)


@pytest.fixture(scope="module")
def pipeline(clean):
    return mapped(clean, True)


def score(pipeline, clean):
    return evaluate_hidden(pipeline.render, [(frame, blind_beyond(frame)) for frame in clean[2::6]], 160)


def test_guesses_fill_what_the_sensor_did_not_see(pipeline, without, clean):
    alone, filled = score(without, clean), score(pipeline, clean)
    print(alone, filled)
    assert filled.within_5cm > alone.within_5cm + 0.1
    assert filled.within_5cm > 0.85


def test_views_tell_guessed_from_measured(pipeline, without, clean):
    frame = clean[2]
    assert without.render(frame.camera, frame.camera_to_world).guessed is None
    measured = without.render(frame.camera, frame.camera_to_world)
    view = pipeline.render(frame.camera, frame.camera_to_world)
    assert view.guessed.dtype == bool and view.guessed.any() and not view.guessed.all()
    np.testing.assert_array_equal(view.depth[~view.guessed], measured.depth[~view.guessed])
    assert (view.depth[view.guessed] > 0).all()
    assert pipeline.preview(frame.camera, frame.camera_to_world).guessed.any()


def test_measured_surface_things_and_floor_plan_stay_as_they_are(pipeline, without):
    np.testing.assert_array_equal(pipeline.scene.surface.vertices, without.scene.surface.vertices)
    np.testing.assert_array_equal(pipeline.scene.labels, without.scene.labels)
    np.testing.assert_array_equal(pipeline.scene.occupancy.cells, without.scene.occupancy.cells)


def test_the_filled_mesh_marks_its_guesses(pipeline, without):
    filled, measured = pipeline.mapper.guessed.surface(), pipeline.scene.surface
    guessed = filled.weights == 0
    assert len(filled) > 1.05 * len(measured) and guessed.any()
    assert abs((~guessed).sum() - len(measured)) < 0.05 * len(measured)
    assert without.filled_surface() is None


def test_export_has_the_filled_mesh_where_there_are_guesses(pipeline, without, tmp_path):
    assert export_map(without.scene, tmp_path / "plain", without.filled_surface()) == ["mesh.ply", "points.ply", "objects.json"]
    names = export_map(pipeline.scene, tmp_path / "filled", pipeline.filled_surface())
    assert names[-1] == "mesh_filled.ply"
    mesh = load_open3d().t.io.read_triangle_mesh(str(tmp_path / "filled" / "mesh_filled.ply"))
    filled = pipeline.filled_surface()
    np.testing.assert_allclose(mesh.vertex.positions.numpy(), filled.vertices)
    assert b"property uchar guessed" in (tmp_path / "filled" / "mesh_filled.ply").read_bytes()[:500]


def test_the_command_exports_it(pipeline, without, tmp_path):
    for name, made in (("filled", pipeline), ("plain", without)):
        save_map(made, tmp_path / name)
    runner = CliRunner()
    assert runner.invoke(app, ["export", str(tmp_path / "filled"), str(tmp_path / "a"), "--filled"]).exit_code == 0
    assert (tmp_path / "a" / "mesh_filled.ply").is_file()
    assert not (tmp_path / "plain" / "mesh_filled.ply").exists()
    assert runner.invoke(app, ["export", str(tmp_path / "plain"), str(tmp_path / "b"), "--filled"]).exit_code != 0


def test_the_state_brings_guesses_back(pipeline, without, clean):
    frame = clean[2]
    loaded = ScenePipeline(pipeline.settings, pipeline.extractor)
    loaded.load_state(pipeline.state())
    view, again = (p.render(frame.camera, frame.camera_to_world) for p in (pipeline, loaded))
    np.testing.assert_array_equal(view.guessed, again.guessed)
    np.testing.assert_allclose(view.depth, again.depth, atol=1e-5)
    assert loaded.mapper.guessed.alignments == pipeline.mapper.guessed.alignments
    assert not [name for name in without.state() if name.startswith("guessed.")]


def test_refining_keeps_and_reports_guesses(pipeline, clean):
    before = score(pipeline, clean)
    report = pipeline.refine(12.0, poses=False, appearance=False)
    print(report.message)
    assert report.success and "monocular depth of" in report.message
    assert "trained" in report.message or "training did not" in report.message
    assert score(pipeline, clean).within_5cm > before.within_5cm - 0.02


def test_guesses_move_with_corrected_poses(pipeline, clean):
    shift = np.array([2.0, 1.0, 0.5])
    poses = {k.stamp: k.camera_to_world.copy() for k in pipeline.mapper.keyframes}
    for pose in poses.values():
        pose[:3, 3] += shift
    here, there = clean[2].camera_to_world, clean[2].camera_to_world.copy()
    there[:3, 3] += shift
    before = pipeline.render(clean[2].camera, here)
    pipeline.correct_poses(poses)
    after = pipeline.render(clean[2].camera, there)
    both = before.guessed & after.guessed
    assert both.sum() > 0.8 * before.guessed.sum() > 0
    assert np.median(np.abs(before.depth - after.depth)[both]) < 0.02
