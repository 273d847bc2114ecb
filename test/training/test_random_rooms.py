"""Random rooms are valid scenes, differ, and repeat with their seed; their pictures hold exact depth and normals."""

from __future__ import annotations

import numpy as np
import pytest

from magic3d_ros.sources.room.description import parse_description
from magic3d_ros.sources.room.random.layout import Floor, random_room
from magic3d_ros.training.pictures import PictureError, Pictures, RoomTask, load_pictures, render_room, room_file
from magic3d_ros.training.viewpoints import HEIGHT, WIDTH


def test_every_random_room_is_a_valid_scene() -> None:
    rooms = [parse_description(random_room((7, number, 0), with_assets=True), f"r{number}", "room") for number in range(40)]
    assert len({tuple(room.size) for room in rooms}) == 40
    for room in rooms:
        assert room.furniture
        for item in room.furniture:
            assert (np.abs(item.at[:2]) <= room.size[:2] / 2).all()
            assert 0 <= item.at[2] < room.size[2]


def test_same_seed_same_room() -> None:
    assert random_room((1, 2, 0), False) == random_room((1, 2, 0), False)
    assert random_room((1, 2, 0), False) != random_room((1, 3, 0), False)


def test_things_do_not_stand_in_each_other() -> None:
    floor = Floor(np.array([4.0, 4.0, 2.5]), taken=[(0.0, 0.0, 0.5, 0.5)])
    assert not floor.fits(0.9, 0.0, 0.5, 0.5)
    assert floor.fits(1.0, 0.0, 0.5, 0.5)
    assert not floor.fits(1.6, 0.0, 0.5, 0.5)  # beyond the wall


@pytest.fixture(scope="module")
def pictures() -> Pictures:
    return render_room(3, pictures=2, seed=5, with_assets=False)


def test_normals_are_those_of_the_depth(pictures: Pictures) -> None:
    assert pictures.rgb.shape == (2, HEIGHT, WIDTH, 3)
    assert (pictures.depth > 0).all()
    for depth, normals, focal in zip(pictures.depth, pictures.normals, pictures.focal, strict=True):
        height, width = depth.shape
        along, below = np.arange(width) - (width - 1) / 2, np.arange(height) - (height - 1) / 2
        x, y = np.meshgrid(2 * along / focal, 2 * below / focal)
        points = depth[..., None] / 1000 * np.stack([x, y, np.ones_like(x)], -1)
        across, down = points[1:-1, 2:] - points[1:-1, :-2], points[2:, 1:-1] - points[:-2, 1:-1]
        facing = np.cross(down, across)  # x right, y down, z forward: towards the camera
        facing /= np.linalg.norm(facing, axis=-1, keepdims=True)
        cosine = (facing * normals[1:-1, 1:-1] / 127).sum(-1)
        assert np.median(cosine) > 0.995  # millimetre steps of the depth tilt a far surface by some degrees
        assert ((normals / 127 * np.stack([x, y, np.ones_like(x)], -1)).sum(-1) < 0.05).mean() > 0.99


def test_a_rendered_room_is_kept(tmp_path, pictures: Pictures) -> None:
    task = RoomTask(tmp_path, 2, 5, with_assets=False)
    assert task(3)
    assert not task(3)
    stored = load_pictures(room_file(tmp_path, 3))
    assert (stored.rgb == pictures.rgb).all()
    assert (stored.depth == pictures.depth).all()


def test_broken_pictures_are_named(tmp_path) -> None:
    file = room_file(tmp_path, 0)
    file.write_bytes(b"PK\x03\x04 cut short")
    with pytest.raises(PictureError, match=r"room_00000\.npz.*rendered again"):
        load_pictures(file)
    with file.open("wb") as stream:
        np.savez(stream, rgb=np.zeros((1, 8, 8, 3), np.uint8), depth=np.zeros((1, 4, 4), np.uint16),
                 normals=np.zeros((1, 4, 4, 3), np.int8), focal=np.ones(1, np.float32))
    with pytest.raises(PictureError, match="another size"):
        load_pictures(file)
