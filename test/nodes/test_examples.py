"""The examples as a user runs them: against a running mapper over DDS, and the C++ one against the generated messages."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

import magic3d_ros
from magic3d_ros.nodes.client import SceneClient

pytestmark = pytest.mark.ros

EXAMPLES = next((Path(place).resolve().parent / "examples" for place in magic3d_ros.__path__
                 if (Path(place).resolve().parent / "examples").is_dir()), Path("examples"))
MAIN = """
#include "answer.hpp"
int main(int argc, char **) {
  QueryScene::Response answer;
  answer.status = argc > 1 ? QueryScene::Response::NOT_FOUND : QueryScene::Response::FOUND;
  answer.why = question("where can I sit").text;
  answer.objects.resize(2);
  answer.objects[1].label = "chair";
  answer.objects[1].approach_poses.resize(1);
  answer.objects[1].approach_poses[0].header.frame_id = "map";
  answer.objects[1].approach_poses[0].pose.position.x = 1.25;
  return print_answer(answer);
}
"""


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(EXAMPLES / "go_to_where_i_can_sit.py"), *arguments], capture_output=True,
                          text=True, timeout=120, env=dict(os.environ), check=False)


def test_without_a_mapper_it_says_so(ros_domain: int) -> None:
    done = run("--node", "nobody", "--wait", "1")
    assert done.returncode == 1
    assert "/nobody/query_scene is not there" in done.stderr


@pytest.mark.slow
def test_the_behaviour_prints_a_goal_before_a_thing_of_the_running_map(start_node) -> None:
    # Boxes are no seats: with these thresholds the likeliest thing counts as found, whatever it is.
    mapper = start_node("scene_mapper", "--ros-args", "-p", "query.found_probability:=0.0", "-p",
                        "query.ambiguous_probability:=0.0", "-p", "query.robot_radius:=0.1", "-p", "query.approach_reach:=3.0")
    start_node("player", "room:tiny", "--rate", "1.0", "--wait", "120")
    with SceneClient(timeout=120.0) as client:
        client.wait(120.0)
        wanted = client.query("a box", timeout=120.0)
        for _ in range(60):
            if any(thing["approach_poses"] for thing in wanted["objects"]):
                break
            time.sleep(1.0)
            wanted = client.query("a box")
        done = run("a box", "--wait", "60")
        assert done.returncode == 0, (done, mapper.last_lines())
        goal = re.search(r"goal: frame map, x (\S+) m, y (\S+) m, z (\S+) m, yaw (\S+) rad", done.stdout)
        assert goal, done.stdout
        thing = int(re.search(r"object (\d+)", done.stdout)[1])
        pose = client.get_object(thing)[0]["approach_poses"][0]
        assert [float(v) for v in goal.groups()[:3]] == pytest.approx([row[3] for row in pose[:3]], abs=0.21)
        none = run(" ", "--wait", "60")
        assert none.returncode == 3
        assert none.stdout.startswith("nowhere to go: ")


def test_the_cpp_example_compiles_against_the_generated_messages_and_chooses_the_goal(tmp_path: Path) -> None:
    include = Path(sys.prefix) / "include"
    if shutil.which("g++") is None or not (include / "magic3d_ros").is_dir():
        pytest.skip("no g++, or the interfaces' C++ headers are not in this environment")
    (tmp_path / "main.cpp").write_text(MAIN, encoding="utf-8")
    program = tmp_path / "answer"
    folders = [flag for folder in sorted(include.iterdir()) if folder.is_dir() for flag in ("-I", str(folder))]
    subprocess.run(["g++", "-std=c++17", "-Wall", "-Wextra", "-Werror", "-I", str(EXAMPLES / "cpp"), *folders,
                    str(tmp_path / "main.cpp"), "-o", str(program)], check=True, timeout=300)
    found = subprocess.run([str(program)], capture_output=True, text=True, check=False, timeout=30)
    assert found.returncode == 0
    assert "where can I sit" in found.stdout
    assert "goal: frame map, place 1.250 0.000 0.000" in found.stdout
    assert subprocess.run([str(program), "x"], capture_output=True, check=False, timeout=30).returncode == 3
