"""Online merging of 2D masks: votes that can be taken back, tracks that stay, two that become one on evidence."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from magic3d_ros.frames import Camera, FeatureGrid, FrameError, RGBDFrame
from magic3d_ros.instances.agglomeration import Boundaries
from magic3d_ros.instances.merging import MaskMerger
from magic3d_ros.instances.merging_boundaries import voted
from magic3d_ros.instances.merging_sample import MaskSample, mask_sample
from magic3d_ros.instances.merging_votes import VOXEL, VoteGrid
from magic3d_ros.mapping.keyframe import Keyframe


def cube(x: float, side: int = 6) -> np.ndarray:
    """(side^3, 3) centres of voxels of a cube that begins at x."""
    at = (np.stack(np.meshgrid(*[np.arange(side)] * 3, indexing="ij"), -1).reshape(-1, 3) + 0.5) * VOXEL
    return (at + np.array([x, 0, 0])).astype(np.float32)


def sample(*cubes: tuple[float, int]) -> MaskSample:
    """Cubes at x with the mask number given; -1 = seen without a mask."""
    points = np.concatenate([cube(x) for x, _ in cubes])
    mask = np.concatenate([np.full(216, m, np.int32) for _, m in cubes])
    count = int(mask.max()) + 1
    pixel = np.arange(len(points), dtype=np.int32)
    return MaskSample(points, pixel, mask, np.zeros(count, bool), np.zeros((count, 0), np.float32))


A, B, C = 0.0, 1.0, 2.0


def test_votes_are_counted_and_taken_back() -> None:
    grid = VoteGrid()
    points = np.array([[0.01, 0.01, 0.01], [-5.0, 3.0, 0.0], [1.0, 1.0, 1.0]])
    address = grid.addresses(points, make=True)
    assert len(set(address.tolist())) == 3
    grid.add(address, np.array([0, 1, 0]))
    grid.add(address[:2], np.array([0, 2]))
    tracks, votes = grid.read(address)
    assert sorted(zip(tracks[0].tolist(), votes[0].tolist(), strict=True))[-1] == (0, 2)
    assert sorted(zip(tracks[1].tolist(), votes[1].tolist(), strict=True))[-2:] == [(1, 1), (2, 1)]
    grid.rename(address, np.array([0, 1, 1]))  # track 2 became 1
    tracks, votes = grid.read(address)
    assert sorted(zip(tracks[1].tolist(), votes[1].tolist(), strict=True))[-1] == (1, 2)
    for track in ([0, 1, 0], [0, 1, 5]):  # one too many of the last voxel: nothing there to take
        grid.subtract(address, np.array(track))
    assert (grid.read(address)[0] == -1).all() and (grid.read(address)[1] == 0).all()
    assert grid.addresses(np.array([[50.0, 0, 0]])).tolist() == [-1] and (grid.read(np.array([-1]))[0] == -1).all()


def test_a_voxel_remembers_four_tracks() -> None:
    grid = VoteGrid()
    address = grid.addresses(np.zeros((1, 3)), make=True)
    for track in (3, 1, 4, 15, 9, 3):
        grid.add(address, np.array([track]))
    assert sorted(zip(*[a[0].tolist() for a in grid.read(address)], strict=True)) == [(1, 1), (3, 2), (4, 1), (15, 1)]


def test_tracks_stay_with_their_things() -> None:
    merger = MaskMerger()
    assert merger.add(1, sample((A, 0), (B, 1))).tolist() == [0, 1]
    assert merger.add(2, sample((B, 0), (C, 1))).tolist() == [1, 2]
    assert merger.add(3, sample((C, 1), (A, 0), (B, -1))).tolist() == [0, 2]
    where = np.array([[A + 0.1, 0.1, 0.1], [B + 0.1, 0.1, 0.1], [C + 0.1, 0.1, 0.1], [9, 9, 9]])
    track, share = merger.tracks_at(where)
    assert track.tolist() == [0, 1, 2, -1] and share.tolist() == [1, 1, 1, 0]


def test_two_tracks_become_one_on_repeated_evidence_only() -> None:
    merger = MaskMerger()
    where = np.array([[A + 0.1, 0.1, 0.1], [A + 0.34, 0.1, 0.1]])
    for stamp in range(2):
        merger.add(stamp, sample((A, 0), (A + 0.24, 1)))  # two halves of a thing, seen as two
    tracks = []
    for stamp in range(2, 5):
        merger.add(stamp, sample((A, 0), (A + 0.24, 0)))
        tracks.append(merger.tracks_at(where)[0].tolist())
    assert tracks[-1][0] == tracks[-1][1] >= 0 and tracks[0][0] != tracks[0][1]
    apart = MaskMerger()
    for stamp in range(12):  # twice as often two as one
        apart.add(stamp, sample((A, 0), (A + 0.24, int(stamp % 3 < 2))))
    one, other = apart.tracks_at(where)[0].tolist()
    assert one != other


def test_forgotten_keyframes_leave_no_vote() -> None:
    merger, never = MaskMerger(), MaskMerger()
    for stamp, cubes in ((1, ((A, 0),)), (2, ((A, 0), (B, 1))), (3, ((A, 0), (B, 1))), (4, ((B, 0), (C, 1)))):
        merger.add(stamp, sample(*cubes))
        if stamp != 4:
            never.add(stamp, sample(*cubes))
    merger.forget([4, 99])
    where = np.concatenate([cube(A), cube(B), cube(C)])
    assert np.array_equal(merger.tracks_at(where)[0], never.tracks_at(where)[0]) and merger.stamps == [1, 2, 3]
    assert merger.add(3, sample((A, 0), (B, 1))).tolist() == [0, 1] and len(merger) == 3  # the same stamp again replaces


def test_what_moved_is_withdrawn_when_it_is_found_out() -> None:
    merger = MaskMerger()
    frame, box = picture()
    for stamp in (1, 2):
        merger.add(stamp, mask_sample(frame, np.where(box, 0, -1)))
    keyframes = [Keyframe.of(replace(frame, stamp=stamp), np.where(box, 0, 255).astype(np.uint8)) for stamp in (1, 2)]
    spot = np.array([[0.0, 0.0, 1.5]])
    assert merger.tracks_at(spot)[0].tolist() == [0]
    merger.keep_only(keyframes)
    assert merger.tracks_at(spot)[0].tolist() == [-1]
    merger.add(3, mask_sample(frame, np.where(box, 0, -1)))
    merger.add(4, mask_sample(frame, np.where(box, 0, -1)))
    merger.keep_only([keyframes[0], Keyframe.of(replace(frame, stamp=3))])
    assert merger.stamps == [1, 3, 4]  # 2 was evicted, 4 is newer than the list


def test_votes_move_with_the_world() -> None:
    merger = MaskMerger()
    merger.add(1, sample((A, 0)))
    merger.add(2, sample((A, 0)))
    merger.move(lambda points, stamps: points + np.array([0.0, 4.0, 0.0]))
    assert merger.tracks_at(np.array([[0.1, 4.1, 0.1], [0.1, 0.1, 0.1]]))[0].tolist() == [0, -1]
    assert merger.add(3, replace(sample((A, 0)), points=cube(A) + np.float32([0, 4, 0]))).tolist() == [0]


def test_state_goes_on_and_damage_is_named() -> None:
    merger = MaskMerger()
    for stamp in range(3):
        merger.add(stamp, sample((A, 0), (B, 1)))
    state, again = merger.state(), MaskMerger()
    again.load_state(state)
    where = np.concatenate([cube(A), cube(B)])
    assert np.array_equal(again.tracks_at(where)[0], merger.tracks_at(where)[0])
    assert again.add(9, sample((B, 0), (C, 1))).tolist() == [1, 2]
    for name, broken in (("points", np.zeros((3, 2))), ("tracks", state["tracks"] + 7), ("masks", state["masks"] + 5),
                         ("lengths", state["lengths"] + 1)):
        with pytest.raises(ValueError, match="state of merged masks"):
            MaskMerger().load_state(state | {name: broken})


def test_features_decide_between_equal_overlaps() -> None:
    one, other = np.eye(2, dtype=np.float32)
    merger = MaskMerger()
    both = replace(sample((A, 0), (A + 0.24, 1)), features=np.stack([one, other]))
    assert merger.add(1, both).tolist() == [0, 1]
    middle = replace(sample((A + 0.12, 0)), features=other[None])
    assert merger.add(2, middle).tolist() == [1]
    assert merger.add(3, replace(middle, features=np.zeros((1, 3), np.float32))).shape == (1,)  # another model's: overlap alone


def test_nothing_in_nothing_out() -> None:
    merger = MaskMerger()
    empty = mask_sample(replace(picture()[0], depth=np.zeros((60, 80), np.float32)), np.zeros((60, 80), np.int32))
    assert merger.add(1, empty).tolist() == [] and merger.tracks_at(np.zeros((2, 3)))[0].tolist() == [-1, -1]
    merger.keep_only([])


def test_noise_of_masks_is_bounded() -> None:
    frame, _ = picture()
    noise = np.random.default_rng(0).integers(-1, 1_000_000, (60, 80)).astype(np.int32)
    made = mask_sample(frame, noise)
    assert len(made) == 500 and made.mask.max() == 499
    assert (MaskMerger().add(1, made) == -1).all()  # all too small to be anything


def picture() -> tuple[RGBDFrame, np.ndarray]:
    """A wall 2 m away with a box 50 cm before it, 80x60; the true mask of the box."""
    camera = Camera(80, 60, 80.0, 80.0, 39.5, 29.5)
    box = np.zeros((60, 80), bool)
    box[20:40, 30:50] = True
    depth = np.where(box, 1.5, 2.0).astype(np.float32)
    return RGBDFrame(7, np.zeros((60, 80, 3), np.uint8), depth, camera, np.eye(4)), box


def test_samples_know_planes_features_and_sizes() -> None:
    frame, box = picture()
    values = np.zeros((6, 8, 2), np.float32)
    values[2:4, 3:5] = (0.0, 5.0)
    made = mask_sample(frame, np.where(box, 4, 2), features=FeatureGrid(values, 10, 10, 4.5, 4.5))
    assert made.plane.tolist() == [True, False]  # the wall, number 2, is large; the front of the box is not
    assert made.features[1] == pytest.approx([0, 1]) and made.features[0, 1] < 0
    assert len(made.points) == len(made.pixel) == len(made.mask) and np.isclose(made.points[made.mask == 1, 2], 1.5).all()
    assert box.ravel()[made.pixel[made.mask == 1]].all()
    with pytest.raises(FrameError, match="one value a pixel"):
        mask_sample(frame, np.zeros((3, 3), np.int32))


def test_masks_change_what_borders_show() -> None:
    basin = np.repeat([0, 1, 2, 3], 4)
    track = np.repeat([5, 5, 8, -1], 4)
    pairs = np.array([[0, 1], [1, 2], [2, 3], [0, 2]])
    border = Boundaries(pairs, np.array([2.0, 0.0, 1.0, 0.0]), np.array([4.0, 0.0, 3.0, 0.0]), np.array([4, 4, 4, 0]))
    sure = voted(border, basin, track, 1.0)
    assert sure.crease.tolist() == [0, 4, 3, 0] and sure.color_edge.tolist() == [0, 4, 1, 0]
    assert sure.edges.tolist() == [4, 4, 4, 0]
    half = voted(border, basin, track, 0.5)
    assert half.crease.tolist() == [2, 2, 3, 0] and half.color_edge.tolist() == [1, 2, 1, 0]
    bridged = voted(replace(border, edges=np.array([0, 4, 4, 0])), basin, track, 1.0)
    assert bridged.edges.tolist() == [1, 4, 4, 0] and bridged.crease[0] == 0
    assert voted(border, basin, np.full(16, -1), 1.0) is border and voted(border, basin, track, 0.0) is border
