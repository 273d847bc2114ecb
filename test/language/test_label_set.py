"""Lists of labels: those that ship, one's own, and stable colours."""

from __future__ import annotations

import numpy as np
import pytest

from magic3d_ros.language.label_set import UNNAMED, LabelSetError, label_colors, label_set, label_set_names, own_labels, painted


def test_the_lists_that_ship() -> None:
    assert label_set_names() == ["matterport160", "scannet20"]
    scannet, matterport = label_set("scannet20"), label_set("matterport160")
    assert (len(scannet.names), len(set(scannet.names))) == (20, 20)
    assert (len(matterport.names), len(set(matterport.names))) == (160, 160)
    assert scannet.names[:5] == ("wall", "floor", "cabinet", "bed", "chair")
    assert (scannet.names[19], scannet.texts[19]) == ("otherfurniture", "other furniture")
    assert {"wall", "floor", "ceiling"} <= set(matterport.names)


@pytest.mark.parametrize("name", ["", "nyu40", "../vocabulary", "/etc/passwd"])
def test_a_list_that_does_not_ship_is_refused_and_those_that_do_are_named(name: str) -> None:
    with pytest.raises(LabelSetError, match="there are matterport160, scannet20"):
        label_set(name)


def test_labels_of_ones_own() -> None:
    assert own_labels(" office chair, mug,,floor ").names == ("office chair", "mug", "floor")
    for text in ("", " , ", "mug, mug"):
        with pytest.raises(LabelSetError, match="separated by commas"):
            own_labels(text)


def test_a_label_keeps_its_colour_in_every_list() -> None:
    assert label_colors(["wall"]).tolist() == [[67, 185, 40]]  # written down: a change would repaint everybody's maps
    scannet, matterport = label_set("scannet20"), label_set("matterport160")
    shared = set(scannet.names) & set(matterport.names)
    assert len(shared) > 10
    for name in shared:
        np.testing.assert_array_equal(scannet.colors[scannet.names.index(name)], matterport.colors[matterport.names.index(name)])
    for colors in (scannet.colors, matterport.colors):
        assert len(np.unique(colors, axis=0)) == len(colors)
        assert (np.ptp(colors.astype(int), axis=1) >= 60).all()  # none looks like the grey of what has no name


def test_points_are_painted_by_their_label() -> None:
    colors = painted(["wall", "mug"], np.array([1, -1, 0, 1]))
    assert colors[1].tolist() == list(UNNAMED)
    np.testing.assert_array_equal(colors[[2, 0]], label_colors(["wall", "mug"]))
    np.testing.assert_array_equal(colors[0], colors[3])


def test_a_mapped_rooms_floor_and_walls_are_named_by_geometry(mapped_room) -> None:
    scene = mapped_room[0].scene
    floor = np.isin(scene.labels, [o.id for o in scene.objects if o.kind == "structure" and o.label == "floor"])
    wall = np.isin(scene.labels, [o.id for o in scene.objects if o.kind == "structure" and o.label == "wall"])
    assert floor.sum() > 100
    assert wall.sum() > 100
    for name in label_set_names():
        labels = label_set(name)
        index, confidence = scene.segment(list(labels.texts))
        assert (index[floor] == labels.names.index("floor")).all()
        assert (index[wall] == labels.names.index("wall")).all()
        assert (confidence[floor | wall] > 0.5).all()
        assert (index >= 0).mean() > 0.9
