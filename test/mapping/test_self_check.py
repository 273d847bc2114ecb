from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from magic3d_ros.config import MapSettings
from magic3d_ros.frames import RGBDFrame
from magic3d_ros.geometry.camera import Camera
from magic3d_ros.mapping.self_check import REMEMBERED, WIDTH, HeldKeyframe, SelfCheck
from magic3d_ros.mapping.surface import View

CAMERA = Camera(32, 24, 30.0, 30.0, 15.5, 11.5)
SECOND = 1_000_000_000


def check(every: int = 3, seconds: float = 2.0) -> SelfCheck:
    return SelfCheck(replace(MapSettings(), self_check_every=every, self_check_seconds=seconds))


def frame(stamp: int = 0, depth: float = 1.0, camera: Camera = CAMERA) -> RGBDFrame:
    shape = (camera.height, camera.width)
    return RGBDFrame(stamp, np.full((*shape, 3), 100, np.uint8), np.full(shape, depth, np.float32), camera, np.eye(4))


def render(camera: Camera, camera_to_world: np.ndarray) -> View:
    """Upper quarter: nothing; second quarter: 5 cm off; lower half: 2 cm off. Brighter by 10 everywhere."""
    depth = np.full((camera.height, camera.width), 1.02, np.float32)
    depth[:camera.height // 2] = 1.05
    depth[:camera.height // 4] = 0.0
    shape = (camera.height, camera.width, 3)
    return View(np.full(shape, 110, np.uint8), depth, np.zeros(shape, np.float32))


def test_every_third_keyframe_waits_for_its_time():
    selfcheck = check()
    held = [selfcheck.holds(frame(n * SECOND), None) for n in range(4)]
    assert held == [False, False, True, False]
    assert selfcheck.due(3 * SECOND) == [] and selfcheck.figures() == {"checked": 0.0, "waiting": 1.0}
    assert [h.frame.stamp for h in selfcheck.due(4 * SECOND)] == [2 * SECOND]
    assert [selfcheck.holds(frame(n * SECOND), None) for n in (5, 6)] == [False, True]
    assert [h.frame.stamp for h in selfcheck.due(0)] == [6 * SECOND]  # a recording that began again
    assert selfcheck.all_waiting() == []


def test_none_waits_when_it_is_off():
    selfcheck = check(every=0)
    assert not any(selfcheck.holds(frame(n), None) for n in range(50))


def test_figures_of_a_known_rendering():
    selfcheck = check()
    comparison = selfcheck.compare(HeldKeyframe(frame(7), None), render)
    assert comparison.stamp == 7 and comparison.in25 == pytest.approx(0.5)
    assert comparison.depth_error == pytest.approx(0.02, abs=1e-6)  # the median of those that are shown: a third is 5 cm off
    assert comparison.psnr == pytest.approx(28.1308, abs=1e-3)
    assert selfcheck.figures() == {"checked": 1.0, "waiting": 0.0, "in25": pytest.approx(0.5),
                                   "depth_error": pytest.approx(0.02, abs=1e-6), "psnr": pytest.approx(28.1308, abs=1e-3)}


def test_what_is_not_trusted_or_has_no_reading_does_not_count():
    weights = np.ones((24, 32), np.float32)
    weights[:12] = 0.0
    assert check().compare(HeldKeyframe(frame(), weights), render).in25 == 1.0
    holes = frame()
    holes.depth[:12] = np.nan
    assert check().compare(HeldKeyframe(holes, None), render).in25 == 1.0


def test_nothing_to_compare_gives_no_figures():
    selfcheck = check()
    comparison = selfcheck.compare(HeldKeyframe(frame(depth=0.0), None), render)
    assert np.isnan([comparison.in25, comparison.depth_error, comparison.psnr]).all()
    assert selfcheck.figures() == {"checked": 1.0, "waiting": 0.0}


def test_large_images_are_compared_at_a_small_size():
    seen = []

    def watched(camera: Camera, camera_to_world: np.ndarray) -> View:
        seen.append((camera.width, camera.height))
        return render(camera, camera_to_world)

    check().compare(HeldKeyframe(frame(camera=Camera(640, 480, 500.0, 500.0, 319.5, 239.5)), None), watched)
    assert seen == [(WIDTH, 120)]


def test_only_the_last_comparisons_are_averaged():
    selfcheck = check()
    for _ in range(REMEMBERED):
        selfcheck.compare(HeldKeyframe(frame(depth=3.0), None), render)
    for _ in range(REMEMBERED):
        selfcheck.compare(HeldKeyframe(frame(), None), render)
    assert selfcheck.figures()["in25"] == pytest.approx(0.5) and selfcheck.figures()["checked"] == 2 * REMEMBERED


def test_a_mapped_room_checks_itself():
    from magic3d_ros.config import Settings
    from magic3d_ros.cues.extractor import CueExtractor
    from magic3d_ros.pipeline import ScenePipeline
    from magic3d_ros.sources.room import open_room

    settings = Settings()
    settings.set("map.self_check_every", 2)
    settings.set("map.self_check_seconds", 0.35)
    pipeline = ScenePipeline(settings, CueExtractor(settings))
    frames = list(open_room("tiny", settings, distractors=False))
    for each in frames:
        pipeline.integrate(each)
    figures = pipeline.mapper.self_check.figures()
    assert figures["checked"] >= 1 and figures["waiting"] >= 1
    assert figures["in25"] > 0.8 and figures["depth_error"] < 0.01 and figures["psnr"] > 20
    assert pipeline.mapper.voxels.statistics()["frames"] == len(frames) - figures["waiting"]
    pipeline.state()  # what is saved holds all frames
    assert pipeline.mapper.voxels.statistics()["frames"] == len(frames)
    figures = pipeline.mapper.self_check.figures()
    assert figures["waiting"] == 0 and figures["checked"] == len(pipeline.timings["self_check"])
