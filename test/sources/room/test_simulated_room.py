"""Ground truth of the simulated room, checked by hand and against itself."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from magic3d_ros.config import Settings
from magic3d_ros.sources.room import open_room
from magic3d_ros.sources.room.trajectory import look
from magic3d_ros.sources.source import SourceError


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield open_room("tiny", Settings())


@pytest.fixture(scope="module")
def empty_room(room):
    return open_room("tiny", Settings(), distractors=False)


def at_pose(room, pose):
    """The same room seen from one pose of our choice."""
    copy = object.__new__(type(room))
    copy.__dict__.update(room.__dict__)
    copy.poses = np.asarray(pose)[None]
    return copy


def test_depth_of_walls_floor_and_ceiling_is_exact(empty_room):
    # the room is 3.0 x 2.4 x 2.2 m: seen from (0.2, -0.3, 1.5) the north wall is 1.5 m, the floor 1.5 m, the ceiling 0.7 m away
    camera = empty_room.camera
    rays = camera.rays()
    north = at_pose(empty_room, look((0.2, -0.3, 1.5), 90.0, 0.0)).truth(0)
    named = {i.name: i.id for i in empty_room.instances}
    wall = north.instance == named["wall_north"]
    assert wall.sum() > 1000
    np.testing.assert_allclose(north.depth[wall], 1.5, atol=2e-5)
    floor = north.instance == named["floor"]
    # a ray (x, y, 1) z reaches the floor where y z = 1.5
    np.testing.assert_allclose(north.depth[floor], 1.5 / rays[..., 1][floor], rtol=2e-5)
    ceiling = north.instance == named["ceiling"]
    np.testing.assert_allclose(north.depth[ceiling], -0.7 / rays[..., 1][ceiling], rtol=2e-5)
    east = at_pose(empty_room, look((0.2, -0.3, 1.5), 0.0, 0.0)).truth(0)
    np.testing.assert_allclose(east.depth[east.instance == named["wall_east"]], 1.3, atol=2e-5)


def test_pose_is_camera_to_world_with_opencv_axes_and_z_up(empty_room):
    pose = look((1.0, 2.0, 3.0), 90.0, 0.0)  # looks along +y
    np.testing.assert_allclose(pose[:3, :3] @ [0, 0, 1], [0, 1, 0], atol=1e-12)  # forward
    np.testing.assert_allclose(pose[:3, :3] @ [1, 0, 0], [1, 0, 0], atol=1e-12)  # right
    np.testing.assert_allclose(pose[:3, :3] @ [0, 1, 0], [0, 0, -1], atol=1e-12)  # down
    np.testing.assert_allclose(look((0, 0, 0), 0.0, 30.0)[:3, 2], [np.cos(np.pi / 6), 0, 0.5], atol=1e-12)
    for pose in empty_room.poses:
        np.testing.assert_allclose(pose[:3, :3] @ pose[:3, :3].T, np.eye(3), atol=1e-12)
        assert np.linalg.det(pose[:3, :3]) > 0
    # the red box stands at (0.5, 0.5) with its top at 0.6 m: its highest seen point must come out there
    truth = empty_room.truth(5)
    box = next(i for i in empty_room.instances if i.name == "red_box")
    seen = world_points(empty_room, truth)[truth.instance == box.id]
    assert abs(seen[:, 2].max() - 0.6) < 0.01
    assert np.linalg.norm(seen[:, :2].mean(0) - (0.5, 0.5)) < 0.25
    np.testing.assert_allclose(box.box.center, [0.5, 0.5, 0.3], atol=0.02)


def world_points(room, truth):
    points = room.camera.rays() * truth.depth[..., None]
    return points @ truth.camera_to_world[:3, :3].T + truth.camera_to_world[:3, 3]


def test_instances_agree_between_frames(empty_room):
    first, second = empty_room.truth(1), empty_room.truth(8)
    points = world_points(empty_room, first).reshape(-1, 3)
    ids = first.instance.reshape(-1)
    pose = second.camera_to_world
    u, v, z = empty_room.camera.project((points - pose[:3, 3]) @ pose[:3, :3])
    u, v = np.round(u).astype(int), np.round(v).astype(int)
    inside = (z > 0) & (u >= 0) & (u < 80) & (v >= 0) & (v < 60)
    u, v, z, ids = u[inside], v[inside], z[inside], ids[inside]
    visible = np.abs(second.depth[v, u] - z) < 0.01
    assert visible.sum() > 2000
    # half a pixel of rounding lets single pixels at outlines fall on the neighbour, no more
    assert (second.instance[v, u] == ids)[visible].mean() > 0.985


def test_same_seed_same_bytes_other_seed_other_noise(room):
    again = open_room("tiny", Settings())
    other = open_room("tiny", Settings(), seed=1)
    for index in (0, 5):
        a, b, c = room.render(index), again.render(index), other.render(index)
        assert a.frame.rgb.tobytes() == b.frame.rgb.tobytes()
        assert a.frame.depth.tobytes() == b.frame.depth.tobytes()
        assert a.frame.depth.tobytes() != c.frame.depth.tobytes()
        assert a.truth.depth.tobytes() == c.truth.depth.tobytes()


def test_distractor_mask_is_where_the_frame_differs_from_the_empty_room(room, empty_room):
    moving = next(i for i in room.instances if i.moving)
    seen = 0
    for index in range(len(room)):
        with_one, without = room.truth(index), empty_room.truth(index)
        differs = (with_one.depth != without.depth) | (with_one.instance != without.instance)
        np.testing.assert_array_equal(with_one.distractor, differs)
        np.testing.assert_array_equal(with_one.distractor, with_one.instance == moving.id)
        assert (with_one.depth[differs] < without.depth[differs]).all()
        seen += with_one.distractor.any()
    assert 3 <= seen <= 8  # it comes at a quarter and leaves at 85 % of the sequence


def test_it_is_a_frame_source_of_usable_frames(room):
    frames = list(room)
    assert len(frames) == len(room) == 10
    assert [f.index for f in frames] == list(range(10))
    assert [f.stamp for f in frames[:3]] == [0, 100_000_000, 200_000_000]
    for frame in frames:
        frame.check()
        assert frame.rgb.shape == (60, 80, 3)
        assert (frame.depth > 0).mean() > 0.8
    assert room.name == "room:tiny"


def test_sizes_and_counts_can_be_chosen():
    room = open_room("tiny", Settings(), frames=3, width=40)
    assert (len(room), room.camera.width, room.camera.height) == (3, 40, 30)
    assert room.render(2).frame.rgb.shape == (30, 40, 3)
    assert room.camera.fx == pytest.approx(33.0)
    with pytest.raises(SourceError, match="16 to 4096 pixels"):
        open_room("tiny", Settings(), width=4)
    with pytest.raises(SourceError, match="1 to 100000 frames"):
        open_room("tiny", Settings(), frames=0)
    with pytest.raises(IndexError, match="frames 0 to 2"):
        room.render(3)


def test_unknown_room_names_those_there_are():
    with pytest.raises(SourceError, match=r"no room 'cellar'.*tiny"):
        open_room("cellar", Settings())


def test_mesh_is_the_surface_that_the_depth_shows(empty_room):
    mesh = empty_room.mesh(0.06)
    edges = mesh.vertices[mesh.faces[:, [0, 1, 2]]] - mesh.vertices[mesh.faces[:, [1, 2, 0]]]
    assert np.linalg.norm(edges, axis=-1).max() <= 0.06
    assert mesh.instance.shape == (len(mesh.vertices),)
    assert set(np.unique(mesh.instance)) == {i.id for i in empty_room.instances}
    truth = empty_room.truth(4)
    points = world_points(empty_room, truth)[::9, ::9].reshape(-1, 3)
    ids = truth.instance[::9, ::9].reshape(-1)
    distance = np.linalg.norm(points[:, None] - mesh.vertices[None], axis=-1)
    nearest = distance.argmin(1)
    assert distance.min(1).max() < 0.043  # half the diagonal of a 6 cm square
    assert (mesh.instance[nearest] == ids).mean() > 0.95
    floor = [i.id for i in empty_room.instances if i.label == "floor"]
    area = np.linalg.norm(np.cross(edges[:, 0], edges[:, 1]), axis=1) / 2
    assert area[np.isin(mesh.instance[mesh.faces[:, 0]], floor)].sum() == pytest.approx(3.0 * 2.4, rel=1e-4)


def test_noise_has_the_deviation_of_the_formula(empty_room):
    model = empty_room._content.sensor
    exact = empty_room._exact(4)
    for depth in (0.8, 2.0, 3.5):
        flat = dataclasses.replace(exact, depth=np.full_like(exact.depth, depth), edge=np.zeros_like(exact.edge),
                                   glass=np.zeros_like(exact.glass), cosine=np.ones_like(exact.cosine),
                                   albedo=np.ones_like(exact.albedo))
        read = np.stack([model.depth(flat, empty_room.camera, np.random.default_rng(i)) for i in range(20)])
        errors = read - depth
        step = model.disparity_step * depth**2 / (model.baseline * 528)  # 528 px: the focal length at 640 pixels
        expected = np.hypot(0.0012 + 0.0019 * (depth - 0.4) ** 2, step / np.sqrt(12))
        assert errors.std() == pytest.approx(expected, rel=0.12)
        assert abs(errors.mean()) < step / 2
