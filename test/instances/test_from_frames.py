"""From depth images through the voxel map to things."""

from __future__ import annotations

import numpy as np
import pytest

from magic3d_ros.config import Settings
from magic3d_ros.frames import RGBDFrame
from magic3d_ros.geometry.gravity import UpEstimator
from magic3d_ros.instances.mapper import InstanceMapper
from magic3d_ros.instances.views import crop
from magic3d_ros.mapping.mapper import Mapper


@pytest.mark.parametrize("grouping", ["recipe", "learned"])
def test_frames_of_two_boxes_become_two_objects_on_a_floor(two_boxes, grouping):
    settings = Settings()
    settings.instances.grouping = grouping
    mapper, up, instances = Mapper(settings), UpEstimator(), InstanceMapper(settings.instances)
    keyframes = two_boxes.orbit(24)
    ids = []
    for number, keyframe in enumerate(keyframes, 1):
        mapper.integrate(RGBDFrame(keyframe.stamp, keyframe.rgb(), keyframe.depth(), keyframe.camera, keyframe.camera_to_world))
        up.observe(keyframe.camera_to_world)
        if number in (16, 20, 24):
            surface = mapper.surface()
            found = instances.update(surface, keyframes[:number], up.estimate(surface))
            objects = sorted((i for i in found.instances.values() if i.kind == "object" and i.n_points > 200),
                             key=lambda i: i.box.center[0])
            ids.append([i.id for i in objects])
    assert ids[0] == ids[1] == ids[2] and len(ids[0]) == 2  # red, then blue, and the same ones all the way
    red, blue = objects
    assert red.box.center == pytest.approx([-0.35, -0.05, 0.15], abs=0.04)
    assert blue.box.center == pytest.approx([0.35, 0.1, 0.1], abs=0.04)
    assert "floor" in {i.structure for i in found.instances.values()}
    by_stamp = {k.stamp: k for k in keyframes}
    for thing, channel in ((red, 0), (blue, 2)):
        picture = crop(by_stamp[thing.views[0].stamp], thing.views[0])
        assert np.bincount(picture.reshape(-1, 3).argmax(1), minlength=3).argmax() == channel  # mostly its own colour
