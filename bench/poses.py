"""Poses: noise and drift taken out again, a correction from outside, and what refining costs the frames that come meanwhile.

    ./run bench poses [noise] [drift] [correction] [latency] [--source NAME ...] [--frames N] [--seconds N]

noise: each pose of a run is moved by 2 cm in a random direction and turned by 1 degree about a random axis; absolute trajectory
error (root mean square of the distances after the best rigid motion; mean angle) before and after `refine` for at most --seconds,
with each value of input.pose_error. The simulated room's poses are exact. Those of redkitchen are estimates with which its depth
does not agree, so what refining does to the clean run is given too, and the error against the poses to which that one is refined.
drift: likewise with an odometry's error: each motion from frame to frame is off by 4 mm and .15 degrees (root mean square).
correction: the second half of a run is off by 20 cm and 5 degrees; its keyframes' poses are then corrected. Duplicate surface:
share of the surface's points farther than 5 cm from the surface of the same frames mapped at the right poses. Things (of at
least 100 points): how many keep their id, and how far their centroids are from where the correction should have brought them.
latency: wall clock and CPU time of `integrate`, frames coming at 10 Hz, without and with a refinement (of poses; of appearance)
running in the background, ten frames each in turns; the longest time that the refinement held the map's lock; and the CPU time of
its pieces of work, between which it gives way to a frame. CPU time is a thread's own: what other programs take is not in it,
waiting neither.
"""

from __future__ import annotations

import argparse
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from scipy.spatial import cKDTree

from magic3d_ros.config import Settings
from magic3d_ros.cpu_sharing import give_way
from magic3d_ros.cues.extractor import CueExtractor
from magic3d_ros.frames import RGBDFrame
from magic3d_ros.geometry.rigid import best_motion, inverse, moved, rotation_of
from magic3d_ros.mapping.field.trainer import FieldTrainer
from magic3d_ros.mapping.keyframes import KeyframeStore, distance
from magic3d_ros.mapping.mapper import Mapper
from magic3d_ros.mapping.refinement.calibration import CameraCalibration
from magic3d_ros.mapping.refinement.refiner import MapRefiner
from magic3d_ros.pipeline import ScenePipeline
from magic3d_ros.sources.open import open_source

RECORDINGS = Path(__file__).resolve().parents[2] / "shared" / "data"
NOISE = (0.02, 1.0)  # metres, degrees
DRIFT = (0.004, 0.15)  # metres, degrees a frame
SHIFT, TURN = np.array([0.12, 0.12, 0.106]), np.radians(5.0) * np.array([0.0, 0.0, 1.0])  # 20 cm, 5 degrees
DUPLICATE = 0.05  # metres
LEAST_POINTS = 100
IN_TURNS = 10  # frames timed without refinement, then as many with: what else the machine does then meets both
RATE = 10.0  # frames a second in which the latency is measured

console = Console(highlight=False)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bench poses", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    kitchen = str(RECORDINGS / "redkitchen")
    parser.add_argument("parts", nargs="*", default=["noise", "drift", "correction", "latency"])
    parser.add_argument("--source", action="append", default=[])
    parser.add_argument("--frames", type=int, default=200, help="of each source, at most")
    parser.add_argument("--seconds", type=float, default=60.0, help="of refining")
    options = parser.parse_args(arguments)
    kitchen_or_room = [kitchen if Path(kitchen).is_dir() else "room"]
    for part in options.parts:
        sources = options.source or (["room", *kitchen_or_room] if part in ("noise", "drift") else kitchen_or_room)
        for source in dict.fromkeys(sources):
            settings = Settings()
            frames = [frame for frame, _ in zip(open_source(source, settings), range(options.frames), strict=False)]
            {"noise": noise, "drift": drift, "correction": correction, "latency": latency}[part](source, settings, frames,
                                                                                                 options.seconds)
    return 0


def noise(name: str, settings: Settings, frames: list[RGBDFrame], seconds: float) -> None:
    _disturbed(f"{name}, {len(frames)} frames, noise", settings, frames, _noisy(frames), seconds)


def drift(name: str, settings: Settings, frames: list[RGBDFrame], seconds: float) -> None:
    _disturbed(f"{name}, {len(frames)} frames, drift", settings, frames, _drifting(frames), seconds)


def _disturbed(name: str, settings: Settings, frames: list[RGBDFrame], start: list[RGBDFrame], seconds: float) -> None:
    truth = {frame.stamp: frame.camera_to_world for frame in frames}
    table = Table("", "position mm", "angle deg", title=f"{name}: absolute trajectory error", box=None)

    def row(label: str, poses: dict[int, np.ndarray], right: dict[int, np.ndarray]) -> None:
        error = trajectory_error(poses, right)
        table.add_row(label, f"{1000 * error[0]:.1f}", f"{error[1]:.2f}")

    row("before", {f.stamp: f.camera_to_world for f in start}, truth)
    for kind in ("estimated", "unlimited"):
        settings.input.pose_error = kind
        found, spent = _refined(settings, start, seconds)
        row(f"pose_error {kind}: after {spent:.0f} s", found, truth)
        if not name.startswith("room"):
            clean, _ = _refined(settings, frames, seconds)
            row("    clean run refined", clean, truth)
            row("    after, against that", found, clean)
    console.print(table)


def correction(name: str, settings: Settings, frames: list[RGBDFrame], seconds: float) -> None:
    half = frames[len(frames) // 2]
    error = np.eye(4)
    error[:3, :3] = rotation_of(TURN)
    center = half.camera_to_world[:3, 3]
    error[:3, 3] = center - error[:3, :3] @ center + SHIFT
    truth = {frame.stamp: frame.camera_to_world for frame in frames}
    extractor = CueExtractor(settings)
    right = Mapper(settings)
    pipeline = ScenePipeline(settings, extractor)
    for frame in frames:
        right.integrate(frame)
        pipeline.add(frame if frame.stamp < half.stamp else frame.with_pose(error @ frame.camera_to_world))
    tree = cKDTree(right.surface().vertices)
    before = pipeline.understand(thorough=True)
    shares = [_duplicates(before.surface.vertices, tree)]
    begin = time.perf_counter()
    report = pipeline.correct_poses({k.stamp: truth[k.stamp] for k in pipeline.mapper.keyframes if k.stamp >= half.stamp})
    spent = time.perf_counter() - begin
    shares.append(_duplicates(pipeline.scene.surface.vertices, tree))
    console.print(f"{name}, {len(frames)} frames: {report.message} ({spent:.1f} s with understanding)")
    console.print(f"duplicate surface: {shares[0]:.2%} before, {shares[1]:.2%} after")
    now = {thing.id: thing for thing in pipeline.scene.objects}
    for label, motion, chosen in (
            ("seen in the second half only", inverse(error), [o for o in before.objects if o.first_seen >= half.stamp]),
            ("seen in the first half only", np.eye(4), [o for o in before.objects if o.last_seen < half.stamp])):
        chosen = [o for o in chosen if o.n_points >= LEAST_POINTS]
        kept = [o for o in chosen if o.id in now]
        off = [np.linalg.norm(motion[:3, :3] @ o.centroid + motion[:3, 3] - now[o.id].centroid) for o in kept]
        same = sum(now[o.id].label == o.label for o in kept)
        median = 100 * float(np.median(off)) if off else float("nan")
        console.print(f"things {label}: {len(kept)} of {len(chosen)} keep their id, {same} of these their name; centroids "
                      f"{median:.1f} cm (median) from where they belong")


def latency(name: str, settings: Settings, frames: list[RGBDFrame], seconds: float) -> None:
    table = Table("refining", "ms without (95 %)", "ms with (95 %)", "ratio", "CPU ms without", "with", "ratio", "lock held ms",
                  "piece ms (95 %)",
                  title=f"{name}, {len(frames)} frames: integrate, {torch.get_num_threads()} threads of torch", box=None)
    for what in ("poses", "appearance"):
        off, on, held, pieces = _latency(settings, frames, what)
        wall, cpu = ([[np.percentile(side[:, i], (50, 95)) * 1e3 for side in (off, on)] for i in (0, 1)])
        table.add_row(what, *(f"{side[0]:.1f} ({side[1]:.1f})" for side in wall), f"{wall[1][0] / wall[0][0]:.2f}",
                      *(f"{side[0]:.1f}" for side in cpu), f"{cpu[1][0] / cpu[0][0]:.2f}", f"{1e3 * held:.0f}",
                      f"{1e3 * np.median(pieces):.1f} ({1e3 * np.percentile(pieces, 95):.1f})")
    console.print(table)


def _latency(settings: Settings, frames: list[RGBDFrame], what: str) -> tuple[np.ndarray, np.ndarray, float, list[float]]:
    """Seconds (n, 2) of wall clock and of the integrating thread's CPU a frame, without and with refining; for how long the
    refinement held the lock at most; and the CPU seconds of its pieces of work, between which it gives way."""
    warm, timed = frames[:len(frames) // 2], frames[len(frames) // 2:]
    mapper, store, lock = Mapper(settings), KeyframeStore(settings.keyframes), _TimedLock()
    refiner = MapRefiner(settings, mapper, store, lock, threading.RLock(), lambda motion: lambda: None, CameraCalibration())
    trainer = FieldTrainer(mapper, store, settings, lock)

    def integrate(frame: RGBDFrame) -> tuple[float, float]:
        begin, cpu = time.perf_counter(), time.thread_time()
        with lock:
            is_keyframe = store.wants(frame)
            mapper.integrate(frame, carve=is_keyframe)
            (store.add if is_keyframe else store.add_between)(frame)
        return time.perf_counter() - begin, time.thread_time() - cpu

    for frame in warm:
        integrate(frame)
    mapper.surface()  # as a running pipeline has one
    stop, running = threading.Event(), threading.Event()

    def cancelled() -> bool:
        running.wait()
        return stop.is_set()

    def work() -> None:
        give_way()  # as the node's thread for it does
        while not cancelled():
            if what == "poses":
                refiner.refine(600.0, cancelled, lambda *_: None, True, False, None)
            else:
                trainer.run(600.0, cancelled)

    worker = threading.Thread(target=work)
    worker.start()
    spent: dict[bool, list[tuple[float, float]]] = {False: [], True: []}
    for number, frame in enumerate(timed):
        refining = number // IN_TURNS % 2 == 1
        (running.set if refining else running.clear)()
        begin = time.perf_counter()
        spent[refining].append(integrate(frame))
        time.sleep(max(0.0, 1.0 / RATE - (time.perf_counter() - begin)))
    stop.set()
    running.set()
    worker.join()
    owner = worker.ident or 0
    return np.array(spent[False]), np.array(spent[True]), lock.longest.get(owner, 0.0), lock.pieces[owner]


class _TimedLock:
    """A re-entrant lock that knows how long each thread held it at most, and the CPU time of each from one time to the next."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._depth = 0
        self._since = 0.0
        self.longest: dict[int, float] = {}
        self.pieces: defaultdict[int, list[float]] = defaultdict(list)
        self._left: dict[int, float] = {}

    def __enter__(self) -> None:
        owner = threading.get_ident()
        if owner in self._left:
            self.pieces[owner].append(time.thread_time() - self._left[owner])
        self._lock.acquire()
        self._depth += 1
        if self._depth == 1:
            self._since = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        if self._depth == 0:
            owner = threading.get_ident()
            self.longest[owner] = max(self.longest.get(owner, 0.0), time.perf_counter() - self._since)
        self._left[threading.get_ident()] = time.thread_time()
        self._lock.release()


def _noisy(frames: list[RGBDFrame]) -> list[RGBDFrame]:
    random = np.random.default_rng(0)

    def unit() -> np.ndarray:
        vector = random.normal(size=3)
        return vector / np.linalg.norm(vector)

    return [f.with_pose(moved(f.camera_to_world, np.radians(NOISE[1]) * unit(), NOISE[0] * unit())) for f in frames]


def _drifting(frames: list[RGBDFrame]) -> list[RGBDFrame]:
    random = np.random.default_rng(0)
    poses = [frames[0].camera_to_world]
    for last, frame in pairwise(frames):
        wrong = np.eye(4)
        wrong[:3, :3] = rotation_of(np.radians(DRIFT[1]) / np.sqrt(3) * random.normal(size=3))
        wrong[:3, 3] = DRIFT[0] / np.sqrt(3) * random.normal(size=3)
        poses.append(poses[-1] @ inverse(last.camera_to_world) @ frame.camera_to_world @ wrong)
    return [frame.with_pose(pose) for frame, pose in zip(frames, poses, strict=True)]


def _refined(settings: Settings, frames: list[RGBDFrame], seconds: float) -> tuple[dict[int, np.ndarray], float]:
    """Poses by stamp after refining a map of the frames, and the seconds spent."""
    mapper, store, lock = Mapper(settings), KeyframeStore(settings.keyframes), threading.RLock()
    for frame in frames:
        is_keyframe = store.wants(frame)
        mapper.integrate(frame, carve=is_keyframe)
        (store.add if is_keyframe else store.add_between)(frame)
    refiner = MapRefiner(settings, mapper, store, lock, threading.RLock(), lambda motion: lambda: None, CameraCalibration())
    report = refiner.refine(seconds, lambda: False, lambda *_: None, True, False, None)
    return {k.stamp: k.camera_to_world for k in store.remembered()}, report.seconds_spent


def trajectory_error(poses: dict[int, np.ndarray], truth: dict[int, np.ndarray]) -> tuple[float, float]:
    """Root mean square distance (metres) and mean angle (degrees) after the best rigid motion of the positions."""
    stamps = sorted(poses.keys() & truth.keys())
    found, right = (np.stack([side[s] for s in stamps]) for side in (poses, truth))
    motion = best_motion(found[:, :3, 3], right[:, :3, 3])
    steps = [distance(motion @ a, b) for a, b in zip(found, right, strict=True)]
    return float(np.sqrt(np.mean([s[0] ** 2 for s in steps]))), float(np.mean([s[1] for s in steps]))


def _duplicates(vertices: np.ndarray, tree: cKDTree) -> float:
    return float((tree.query(vertices, distance_upper_bound=DUPLICATE)[0] > DUPLICATE).mean()) if len(vertices) else float("nan")


if __name__ == "__main__":
    main()
