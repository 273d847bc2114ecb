"""A room written as a folder: readable by the folder source, complete or not there, and no process stays behind."""

from __future__ import annotations

import json
import operator
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy.spatial import cKDTree

from magic3d_ros.config import Settings
from magic3d_ros.sources.open import open_source
from magic3d_ros.sources.room import open_room, write_folder
from magic3d_ros.sources.room.workers import WorkerError, in_workers
from magic3d_ros.sources.source import SourceError


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield open_room("tiny", Settings())


@pytest.fixture(scope="module")
def folder(room, tmp_path_factory):
    path = tmp_path_factory.mktemp("written") / "tiny"
    counts = []
    statistics = write_folder(room, path, lambda done, total: counts.append((done, total)))
    assert counts == [(i, 10) for i in range(1, 11)]
    assert statistics["frames"] == 10
    assert 0.8 < statistics["valid_depth"] < 1.0
    assert 3 <= statistics["distractor_frames"] <= 8
    return path


def test_the_folder_source_reads_back_what_was_rendered(room, folder):
    frames = list(open_source(str(folder), Settings()))
    assert len(frames) == len(room)
    for index in (0, 5, 9):
        rendered = room.render(index).frame
        read = frames[index]
        assert read.index == index
        np.testing.assert_array_equal(read.depth, rendered.depth)
        np.testing.assert_allclose(read.camera_to_world, rendered.camera_to_world, atol=1e-7)
        assert abs(read.rgb.astype(int) - rendered.rgb).mean() < 4  # JPEG
        assert read.camera == rendered.camera


def test_ground_truth_lies_beside(room, folder):
    for index in (0, 5):
        truth = room.truth(index)
        instance = cv2.imread(str(folder / f"instance/{index:06d}.png"), cv2.IMREAD_UNCHANGED)
        assert instance.dtype == np.uint16
        np.testing.assert_array_equal(instance, truth.instance)
        mask = cv2.imread(str(folder / f"mask/{index:06d}.png"), cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(mask == 255, truth.distractor)
    rows = json.loads((folder / "instances.json").read_text(encoding="utf-8"))["instances"]
    assert [row["id"] for row in rows] == [i.id for i in room.instances]
    box = next(row for row in rows if row["name"] == "red_box")
    assert box["class"] == "box" and box["kind"] == "object" and not box["moving"]
    np.testing.assert_allclose(box["center"], [0.5, 0.5, 0.3], atol=1e-3)
    np.testing.assert_allclose(sorted(box["size"]), [0.4, 0.5, 0.6], atol=1e-3)
    best = cv2.imread(str(folder / f"instance/{box['best_frames'][0]:06d}.png"), cv2.IMREAD_UNCHANGED)
    assert (best == box["id"]).sum() > 100
    cart = next(row for row in rows if row["moving"])
    assert cart["class"] == "cart" and "center" not in cart


def test_the_labelled_mesh_holds_what_the_frames_show(room, folder):
    with np.load(folder / "gt_mesh_labels.npz", allow_pickle=False) as mesh:
        vertices, faces, instance, colors = (mesh[k] for k in ("vertices", "faces", "instance", "colors"))
    assert faces.min() >= 0 and faces.max() < len(vertices) == len(instance) == len(colors)
    whole = room.mesh()
    assert 0.1 < len(vertices) / len(whole.vertices) < 0.9
    assert (vertices[:, 1] > -1.19).all()  # the camera looks north: the south wall is never seen
    boxes = [i for i in room.instances if i.label == "box"]
    for box in boxes:
        assert (instance == box.id).sum() > 20
        low, high = box.box.center - box.box.size, box.box.center + box.box.size
        assert ((vertices[instance == box.id] > low) & (vertices[instance == box.id] < high)).all()
    for index in range(len(room)):  # every frame counts, also what lies at a slant to it
        truth = room.truth(index)
        still = (truth.depth > 0) & ~truth.distractor
        points = (room.camera.rays() * truth.depth[..., None])[still] @ truth.camera_to_world[:3, :3].T
        distance, nearest = cKDTree(vertices).query(points + truth.camera_to_world[:3, 3])
        assert (distance < 0.04).mean() > 0.99
        assert (instance[nearest] == truth.instance[still]).mean() > 0.97


def test_a_full_folder_is_not_touched_and_a_failure_leaves_nothing(room, folder, tmp_path, monkeypatch):
    before = sorted(p.name for p in folder.iterdir())
    with pytest.raises(SourceError, match="exists and is not empty"):
        write_folder(room, folder)
    assert sorted(p.name for p in folder.iterdir()) == before

    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_folder(room, tmp_path / "new", stop, workers=0)
    monkeypatch.setattr(Path, "write_bytes", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(SourceError, match=r"cannot write the room to .*No space left on device"):
        write_folder(room, tmp_path / "new", workers=0)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(SourceError, match="cannot write the room"):
        write_folder(room, tmp_path / "file" / "below", workers=0)


def test_workers_return_everything_and_say_what_failed():
    assert dict(in_workers(partial(operator.mul, 3), 6, 2)) == {0: 0, 1: 3, 2: 6, 3: 9, 4: 12, 5: 15}
    with pytest.raises(WorkerError, match="ZeroDivisionError: division by zero"):
        list(in_workers(partial(operator.truediv, 1), 9, 2))
    with pytest.raises(WorkerError, match="ended unexpectedly"):
        list(in_workers(os._exit, 9, 1))


CHILD = """
import sys, time
from magic3d_ros.sources.room.workers import in_workers
from test_export_task import slow
if __name__ == "__main__":
    try:
        for index, pid in in_workers(slow, 1000, 2):
            print(pid, flush=True)
    except KeyboardInterrupt:
        sys.exit(130)
"""
TASK = """
import os, time
def slow(index):
    time.sleep(0.05)
    return os.getpid()
"""


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
def test_no_process_stays_behind_when_the_program_is_interrupted_or_killed(tmp_path, sent):
    (tmp_path / "child.py").write_text(CHILD, encoding="utf-8")
    (tmp_path / "test_export_task.py").write_text(TASK, encoding="utf-8")
    path = os.pathsep.join([str(tmp_path), str(Path(__file__).parents[3])])
    program = subprocess.Popen([sys.executable, str(tmp_path / "child.py")], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True, env=os.environ | {"PYTHONPATH": path}, start_new_session=True)
    workers = set()
    while len(workers) < 2:
        line = program.stdout.readline()
        assert line, program.stderr.read()
        workers.add(int(line))
    if sent == signal.SIGINT:
        os.killpg(program.pid, sent)  # as a terminal does: to the program and its workers
    else:
        program.send_signal(sent)
    _, errors = program.communicate(timeout=20)
    assert program.returncode == (130 if sent == signal.SIGINT else -signal.SIGKILL)
    if sent == signal.SIGINT:
        assert errors == ""
    deadline = time.monotonic() + 10
    while any(alive(pid) for pid in workers) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(alive(pid) for pid in workers)


def alive(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"
