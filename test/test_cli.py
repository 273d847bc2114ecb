"""The command line: what it prints, what it writes, how it ends."""

from __future__ import annotations

import json
import math
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from typer.testing import CliRunner

from magic3d_ros import cli
from magic3d_ros.geometry.open3d_import import load_open3d
from magic3d_ros.settings_table import markdown_table
from magic3d_ros.storage.map_folder import save_map

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture
def run(monkeypatch, capsys):
    """magic3d ARGUMENTS as a user meets it: (exit code, stdout, stderr)."""

    def main(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["magic3d", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        captured = capsys.readouterr()
        return int(end.value.code or 0), captured.out, captured.err

    return main


@pytest.fixture(scope="module")
def saved(mapped_room, tmp_path_factory):
    folder = tmp_path_factory.mktemp("cli") / "map"
    save_map(mapped_room[0], folder, mapped_room[1].statistics())
    return folder


@pytest.fixture(scope="module")
def room_folder(tmp_path_factory):
    from magic3d_ros.config import Settings
    from magic3d_ros.sources.room import open_room, write_folder

    folder = tmp_path_factory.mktemp("room") / "tiny"
    write_folder(open_room("tiny", Settings()), folder, workers=0)
    return folder


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


def test_every_command_has_help():
    runner = CliRunner()
    listed = re.findall(r"^│ ([a-z-]+) ", runner.invoke(cli.app, ["--help"]).output, re.MULTILINE)
    assert set(listed) >= {"map", "query", "ask", "play", "convert", "room", "doctor", "export", "eval", "bench", "demo",
                           "run-mapper", "extract", "settings"}
    for command in listed:
        result = runner.invoke(cli.app, [command, "--help"])
        assert result.exit_code == 0, command


def test_help_loads_no_heavy_library():
    code = ("import sys, magic3d_ros.cli\n"
            "heavy = {'torch', 'cv2', 'numpy', 'scipy', 'open3d', 'rosbags', 'rclpy', 'transformers'}\n"
            "print(sorted(heavy & set(sys.modules)))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=REPOSITORY)
    assert done.stdout.strip() == "[]"


def test_version(run):
    assert run("--version")[:2] == (0, "magic3d_ros 0.1.0\n")


@pytest.mark.parametrize("arguments", [("map",), ("no-such-command",), ("query", "x", "text", "--top", "0"), ("map", "x")])
def test_wrong_usage_ends_with_2(run, arguments):
    assert run(*arguments)[0] == 2


@pytest.mark.parametrize(("arguments", "said"), [
    (("settings", "--set", "map.voxel_siz=1"), "unknown setting 'map.voxel_siz': did you mean 'map.voxel_size'?"),
    (("settings", "--set", "map.voxel_size=9"), "map.voxel_size must lie between 0.004 and 0.2 m, not 9.0"),
    (("settings", "--set", "map.voxel_size"), "--set takes NAME=VALUE"),
    (("settings", "--config", "/no/such/file.yaml"), "cannot read settings from /no/such/file.yaml"),
    (("map", "/no/such/place", "--out", "/tmp/never-made"), "'/no/such/place' does not exist: give a folder, a bag"),
    (("query", "/no/such/map", "chair"), "/no/such/map is not there"),
    (("export", "/no/such/map", "/tmp/never-made"), "/no/such/map is not there"),
    (("bench", "no-such-bench"), "there is no benchmark 'no-such-bench': there are"),
    (("room", "no-such-room", "--out", "/tmp/never-made"), "no-such-room"),
])
def test_an_error_is_one_line_and_ends_with_1(run, arguments, said):
    code, output, errors = run(*arguments)
    assert code == 1
    assert output == ""
    assert len(lines(errors)) == 1
    assert errors.startswith("error: ")
    assert said in errors


def test_errors_end_a_real_process_with_1():
    done = subprocess.run([sys.executable, "-m", "magic3d_ros.cli", "settings", "--set", "x=1"], capture_output=True, text=True,
                          cwd=REPOSITORY, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr


def test_settings_lists_values_as_set(run):
    code, output, _ = run("settings", "--set", "map.voxel_size=0.03")
    assert code == 0
    assert re.search(r"map\.voxel_size +0\.03 ", output)


def test_the_page_of_settings_is_up_to_date():
    page = (REPOSITORY / "docs" / "parameters.md").read_text(encoding="utf-8")
    assert page == markdown_table(), "run: magic3d settings --markdown > docs/parameters.md"


def test_bench_lists_what_there_is(run):
    code, output, _ = run("bench")
    assert code == 0
    assert re.search(r"^map +Frames a second of the whole", output, re.MULTILINE)


def test_bench_without_a_checkout_says_so(run, monkeypatch, tmp_path):
    import magic3d_ros

    monkeypatch.setattr(magic3d_ros, "__path__", [str(tmp_path / "site-packages" / "magic3d_ros")])
    code, _, errors = run("bench", "map")
    assert code == 1
    assert "part of the checkout" in errors


def test_map_writes_everything_and_prints_figures(run, room_folder, tmp_path):
    code, output, errors = run("map", room_folder, "--out", tmp_path / "map", "--hold-out", 5, "--max-frames", 9)
    assert code == 0, errors
    assert sorted(path.name for path in (tmp_path / "map").iterdir()) == [
        "map.json", "mesh.ply", "objects.json", "points.ply", "report.html", "semantics.sqlite", "state.safetensors"]
    assert re.search(r"frames: 7 used \(\d+ keyframes\), 2 held out", output)
    assert re.search(r"held-out frames: in25 0\.\d{3}, PSNR \d+\.\d\d dB, SSIM 0\.\d{3} "
                     r"\(voxel colour alone: \d+\.\d\d dB, 0\.\d{3}\), coverage", output)
    assert re.search(r"rate: \d+\.\d\d frames/s", output)
    for stage in ("read", "integrate", "cues", "language", "mesh", "instances", "describe"):
        assert re.search(rf"^{stage} +\d+ +[\d.]+ +[\d.]+ +\d+%$", output, re.MULTILINE), stage
    statistics = json.loads((tmp_path / "map" / "map.json").read_text())["statistics"]
    assert statistics["frames"]["used"] == 7
    assert statistics["hold_out"]["frames"] == 2


def test_map_refines_what_it_mapped_and_says_what_came_of_it(run, room_folder, tmp_path):
    code, output, errors = run("map", room_folder, "--out", tmp_path / "map", "--max-frames", 6, "--refine", 2, "--calibrate",
                               "--hold-out", 5, "--no-report")
    assert code == 0, errors
    assert re.search(r"refined in \d+\.\d s: .*depth error \d+\.\d -> \d+\.\d mm, PSNR \d+\.\d\d -> \d+\.\d\d dB", output)
    assert "held-out frames at poses aligned to the refined map: in25" in output
    statistics = json.loads((tmp_path / "map" / "map.json").read_text())["statistics"]
    assert statistics["refinement"]["success"] and statistics["refinement"]["seconds_spent"] > 0
    assert statistics["hold_out"]["frames"] == statistics["hold_out_refined"]["frames"] == 1


def test_map_does_not_replace_a_map_unasked(run, saved):
    before = (saved / "map.json").read_bytes()
    code, _, errors = run("map", "room:tiny", "--out", saved)
    assert code == 1
    assert "already holds a map: --overwrite replaces it" in errors
    assert (saved / "map.json").read_bytes() == before


def test_map_never_replaces_other_folders(run, tmp_path):
    (tmp_path / "thesis.tex").write_text("x")
    code, _, errors = run("map", "room:tiny", "--out", tmp_path, "--overwrite")
    assert code == 1
    assert "holds other files and is not a map" in errors


def test_map_without_usable_frames_says_why(run, room_folder, tmp_path):
    import shutil

    folder = shutil.copytree(room_folder, tmp_path / "bad")
    rows = [line.split() for line in (folder / "poses_c2w.txt").read_text().splitlines()]
    (folder / "poses_c2w.txt").write_text("\n".join(" ".join([row[0], *["nan"] * (len(row) - 1)]) for row in rows))
    code, _, errors = run("map", folder, "--out", tmp_path / "map")
    assert code == 1
    assert "could be used" in errors
    assert "pose" in errors
    assert not (tmp_path / "map").exists()


def test_query_as_json(run, saved):
    code, output, _ = run("query", saved, "where is the floor", "--json", "--top", 2)
    assert code == 0
    answer = json.loads(output)
    assert answer["status"] == "found"
    assert 1 <= len(answer["objects"]) <= 2
    best = answer["objects"][0]
    assert set(best) == {"id", "score", "probability", "center", "size", "rotation", "label", "n_views", "last_seen",
                         "support", "map"}
    assert best["label"] == "floor"
    assert len(best["rotation"]) == len(best["rotation"][0]) == len(best["center"]) == len(best["size"]) == 3


def test_query_of_several_maps(run, saved, tmp_path):
    import shutil

    for name in ("attic", "cellar"):
        shutil.copytree(saved, tmp_path / "maps" / name)
    code, output, _ = run("query", tmp_path / "maps", "where is the floor", "--also", saved, "--json", "--top", 30)
    assert code == 0
    answer = json.loads(output)
    assert {thing["map"] for thing in answer["objects"]} == {str(tmp_path / "maps" / "attic"), str(tmp_path / "maps" / "cellar"),
                                                             str(saved)}
    code, output, _ = run("query", tmp_path / "maps", "where is the floor")
    assert code == 0 and "attic: the best is" in output and "views  map" in output
    code, _, errors = run("query", saved, "chair", "--also", tmp_path / "nowhere")
    assert code == 1 and "nowhere is not there" in errors and len(lines(errors)) == 1


def test_query_for_people(run, saved):
    code, output, _ = run("query", saved, "where is the floor")
    assert code == 0
    assert output.startswith("FOUND ")
    assert "probability" in output


def test_query_with_a_picture(run, saved, mapped_room, tmp_path):
    import cv2

    keyframe = next(iter(mapped_room[0].mapper.keyframes))
    cv2.imwrite(str(tmp_path / "picture.png"), cv2.cvtColor(keyframe.rgb(), cv2.COLOR_RGB2BGR))
    code, output, errors = run("query", saved, "--image", tmp_path / "picture.png", "--json")
    assert code == 0, errors
    assert json.loads(output)["status"] in ("found", "ambiguous", "not_found")
    (tmp_path / "picture.png").write_bytes(b"no picture")
    code, _, errors = run("query", saved, "--image", tmp_path / "picture.png")
    assert code == 1
    assert "is not a picture that can be read" in errors


@pytest.mark.parametrize(("question", "said"), [
    (("",), "the question is empty"), (("   ",), "the question is empty"), (("x" * 10_000,), "10000 characters"),
    (("?!",), "no word"), (("", "--negative", "chair"), "only what is not meant"),
])
def test_words_that_are_no_question(run, saved, question, said):
    code, _, errors = run("query", saved, *question)
    assert code == 1
    assert len(lines(errors)) == 1
    assert said in errors
    code, output, _ = run("query", saved, *question, "--json")
    assert (code, json.loads(output)["status"], said in json.loads(output)["why"]) == (0, "invalid", True)


@pytest.mark.parametrize(("size", "said"), [((1, 1), "at least 8 pixels"), ((7680, 4320), "at most 4096 pixels")])
def test_pictures_that_show_nothing_or_too_much(run, saved, tmp_path, size, said):
    import cv2

    cv2.imwrite(str(tmp_path / "picture.png"), np.zeros((size[1], size[0], 3), np.uint8))
    code, output, _ = run("query", saved, "--image", tmp_path / "picture.png", "--json")
    assert (code, json.loads(output)["status"], said in json.loads(output)["why"]) == (0, "invalid", True)


def test_another_script_is_asked_like_any_words(run, saved):
    code, output, _ = run("query", saved, "椅子", "--json")
    assert (code, json.loads(output)["status"] in ("found", "ambiguous", "not_found")) == (0, True)


def test_query_by_place_and_time(run, saved):
    objects = {thing["id"]: thing for thing in json.loads((saved / "objects.json").read_text())}

    def asked(*options):
        code, output, errors = run("query", saved, "a chair", "--json", "--top", 1000, *options)
        assert code == 0, errors
        return json.loads(output)

    everything = asked()
    assert all(objects[thing["id"]]["support"] == thing["support"] for thing in everything["objects"])
    newest = max(thing["last_seen"] for thing in objects.values())
    late = [thing["id"] for thing in everything["objects"] if thing["last_seen"] == newest]
    assert [thing["id"] for thing in asked("--seen-after", newest)["objects"]] == late
    assert [thing["id"] for thing in asked("--max-age", 1e-6)["objects"]] == late
    never = asked("--seen-after", newest + 1)
    assert (never["status"], never["objects"], "seen after" in never["why"]) == ("not_found", [], True)
    center = everything["objects"][0]["center"]
    around = asked("--region", *(c + 0.3 for c in center), *(c - 0.3 for c in center))
    assert everything["objects"][0]["id"] in {thing["id"] for thing in around["objects"]}
    far = asked("--region", 100, 100, 100, 101, 101, 101)
    assert (far["status"], far["objects"], "in that region" in far["why"]) == ("not_found", [], True)


def test_query_understands_where(run, saved):
    code, output, _ = run("query", saved, "what is on the floor", "--relations", "--json")
    answer = json.loads(output)
    assert (code, answer["status"]) == (0, "found")
    assert answer["why"].startswith('read as anything on "floor": ')
    assert f"it is on object {answer['objects'][0]['support']} " in answer["why"]


def test_words_are_never_a_path(run, saved):
    code, output, _ = run("query", saved, "/etc/passwd", "--json")
    assert code == 0
    assert "root:" not in output


def test_export_copies_what_other_programs_read(run, saved, tmp_path):
    code, output, _ = run("export", saved, tmp_path / "out")
    assert code == 0
    assert len(lines(output)) == 3
    for name in ("mesh.ply", "points.ply", "objects.json"):
        assert (tmp_path / "out" / name).read_bytes() == (saved / name).read_bytes()


def test_export_closes_the_mesh_for_simulators(run, saved, tmp_path):
    code, output, errors = run("export", saved, tmp_path / "out", "--watertight")
    assert code == 0, errors
    assert lines(output)[-1] == str(tmp_path / "out" / "mesh_watertight.ply")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "mesh.ply", "mesh_watertight.ply", "objects.json", "points.ply"]
    mesh = load_open3d().io.read_triangle_mesh(str(tmp_path / "out" / "mesh_watertight.ply"))
    assert mesh.is_edge_manifold(allow_boundary_edges=False) and mesh.is_vertex_manifold()
    assert mesh.has_vertex_colors() and mesh.has_vertex_normals()


def test_view_opens_a_window_where_there_is_a_display(run, saved, monkeypatch):
    shown = []
    viewer = SimpleNamespace(draw_geometries=lambda things, window_name: shown.append((things, window_name)))
    open3d = load_open3d()
    monkeypatch.setattr(open3d, "visualization", viewer)
    monkeypatch.setenv("DISPLAY", ":0")
    code, _, errors = run("view", saved)
    assert code == 0, errors
    (mesh, *boxes), title = shown[0]
    assert title == str(saved)
    things = json.loads((saved / "objects.json").read_text(encoding="utf-8"))
    assert len(boxes) == sum(thing["kind"] == "object" for thing in things)
    assert len(mesh.vertices) > 1000
    np.testing.assert_allclose(boxes[0].center, next(t["center"] for t in things if t["kind"] == "object"))


def test_view_without_a_display_writes_the_report(run, saved, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    drawn = []  # drawing takes ten seconds; test_map_writes_everything draws one
    monkeypatch.setattr("magic3d_ros.report.build.write_report", lambda *what: drawn.append(what))
    code, output, errors = run("view", saved)
    assert code == 0, errors
    assert output.strip() == str(saved / "report.html")
    path, pipeline, statistics = drawn[0]
    assert path == saved / "report.html"
    assert len(pipeline.scene.surface) > 1000
    assert statistics["frames"]["used"] == 10
    code, _, errors = run("view", saved / "nothing")
    assert code == 1
    assert "is not there" in errors


def test_eval_against_the_rooms_own_truth(run, saved, room_folder):
    code, output, errors = run("eval", saved, room_folder, "--json")
    assert code == 0, errors
    figures = json.loads(output)
    assert 0 <= figures["ap"] <= figures["ap50"] <= figures["ap25"] <= 1
    assert figures["accuracy"] < 0.02
    assert figures["precision"] > 0.9


def test_convert_then_map_the_bag(run, room_folder, tmp_path):
    code, output, errors = run("convert", room_folder, tmp_path / "tiny.mcap")
    assert code == 0, errors
    assert output.startswith("10 frames in ")
    code, output, errors = run("doctor", tmp_path / "tiny.mcap", "--json")
    assert code == 0, output
    assert {finding["level"] for finding in json.loads(output)} == {"OK"}
    code, _, errors = run("convert", room_folder, tmp_path / "tiny.mcap")
    assert code == 1
    assert "exists already" in errors


def test_room_writes_a_folder_that_doctor_likes(run, tmp_path):
    code, output, errors = run("room", "tiny", "--out", tmp_path / "tiny", "--frames", 3)
    assert code == 0, errors
    assert output.startswith("3 frames of room:tiny in ")
    code, output, _ = run("doctor", tmp_path / "tiny")
    assert code == 0, output
    assert "This can be mapped" in output


def test_commands_that_need_ros_say_so(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "rclpy", None)
    for arguments in (("ask", "a chair"), ("refine", "5"), ("play", "room:tiny"), ("run-mapper",), ("extract",), ("demo",),
                      ("doctor",)):
        code, _, errors = run(*arguments)
        assert code == 1, arguments
        assert "ROS 2 is not here: source an installed one" in errors


def test_refine_shows_what_was_reached(run, monkeypatch):
    client_module = pytest.importorskip("magic3d_ros.nodes.client", reason="needs ROS 2")
    asked = []

    class Client:
        def __init__(self, node_name: str) -> None:
            asked.append(node_name)

        def __enter__(self):
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def refine(self, *wanted: object) -> dict:
            asked.extend(wanted[:-1])
            wanted[-1]("poses", 0.25, float("nan"))
            wanted[-1]("appearance", 0.5, 0.0123)
            return {"success": True, "message": "4 keyframes moved", "keyframes_moved": 4, "mean_correction": 0.01,
                    "depth_error_before": 0.0062, "depth_error_after": 0.0051, "psnr_before": math.nan, "psnr_after": 21.5,
                    "seconds_spent": 8.0}

    monkeypatch.setattr(client_module, "SceneClient", Client)
    code, output, errors = run("refine", 8, "--calibration", "--no-appearance", "--node", "other")
    assert code == 0, errors
    assert asked == ["other", 8.0, True, True, False]
    assert lines(output) == ["4 keyframes moved", "depth error: 6.20 -> 5.10 mm"]
    code, output, _ = run("refine", 8, "--json")
    assert json.loads(output)["psnr_before"] is None
    assert json.loads(output)["psnr_after"] == 21.5


def test_ctrl_c_ends_a_mapping_cleanly(tmp_path):
    process = subprocess.Popen([sys.executable, "-m", "magic3d_ros.cli", "map", "room", "--out", str(tmp_path / "map")],
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=REPOSITORY,
                               env=os.environ | {"PYTHONUNBUFFERED": "1"})
    time.sleep(4.0)  # somewhere in it: loading, rendering or mapping
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130, output
    assert "stopped by Ctrl-C" in output
    assert "Traceback" not in output
    assert list(tmp_path.iterdir()) == []
