from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from magic3d_ros.evaluation.composite import CompositeSettings, CompositeSource
from magic3d_ros.evaluation.composite.blending import blended_depth
from magic3d_ros.evaluation.composite.drawing import draw
from magic3d_ros.evaluation.composite.outline import filled
from magic3d_ros.evaluation.composite.visit import Visit
from magic3d_ros.evaluation.composite.wardrobe import wardrobe
from magic3d_ros.frames import RGBDFrame
from magic3d_ros.geometry.camera import Camera

CAMERA = Camera(96, 72, 80.0, 80.0, 47.5, 35.5)
UP = np.array([0.0, -1.0, 0.0])  # the camera's own up: pose is the identity
AHEAD = np.array([0.0, 0.0, -1.0])


class Wall:
    """A camera that slides sideways along a grey wall 3 m away, 10 frames a second; every pixel has a reading."""

    name = "wall"

    def __init__(self, frames: int = 120) -> None:
        self.skipped: dict[str, int] = {}
        self._frames = frames

    def __len__(self) -> int:
        return self._frames

    def __iter__(self):
        for n in range(self._frames):
            pose = np.eye(4)
            pose[0, 3] = 0.01 * n
            yield RGBDFrame(5_000_000_000 + n * 100_000_000, np.full((72, 96, 3), 120, np.uint8),
                            np.full((72, 96), 3.0, np.float32), CAMERA, pose, n)


def settings(**changes) -> CompositeSettings:
    return replace(CompositeSettings(sensor_noise=False), **changes)


def ball(distance: float, **changes) -> Visit:
    """A football whose middle is on the optical axis."""
    thing = wardrobe("tuning", ["ball"])["ball"][0]
    foot = np.array([0.0, thing.height / 2, distance])
    return Visit(1, thing, np.array([0.0, 9.0]), np.stack([foot, foot]), UP, AHEAD, **changes)


def drawn(visit: Visit, scene: np.ndarray):
    return draw([visit.at(1.0)], CAMERA, np.eye(4), scene, UP, 1.0)


def test_a_ball_has_the_depth_and_outline_of_a_sphere():
    scene = np.full((72, 96), 3.0, np.float32)
    drawing = drawn(ball(1.5), scene)
    on = drawing.thing == 1
    # seen from 1.5 m a sphere of radius 0.11 m spans asin(0.11 / 1.5), its nearest point is 1.39 m away
    assert np.isclose(drawing.depth[35:37, 47:49].min(), 1.39, atol=2e-3)
    assert on.sum() == pytest.approx(np.pi * (80.0 * np.tan(np.arcsin(0.11 / 1.5))) ** 2, rel=0.05)
    assert np.isinf(drawing.depth[~on]).all() and (drawing.opacity[on] > 0).all()
    assert (drawing.opacity == 1).sum() < on.sum() < (drawing.opacity > 0).sum()  # the edge is smooth, the mask is not


def test_what_is_nearer_hides_it():
    scene = np.full((72, 96), 3.0, np.float32)
    scene[:, :48] = 1.0
    drawing = drawn(ball(1.5), scene)
    assert not drawing.thing[:, :48].any() and drawing.thing[:, 48:].any()


def test_holes_of_the_scene_count_as_the_farthest_around_them():
    depth = np.full((20, 20), 1.0, np.float32)
    depth[:, 12:] = 2.5
    depth[5:15, 8:12] = 0.0
    depth[0, 0] = np.nan
    closed = filled(depth)
    assert closed[10, 11] == 2.5 and closed[0, 0] == 1.0 and (closed > 0).all()
    assert np.isinf(filled(np.zeros((4, 4), np.float32))).all()


def test_only_the_thing_changes_and_holes_stay_holes():
    depth = np.full((72, 96), 3.0, np.float32)
    depth[:10] = 0.0
    frame = RGBDFrame(0, np.full((72, 96, 3), 120, np.uint8), depth, CAMERA, np.eye(4))
    drawing = drawn(ball(1.5), filled(depth))
    from magic3d_ros.sources.room.sensor import SensorModel

    for sensor in (None, SensorModel()):
        mixed = blended_depth(frame, drawing, filled(depth), sensor, np.random.default_rng(0))
        on = drawing.thing > 0
        readings = on & (mixed > 0)
        assert readings.sum() > 0.8 * on.sum()
        assert np.abs(mixed[readings] - drawing.depth[readings]).max() < (0.001 if sensor is None else 1.7)
        assert (mixed[:10] == 0).all() and (mixed[60:] == 3.0).all() and (frame.depth[20:] == 3.0).all()
    shadow = (mixed == 0) & ~on & (depth > 0)  # of the last: to the right of the ball only
    assert shadow[:, 48:].sum() > 2 * shadow[:, :48].sum()  # on the left only single pixels of the edge are missing


def test_a_recording_with_visitors():
    composite = CompositeSource(Wall(), settings())
    frames = list(composite.composites())
    assert len(frames) == len(composite) == 120
    shown = np.array([f.mask.mean() > 0.005 for f in frames])
    assert not shown[:10].any()  # nobody before `first`
    assert 0.5 < shown.mean() < 0.8  # two thirds are asked for
    for f in frames:
        f.frame.check()
        assert f.clean.depth.min() == 3.0 and f.frame.stamp == f.clean.stamp
        assert (f.mask == (f.things > 0)).all()
        assert np.abs(f.frame.depth[~f.mask] - 3.0).max() == 0
        assert (f.frame.depth[f.mask] < 3.0).all()
    assert all(visit.speed <= 2.0 and visit.role == "passing" for visit in composite.visits)


def test_the_same_seed_gives_the_same_frames_and_sets_differ():
    def picture(**changes) -> np.ndarray:
        composite = CompositeSource(Wall(40), CompositeSettings(**changes))
        return np.stack([f.frame.rgb for f in composite.composites()])

    first = picture()
    assert (first == picture()).all()
    assert (first != picture(seed=1)).any() and (first != picture(chosen="scoring")).any()


def test_the_two_sets_share_no_texture():
    names = []
    for chosen in ("tuning", "scoring"):
        atlases = [thing.poses[0].atlas for kind in wardrobe(chosen).values() for thing in kind]
        names.append({tuple(np.round(colour, 3)) for atlas in atlases for colour in atlas.albedo})
    assert not names[0] & names[1]


def test_a_thing_stays_in_its_place_in_the_world():
    composite = CompositeSource(Wall(50), settings(coverage=0.0, standing=True, leaving_after=2.0))
    standing, leaving = composite.visits
    assert standing.role == "standing" and leaving.role == "leaving"
    places = [standing.at(t).pose for t in (0.0, 2.0, 4.8)]
    assert all((pose == places[0]).all() for pose in places)
    assert (leaving.at(0.0).pose == leaving.at(1.9).pose).all() and (leaving.at(3.0).pose != leaving.at(1.9).pose).any()
    assert leaving.at(4.5) is None
    frames = list(composite.composites())
    assert all(not (f.mask & (f.things == standing.identity)).any() for f in frames)  # who stands for good is no distractor
    assert any((f.things == standing.identity).any() for f in frames) and any(f.mask.any() for f in frames)
    assert not any(f.mask.any() for f in frames[45:])


def test_a_ball_rolls_and_hops_and_a_walker_swings_its_limbs():
    things = wardrobe("tuning", ["ball", "person"])
    times, places = np.array([0.0, 4.0]), np.array([[0, 0, 0], [2.0, 0, 0]])
    rolling = Visit(1, things["ball"][0], times, places, np.array([0, 0, 1.0]), np.array([1.0, 0, 0]))
    assert rolling.at(1.0).middle[2] == pytest.approx(rolling.thing.height / 2 + 0.12)  # half a metre: the top of a hop
    quarter = np.pi / 2 * rolling.thing.height / 2 / rolling.speed
    assert np.allclose(rolling.at(quarter).pose[:3, 0], [0, 0, -1], atol=1e-6)  # its front points down after a quarter turn
    walking = Visit(1, things["person"][0], times, places, np.array([0, 0, 1.0]), np.array([1.0, 0, 0]))
    assert len({id(walking.at(t).body) for t in np.linspace(0, 3, 30)}) == len(walking.thing.poses)
    assert np.allclose(walking.at(1.0).pose[:3, :3], np.eye(3))


def test_settings_that_cannot_be():
    for wrong in ({"chosen": "other"}, {"coverage": 1.5}, {"leaving_after": -1.0}):
        with pytest.raises(ValueError):
            CompositeSettings(**wrong)
    with pytest.raises(ValueError, match="kind"):
        wardrobe("tuning", ["cat"])
    with pytest.raises(ValueError, match="no frames"):
        CompositeSource(Wall(0)).visits  # noqa: B018
