"""What pip runs: build CMakeLists.txt, then put the generated interfaces beside the Python package.

colcon does not read this file: it builds CMakeLists.txt directly.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from setuptools import Distribution, setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
NAME = "magic3d_ros"
GENERATED = ("msg", "srv", "action")
SITE_PACKAGES = f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"


def is_ros_prefix(prefix: Path) -> bool:
    return (prefix / "share/ament_index/resource_index/packages").is_dir()


def sourced_prefixes() -> list[Path]:
    """Prefixes of the ROS install whose setup file was sourced; empty where there is none."""
    named = os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep)
    return [Path(p) for p in named if p and Path(p) != Path(sys.prefix) and is_ros_prefix(Path(p))]


def build_prefixes() -> list[Path]:
    """Where CMake may find ament_cmake and the message packages: sourced ROS, pip's build environment, this environment."""
    prefixes = sourced_prefixes()
    for folder in map(Path, sys.path):
        if folder.name == "site-packages" and len(folder.parents) > 2:
            prefixes.append(folder.parents[2])
    prefixes.append(Path(sys.prefix))
    return list(dict.fromkeys(p for p in prefixes if is_ros_prefix(p)))


def cmake_environment(prefixes: list[Path]) -> dict[str, str]:
    """The generators are programs of these prefixes, and load their libraries."""
    libraries = [str(p / "lib") for p in prefixes]
    for prefix in prefixes:
        libraries += [str(folder) for folder in (prefix / SITE_PACKAGES).glob("ros_*.libs")]
    inherited = os.environ.get("LD_LIBRARY_PATH", "")
    joined = os.pathsep.join(map(str, prefixes))
    return {**os.environ, "AMENT_PREFIX_PATH": joined, "CMAKE_PREFIX_PATH": joined,
            "LD_LIBRARY_PATH": os.pathsep.join([*libraries, *([inherited] if inherited else [])])}


def build_and_stage(name: str, source: Path) -> Path:
    """Configure, build and install one CMake project into a staging folder; returns that folder."""
    prefixes = build_prefixes()
    if not any((p / "share/rosidl_default_generators").is_dir() for p in prefixes):
        raise SystemExit(f"{NAME}: rosidl_default_generators not found: source a ROS 2 install, or let pip build with isolation")
    build = ROOT / "build" / f"cmake-{name}-{sysconfig.get_platform()}-{sys.implementation.cache_tag}"
    stage = build / "stage"
    shutil.rmtree(stage, ignore_errors=True)
    # The cache names pip's build environment, which is another folder each time.
    (build / "CMakeCache.txt").unlink(missing_ok=True)
    cmake = shutil.which("cmake") or "cmake"
    configure = [cmake, "-S", str(source), "-B", str(build), "-DCMAKE_BUILD_TYPE=Release", "-DBUILD_TESTING=OFF",
                 f"-DCMAKE_INSTALL_PREFIX={stage}", f"-DPython3_EXECUTABLE={sys.executable}",
                 f"-DPYTHON_INSTALL_DIR={SITE_PACKAGES}", f"-DCMAKE_PROJECT_INCLUDE={ROOT / 'cmake/ros_wheels_fix.cmake'}"]
    if shutil.which("ninja"):
        configure += ["-G", "Ninja"]
    environment = cmake_environment(prefixes)
    subprocess.run(configure, check=True, env=environment)
    subprocess.run([cmake, "--build", str(build), "--parallel", str(os.cpu_count() or 1)], check=True, env=environment)
    subprocess.run([cmake, "--install", str(build)], check=True, env=environment, stdout=subprocess.DEVNULL)
    return stage


class BuildInterfaces(build_py):
    """build_py that also builds messages and services."""

    def run(self):
        try:
            self.build()
        except Exception as error:  # setuptools makes a warning of it in editable mode, and a package without interfaces
            raise SystemExit(f"{NAME}: the interfaces could not be built: {error}") from error

    def build(self):
        super().run()
        data = self.collect(NAME, build_and_stage(NAME, ROOT))
        # Asked of the sourced ROS alone: were the copy made by an earlier install counted, a reinstall would drop it.
        if not any((p / "share/tf2_msgs/package.xml").is_file() for p in sourced_prefixes()):
            data += self.collect("tf2_msgs", build_and_stage("tf2_msgs", ROOT / "cmake/tf2_msgs"))
        self.distribution.data_files = data
        if self.editable_mode:  # setuptools leaves data_files out of editable wheels
            self.distribution.get_command_obj("install_data").data_files = data
            self.run_command("install_data")

    def collect(self, name: str, stage: Path) -> list[tuple[str, list[str]]]:
        """Put the staged project's Python into the wheel; returns all else as (folder, files) relative to the prefix."""
        data = []
        package = Path(SITE_PACKAGES) / name
        for folder, _, names in os.walk(stage):
            relative = Path(folder).relative_to(stage)
            files = [Path(folder, f) for f in sorted(names) if not f.endswith((".pyc", ".ep.c"))]
            if relative.is_relative_to(package):
                inside = relative.relative_to(package)
                files = [f for f in files if self.is_generated(name, inside, f)]
                if not self.editable_mode:
                    for file in files:
                        target = Path(self.build_lib, name, inside, file.name)
                        target.parent.mkdir(parents=True, exist_ok=True)
                        shutil.copy2(file, target)
                    continue
            elif relative.is_relative_to(SITE_PACKAGES):
                continue  # the egg-info that CMake made: the wheel has its own
            if files:
                data.append((str(relative), [os.path.relpath(f, ROOT) for f in files]))
        return data

    @staticmethod
    def is_generated(name: str, inside: Path, file: Path) -> bool:
        """Whether rosidl made this Python file. The stage also holds our own sources, which pip packs itself."""
        if file.suffix not in (".py", ".so"):
            return False
        return name != NAME or (inside.parts[0] in GENERATED if inside.parts else file.suffix == ".so")


class BinaryDistribution(Distribution):
    """Holds compiled type support, so the wheel is for one platform and Python."""

    def has_ext_modules(self):
        return True


setup(cmdclass={"build_py": BuildInterfaces}, distclass=BinaryDistribution)
