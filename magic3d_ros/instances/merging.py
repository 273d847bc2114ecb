"""Online merging of 2D masks: each keyframe's masks join the tracks of things that they overlap, or begin new ones.

Association by the overlap of visible voxels, by containment and by features, one mask a track and frame (after ESAM, Xu et al.
2024, whose boxes are replaced by voxels: they fit thin and large things too). Planes and objects are tracked in two layers: a
table top never swallows what stands on it. Where one frame sees two things and another one, both tracks get votes; two tracks
become one on repeated evidence only. Each keyframe's votes are remembered and can be taken back without a trace.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

import numpy as np

from magic3d_ros.instances.merging_record import Record, packed, unpacked, voters
from magic3d_ros.instances.merging_sample import MaskSample
from magic3d_ros.instances.merging_votes import VoteGrid
from magic3d_ros.mapping.keyframe import Keyframe

# A mask joins a track from this score on: visible IoU, or a share of how much of the one lies in the other (measured, see
# docs/instances.md: masks cut by the image's border cover a part of a track, tracks seen from nearby a part of a mask).
_JOIN = 0.25
_TRACK_INSIDE, _TRACK_SHARE, _TRACK_SIZE = 0.7, 0.5, 0.25
_MASK_INSIDE, _MASK_SHARE = 0.6, 0.6  # planes only: a wall is cut to pieces by what stands before it
_FEATURE_SHARE = 0.15  # of the cosine of features, added where there is overlap
_MIN_VOXELS = {False: 6, True: 40}  # of a mask that begins a track: objects, planes
_SUPPORT = 10  # visible voxels of two tracks before a frame is evidence about them
_DOMINATED = 0.55  # of a track's visible voxels in one mask
_MERGE_VIEWS, _MERGE_RATIO = 3, 3.0  # frames that show two tracks as one, and times as many as show them apart
_MOST_TOGETHER = 20  # tracks, the largest, in one mask about which a frame is evidence: noise has hundreds
_OBJECT_LEAD = 2.0  # votes for an object count twice against a plane's: frames miss small things more often than they invent them
_MIN_VIEWS = 2  # keyframes in which a track was seen, before it counts


class MaskMerger:
    """Tracks of things from the masks of keyframes. Any thread. Track numbers are never used twice."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._grid = VoteGrid()
        self._records: dict[int, Record] = {}
        self._plane: list[bool] = []  # of each track
        self._name = np.zeros(0, np.int64)  # what each track has become by merging; the grid's votes learn it when they are read
        self._features: dict[int, np.ndarray] = {}  # track -> sum of unit features
        self._trusted: dict[int, bytes] = {}  # stamp -> the trust that its votes have been cleared of
        self._evidence: dict[tuple[int, int], list[int]] = {}  # two tracks, smaller first -> frames together, frames apart

    def __len__(self) -> int:
        return len(self._records)

    @property
    def stamps(self) -> list[int]:
        """Of the keyframes whose votes count."""
        with self._lock:
            return list(self._records)

    def add(self, stamp: int, sample: MaskSample) -> np.ndarray:
        """Take in a keyframe's masks; the (n,) int64 track of each, -1 = too small. One of that stamp before is replaced."""
        with self._lock:
            self.forget([stamp])
            if len(sample.points) == 0:
                return np.full(len(sample), -1, np.int64)
            address = self._grid.addresses(sample.points, make=True)
            self._grid.rename(address, self._name)
            seen = self._grid.read(address)
            size = np.bincount(sample.mask[sample.mask >= 0], minlength=len(sample))
            tracks = np.full(len(sample), -1, np.int64)
            for layer in (False, True):
                self._associate(sample, size, self._top(*seen, layer), layer, tracks)
            new = [mask for mask in np.flatnonzero(tracks < 0) if size[mask] >= _MIN_VOXELS[bool(sample.plane[mask])]]
            tracks[new] = len(self._plane) + np.arange(len(new))
            self._plane += sample.plane[new].tolist()
            self._name = np.append(self._name, tracks[new])
            self._records[stamp] = Record(sample, tracks)
            self._vote(address, sample, tracks)
            self._remember_features(sample, tracks)
            self._merge_by_evidence()
            return self._records[stamp].tracks.copy()

    def forget(self, stamps: Iterable[int]) -> None:
        """Take back the votes of keyframes; unknown stamps are passed over."""
        with self._lock:
            for stamp in stamps:
                record = self._records.pop(stamp, None)
                self._trusted.pop(stamp, None)
                if record is not None:
                    member, track = voters(record)
                    self._take_back(record.sample.points[member], track)

    def keep_only(self, keyframes: Iterable[Keyframe]) -> None:
        """Take back the votes of keyframes that were forgotten, and where what a keyframe showed was found to move since.

        Keyframes newer than all of these stay: they were not known yet to whoever made the list.
        """
        with self._lock:
            known = {keyframe.stamp: keyframe for keyframe in keyframes}
            newest = max(known, default=-1)
            self.forget([stamp for stamp in self._records if stamp not in known and stamp <= newest])
            for stamp in self._records:
                if stamp in known and known[stamp].trust_png != self._trusted.get(stamp, b""):
                    self.distrust(stamp, known[stamp].trust)
                    self._trusted[stamp] = known[stamp].trust_png

    def distrust(self, stamp: int, trust: np.ndarray | None) -> None:
        """Take back what a keyframe voted where `trust` (H, W) uint8 is 0: what was found to move. None = all stands."""
        with self._lock:
            record = self._records.get(stamp)
            if record is None or trust is None:
                return
            kept = trust.ravel()[record.sample.pixel] > 0
            if kept.all():
                return
            member, track = voters(record)
            gone = ~kept[member]
            self._take_back(record.sample.points[member][gone], track[gone])
            sample = replace(record.sample, points=record.sample.points[kept], pixel=record.sample.pixel[kept],
                             mask=record.sample.mask[kept])
            self._records[stamp] = replace(record, sample=sample)

    def move(self, moved: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> None:
        """All that was seen moves with the world. moved: (n, 3) points and the (n,) stamps they are of -> where they are now."""
        with self._lock:
            self._grid.clear()
            for stamp, record in self._records.items():
                points = np.asarray(moved(record.sample.points, np.full(len(record.sample.points), stamp)), np.float32)
                record = self._records[stamp] = replace(record, sample=replace(record.sample, points=points))
                self._vote(self._grid.addresses(points, make=True), record.sample, record.tracks)

    def state(self) -> dict[str, np.ndarray]:
        """What must outlive the process, as integer arrays and points: records, tracks, evidence. Features are learned anew."""
        with self._lock:
            pairs = [(*pair, *counts) for pair, counts in self._evidence.items()]
            return packed(self._records) | {"planes": np.array(self._plane, np.uint8), "names": self._name.copy(),
                                            "evidence": np.array(pairs, np.int64).reshape(-1, 4)}

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Continue from `state()`. Raises ValueError naming what does not fit."""
        records = unpacked(state)
        with self._lock:
            self._records, self._plane = records, state["planes"].astype(bool).tolist()
            self._name, self._features, self._trusted = np.array(state["names"], np.int64), {}, {}
            self._evidence = {(int(a), int(b)): [int(c), int(d)] for a, b, c, d in state["evidence"]}
            self.move(lambda points, stamps: points)

    def tracks_at(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """For (N, 3) points the track (N,) int64 that has most votes there, -1 = none, and the share (N,) of votes that it has.

        Tracks seen in fewer than two keyframes do not count once there are more keyframes.
        """
        with self._lock:
            address = self._grid.addresses(points)
            there = address[address >= 0]
            self._grid.rename(there, self._name)
            return self._winner(*self._grid.read(address))

    def _winner(self, tracks: np.ndarray, votes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        count = len(self._plane)
        if count == 0:
            return np.full(len(tracks), -1, np.int64), np.zeros(len(tracks))
        views = np.zeros(count, np.int64)
        for record in self._records.values():
            views[np.unique(record.tracks[record.tracks >= 0])] += 1
        lead = np.where(self._plane, 1.0, _OBJECT_LEAD) * (views >= min(_MIN_VIEWS, len(self._records)))
        weight = np.append(lead, 0.0)[tracks] * votes
        best = weight.argmax(1)[:, None]
        share = np.take_along_axis(weight, best, 1)[:, 0] / np.maximum(weight.sum(1), 1e-9)
        return np.where(share > 0, np.take_along_axis(tracks, best, 1)[:, 0], -1).astype(np.int64), share

    def _top(self, tracks: np.ndarray, votes: np.ndarray, layer: bool) -> np.ndarray:
        """(N,) track of a layer with most votes, -1 = none; of (N, 4) tracks and votes."""
        of_layer = np.append(np.array(self._plane, bool) == layer, False)[tracks]
        votes = np.where(of_layer, votes, 0)
        best = votes.argmax(1)[:, None]
        return np.where(votes.max(1) > 0, np.take_along_axis(tracks, best, 1)[:, 0], -1).astype(np.int64)

    def _associate(self, sample: MaskSample, size: np.ndarray, top: np.ndarray, layer: bool, tracks: np.ndarray) -> None:
        """Give masks of a layer the tracks that they overlap, best pair first; note which tracks a mask shows as one."""
        seen, visible = np.unique(top[top >= 0], return_counts=True)
        if len(seen) == 0:
            return
        both = (top >= 0) & (sample.mask >= 0)
        shared = np.zeros((len(sample), len(seen)))
        np.add.at(shared, (sample.mask[both], np.searchsorted(seen, top[both])), 1.0)
        in_mask, in_track = shared / np.maximum(size, 1)[:, None], shared / visible[None]
        score = shared / np.maximum(size[:, None] + visible[None] - shared, 1.0)
        contained = (in_track > _TRACK_INSIDE) & (visible[None] > _TRACK_SIZE * size[:, None])
        score = np.maximum(score, np.where(contained, _TRACK_SHARE * in_track, 0.0))
        if layer:
            score = np.maximum(score, np.where(in_mask > _MASK_INSIDE, _MASK_SHARE * in_mask, 0.0))
        score += np.where(score > 0, _FEATURE_SHARE * self._likeness(sample, seen), 0.0)
        free = np.ones(len(seen), bool)
        rows, columns = np.nonzero((score > _JOIN) & (sample.plane == layer)[:, None])
        for k in np.argsort(-score[rows, columns], kind="stable"):
            mask, column = rows[k], columns[k]
            if tracks[mask] < 0 and free[column]:
                tracks[mask], free[column] = seen[column], False
        self._note(seen, visible, in_track)

    def _likeness(self, sample: MaskSample, seen: np.ndarray) -> np.ndarray:
        """(n, T) cosine of each mask's features with each track's; 0 where either has none."""
        if sample.features.shape[1] == 0:
            return np.zeros((len(sample), len(seen)))
        nothing = np.zeros(sample.features.shape[1], np.float32)
        sums = [self._features.get(int(t), nothing) for t in seen]
        known = np.stack([one if one.shape == nothing.shape else nothing for one in sums])
        return np.asarray(sample.features @ (known / np.maximum(np.linalg.norm(known, axis=1, keepdims=True), 1e-9)).T)

    def _note(self, seen: np.ndarray, visible: np.ndarray, in_track: np.ndarray) -> None:
        """Evidence about pairs of tracks: one mask holds most of both, or two masks hold most of one each."""
        clear = np.flatnonzero((visible > _SUPPORT) & (in_track.max(0) > _DOMINATED))
        clear = clear[np.argsort(-visible[clear], kind="stable")]
        mask_of = dict(zip(seen[clear].tolist(), in_track[:, clear].argmax(0).tolist(), strict=True))
        for (a, b), counts in self._evidence.items():
            if a in mask_of and b in mask_of and mask_of[a] != mask_of[b]:
                counts[1] += 1
        by_mask: dict[int, list[int]] = {}
        for track, mask in mask_of.items():
            by_mask.setdefault(mask, []).append(track)
        for together in by_mask.values():
            for a, b in itertools.combinations(sorted(together[:_MOST_TOGETHER]), 2):
                self._evidence.setdefault((a, b), [0, 0])[0] += 1

    def _merge_by_evidence(self) -> None:
        for (a, b), (together, apart) in list(self._evidence.items()):
            if (a, b) in self._evidence and together >= _MERGE_VIEWS and together > _MERGE_RATIO * apart:
                self._merge(b, a)

    def _merge(self, gone: int, kept: int) -> None:
        """Track `gone` becomes `kept`, in votes, records, features and evidence."""
        self._name[self._name == gone] = kept
        for stamp, record in self._records.items():
            if (record.tracks == gone).any():
                self._records[stamp] = replace(record, tracks=np.where(record.tracks == gone, kept, record.tracks))
        if gone in self._features:
            more, before = self._features.pop(gone), self._features.get(kept)
            self._features[kept] = before + more if before is not None and before.shape == more.shape else more
        for pair in [pair for pair in self._evidence if gone in pair]:
            counts = self._evidence.pop(pair)
            other = pair[0] if pair[1] == gone else pair[1]
            if other != kept:
                total = self._evidence.setdefault((min(other, kept), max(other, kept)), [0, 0])
                total[0] += counts[0]
                total[1] += counts[1]

    def _take_back(self, points: np.ndarray, track: np.ndarray) -> None:
        address = self._grid.addresses(points)
        self._grid.rename(address, self._name)
        self._grid.subtract(address, track)

    def _vote(self, address: np.ndarray, sample: MaskSample, tracks: np.ndarray) -> None:
        voter = (sample.mask >= 0) & (np.append(tracks, -1)[sample.mask] >= 0)
        self._grid.add(address[voter], tracks[sample.mask[voter]])

    def _remember_features(self, sample: MaskSample, tracks: np.ndarray) -> None:
        if sample.features.shape[1]:
            for mask in np.flatnonzero(tracks >= 0):
                track = int(tracks[mask])
                before = self._features.get(track)
                new = before is None or before.shape != sample.features[mask].shape  # another model's features begin anew
                self._features[track] = sample.features[mask] if new else before + sample.features[mask]
