from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from magic3d_ros.config import InstanceSettings
from magic3d_ros.instances import mapper as mapper_module
from magic3d_ros.instances.mapper import InstanceMapper
from magic3d_ros.mapping.surface import Surface

UP = np.array([0.0, 0.0, 1.0])


def id_of(found, owner, number):
    """The id that most vertices of a box have."""
    ids, count = np.unique(found.labels[owner == number], return_counts=True)
    assert count.max() > 0.8 * count.sum()
    return int(ids[count.argmax()])


def test_two_boxes_on_a_floor_are_two_objects_and_a_floor(two_boxes):
    surface, owner = two_boxes.surface()
    found = InstanceMapper(InstanceSettings()).update(surface, two_boxes.orbit(), UP)
    assert len(found.instances) == 3
    assert found.labels.dtype == np.int32 and found.labels.shape == (len(surface),)
    floor, red, blue = (found.instances[id_of(found, owner, k)] for k in range(3))
    assert (floor.kind, floor.structure) == ("structure", "floor")
    assert (red.kind, red.structure, blue.kind, blue.structure) == ("object", "", "object", "")
    assert red.box.center == pytest.approx([-0.35, -0.05, 0.15], abs=0.03)
    assert np.sort(red.box.size) == pytest.approx([0.3, 0.3, 0.3], abs=0.05)
    assert blue.box.size[2] == pytest.approx(0.2, abs=0.04)
    for instance in found.instances.values():
        assert instance.n_points == (found.labels == instance.id).sum()
        assert 0.0 < instance.confidence < 1.0
        assert np.isfinite(instance.centroid).all()
        assert instance.n_views == 8 and (instance.first_seen, instance.last_seen) == (1, 8)
        assert 1 <= len(instance.views) <= 5
        assert [v.score for v in instance.views] == sorted((v.score for v in instance.views), reverse=True)


def test_a_finer_mesh_is_parted_alike(two_boxes):
    low, high = (-0.06, 0.4, 0.0), (0.0, 0.46, 0.06)
    crumb = replace(two_boxes.boxes[0], low=low, high=high, color=(130, 125, 120))  # .018 square metres: a scrap
    world = two_boxes.with_box(crumb)
    parts = []
    for cell in (0.02, 0.01):
        surface, owner = replace(world, cell=cell).surface()
        found = InstanceMapper(InstanceSettings(), spacing=cell).update(surface, world.orbit(), UP)
        things = [found.instances[id_of(found, owner, number)] for number in range(4)]
        assert len(found.instances) == 3
        assert things[0] is things[3]
        parts.append(things[:3])
    for coarse, fine in zip(*parts, strict=True):
        assert fine.structure == coarse.structure
        assert fine.box.center == pytest.approx(coarse.box.center, abs=0.02)
        assert fine.confidence == pytest.approx(coarse.confidence, abs=0.05)


def test_the_same_surface_gives_the_same_ids_in_any_order(two_boxes):
    mapper = InstanceMapper(InstanceSettings())
    surface, owner = two_boxes.surface()
    first = mapper.update(surface, two_boxes.orbit(), UP)
    shuffled, owner_shuffled = two_boxes.surface(shuffle=1)
    second = mapper.update(shuffled, two_boxes.orbit(), UP)
    for box in range(3):
        assert id_of(first, owner, box) == id_of(second, owner_shuffled, box)


def test_ids_stay_when_a_thing_grows_and_a_new_thing_gets_a_new_one(two_boxes):
    mapper = InstanceMapper(InstanceSettings())
    part = replace(two_boxes, boxes=(replace(two_boxes.boxes[0], high=(-0.2, 0.1, 0.16)),))  # half of the red box seen so far
    surface, owner = part.surface()
    first = mapper.update(surface, part.orbit(), UP)
    whole, owner_whole = two_boxes.surface()
    second = mapper.update(whole, two_boxes.orbit(), UP)
    assert id_of(first, owner, 0) == id_of(second, owner_whole, 0)
    assert id_of(first, owner, 1) == id_of(second, owner_whole, 1)
    assert id_of(second, owner_whole, 2) not in first.instances


def test_an_id_is_not_reused_when_its_thing_is_gone(two_boxes):
    mapper = InstanceMapper(InstanceSettings())
    surface, owner = two_boxes.surface()
    first = mapper.update(surface, two_boxes.orbit(), UP)
    blue = id_of(first, owner, 2)
    without = replace(two_boxes, boxes=two_boxes.boxes[:1])
    mapper.update(without.surface()[0], without.orbit(), UP)
    elsewhere = replace(two_boxes.boxes[1], low=(0.2, -0.7, 0.0), high=(0.5, -0.4, 0.2))
    moved = without.with_box(elsewhere)
    surface, owner = moved.surface()
    third = mapper.update(surface, moved.orbit(), UP)
    assert id_of(third, owner, 2) != blue
    again = mapper.update(*(lambda s: (s[0], two_boxes.orbit(), UP))(two_boxes.surface()))
    assert id_of(again, two_boxes.surface()[1], 2) == blue  # back in its place: the same thing


def test_of_a_split_thing_the_larger_part_keeps_the_id(two_boxes):
    """A box that turns out to be two of different colour: the larger part keeps the id."""
    whole = replace(two_boxes, boxes=(replace(two_boxes.boxes[0], low=(-0.5, -0.4, 0.0), high=(-0.2, 0.4, 0.3)),))
    mapper = InstanceMapper(InstanceSettings())
    surface, owner = whole.surface()
    first = mapper.update(surface, whole.orbit(), UP)
    green = replace(whole.boxes[0], low=(-0.5, 0.1, 0.0), color=(30, 150, 40))
    split = whole.with_box(green)
    surface_split, owner_split = split.surface()
    second = mapper.update(surface_split, split.orbit(), UP)
    assert id_of(second, owner_split, 1) == id_of(first, owner, 1)
    assert id_of(second, owner_split, 2) not in first.instances


def test_state_carries_ids_and_times_on(two_boxes):
    surface, owner = two_boxes.surface()
    first_mapper = InstanceMapper(InstanceSettings())
    first = first_mapper.update(surface, two_boxes.orbit(), UP)
    state = first_mapper.state()
    assert all(isinstance(v, np.ndarray) and np.issubdtype(v.dtype, np.integer) for v in state.values())
    second_mapper = InstanceMapper(InstanceSettings())
    second_mapper.load_state(state)
    second = second_mapper.update(surface, two_boxes.orbit()[4:], UP)
    for box in range(3):
        assert id_of(first, owner, box) == id_of(second, owner, box)
    red = second.instances[id_of(second, owner, 1)]
    assert (red.first_seen, red.last_seen, red.n_views) == (1, 8, 4)


@pytest.mark.parametrize("missing", ["cell", "id", "points", "known", "next", "seen"])
def test_incomplete_state_is_named(missing):
    state = InstanceMapper(InstanceSettings()).state()
    del state[missing]
    with pytest.raises(ValueError, match=missing):
        InstanceMapper(InstanceSettings()).load_state(state)


def test_ids_count_on_after_a_reset(two_boxes):
    mapper = InstanceMapper(InstanceSettings())
    surface, _ = two_boxes.surface()
    first = mapper.update(surface, two_boxes.orbit(), UP)
    mapper.reset()
    assert not set(first.instances) & set(mapper.update(surface, two_boxes.orbit(), UP).instances)


def test_without_keyframes_things_are_still_separated(two_boxes):
    surface, _ = two_boxes.surface()
    found = InstanceMapper(InstanceSettings()).update(surface, [], UP)
    assert len(found.instances) == 3
    assert all(i.n_views == 0 and i.views == [] for i in found.instances.values())


def test_objects_that_no_keyframe_saw_are_scraps(two_boxes):
    surface, owner = two_boxes.surface()
    above_red = [two_boxes.keyframe((-0.9, -0.05, 0.35), (-0.2, -0.05, 0.1), stamp=k) for k in range(4)]
    found = InstanceMapper(InstanceSettings()).update(surface, above_red, UP)
    assert id_of(found, owner, 1) >= 0
    assert (found.labels[owner == 2] >= 0).mean() < 0.2


def test_what_is_large_is_no_scrap_however_badly_it_was_seen(two_boxes, monkeypatch):
    surface, owner = two_boxes.surface()
    near = [two_boxes.keyframe((-0.9, -0.05, 0.35), (-0.2, -0.05, 0.1), stamp=k) for k in range(60)]
    once = [two_boxes.keyframe((1.3, 0.1, 0.15), (0.2, 0.1, 0.1), stamp=100)]  # of the blue box, 1036 vertices, one side
    found = InstanceMapper(InstanceSettings()).update(surface, near + once, UP)
    assert id_of(found, owner, 2) >= 0
    monkeypatch.setattr(mapper_module, "_LARGE", 0.8)
    assert id_of(InstanceMapper(InstanceSettings()).update(surface, near + once, UP), owner, 2) == -1


def test_what_was_a_thing_needs_less_to_stay_one(two_boxes, monkeypatch):
    monkeypatch.setattr(mapper_module, "_LARGE", 0.8)
    surface, owner = two_boxes.surface()
    once = [two_boxes.keyframe((1.3, 0.1, 0.15), (0.2, 0.1, 0.1), stamp=100)]
    near = [two_boxes.keyframe((-0.9, -0.05, 0.35), (-0.2, -0.05, 0.1), stamp=k) for k in range(60)]
    mapper = InstanceMapper(InstanceSettings())
    blue = id_of(mapper.update(surface, near[:8] + once, UP), owner, 2)
    assert blue >= 0
    # the camera rests on the red box: what is nothing to who sees it now for the first time stays for who knows it
    moved = replace(surface, colors=surface.colors + np.uint8(1))  # all is looked at again
    assert id_of(InstanceMapper(InstanceSettings()).update(moved, near[:30] + once, UP), owner, 2) == -1
    assert id_of(mapper.update(moved, near[:30] + once, UP), owner, 2) == blue
    assert id_of(mapper.update(surface, near + once, UP), owner, 2) == -1


def test_min_vertices_drops_small_things(two_boxes):
    surface, owner = two_boxes.surface()
    found = InstanceMapper(InstanceSettings(min_vertices=1200)).update(surface, two_boxes.orbit(), UP)
    assert [i.structure for i in found.instances.values()] == ["floor"]
    assert (found.labels[owner == 1] == -1).mean() > 0.9


@pytest.mark.parametrize("count", [0, 1, 2, 50])
def test_tiny_surfaces_give_no_things(count):
    points = np.random.default_rng(0).normal(size=(count, 3)).astype(np.float32)
    faces = np.stack([np.arange(max(count - 2, 0)) + k for k in range(3)], 1).astype(np.int32)
    surface = Surface(points, faces, np.tile(UP, (count, 1)).astype(np.float32), np.zeros((count, 3), np.uint8),
                      np.ones(count, np.float32))
    found = InstanceMapper(InstanceSettings()).update(surface, [], UP)
    assert found.labels.shape == (count,)
    for instance in found.instances.values():
        assert np.isfinite(instance.box.size).all() and np.isfinite(instance.confidence)


def test_non_finite_vertices_and_degenerate_faces_are_left_out(two_boxes):
    surface, _ = two_boxes.surface()
    vertices, faces = surface.vertices.copy(), surface.faces.copy()
    vertices[5] = np.nan
    faces[7] = faces[7, 0]
    found = InstanceMapper(InstanceSettings()).update(replace(surface, vertices=vertices, faces=faces), two_boxes.orbit(), UP)
    assert found.labels[5] == -1
    assert len(found.instances) == 3
    assert all(np.isfinite(i.box.center).all() and np.isfinite(i.centroid).all() for i in found.instances.values())


@pytest.fixture
def segmented(monkeypatch):
    """The vertices that each run segments, a set of rounded positions a run."""
    runs = []

    def watched(graph, *others, **named):
        runs.append({tuple(v) for v in graph.vertices.round(3).tolist()})
        return segment(graph, *others, **named)

    segment = mapper_module.segment
    monkeypatch.setattr(mapper_module, "segment", watched)
    return runs


def places(surface, of):
    return {tuple(v) for v in surface.vertices[of].astype(np.float64).round(3).tolist()}


def test_what_did_not_change_is_not_segmented_again(two_boxes, segmented):
    mapper = InstanceMapper(InstanceSettings())
    surface, _ = two_boxes.surface()
    first = mapper.update(surface, two_boxes.orbit(), UP)
    second = mapper.update(two_boxes.surface()[0], two_boxes.orbit(), UP)
    assert [len(run) > 0 for run in segmented] == [True, False]
    assert np.array_equal(first.labels, second.labels)
    assert second.instances == first.instances
    mapper.update(surface, two_boxes.orbit(), UP, whole=True)
    assert segmented[2] == segmented[0]


def test_a_whole_run_does_not_lean_on_what_was_one_thing_before_and_keeps_ids(two_boxes, monkeypatch):
    known = []

    def watched(graph, structure, threshold, recalled, **named):
        known.append(set(recalled.tolist()))
        return segment(graph, structure, threshold, recalled, **named)

    segment = mapper_module.segment
    monkeypatch.setattr(mapper_module, "segment", watched)
    mapper = InstanceMapper(InstanceSettings())
    surface, _ = two_boxes.surface()
    first = mapper.update(surface, two_boxes.orbit(), UP)
    mapper.update(replace(surface, colors=surface.colors ^ 1), two_boxes.orbit(), UP)
    last = mapper.update(surface, two_boxes.orbit(), UP, whole=True)
    assert known[0] == known[2] == {-1} and known[1] - {-1} == set(first.instances)
    assert np.array_equal(last.labels, first.labels)


def test_a_change_is_segmented_with_the_things_it_touches_and_no_others(two_boxes, segmented):
    mapper = InstanceMapper(InstanceSettings())
    surface, owner = two_boxes.surface()
    first = mapper.update(surface, two_boxes.orbit(), UP)
    taller = replace(two_boxes.boxes[0], high=(*two_boxes.boxes[0].high[:2], two_boxes.boxes[0].high[2] + 0.1))
    changed = replace(two_boxes, boxes=(taller, two_boxes.boxes[1]))
    surface_2, owner_2 = changed.surface()
    found = mapper.update(surface_2, changed.orbit(), UP)
    floor, red, blue = (id_of(first, owner, box) for box in range(3))
    assert segmented[1] == places(surface_2, found.labels == red)
    assert [id_of(found, owner_2, box) for box in range(3)] == [floor, red, blue]
    assert found.instances[blue] is first.instances[blue]
    assert found.instances[red].box.size[2] == pytest.approx(0.4, abs=0.03)
    alone = InstanceMapper(InstanceSettings()).update(surface_2, changed.orbit(), UP)
    for box in range(3):
        same = found.labels == id_of(found, owner_2, box)
        assert (same == (alone.labels == id_of(alone, owner_2, box))).mean() > 0.99


def test_a_thing_that_lost_its_surface_is_gone_and_the_floor_beneath_it_is_looked_at_again(two_boxes, segmented):
    mapper = InstanceMapper(InstanceSettings())
    surface, owner = two_boxes.surface()
    first = mapper.update(surface, two_boxes.orbit(), UP)
    without = replace(two_boxes, boxes=two_boxes.boxes[:1])
    found = mapper.update(without.surface()[0], without.orbit(), UP)
    red, blue = id_of(first, owner, 1), id_of(first, owner, 2)
    assert set(found.instances) == set(first.instances) - {blue}
    assert found.instances[red] is first.instances[red]


def test_a_thing_is_looked_at_again_when_a_keyframe_that_showed_it_is_forgotten(two_boxes):
    mapper = InstanceMapper(InstanceSettings())
    surface, _ = two_boxes.surface()
    keyframes = two_boxes.orbit()
    first = mapper.update(surface, keyframes, UP)
    best = {view.stamp for thing in first.instances.values() for view in thing.views}
    left = [k for k in keyframes if k.stamp != min(best)]
    for thing in mapper.update(surface, left, UP).instances.values():
        assert thing.views and min(best) not in {view.stamp for view in thing.views}


def test_loading_a_state_segments_everything(two_boxes, segmented):
    mapper = InstanceMapper(InstanceSettings())
    surface, _ = two_boxes.surface()
    mapper.update(surface, two_boxes.orbit(), UP)
    mapper.load_state(mapper.state())
    mapper.update(surface, two_boxes.orbit(), UP)
    assert segmented[1] == segmented[0]


def test_when_a_thing_was_seen_is_known_after_it_is_gone(two_boxes):
    mapper = InstanceMapper(InstanceSettings())
    surface, owner = two_boxes.surface()
    red = id_of(mapper.update(surface, two_boxes.orbit(), UP), owner, 1)
    found = mapper.update(Surface.empty(), [], UP)
    assert red not in found.instances and mapper.seen(red) == (1, 8)
    assert mapper.seen(9999) is None


def test_masks_of_keyframes_decide_what_one_thing_is(two_boxes):
    """A box that leans against the red one: creases part them, masks that take them for one thing join them."""
    leaning = two_boxes.with_box(replace(two_boxes.boxes[0], low=(-0.2, -0.2, 0.0), high=(-0.06, 0.1, 0.16), color=(200, 90, 50)))
    surface, owner = leaning.surface()
    keyframes = leaning.orbit(8)
    plain = InstanceMapper(InstanceSettings())
    found = plain.update(surface, keyframes, UP)
    main = [np.bincount(found.labels[(owner == n) & (found.labels >= 0)]).argmax() for n in (1, 3)]
    assert main[0] != main[1]
    voting = InstanceMapper(InstanceSettings())
    for keyframe in keyframes:
        frame = keyframe.frame()
        colors = frame.rgb.astype(int)
        blue, both = (colors[..., i] > colors[..., j] + 50 for i, j in ((2, 0), (0, 2)))
        voting.observe(frame, np.where(both, 0, np.where(blue, 1, -1)).astype(np.int32))
    found = voting.update(surface, keyframes, UP)
    main = [np.bincount(found.labels[(owner == n) & (found.labels >= 0)]).argmax() for n in (1, 3, 2)]
    assert main[0] == main[1] != main[2]
    again = InstanceMapper(InstanceSettings())
    again.load_state(voting.state())
    assert np.array_equal(again.update(surface, keyframes, UP).labels, found.labels)
    assert not any(name.startswith("masks.") for name in plain.state())
