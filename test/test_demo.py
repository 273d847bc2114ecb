"""The demo: real processes over DDS, from rendering to the report, and nothing left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

pytestmark = [pytest.mark.ros, pytest.mark.slow]
REPOSITORY = Path(__file__).resolve().parents[1]
PATIENCE = 300.0


@pytest.fixture(autouse=True)
def _needs_ros():
    pytest.importorskip("rclpy", reason="needs ROS 2")
    pytest.importorskip("magic3d_ros.srv", reason="needs the built interfaces")


class Demo:
    """A demo of the smallest room, with a mark in its environment by which its processes are found again."""

    def __init__(self, folder: Path) -> None:
        self.mark = f"MAGIC3D_TEST={uuid.uuid4().hex}"
        self.log = folder / "demo.log"
        name, value = self.mark.split("=")
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "magic3d_ros.cli", "demo", "--room", "tiny", "--out", str(folder / "demo"), "--rate", "5"],
                stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, cwd=REPOSITORY,
                env=os.environ | {name: value, "PYTHONUNBUFFERED": "1"})

    def output(self) -> str:
        return self.log.read_text()

    def wait_for(self, text: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while text not in self.output():
            assert self.process.poll() is None, self.output()
            assert time.monotonic() < deadline, self.output()
            time.sleep(0.1)

    def processes(self) -> dict[int, str]:
        """Command lines of all living processes of this demo, by id."""
        found = {}
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and self.mark.encode() in (entry / "environ").read_bytes():
                    found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue  # it has just ended
        return found

    def gone(self) -> bool:
        deadline = time.monotonic() + 20
        while self.processes() and time.monotonic() < deadline:
            time.sleep(0.1)
        return not self.processes()


@pytest.fixture
def demo(tmp_path):
    started = Demo(tmp_path)
    yield started
    for number in started.processes():
        os.kill(number, signal.SIGKILL)


def test_it_shows_everything_and_ends_by_itself(demo, tmp_path):
    demo.wait_for("mapper")
    assert demo.process.wait(PATIENCE) == 0, demo.output()
    assert demo.gone()
    folder, output = tmp_path / "demo", demo.output()
    assert {"report.html", "mesh.ply", "points.ply", "objects.json", "answers.json", "map.json", "logs"} <= {
        path.name for path in folder.iterdir()}
    answers = json.loads((folder / "answers.json").read_text())
    assert len(answers) >= 6
    assert answers["a bicycle"]["status"] == "not_found"
    assert "10 frames received, 10 used, 0 dropped" in output
    assert "asked through the service" in output
    assert "Traceback" not in output
    report = (folder / "report.html").read_text()
    for question in answers:
        assert question in report


@pytest.mark.parametrize("moment", ["room ", "mapper ", "played "])
def test_ctrl_c_leaves_nothing_behind(demo, moment):
    demo.wait_for(moment)
    demo.process.send_signal(signal.SIGINT)
    assert demo.process.wait(60) == 130, demo.output()
    assert demo.gone()
    assert "stopped by Ctrl-C" in demo.output()
    assert "Traceback" not in demo.output()


def test_a_kill_leaves_nothing_behind(demo):
    demo.wait_for("mapper ")
    demo.process.kill()
    demo.process.wait(60)
    assert demo.gone()


def test_a_mapper_that_dies_is_told_of(demo):
    demo.wait_for("mapper ")
    mapper = next(number for number, command in demo.processes().items() if "run-mapper" in command)
    os.kill(mapper, signal.SIGKILL)
    assert demo.process.wait(PATIENCE) == 1, demo.output()
    assert demo.gone()
    assert "scene_mapper was killed by signal 9" in demo.output()
    assert "Traceback" not in demo.output()
