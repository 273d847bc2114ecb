"""What belongs to the package but is no Python module: versions, requirements, interfaces, profile, RViz view."""

from __future__ import annotations

import ast
import configparser
import importlib
import importlib.util
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml
from packaging.requirements import Requirement

import magic3d_ros
from magic3d_ros.config import Settings, load_settings
from magic3d_ros.default_profile import default_profile

ROOT = Path(__file__).resolve().parents[1]
INTERFACES = sorted([*ROOT.glob("msg/*.msg"), *ROOT.glob("srv/*.srv")])
PYTHONS = ("3.10", "3.11", "3.12", "3.13", "3.14")


def setup_cfg() -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg")
    return parser


def entries(text: str) -> list[str]:
    return [line for line in text.split("\n") if line and not line.startswith("#")]


def test_one_version():
    assert ElementTree.parse(ROOT / "package.xml").findtext("version") == magic3d_ros.__version__
    assert setup_cfg()["metadata"]["version"] == "attr: magic3d_ros.__version__"


def test_one_licence():
    assert ElementTree.parse(ROOT / "package.xml").findtext("license") == setup_cfg()["metadata"]["license"] == "Apache-2.0"
    assert "Version 2.0, January 2004" in (ROOT / "LICENSE").read_text()


@pytest.mark.parametrize("python", PYTHONS)
def test_every_requirement_has_one_tested_version(python):
    environment = {"python_version": python, "sys_platform": "linux"}
    config = setup_cfg()
    wanted = [Requirement(line) for line in entries(config["options"]["install_requires"])]
    for extra in ("wheels", "room", "test"):
        wanted += [Requirement(line) for line in entries(config["options.extras_require"][extra])]
    pinned: dict[str, list[str]] = {}
    for line in entries((ROOT / "constraints.txt").read_text()):
        pin = Requirement(line)
        if pin.marker is None or pin.marker.evaluate(environment):
            pinned.setdefault(pin.name.lower(), []).append(next(iter(pin.specifier)).version)
    for requirement in wanted:
        versions = pinned.get(requirement.name.lower(), [])
        assert len(versions) == 1, f"{requirement.name} on Python {python}: pinned to {versions}"
        assert requirement.specifier.contains(versions[0]), f"{requirement} against {versions[0]}"


def test_console_scripts_have_their_functions():
    for line in entries(setup_cfg()["options.entry_points"]["console_scripts"]):
        module, function = line.split("=")[1].strip().split(":")
        source = importlib.util.find_spec(module).origin
        names = [node.name for node in ast.parse(Path(source).read_text()).body if isinstance(node, ast.FunctionDef)]
        assert function in names, line


@pytest.mark.parametrize("path", INTERFACES, ids=lambda path: path.name)
def test_interfaces_say_what_they_are(path):
    assert path.read_text().startswith("# ")


@pytest.mark.ros
@pytest.mark.parametrize("path", INTERFACES, ids=lambda path: path.name)
def test_interfaces_are_built_as_written(path):
    pytest.importorskip("rclpy", reason="no rclpy: the interfaces cannot be loaded")
    kind = getattr(importlib.import_module(f"magic3d_ros.{path.suffix[1:]}"), path.stem)
    parts = [kind] if path.suffix == ".msg" else [kind.Request, kind.Response]
    lines = [line.split("#")[0].split() for line in path.read_text().splitlines()]
    written = [line[1] for line in lines if len(line) == 2 and "=" not in line[1]]
    assert [name for part in parts for name in part.get_fields_and_field_types()] == written


def test_the_manifest_names_every_package_that_the_build_looks_for():
    text = (ROOT / "CMakeLists.txt").read_text()
    wanted = ["action_msgs", *re.search(r"set\(interface_dependencies ([^)]*)\)", text)[1].split()]  # type: ignore[index]
    manifest = ElementTree.parse(ROOT / "package.xml").getroot()
    assert set(wanted) <= {entry.text for entry in manifest.findall("depend")}


def test_the_default_profile_is_up_to_date():
    assert (ROOT / "config/magic3d.yaml").read_text() == default_profile(), (
        "settings have changed: python -m magic3d_ros.default_profile > config/magic3d.yaml")


def test_the_default_profile_holds_the_defaults():
    assert load_settings(ROOT / "config/magic3d.yaml").flat() == Settings().flat()


def test_rviz_shows_what_the_mapper_publishes():
    view = yaml.safe_load((ROOT / "rviz/magic3d.rviz").read_text())["Visualization Manager"]
    shown = {display["Topic"]["Value"]: display["Class"].split("/")[1] for display in view["Displays"] if "Topic" in display}
    assert shown == {
        "/scene_mapper/points": "PointCloud2", "/scene_mapper/instances": "PointCloud2",
        "/scene_mapper/query_heatmap": "PointCloud2", "/scene_mapper/mesh": "Marker",
        "/scene_mapper/object_markers": "MarkerArray", "/scene_mapper/occupancy": "Map",
        "/scene_mapper/distractor_mask": "Image", "/scene_mapper/moving_points": "PointCloud2",
        "/scene_mapper/rendered/rgb": "Image",
        "/scene_mapper/instance_overlay": "Image"}
    assert view["Global Options"]["Fixed Frame"] == Settings().ros.world_frame


def test_the_transport_profile_is_the_default_one_and_fits_a_large_cloud():
    name = "{http://www.eprosima.com}"
    profiles = ElementTree.parse(ROOT / "config/fastdds_shared_memory.xml")
    assert profiles.find(f".//{name}participant").get("is_default_profile") == "true"
    assert int(profiles.findtext(f".//{name}maxMessageSize")) >= 16 * 2**20
    known = {element.text for element in profiles.iterfind(f".//{name}transport_descriptor/{name}transport_id")}
    assert {element.text for element in profiles.iterfind(f".//{name}userTransports/{name}transport_id")} == known
