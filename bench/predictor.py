"""The compact monocular predictor on recordings it never saw, beside the mean picture of its training rooms.

    ./run bench predictor --weights DIR/predictor.safetensors [SOURCE ...] [--every N] [--pictures DIR]

Rows: the mean depth and normals of the training rooms (mean_map.safetensors beside the weights); the mean of the recording
itself, an oracle that knows the place; the predictor; and for normals those of the sensor's depth. Depth is compared with the
recording's, normals with those of the map fused from all its frames. "aligned": after the best scale and shift of every image.
"surer half": the half of the pixels that the predictor is more confident of. Default SOURCES: redkitchen and replica_office0.
Exit code 1 when the predictor is not better than the training rooms' mean in AbsRel, aligned AbsRel and normals everywhere.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from magic3d_ros.config import load_settings
from magic3d_ros.cues.embedded.compact_predictor import CompactPredictor
from magic3d_ros.cues.embedded.normals import DepthNormals
from magic3d_ros.cues.placement import Placement
from magic3d_ros.evaluation.monocular_scores import at_cells, depth_scores, normal_error
from magic3d_ros.frames import RGBDFrame
from magic3d_ros.mapping.mapper import Mapper
from magic3d_ros.sources.open import open_source
from magic3d_ros.training.mean_map import MeanMap, unit

RECORDINGS = Path(__file__).resolve().parents[2] / "shared" / "data"
DEFAULTS = [str(RECORDINGS / name) for name in ("redkitchen", "replica_office0")]
TRAINING_MEAN, PLACE_MEAN, PREDICTOR, SURER, SENSOR = (
    "mean of the training rooms", "mean of this recording (oracle)", "compact predictor", "its surer half", "sensor's depth")


class View(NamedTuple):
    """A compared frame, its true normals (H, W, 3), zero where unknown, and the maps of every row by name."""

    frame: RGBDFrame
    normals: np.ndarray
    guesses: dict[str, tuple[np.ndarray | None, np.ndarray | None]]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bench predictor", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", nargs="*", default=DEFAULTS, help="folders, bags or room")
    parser.add_argument("--weights", type=Path, required=True, help="predictor.safetensors, mean_map.safetensors beside it")
    parser.add_argument("--every", type=int, default=5, help="one of so many frames is compared")
    parser.add_argument("--pictures", type=Path, help="folder for a sheet of pictures of every source")
    options = parser.parse_args(arguments)
    console, better = Console(highlight=False), True
    baseline = MeanMap.load(options.weights.parent / "mean_map.safetensors")
    for text in options.sources:
        begin = time.process_time()
        views = compared(text, options.weights, baseline, options.every)
        rows = scored(views)
        table = Table("", "AbsRel", "delta1", "aligned AbsRel", "normals, mean", "median", box=None, pad_edge=False,
                      title=f"{text}, {len(views)} frames")
        for name, figures in rows.items():
            table.add_row(name, *(shown(value) for value in figures))
        console.print(table, f"{time.process_time() - begin:.0f} CPU s, the fused map included")
        better &= all(rows[PREDICTOR][i] < rows[TRAINING_MEAN][i] for i in (0, 2, 3))
        if options.pictures is not None:
            options.pictures.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(options.pictures / f"{Path(text).name}.png"), sheet(views)[:, :, ::-1])
    return 0 if better else 1


def compared(text: str, weights: Path, baseline: MeanMap, every: int) -> list[View]:
    """Frames with what every row says of them."""
    settings = load_settings(None, {})
    source, mapper, taken = open_source(text, settings), Mapper(settings), []
    for number, frame in enumerate(source):
        mapper.integrate(frame)
        if number % every == 0:
            taken.append(frame)
    camera = taken[0].camera
    predictor = CompactPredictor(weights, Placement(torch.device("cpu")))
    sensor, views = DepthNormals(), []
    for frame in taken:
        geometry = predictor.geometry([frame.rgb], [camera.fx])[0]
        depth, normals, doubt = geometry.depth, geometry.normals, geometry.uncertainty
        assert depth is not None and normals is not None and doubt is not None
        height, width = depth.shape
        focal = camera.fx * 2 * math.sqrt(height * width / (camera.height * camera.width))
        surer = doubt <= np.median(doubt)
        true_normals = mapper.render(camera, frame.camera_to_world, newest=False).normals
        views.append(View(frame, true_normals, {
            TRAINING_MEAN: (baseline.depth(height, width, focal), baseline.facing(height, width)),
            PREDICTOR: (depth, normals),
            SURER: (np.where(surer, depth, np.nan), np.where(surer[..., None], normals, np.nan)),
            SENSOR: (None, at_cells(sensor.normals(frame), height, width))}))
    return [view._replace(guesses=view.guesses | {PLACE_MEAN: own}) for view, own in zip(views, place_means(views), strict=True)]


def place_means(views: Sequence[View]) -> list[tuple[np.ndarray, np.ndarray]]:
    """The mean log depth and normals of the recording's own truth, once a view."""
    shape = views[0].guesses[PREDICTOR][1].shape[:2]  # type: ignore[union-attr]
    depths = np.stack([at_cells(view.frame.depth, *shape) for view in views])
    known = depths > 0
    logs = np.log(np.where(known, depths, 1.0)).sum(0) / np.maximum(known.sum(0), 1)
    facing = unit(np.sum([np.nan_to_num(at_cells(view.normals, *shape)) for view in views], 0))
    return [(np.exp(logs), facing)] * len(views)


def scored(views: Sequence[View]) -> dict[str, list[float]]:
    """Figures by row: AbsRel, delta1, aligned AbsRel, mean and median normal error; NaN where a row has none."""
    rows: dict[str, list[float]] = {}
    for name in (TRAINING_MEAN, PLACE_MEAN, PREDICTOR, SURER, SENSOR):
        depths, angles = [], []
        for view in views:
            depth, normals = view.guesses[name]
            if depth is not None and (of_depth := depth_scores(depth, at_cells(view.frame.depth, *depth.shape))) is not None:
                depths.append(of_depth)
            if normals is not None:
                found = normal_error(np.nan_to_num(normals), np.nan_to_num(at_cells(view.normals, *normals.shape[:2])))
                if found is not None:
                    angles.append(found)
        rows[name] = [*(np.mean(depths, 0) if depths else [math.nan] * 3), *(np.mean(angles, 0) if angles else [math.nan] * 2)]
    return rows


def shown(value: float) -> str:
    """A figure, or a dash where there is none."""
    return "-" if math.isnan(value) else f"{value:.1f}" if value > 2 else f"{value:.3f}"


def sheet(views: Sequence[View], count: int = 8) -> np.ndarray:
    """Colour, true and predicted depth, true and predicted normals, one frame a row: (rows, columns, 3) uint8 RGB."""
    rows = []
    for view in views[::max(1, len(views) // count)][:count]:
        depth, normals = view.guesses[PREDICTOR]
        assert depth is not None and normals is not None
        height, width = depth.shape
        images = [at_cells(view.frame.rgb, height, width)]
        for metres in (at_cells(view.frame.depth, height, width), depth):
            nearness = np.clip(255 * (1 - metres / 4), 0, 255).astype(np.uint8)
            images.append(cv2.applyColorMap(nearness, cv2.COLORMAP_TURBO)[:, :, ::-1])
        for facing in (np.nan_to_num(at_cells(view.normals, height, width)), normals):
            images.append(np.clip(facing * 127 + 128, 0, 255).astype(np.uint8))
        rows.append(np.concatenate([np.repeat(np.repeat(image, 2, 0), 2, 1) for image in images], 1))
    return np.concatenate(rows)


if __name__ == "__main__":
    raise SystemExit(main())
