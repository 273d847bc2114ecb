from __future__ import annotations

from pathlib import Path

import pytest

from magic3d_ros.nodes.map_names import map_folder


def test_a_name_is_a_folder_in_the_map_directory(tmp_path: Path):
    assert map_folder(str(tmp_path), "kitchen_2.v1") == tmp_path.resolve() / "kitchen_2.v1"


@pytest.mark.parametrize("name", ["", ".", "..", ".hidden", "a/b", "../a", "/etc", "a\0b", "a b", "~", "a" * 65, "küche", "a\n"])
def test_what_is_more_than_a_name_is_refused(tmp_path: Path, name: str):
    with pytest.raises(ValueError, match="not a map's name"):
        map_folder(str(tmp_path), name)


def test_a_link_that_leads_out_is_refused(tmp_path: Path):
    (tmp_path / "maps").mkdir()
    (tmp_path / "maps" / "out").symlink_to(tmp_path)
    with pytest.raises(ValueError, match="link"):
        map_folder(str(tmp_path / "maps"), "out")
