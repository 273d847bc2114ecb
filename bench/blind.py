"""Surfaces where the depth sensor is blind: share of the removed depth within 5 cm, with and without monocular cues.

    ./run bench blind [SOURCE ...] [--blind beyond|blobs|places] [--every N] [--kind KIND] [--refine SECONDS]

Depth is removed from every frame: all beyond 2 m; random blobs over 40 % of each image; or of 40 % of all places, from
wherever they are seen (as glass and black screens). Cues are made from the clean depth with an unknown scale and shift a frame
and 1 % noise smooth over 40 pixels (evaluation/monocular_cues.py); only keyframes have some. They go through the pipeline as a
network's would; what it renders is compared. --refine spends seconds on the guesses afterwards. The goal is .75 within 5 cm.
SOURCE is ../shared/data/replica_office0 by default.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from magic3d_ros.config import Settings, load_settings
from magic3d_ros.cues.extractor import CueExtractor
from magic3d_ros.evaluation.hidden_surface import HiddenSurfaceReport, evaluate_hidden
from magic3d_ros.evaluation.monocular_cues import SyntheticCues, blind_beyond, blind_in_blobs, blind_in_places
from magic3d_ros.frames import CueFrame, RGBDFrame
from magic3d_ros.mapping.keyframe import KINDS
from magic3d_ros.pipeline import ScenePipeline
from magic3d_ros.sources.open import open_source

GOAL = 0.75
DEFAULT = Path(__file__).resolve().parents[2] / "shared" / "data" / "replica_office0"
BLINDNESS: dict[str, Callable[[RGBDFrame], RGBDFrame]] = {
    "beyond": blind_beyond, "blobs": blind_in_blobs, "places": blind_in_places}
TITLES = {"beyond": "no depth beyond 2 m", "blobs": "no depth in 40 % blobs, others in every frame",
          "places": "no depth from 40 % of all places"}


def main(arguments: Sequence[str] | None = None) -> int:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="bench blind", description=__doc__, formatter_class=raw)
    parser.add_argument("sources", nargs="*", default=[str(DEFAULT)], help="folders, bags or room")
    parser.add_argument("--blind", choices=(*BLINDNESS, "all"), default="all", help="what is removed")
    parser.add_argument("--every", type=int, default=4, help="one of so many frames is compared")
    parser.add_argument("--kind", choices=KINDS, default="affine", help="what the network's depth is")
    parser.add_argument("--refine", type=float, default=0.0, help="seconds of refinement afterwards")
    parser.add_argument("--set", dest="assignments", action="append", default=[], metavar="NAME=VALUE")
    options = parser.parse_args(arguments)
    settings = load_settings(None, dict(item.split("=", 1) for item in options.assignments))
    console = Console(highlight=False)
    reached = True
    for text in options.sources:
        for name in BLINDNESS if options.blind == "all" else (options.blind,):
            rows = measure(text, name, settings, options.every, options.kind, options.refine)
            table = Table("", "within 5 cm", "shown", "normals' mean error", "CPU s", box=None, pad_edge=False,
                          title=f"{text}, {TITLES[name]}")
            for label, report, seconds in rows:
                table.add_row(label, f"{report.within_5cm:.3f}", f"{report.shown:.3f}", f"{report.normal_error:.1f} deg",
                              f"{seconds:.1f}")
            console.print(table)
            reached &= max(report.within_5cm for _, report, _ in rows) >= GOAL
    return 0 if reached else 1


def measure(text: str, blindness: str, settings: Settings, every: int, kind: str,
            refine: float) -> list[tuple[str, HiddenSurfaceReport, float]]:
    """(what, figures, CPU seconds of it) of what the pipeline shows, without guessed surface and with it."""
    pipeline = ScenePipeline(settings, CueExtractor(settings))
    compared: list[tuple[RGBDFrame, RGBDFrame]] = []
    made = SyntheticCues(kind=kind)
    mapping = guessing = 0.0
    for number, clean in enumerate(open_source(text, settings)):
        blinded = BLINDNESS[blindness](clean)
        if number % every == every // 2:
            compared.append((clean, blinded))
        cues = CueFrame(clean.stamp, monocular=made.of(clean).monocular) if pipeline.mapper.keyframes.wants(blinded) else None
        start = time.process_time()
        pipeline.integrate(blinded)
        mapped = time.process_time()
        if cues is not None:
            pipeline.add_cues(blinded, cues)
        mapping, guessing = mapping + mapped - start, guessing + time.process_time() - mapped
    rows = [("sensor alone", evaluate_hidden(pipeline.mapper.field.render, compared), mapping),
            ("+ guesses, as they came", evaluate_hidden(pipeline.render, compared), guessing)]
    if refine:
        begin = time.process_time()
        report = pipeline.refine(refine, poses=False, appearance=False)
        rows.append((f"+ {report.message.partition('; ')[2]}", evaluate_hidden(pipeline.render, compared),
                     time.process_time() - begin))
    return rows


if __name__ == "__main__":
    raise SystemExit(main())
