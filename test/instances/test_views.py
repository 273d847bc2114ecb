from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from magic3d_ros.instances.evidence import DepthViews
from magic3d_ros.instances.instance import InstanceView
from magic3d_ros.instances.views import crop, sightings
from magic3d_ros.mapping.keyframes import Keyframe


def views_of(world, keyframes, most=5):
    surface, owner = world.surface()
    vertices, normals = surface.vertices.astype(np.float64), surface.normals.astype(np.float64)
    return sightings(vertices, normals, owner, len(world.boxes) + 1, keyframes, DepthViews(), most)


def test_the_box_is_where_the_thing_is_seen(two_boxes):
    keyframe = two_boxes.keyframe((0.0, -1.4, 0.5), (0.0, 0.0, 0.1), stamp=7)
    view = views_of(two_boxes, [keyframe]).views[1][0]
    red = np.abs(keyframe.rgb().astype(int) - [180, 40, 40]).max(-1) < 40
    rows, columns = np.flatnonzero(red.any(1)), np.flatnonzero(red.any(0))
    expected = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
    assert np.abs(np.array(view.box) - expected).max() <= 3  # a vertex every 2 cm is one every 2 pixels
    assert view.stamp == 7 and not view.cut
    assert 0.4 < view.visible < 0.7  # three of five sides


def test_what_another_thing_hides_is_not_visible(two_boxes):
    screen = replace(two_boxes.boxes[0], low=(-0.6, -0.5, 0.0), high=(-0.1, -0.46, 0.6))
    world = two_boxes.with_box(screen)
    seen = views_of(world, [world.keyframe((-0.35, -1.4, 0.3), (-0.35, 0.0, 0.2))])
    assert not seen.seen[0, 1] and seen.views[1] == []
    assert seen.seen[0, 3]


def test_cut_at_the_border(two_boxes):
    seen = views_of(two_boxes, [two_boxes.keyframe((-0.35, -1.0, 0.4), (0.15, 0.0, 0.1))])
    assert seen.views[1][0].cut


def test_near_and_whole_beats_far_and_near_and_cut(two_boxes):
    near = two_boxes.keyframe((-0.35, -0.95, 0.5), (-0.35, 0.0, 0.15), stamp=1)
    far = two_boxes.keyframe((-0.35, -2.5, 0.9), (-0.35, 0.0, 0.15), stamp=2)
    cut = two_boxes.keyframe((-0.35, -0.95, 0.5), (0.2, 0.0, 0.15), stamp=3)
    views = views_of(two_boxes, [far, cut, near]).views[1]
    assert views[0].stamp == 1
    assert [v.score for v in views] == sorted((v.score for v in views), reverse=True)


def test_a_blurred_view_loses_to_a_sharp_one(two_boxes):
    keyframe = two_boxes.keyframe((0.0, -1.4, 0.5), (0.0, 0.0, 0.1))
    noise = cv2.resize(np.random.default_rng(0).integers(0, 255, (60, 80, 3), np.uint8), (160, 120),
                       interpolation=cv2.INTER_NEAREST)

    def with_picture(picture, stamp):
        return Keyframe(stamp, stamp, keyframe.camera, keyframe.camera_to_world,
                        cv2.imencode(".jpg", picture)[1].tobytes(), keyframe.depth_png)

    views = views_of(two_boxes, [with_picture(cv2.GaussianBlur(noise, (0, 0), 4), 1), with_picture(noise, 2)]).views[1]
    assert views[0].stamp == 2 and views[0].score > 1.5 * views[1].score


def test_a_view_with_a_person_before_the_thing_is_not_chosen(two_boxes):
    near = two_boxes.keyframe((-0.35, -0.95, 0.5), (-0.35, 0.0, 0.15), stamp=1)
    far = two_boxes.keyframe((-0.35, -1.6, 0.7), (-0.35, 0.0, 0.15), stamp=2)
    x0, y0, x1, y1 = views_of(two_boxes, [near, far]).views[1][0].box
    trust = np.full((near.camera.height, near.camera.width), 255, np.uint8)
    trust[y0:y1, x0:x1 - (x1 - x0) // 4] = 0
    covered = near.with_trust(trust)
    assert views_of(two_boxes, [near, far]).views[1][0].stamp == 1
    assert [v.stamp for v in views_of(two_boxes, [covered, far]).views[1]] == [2]
    trust[y0:y1, x0 + (x1 - x0) // 4:] = 255
    slightly = views_of(two_boxes, [near.with_trust(trust)]).views[1][0]
    assert 0.6 < slightly.score / views_of(two_boxes, [near]).views[1][0].score < 0.9


def test_what_is_learned_later_of_a_keyframe_counts(two_boxes):
    keyframe, depths = two_boxes.keyframe((0.0, -1.4, 0.5), (0.0, 0.0, 0.1)), DepthViews()
    assert (depths.of(keyframe).standing == 1).all()
    nothing = keyframe.with_trust(np.zeros((keyframe.camera.height, keyframe.camera.width), np.uint8))
    assert (depths.of(nothing).standing == 0).all() and depths.of(nothing) is depths.of(nothing)


def test_views_from_elsewhere_are_preferred_to_near_copies(two_boxes):
    front = [two_boxes.keyframe((-0.35 + 0.01 * k, -1.2, 0.6), (-0.35, 0.0, 0.1), stamp=k) for k in range(4)]
    side = two_boxes.keyframe((-1.75, 0.0, 0.7), (-0.35, 0.0, 0.1), stamp=9)
    views = views_of(two_boxes, [*front, side], most=2).views[1]
    assert 9 in {v.stamp for v in views} and len(views) == 2


def test_weights_add_over_keyframes(two_boxes):
    keyframe = two_boxes.keyframe((0.0, -1.4, 0.5), (0.0, 0.0, 0.1))
    once, twice = views_of(two_boxes, [keyframe]), views_of(two_boxes, [keyframe, replace(keyframe, stamp=5)])
    assert twice.weight == pytest.approx(2 * once.weight)
    assert once.weight[1] > 0


def test_no_keyframes_and_no_things(two_boxes):
    seen = views_of(two_boxes, [])
    assert seen.views == [[], [], []] and seen.seen.shape == (0, 3) and seen.weight.tolist() == [0, 0, 0]
    empty = sightings(np.zeros((0, 3)), np.zeros((0, 3)), np.zeros(0, np.int64), 0, two_boxes.orbit(2), DepthViews(), 5)
    assert empty.views == [] and empty.seen.shape == (2, 0)


def test_a_thing_of_few_points_has_no_nan(two_boxes):
    surface, _ = two_boxes.surface()
    thing = np.full(len(surface), -1)
    thing[0] = 0
    seen = sightings(surface.vertices.astype(float), surface.normals.astype(float), thing, 2, two_boxes.orbit(3), DepthViews(), 5)
    assert np.isfinite(seen.weight).all()
    assert all(np.isfinite(v.score) for views in seen.views for v in views)


def view(*box):
    return InstanceView(0, box, 0.5, False, 1.0)


def test_crop_has_a_margin_of_six_pixels_and_stays_in_the_image(two_boxes):
    keyframe = two_boxes.keyframe((0.0, -1.4, 0.5), (0.0, 0.0, 0.1))
    image = keyframe.rgb()
    assert np.array_equal(crop(keyframe, view(40, 30, 70, 50)), image[24:56, 34:76])
    assert np.array_equal(crop(keyframe, view(0, 100, 20, 120)), image[94:120, 0:26])
    assert crop(keyframe, view(40, 30, 70, 50)).dtype == np.uint8


def test_no_crop_of_a_forgotten_keyframe_or_of_next_to_nothing(two_boxes):
    assert crop(None, view(0, 0, 10, 10)) is None
    keyframe = two_boxes.keyframe((0.0, -1.4, 0.5), (0.0, 0.0, 0.1))
    assert crop(keyframe, view(158, 50, 160, 80)) is None  # 8 pixels wide with its margin
