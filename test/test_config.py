"""Settings: one name everywhere, wrong values refused with the cause."""

from __future__ import annotations

import pytest

from magic3d_ros.config import Settings, SettingsError, describe, load_settings


def test_every_setting_has_a_description_and_a_default_within_its_range() -> None:
    defaults = Settings().flat()
    for name, known in describe():
        assert len(known.doc) > 10, name
        Settings().set(name, defaults[name])  # raises when the default breaks its own range


def test_yaml_then_overrides(tmp_path) -> None:
    path = tmp_path / "robot.yaml"
    path.write_text("map:\n  voxel_size: 0.03\n  truncation: 0.12\nros.world_frame: odom\n")
    settings = load_settings(path, {"map.truncation": "0.2", "cues.allow_download": "true"})
    assert settings.map.voxel_size == 0.03
    assert settings.map.truncation == 0.2
    assert settings.ros.world_frame == "odom"
    assert settings.cues.allow_download is True


@pytest.mark.parametrize(("name", "value", "message"), [
    ("map.voxelsize", 1, "did you mean 'map.voxel_size'"),
    ("map.voxel_size", 5.0, "between 0.004 and 0.2"),
    ("map.voxel_size", float("nan"), "between"),
    ("map.voxel_size", "wide", "must be a float"),
    ("map.voxel_size", True, "must be a float"),
    ("map.max_blocks", 100.5, "must be a int"),
    ("input.up", "north", "must be one of auto"),
    ("ros.reliable", "maybe", "must be a bool"),
])
def test_wrong_settings_are_refused_with_the_reason(name, value, message) -> None:
    with pytest.raises(SettingsError, match=message):
        Settings().set(name, value)


def test_contradicting_settings_are_refused() -> None:
    with pytest.raises(SettingsError, match="at least two voxels"):
        load_settings(None, {"map.voxel_size": 0.05, "map.truncation": 0.08})
    with pytest.raises(SettingsError, match="min_depth"):
        load_settings(None, {"input.min_depth": 6.0})


def test_a_file_that_is_no_mapping_or_no_yaml_is_named(tmp_path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("- 1\n- 2\n")
    with pytest.raises(SettingsError, match=r"bad\.yaml must hold a mapping"):
        load_settings(path)
    path.write_text("map: {voxel_size: [")
    with pytest.raises(SettingsError, match=r"cannot read settings from .*bad\.yaml"):
        load_settings(path)
