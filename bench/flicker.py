"""How much monocular depth flickers, before and after it is aligned: standard deviation over time of where a place is said to be.

    ./run bench flicker [SOURCE ...] [--kind affine|affine_inverse|metric] [--network free|steady] [--set NAME=VALUE]

The sensor sees no farther than 2 m; sights from farther are judged (evaluation/flicker.py). Cues are made from the clean depth
(evaluation/monocular_cues.py): a network that draws its scale and shift anew for each image, or one that changes them slowly.
SOURCE is ../shared/data/replica_office0 and redkitchen by default.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from magic3d_ros.config import Settings, load_settings
from magic3d_ros.evaluation.flicker import FlickerReport, measure_flicker
from magic3d_ros.evaluation.monocular_cues import BLIND_BEYOND, SyntheticCues, blind_beyond
from magic3d_ros.frames import RGBDFrame
from magic3d_ros.mapping.cue_alignment import Alignment, fit
from magic3d_ros.mapping.guessed_surface import GuessedSurface
from magic3d_ros.mapping.keyframe import KINDS
from magic3d_ros.mapping.keyframes import KeyframeStore
from magic3d_ros.mapping.mapper import Mapper
from magic3d_ros.mapping.metric_cues import MetricCues, cue_view
from magic3d_ros.mapping.monocular_cues import attach
from magic3d_ros.sources.open import open_source

WIDTH = 320  # pixels of what the map shows
DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bench flicker", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", nargs="*", default=[str(DATA / "replica_office0"), str(DATA / "redkitchen")])
    parser.add_argument("--kind", choices=KINDS, default="affine", help="what the network's depth is")
    parser.add_argument("--network", choices=("free", "steady", "both"), default="both", help="how its scale and shift change")
    parser.add_argument("--set", dest="assignments", action="append", default=[], metavar="NAME=VALUE")
    options = parser.parse_args(arguments)
    settings = load_settings(None, dict(item.split("=", 1) for item in options.assignments))
    console = Console(highlight=False)
    better = True
    for text in options.sources:
        for network in ("free", "steady") if options.network == "both" else (options.network,):
            rows = measure(text, settings, SyntheticCues(kind=options.kind, steady=network == "steady"))
            table = Table("", "flicker", "error", "keyframes used", box=None, pad_edge=False,
                          title=f"{text}, {options.kind}, {network} scale and shift, beyond {BLIND_BEYOND} m")
            for label, report, used in rows:
                table.add_row(label, f"{100 * report.flicker:.2f} cm", f"{100 * report.error:.2f} cm", used)
            console.print(table)
            better &= rows[3][1].flicker <= rows[1][1].flicker
    return 0 if better else 1


def measure(text: str, settings: Settings, network: SyntheticCues) -> list[tuple[str, FlickerReport, str]]:
    """(what, figures, keyframes with an alignment of all) for each way of aligning."""
    mapper, store = Mapper(settings), KeyframeStore(settings.keyframes)
    guesses = GuessedSurface(settings, mapper)
    frames: list[RGBDFrame] = []
    shown: dict[int, np.ndarray] = {}
    for clean in open_source(text, settings):
        blind = blind_beyond(clean)
        is_keyframe = store.wants(blind)
        mapper.integrate(blind, carve=is_keyframe)
        if is_keyframe:
            store.add(blind)
            attach(store, network.of(clean))
            keyframe = store.get(clean.stamp)
            if keyframe is None:
                continue
            frames.append(clean)
            guesses.learn(keyframe)
            camera = clean.camera.resized(WIDTH, round(clean.camera.height * WIDTH / clean.camera.width))
            pose = clean.camera_to_world
            shown[clean.stamp] = guesses.completed(mapper.render(camera, pose), camera, pose).depth
    kept = [(frame, keyframe) for frame in frames if (keyframe := store.get(frame.stamp)) is not None]
    views = {keyframe.stamp: cue_view(keyframe) for _, keyframe in kept}
    jointly = MetricCues()
    jointly.update([keyframe for _, keyframe in kept])
    alone = {stamp: fit(view.cue, view.depth, inverse=view.inverse) for stamp, view in views.items()}
    scales = np.median([(a.scale, a.shift) for a in alone.values() if a is not None], axis=0)
    one = Alignment(float(scales[0]), float(scales[1]), 0, 0.0, network.kind == "affine_inverse")
    ways: dict[str, dict[int, Alignment | None]] = {
        "as the network gave it, one scale and shift for all": dict.fromkeys(views, one),
        "each keyframe to the sensor's depth": alone,
        "to the sensor's and the map's depth": dict(guesses.alignments),
        "all at once": dict(jointly.alignments)}
    rows = []
    judged = [frame for frame, _ in kept]
    for label, found in ways.items():
        depths = [_metric(found.get(keyframe.stamp), keyframe.monocular_depth) for _, keyframe in kept]
        report = measure_flicker(judged, depths, BLIND_BEYOND)
        rows.append((label, report, f"{sum(depth is not None for depth in depths)} of {len(kept)}"))
    report = measure_flicker(judged, [shown[frame.stamp] for frame in judged], BLIND_BEYOND)
    rows.insert(3, ("what the map then shows from there", report, rows[2][2]))
    return rows


def _metric(alignment: Alignment | None, cue: np.ndarray | None) -> np.ndarray | None:
    return None if alignment is None or cue is None else alignment.metric(cue)


if __name__ == "__main__":
    raise SystemExit(main())
