"""Distractors: what moving things cost the map, how well they are told apart, what learns faster, false alarms, ghosts.

    ./run bench distractors [maps] [ablation] [alarms] [ghosts] [--source NAME ...] [--step N] [--frames N] [--width N] ...

Moving things are put into recordings (`evaluation.composite`: people, boxes and balls in two thirds of the frames, with exact
depth and masks) from the set that nothing was tuned on; "room:own" is the simulated room with its own walker. See
docs/evaluation.md.
maps: frames n % 8 == 4 are held out; all maps are measured on them as they are without distractors. Masks of all other frames
against the exact ones, pixels pooled.
ablation: detectors that learn from less, on the same keyframes and the same views of a map made with the exact masks.
alarms: share of pixels that are marked in recordings without distractors, undisturbed and disturbed.
ghosts: a person who stands for 5 s and leaves; a box that is carried away; a person who stands for the whole run.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.spatial import cKDTree

from magic3d_ros.config import Settings, load_settings
from magic3d_ros.cues.extractor import CueExtractor
from magic3d_ros.evaluation.composite import CompositeFrame, CompositeSettings, CompositeSource
from magic3d_ros.evaluation.disturbance import Disturbance, DisturbedSource
from magic3d_ros.evaluation.holdout import evaluate, is_held_out
from magic3d_ros.evaluation.mask_metrics import VISIBLE, MaskTally
from magic3d_ros.evaluation.robust_trimming import outliers
from magic3d_ros.frames import RGBDFrame
from magic3d_ros.mapping.distractors.detector import DistractorDetector
from magic3d_ros.mapping.distractors.experience import Experience
from magic3d_ros.mapping.distractors.geometric_cues import small_depth
from magic3d_ros.mapping.distractors.verdict import DistractorVerdict
from magic3d_ros.mapping.keyframes import KeyframeStore
from magic3d_ros.mapping.mapper import Mapper
from magic3d_ros.mapping.predicted_view import PredictedView
from magic3d_ros.pipeline import ScenePipeline
from magic3d_ros.sources.open import open_source
from magic3d_ros.sources.room import open_room
from magic3d_ros.sources.source import FrameSource

RECORDINGS = Path(__file__).resolve().parents[2] / "shared" / "data"
PARTS = ("maps", "ablation", "alarms", "ghosts")
ROOM_WIDTH, ROOM_FRAMES = 320, 160
EARLY = 10  # keyframes with a distractor after which it is asked who has learned
GHOST = 0.06  # metres: surface this near to where a thing stood, and as far from all surface of the clean map, is its ghost
DISTURBANCES = {"undisturbed": Disturbance(), "exposure jumps by up to 1.5": Disturbance(exposure=1.5),
                "exposure jumps by up to 2.5": Disturbance(exposure=2.5), "poses 5 mm, .25 deg": Disturbance(1.0, 0.005, 0.25),
                "poses 2 cm, 1 deg": Disturbance(1.0, 0.02, 1.0), "a fifth of the depth lost": Disturbance(depth_holes=0.2),
                "everything shines": Disturbance(shine=0.8)}
ABLATIONS: dict[str, Callable[[], Experience]] = {
    "as shipped": Experience, "SSIM only": lambda: Experience(geometric=False),
    "geometry only": lambda: Experience(structural=False), "without the regulariser": lambda: Experience(consistent=False),
    "contiguous patches": lambda: Experience(dilation=1), "patches of dilation 2": lambda: Experience(dilation=2),
    "patches of dilation 4": lambda: Experience(dilation=4)}

console = Console(highlight=False, width=150)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bench distractors", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", default=list(PARTS), help=", ".join(PARTS))
    parser.add_argument("--source", action="append", default=[], help="folder, bag, room (with things put in) or room:own")
    parser.add_argument("--step", type=int, default=1, help="only one of so many frames")
    parser.add_argument("--frames", type=int, default=0, help="of each source, at most; 0 = all")
    parser.add_argument("--width", type=int, default=0, help="frames are reduced to this width, to save time; 0 = not")
    parser.add_argument("--chosen", default="scoring", choices=("tuning", "scoring"), help="set of things")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--pictures", type=Path, help="folder for pictures of masks and maps")
    parser.add_argument("--set", dest="assignments", action="append", default=[], metavar="NAME=VALUE")
    options = parser.parse_args(arguments)
    settings = load_settings(None, {"map.self_check_every": 0, **dict(item.split("=", 1) for item in options.assignments)})
    extractor = CueExtractor(settings)
    known = [str(RECORDINGS / name) for name in ("redkitchen", "replica_office0") if (RECORDINGS / name).is_dir()]
    for source in options.source or [*known, "room", "room:own"]:
        name = Path(source).name
        for part in options.parts:
            if part == "maps":
                _maps(name, _composites(source, settings, options), settings, extractor, options.pictures)
            elif part == "ablation":
                _ablation(name, _composites(source, settings, options), settings, extractor)
            elif part == "alarms" and source != "room:own":
                _alarms(name, _Thinned(_clean(source, settings), options), settings, extractor)
            elif part == "ghosts" and source != "room:own":
                _ghosts(name, _Thinned(_clean(source, settings), options), settings, extractor, options)
    return 0


class _Thinned:
    """One of so many frames of a source, not too many, and reduced in size where wanted."""

    def __init__(self, source: FrameSource, options: argparse.Namespace) -> None:
        self.name, self.skipped = source.name, source.skipped
        self._source, self._step, self._most, self._width = source, options.step, options.frames, options.width

    def __len__(self) -> int:
        count = -(-len(self._source) // self._step)
        return min(count, self._most) if self._most else count

    def __iter__(self) -> Iterator[RGBDFrame]:
        for frame in islice(self._source, 0, len(self) * self._step, self._step):
            yield _reduced(frame, self._width) if 0 < self._width < frame.camera.width else frame


def _reduced(frame: RGBDFrame, width: int) -> RGBDFrame:
    camera = frame.camera.resized(width, max(1, round(width * frame.camera.height / frame.camera.width)))
    rgb = cv2.resize(frame.rgb, (camera.width, camera.height), interpolation=cv2.INTER_AREA)
    return replace(frame, camera=camera, rgb=rgb, depth=small_depth(frame.depth, camera.width, camera.height))


def _clean(source: str, settings: Settings) -> FrameSource:
    if source.startswith("room"):
        return open_room("", settings, frames=ROOM_FRAMES, width=ROOM_WIDTH, distractors=False)
    return open_source(source, settings)


def _composites(source: str, settings: Settings, options: argparse.Namespace) -> Iterable[CompositeFrame]:
    if source == "room:own":
        return _own_walker(settings, options.step, options.frames)
    put_in = CompositeSettings(options.chosen, options.seed)
    return CompositeSource(_Thinned(_clean(source, settings), options), put_in).composites()


def _own_walker(settings: Settings, step: int, most: int) -> Iterator[CompositeFrame]:
    rooms = [open_room("", settings, frames=ROOM_FRAMES, width=ROOM_WIDTH, distractors=there) for there in (True, False)]
    for index in list(range(0, ROOM_FRAMES, step))[:most or None]:
        frame, truth = rooms[0].render(index)
        yield CompositeFrame(frame, truth.distractor, truth.distractor.astype(np.uint8), rooms[1].render(index).frame)


class _Plain:
    """A map without a detector: everything is fused with the weights that are given."""

    def __init__(self, settings: Settings) -> None:
        self.mapper, self.keyframes = Mapper(settings), KeyframeStore(settings.keyframes)

    def add(self, frame: RGBDFrame, distractor: np.ndarray | None = None) -> bool:
        """distractor: (H, W) bool pixels that are not fused, with a rim of 5 pixels as the detector leaves one."""
        is_keyframe = self.keyframes.wants(frame)
        if is_keyframe:
            self.keyframes.add(frame)
        weights = None
        if distractor is not None and distractor.any():
            weights = 1.0 - cv2.dilate(distractor.astype(np.uint8), np.ones((11, 11), np.uint8)).astype(np.float32)
        self.mapper.integrate(frame, weights, carve=is_keyframe)
        return is_keyframe


class _Trimmed(_Plain):
    """RobustNeRF's trimming: the largest colour residuals against the map are not fused."""

    def judge(self, frame: RGBDFrame) -> np.ndarray:
        """(H, W) bool, True = trimmed."""
        small = DistractorDetector.small_camera(frame.camera)
        view = self.mapper.render(small, frame.camera_to_world, newest=False)
        observed = cv2.resize(frame.rgb, (small.width, small.height), interpolation=cv2.INTER_AREA)
        trimmed = outliers(view.rgb, observed, view.depth > 0).astype(np.uint8)
        return cv2.resize(trimmed, (frame.camera.width, frame.camera.height), interpolation=cv2.INTER_NEAREST).astype(bool)


class _Ours:
    """The pipeline as it runs, without things and meaning; the time that its detector takes a keyframe is noted."""

    def __init__(self, settings: Settings, extractor: CueExtractor) -> None:
        self.pipeline, self._extractor = ScenePipeline(settings, extractor), extractor
        self.keyframe_seconds: list[tuple[float, float]] = []  # of wall clock, and of processor on all cores

    def add(self, frame: RGBDFrame) -> tuple[DistractorVerdict, bool]:
        """The verdict on a frame, and whether it is a keyframe."""
        is_keyframe = self.pipeline.mapper.keyframes.wants(frame)
        cues = self._extractor.extract(frame) if is_keyframe else None
        judge, gate = self.pipeline.mapper.distractors.judge, self.pipeline.mapper.distractors
        spent: list[tuple[float, float]] = []

        def timed(*judged: object) -> DistractorVerdict:
            start, processor = time.perf_counter(), time.process_time()
            verdict = judge(*judged)  # type: ignore[arg-type]
            spent.append((time.perf_counter() - start, time.process_time() - processor))
            return verdict

        gate.judge = timed  # type: ignore[method-assign, assignment]
        try:
            self.pipeline.integrate(frame, cues)
        finally:
            del gate.judge
        if is_keyframe:
            self.keyframe_seconds += spent
        verdict = self.pipeline.last_verdict
        assert verdict is not None
        return verdict, is_keyframe


def _maps(name: str, composites: Iterable[CompositeFrame], settings: Settings, extractor: CueExtractor,
          pictures: Path | None) -> None:
    clean, unmasked, exact, trimmed = _Plain(settings), _Plain(settings), _Plain(settings), _Trimmed(settings)
    ours, ours_on_clean = _Ours(settings, extractor), _Ours(settings, extractor)
    tallies = {which: MaskTally() for which in ("ours", "ours, keyframes only", "trimmed", "exact", "ours on clean frames")}
    held_out, shown, strips = [], 0, []
    for number, both in enumerate(composites):
        shown += bool(both.mask.mean() > VISIBLE)
        if is_held_out(number):
            held_out.append(both.clean)
            continue
        clean.add(both.clean)
        unmasked.add(both.frame)
        exact.add(both.frame, both.mask)
        tallies["exact"].add(both.mask, both.mask, both.mask.astype(np.float32))
        cut = trimmed.judge(both.frame)
        trimmed.add(both.frame, cut)
        tallies["trimmed"].add(cut, both.mask, cut + 0.5)
        verdict, is_keyframe = ours.add(both.frame)
        tallies["ours"].add(verdict.mask, both.mask, verdict.uncertainty)
        if is_keyframe:
            tallies["ours, keyframes only"].add(verdict.mask, both.mask, verdict.uncertainty)
        if pictures and number % 12 == 6:
            strips.append(_strip(both, verdict))
        verdict, _ = ours_on_clean.add(both.clean)
        tallies["ours on clean frames"].add(verdict.mask, np.zeros_like(both.mask), verdict.uncertainty)
    maps = {"clean": clean.mapper, "ours on clean frames": ours_on_clean.pipeline.mapper.voxels, "with distractors, unmasked":
            unmasked.mapper, "with distractors, ours": ours.pipeline.mapper.voxels, "with distractors, exact masks": exact.mapper,
            "with distractors, trimmed": trimmed.mapper}
    table = Table("", "in25", "PSNR", "SSIM", "coverage", "median mm", box=None, pad_edge=False,
                  title=f"{name}: {shown} of {number + 1} frames show a distractor; {len(held_out)} clean frames held out")
    for label, mapper in maps.items():
        report = evaluate(mapper.render, held_out)
        table.add_row(label, f"{report.in25:.4f}", f"{report.psnr:.2f}", f"{report.ssim:.4f}", f"{report.coverage:.4f}",
                      f"{1e3 * report.depth_error:.1f}")
    console.print(table)
    table = Table("masks", "IoU", "recall", "precision", "false alarms", "AUROC", "frames until IoU .7", box=None, pad_edge=False)
    for label, tally in tallies.items():
        figures = tally.figures()
        table.add_row(label, *(f"{figures[key]:.3f}" for key in ("iou", "recall", "precision")),
                      f"{figures['false_alarms']:.2%}", f"{figures['auroc']:.3f}", str(tally.frames_until_learned))
    console.print(table)
    wall, processor = 1e3 * np.median(ours.keyframe_seconds, axis=0)
    console.print(f"detector: median {wall:.0f} ms a keyframe, {processor:.0f} ms of processor time on all cores "
                  f"({len(ours.keyframe_seconds)} of them), beyond mapping and features\n")
    if pictures:
        _write_pictures(pictures, name, strips, {"photograph": None, **maps}, held_out)


class _Watched(DistractorDetector):
    """Remembers what the head alone said of the last keyframe, (h, w) beta of the small image, or None."""

    beta: np.ndarray | None = None

    def _verdict(self, frame, look, evidence, beta):  # type: ignore[no-untyped-def]
        self.beta = beta
        return super()._verdict(frame, look, evidence, beta)


def _ablation(name: str, composites: Iterable[CompositeFrame], settings: Settings, extractor: CueExtractor) -> None:
    exact = _Plain(settings)
    view_of = PredictedView(exact.mapper.volume)
    detectors = {label: _Watched(settings.distractors, settings.input.min_depth, 2 * settings.input.max_depth, make())
                 for label, make in ABLATIONS.items()}
    blind = _Watched(settings.distractors, settings.input.min_depth, 2 * settings.input.max_depth)
    labels = [*detectors, "geometry without a head"]
    heads = {label: (MaskTally(1), MaskTally(1)) for label in labels}
    verdicts = {label: MaskTally() for label in labels}
    seen = 0
    for number, both in enumerate(composites):
        if is_held_out(number):
            continue
        frame, truth = both.frame, both.mask
        if exact.keyframes.wants(frame):
            small = DistractorDetector.small_camera(frame.camera)
            view = view_of.view(small, frame.camera_to_world, small_depth(frame.depth, small.width, small.height))
            features = extractor.extract(frame).features
            seen += bool(truth.mean() > VISIBLE)
            reduced = cv2.resize(truth.astype(np.uint8), (small.width, small.height), interpolation=cv2.INTER_NEAREST_EXACT)
            for label, detector in {**detectors, labels[-1]: blind}.items():
                verdict = detector.observe(frame, None if detector is blind else features, view)
                verdicts[label].add(verdict.mask, truth, verdict.uncertainty)
                if detector.beta is not None:
                    early, whole = heads[label]
                    for tally in (early, whole) if seen <= EARLY else (whole,):
                        tally.add(detector.beta > 1, reduced.astype(bool), detector.beta)
        exact.add(frame, truth)
    table = Table("learning from", f"AUROC of the head, first {EARLY} keyframes", "all keyframes", "IoU of the verdict", "recall",
                  "false alarms", "AUROC", box=None, pad_edge=False,
                  title=f"{name}: ablation, {seen} keyframes with a distractor")
    for label in labels:
        figures = verdicts[label].figures()
        table.add_row(label, *(f"{tally.auroc:.3f}" for tally in heads[label]), f"{figures['iou']:.3f}",
                      f"{figures['recall']:.3f}", f"{figures['false_alarms']:.2%}", f"{figures['auroc']:.3f}")
    console.print(table, "\n")


def _alarms(name: str, source: FrameSource, settings: Settings, extractor: CueExtractor) -> None:
    table = Table("", "pixels marked", "worst frame", "frames with more than 1 %", box=None, pad_edge=False,
                  title=f"{name}: false alarms without distractors")
    for label, disturbance in DISTURBANCES.items():
        ours = _Ours(settings, extractor)
        shares = np.array([ours.add(frame)[0].mask.mean() for frame in DisturbedSource(source, disturbance)])
        table.add_row(label, f"{shares.mean():.2%}", f"{shares.max():.1%}", f"{(shares > 0.01).mean():.1%}")
    console.print(table, "\n")


def _ghosts(name: str, source: FrameSource, settings: Settings, extractor: CueExtractor, options: argparse.Namespace) -> None:
    clean = _Plain(settings)
    for frame in source:
        clean.add(frame)
    tree = cKDTree(clean.mapper.surface().vertices)
    cases = {"stands 5 s, leaves": {"leaving_after": 5.0}, "carried away after 8 s": {"carried_after": 8.0},
             "stands for the whole run": {"standing": True}}
    for label, case in cases.items():
        composite = CompositeSource(source, CompositeSettings(options.chosen, options.seed, coverage=0.0, **case))  # type: ignore[arg-type]
        visit = composite.visits[0]
        placed = visit.at(0.0)
        assert placed is not None
        body = (placed.body.triangles.positions @ placed.pose[:3, :3].T + placed.pose[:3, 3])[::3]
        looked_through, most = np.zeros(len(body)), 0
        ours = _Ours(settings, extractor)
        begin = last = 0.0
        for number, both in enumerate(composite.composites()):
            seconds = both.frame.stamp * 1e-9
            begin, last = (seconds, seconds) if number == 0 else (begin, last)
            ours.add(both.frame)
            if seconds - begin > visit.times[-1]:
                looked_through[_seen_through(body, both.clean)] += seconds - last
            last = seconds
            if number % 10 == 0:
                most = max(most, len(_ghost(ours.pipeline.mapper.voxels, tree, body)))
        ghost = _ghost(ours.pipeline.mapper.voxels, tree, body)
        for_seconds = looked_through[cKDTree(body).query(ghost)[1]] if len(ghost) else np.zeros(0)
        never, long = int((for_seconds == 0).sum()), int((for_seconds >= 3).sum())
        console.print(f"{name}, {visit.thing.kind} {label}: at most {most} ghost points, {len(ghost)} at the end; "
                      f"of these {never} in places never looked through since, {long} in places looked through for 3 s or more")


def _seen_through(points: np.ndarray, frame: RGBDFrame) -> np.ndarray:
    """(n,) bool: points in the image before what the sensor sees, by more than 10 cm."""
    pose = frame.camera_to_world
    u, v, z = frame.camera.project((points - pose[:3, 3]) @ pose[:3, :3])
    inside = (z > 0) & (u >= 0) & (u < frame.camera.width - 1) & (v >= 0) & (v < frame.camera.height - 1)
    depth = np.zeros(len(points))
    depth[inside] = frame.depth[np.round(v[inside]).astype(int), np.round(u[inside]).astype(int)]
    return depth > z + 0.1


def _ghost(mapper: Mapper, clean: cKDTree, body: np.ndarray) -> np.ndarray:
    """(n, 3) surface near where a thing stood, and far from all surface of the clean map."""
    vertices = mapper.surface().vertices
    if len(vertices) == 0:
        return vertices
    near = vertices[cKDTree(body).query(vertices, distance_upper_bound=GHOST)[0] < GHOST]
    return near[clean.query(near)[0] > GHOST] if len(near) else near


def _strip(both: CompositeFrame, verdict: DistractorVerdict) -> np.ndarray:
    """Frame with the exact outline, uncertainty, frame with the mask: (240, 960, 3) BGR."""
    frame = cv2.cvtColor(both.frame.rgb, cv2.COLOR_RGB2BGR)
    outline = cv2.morphologyEx(both.mask.astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((5, 5), np.uint8)).astype(bool)
    exact, masked = frame.copy(), frame.copy()
    exact[outline] = (255, 255, 255)
    masked[verdict.mask] = masked[verdict.mask] // 3 + np.array([0, 0, 170], np.uint8)
    uncertainty = cv2.applyColorMap(verdict.grey(), cv2.COLORMAP_TURBO)
    return np.hstack([cv2.resize(image, (320, 240), interpolation=cv2.INTER_AREA) for image in (exact, uncertainty, masked)])


def _write_pictures(folder: Path, name: str, strips: list[np.ndarray], maps: dict[str, Mapper | None],
                    held_out: list[RGBDFrame]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    name = name.replace(":", "_")
    cv2.imwrite(str(folder / f"{name}_masks.png"), np.vstack(strips[:12]))
    rows = []
    for frame in held_out[:: max(1, len(held_out) // 5)]:
        camera = frame.camera.resized(320, max(1, round(320 * frame.camera.height / frame.camera.width)))
        images = [cv2.resize(frame.rgb, (camera.width, camera.height), interpolation=cv2.INTER_AREA) if mapper is None
                  else mapper.render(camera, frame.camera_to_world).rgb for mapper in maps.values()]
        rows.append(np.hstack(images)[..., ::-1])
    cv2.imwrite(str(folder / f"{name}_maps.png"), np.vstack(rows))
    console.print(f"{folder / f'{name}_maps.png'}: {', '.join(maps)}")


if __name__ == "__main__":
    main()
