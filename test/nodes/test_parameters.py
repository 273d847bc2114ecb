from __future__ import annotations

import re
from pathlib import Path

import pytest
import rclpy
from rcl_interfaces.msg import ParameterType
from rclpy.node import Node
from rclpy.parameter import Parameter

from magic3d_ros.config import Settings, SettingsError, describe
from magic3d_ros.nodes.parameters import CHANGEABLE, declare_settings, follow_changes

pytestmark = pytest.mark.ros


@pytest.fixture
def make_node(ros_context):
    nodes = []

    def make(*arguments: str, **kwargs) -> Node:
        node = rclpy.create_node("probe", context=ros_context, cli_args=["--ros-args", *arguments], **kwargs)
        nodes.append(node)
        return node

    yield make
    for node in nodes:
        node.destroy_node()


def test_every_setting_is_a_parameter_with_description_and_range(make_node):
    node = make_node()
    settings = declare_settings(node)
    assert settings.flat() == Settings().flat()
    for name, known in describe():
        described = node.describe_parameter(name)
        assert described.description.startswith(known.doc)
        assert node.get_parameter(name).value == settings.flat()[name]
    size = node.describe_parameter("map.voxel_size")
    assert size.type == ParameterType.PARAMETER_DOUBLE
    assert (size.floating_point_range[0].from_value, size.floating_point_range[0].to_value) == (0.004, 0.2)
    assert node.describe_parameter("ros.queue_size").integer_range[0].to_value == 1000
    assert "tf, pose, odometry" in node.describe_parameter("ros.pose_source").additional_constraints


def test_values_come_from_arguments_and_whole_numbers_serve_as_floats(make_node):
    settings = declare_settings(make_node("-p", "ros.pose_timeout:=2", "-p", "query.max_results:=7"))
    assert settings.ros.pose_timeout == 2.0
    assert settings.query.max_results == 7


def test_values_come_from_a_parameter_file(make_node, tmp_path: Path):
    file = tmp_path / "p.yaml"
    file.write_text("/**:\n  ros__parameters:\n    map:\n      voxel_size: 0.03\n", encoding="utf-8")
    node = make_node("--params-file", str(file))
    assert declare_settings(node).map.voxel_size == 0.03
    assert node.get_parameter("map.voxel_size").value == 0.03


@pytest.mark.parametrize(("argument", "message"), [
    ("map.voxle_size:=0.02", "unknown setting 'map.voxle_size': did you mean 'map.voxel_size'"),
    ("map.voxel_size:=5.0", "map.voxel_size must lie between 0.004 and 0.2 m"),
    ("map.voxel_size:=big", "map.voxel_size must be a float"),
    ("ros.pose_source:=gps", "ros.pose_source must be one of tf, pose, odometry"),
    ("map.truncation:=0.02", "at least two voxels"),
])
def test_what_cannot_be_is_named(make_node, argument: str, message: str):
    with pytest.raises(SettingsError, match=re.escape(message)):
        declare_settings(make_node("-p", argument))


def test_an_unknown_name_in_a_parameter_file_is_named(make_node, tmp_path: Path):
    file = tmp_path / "p.yaml"
    file.write_text("/**:\n  ros__parameters:\n    ros:\n      sync_slopp: 0.1\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"unknown setting 'ros\.sync_slopp'.*'ros\.sync_slop'"):
        declare_settings(make_node("--params-file", str(file)))


def test_names_of_ros_and_of_the_node_itself_are_no_errors(make_node):
    declare_settings(make_node("-p", "use_sim_time:=true", "-p", "autostart:=false"), ["autostart"])


def test_changes_while_running(make_node):
    node = make_node()
    settings = declare_settings(node)
    heard = []
    follow_changes(node, settings, heard.append)
    done = node.set_parameters([Parameter("query.found_probability", value=0.7)])[0]
    assert (done.successful, settings.query.found_probability, heard) == (True, 0.7, ["query.found_probability"])
    refused = node.set_parameters([Parameter("map.voxel_size", value=0.03)])[0]
    assert not refused.successful
    assert "read once at the start" in refused.reason
    assert settings.map.voxel_size == 0.02
    wrong = node.set_parameters([Parameter("query.ambiguous_probability", value=0.9)])[0]
    assert (wrong.successful, settings.query.ambiguous_probability) == (False, 0.3)
    assert "must not exceed" in wrong.reason
    assert not node.set_parameters([Parameter("query.found_probability", value=7.0)])[0].successful


def test_a_value_that_stays_as_it_is_is_no_change(make_node):
    node = make_node()
    follow_changes(node, declare_settings(node))
    assert node.set_parameters([Parameter("map.voxel_size", value=0.02)])[0].successful


def test_changeable_names_exist():
    assert {name for name, _ in describe()} >= CHANGEABLE
