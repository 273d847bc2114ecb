"""Edges of a 2D network: averaged over the views of each place, and what they decide."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from magic3d_ros.config import InstanceSettings
from magic3d_ros.frames import FrameError, RGBDFrame
from magic3d_ros.geometry.camera import Camera
from magic3d_ros.instances.edge_evidence import EdgeViews
from magic3d_ros.instances.evidence import DepthViews
from magic3d_ros.instances.mapper import InstanceMapper
from magic3d_ros.instances.regions import contrast, mesh_graph
from magic3d_ros.mapping.keyframe import Keyframe

CAMERA = Camera(64, 48, 50.0, 50.0, 32.0, 24.0)
UP = np.array([0.0, 0.0, 1.0])


def wall(stamp, z, trust=None):
    """A keyframe at z that looks along z at a wall at 3 m."""
    pose = np.eye(4)
    pose[2, 3] = z
    depth = np.full((48, 64), 3.0 - z, np.float32)
    return Keyframe.of(RGBDFrame(stamp, np.zeros((48, 64, 3), np.uint8), depth, CAMERA, pose), trust)


def on_wall(*pixels, z=0.0):
    """Places on the wall that a keyframe at z sees at (column, row), and their normals."""
    places = np.array([[(u - 32) * (3 - z) / 50, (v - 24) * (3 - z) / 50, 3.0] for u, v in pixels])
    return places, np.tile([0.0, 0.0, -1.0], (len(places), 1))


def probability(views, pixels, keyframes):
    found, weight = views.seen(*on_wall(*pixels), keyframes, DepthViews())
    return np.where(weight > 0, found, np.nan)


def test_views_count_by_how_well_they_see():
    views = EdgeViews()
    near, far, unseen = wall(1, 1.5), wall(2, 0.0), wall(3, 0.0)
    edges = np.zeros((48, 64), np.uint8)
    edges[24, 32] = 255
    views.add(1, np.full((48, 64), 51, np.uint8))  # probability .2; weight 1.5 / 1.5 m = 1
    views.add(2, edges)  # weight 1.5 / 3 m = .5
    assert probability(views, [(32, 24)], [near, far, unseen]) == pytest.approx([(1.0 * 0.2 + 0.5 * 1.0) / 1.5])
    assert probability(views, [(32, 24), (30, 24)], [far]).tolist() == [1.0, 0.0]
    assert np.isnan(probability(views, [(32, 24)], [unseen])).all()


def test_edges_follow_a_keyframes_pose():
    views = EdgeViews()
    edges = np.zeros((48, 64), np.uint8)
    edges[20, 40] = 255
    views.add(1, edges)
    pose = np.eye(4)
    pose[0, 3] = -0.6  # 10 pixels at 3 m
    moved = wall(1, 0.0).with_pose(pose)
    assert probability(views, [(30, 20), (40, 20)], [moved]).tolist() == [1.0, 0.0]


def test_the_images_rim_and_what_moves_do_not_count():
    views = EdgeViews()
    views.add(1, np.full((48, 64), 255, np.uint8))
    rim = [(2, 20), (3, 20), (60, 20), (61, 20), (30, 2), (30, 3), (30, 44), (30, 45)]
    assert np.isnan(probability(views, rim, [wall(1, 0.0)])).tolist() == [True, False, False, True, True, False, False, True]
    trust = np.full((48, 64), 255, np.uint8)
    trust[:, 30:] = 0
    near = [(27, 20), (28, 20), (29, 20), (40, 20)]  # the contour of what moves is two pixels wide
    assert np.isnan(probability(views, near, [wall(1, 0.0, trust)])).tolist() == [False, True, True, True]


def test_smaller_edges_cover_the_whole_image():
    views = EdgeViews()
    edges = np.zeros((24, 32), np.uint8)
    edges[10, 20] = 255  # of rows 20 and 21, columns 40 and 41
    views.add(1, edges)
    pixels = [(39, 20), (40, 20), (41, 21), (42, 21)]
    assert probability(views, pixels, [wall(1, 0.0)]).tolist() == [0.0, 1.0, 1.0, 0.0]


def test_evidence_begins_at_one_half_and_is_contrast_where_nobody_looked(two_boxes):
    surface, _ = two_boxes.surface()
    graph = mesh_graph(surface)
    keyframe = two_boxes.keyframe((0, -1.5, 1.0), (0, 0, 0))
    own = contrast(graph)
    for value, certain in ((102, 0.0), (153, 0.2), (255, 1.0)):  # .4, .6 and 1 of 255
        views = EdgeViews()
        views.add(keyframe.stamp, np.full((120, 160), value, np.uint8))
        _, weight = views.seen(graph.vertices, graph.normals, [keyframe], DepthViews())
        assert 0.2 < (weight > 0).mean() < 0.95  # the boxes' backs are hidden
        evidence = views.evidence(graph, [keyframe], DepthViews())
        np.testing.assert_allclose(evidence, np.where(weight > 0, certain, own), atol=1e-9)
    assert own[weight == 0].max() > 0


def test_forgotten_keyframes_are_forgotten_and_newer_ones_stay():
    views = EdgeViews()
    for stamp in (1, 2, 5):
        views.add(stamp, np.zeros((2, 2), np.uint8))
    views.keep_only([wall(2, 0.0), wall(3, 0.0)])
    assert views.stamps == [2, 5] and len(views) == 2


@pytest.mark.parametrize("edges", [np.zeros((4, 4)), np.zeros((4, 4, 1), np.uint8), np.zeros((0, 4), np.uint8),
                                   np.broadcast_to(np.uint8(0), (1 << 11, 1 << 10))])
def test_other_arrays_are_no_edges(edges):
    with pytest.raises(FrameError, match="edges are"):
        InstanceMapper(InstanceSettings()).observe_edges(1, edges)


def test_a_state_gives_the_same_edges_and_a_damaged_one_is_named():
    views, again = EdgeViews(), EdgeViews()
    draw = np.random.default_rng(0)
    for stamp, size in ((7, (3, 5)), (9, (2, 2))):
        views.add(stamp, draw.integers(0, 256, size, dtype=np.uint8))
    state = views.state()
    again.load_state(state)
    assert again.stamps == [7, 9]
    for name, array in again.state().items():
        np.testing.assert_array_equal(array, state[name])
    again.load_state(EdgeViews().state())
    assert len(again) == 0
    for changed in ({"pixels": state["pixels"][1:]}, {"sizes": -state["sizes"]}, {"stamps": state["stamps"][:1]},
                    {"sizes": np.array([[1 << 40, 1 << 40], [2, 2]])}, {"pixels": state["pixels"].astype(np.int16)}):
        with pytest.raises(ValueError, match="the state of edges"):
            EdgeViews().load_state(state | changed)
    with pytest.raises(ValueError, match="lacks 'sizes'"):
        EdgeViews().load_state({"stamps": state["stamps"]})


def objects(found):
    return [i for i in found.instances.values() if i.kind == "object"]


@pytest.fixture
def two_halves(two_boxes):
    """A box whose halves differ in colour, and its keyframes."""
    red, blue = ((replace(two_boxes.boxes[0], low=(low, -0.2, 0.0), high=(low + 0.3, 0.1, 0.3), color=color))
                 for low, color in ((-0.3, (150, 90, 90)), (0.0, (90, 90, 150))))
    world = replace(two_boxes, boxes=(red, blue))
    return world.surface()[0], world.orbit()


def test_edges_decide_whether_a_change_of_colour_parts_things(two_halves):
    surface, keyframes = two_halves
    mapper = InstanceMapper(InstanceSettings())
    assert len(objects(mapper.update(surface, keyframes, UP))) == 2  # by contrast
    for keyframe in keyframes:
        mapper.observe_edges(keyframe.stamp, np.zeros((120, 160), np.uint8))
    assert len(objects(mapper.update(surface, keyframes, UP, whole=True))) == 1
    loaded = InstanceMapper(InstanceSettings())
    loaded.load_state(mapper.state())
    assert len(objects(loaded.update(surface, keyframes, UP))) == 1
    later = [replace(keyframe, stamp=keyframe.stamp + 100) for keyframe in keyframes]  # those with edges are forgotten
    assert len(objects(mapper.update(surface, later, UP, whole=True))) == 2
    assert not any(name.startswith("edges.") for name in mapper.state())


def test_the_learned_grouping_knows_contrast_only(two_halves):
    surface, keyframes = two_halves
    labels = []
    for seen in ([], keyframes):
        mapper = InstanceMapper(InstanceSettings(grouping="learned"))
        for keyframe in seen:
            mapper.observe_edges(keyframe.stamp, np.zeros((120, 160), np.uint8))
        labels.append(mapper.update(surface, keyframes, UP).labels)
    np.testing.assert_array_equal(*labels)
