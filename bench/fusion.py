"""Language features fused by voxel: what a keyframe and a voxel cost, and what their compression loses.

    ./run bench fusion [SOURCE] [--stride 2] [--set NAME=VALUE]

SOURCE is a recording; replica_office0 where none is named. Frames are fused once with as many dimensions as the encoder has (full
features), and once as the product does it. Compressed are the full voxels: by the encoder's own leading directions (what the
product keeps), by the principal components of this very scene (the best that a linear map can do for it), and at random.
  cosine    of a voxel's feature, reconstructed, with the full one
  ranking   Spearman's correlation of all voxels by their cosine with a question, full and compressed, over the questions
  top 1 %   share of a question's best hundredth of the voxels that stays among them
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.stats import rankdata

from magic3d_ros.config import Settings, load_settings
from magic3d_ros.cues import tiers
from magic3d_ros.cues.protocols import LanguageModel
from magic3d_ros.frames import RGBDFrame
from magic3d_ros.language.dense_view import DenseView
from magic3d_ros.language.fusion import add
from magic3d_ros.language.label_set import label_set
from magic3d_ros.language.space import space_of
from magic3d_ros.language.vectors import unit
from magic3d_ros.language.voxel_features import VoxelFeatures
from magic3d_ros.sources.open import open_source

REPLICA = Path(__file__).resolve().parents[2] / "shared" / "data" / "replica_office0"
DIMENSIONS = (16, 32, 64, 128, 256)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bench fusion", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", nargs="?", default=str(REPLICA))
    parser.add_argument("--stride", type=int, default=2, help="use every n-th frame")
    parser.add_argument("--set", dest="assignments", action="append", default=[], metavar="NAME=VALUE")
    options = parser.parse_args(arguments)
    settings, console = load_settings(None, dict(item.split("=", 1) for item in options.assignments)), Console(highlight=False)
    frames = list(itertools.islice(open_source(options.source, settings), 0, None, options.stride))
    console.print(costs(frames, settings))
    whole = load_settings(None, dict(item.split("=", 1) for item in options.assignments))
    model = tiers.load("language", settings)
    whole.set("language.feature_dimension", min(1024, model.dimension))
    console.print(losses(frames, whole, tiers.load("language", whole)))
    return 0


def costs(frames: Sequence[RGBDFrame], settings: Settings) -> Table:
    """Processor milliseconds a keyframe and bytes a voxel, of what the product does."""
    model: LanguageModel = tiers.load("language", settings)
    size, dimension = settings.language.voxel_size, settings.language.feature_dimension
    layer = VoxelFeatures(size, dimension)
    views: list[DenseView] = []
    spent = dict.fromkeys(("2D model", "view", "fuse", "take out", "fuse again elsewhere"), 0.0)

    def timed(stage: str, work: Callable[[], object]) -> object:
        begin = time.process_time()
        made = work()
        spent[stage] += time.process_time() - begin
        return made

    for frame in frames:
        grid = timed("2D model", lambda frame=frame: model.encode_dense([frame.rgb])[0])  # type: ignore[misc]
        views.append(timed("view", lambda frame=frame, grid=grid: DenseView.of(frame, grid, size)))  # type: ignore[misc, arg-type]
        timed("fuse", lambda: add(layer, views[-1]))
    before, bytes_of_voxels = layer.arrays(), sum(array.nbytes for array in layer.state().values()) + 8 * len(layer)
    for view in views[::2]:
        timed("take out", lambda view=view: layer.remove(*view.samples(layer)))  # type: ignore[misc]
    for view in views[::2]:
        timed("fuse again elsewhere", lambda view=view: add(layer, view.moved(lambda points, stamps: points)))  # type: ignore[misc]
    after = layer.arrays()
    same = len(before[0]) == len(after[0]) and bool((before[0] == after[0]).all())
    old, new = before[1].astype(float), after[1].astype(float)
    apart = np.abs(old - new).max() / np.abs(old).max() if same else np.nan
    made = Table("", "", title=f"{len(frames)} keyframes, {len(layer)} voxels of {size} m, {dimension} dimensions")
    for stage, seconds in spent.items():
        count = len(frames) if stage in ("2D model", "view", "fuse") else len(views[::2])
        made.add_row(stage, f"{1e3 * seconds / count:.1f} ms a keyframe")
    kept = sum(view.depth.nbytes + view.weights.nbytes + view.grid.values.nbytes for view in views)
    made.add_row("kept of a keyframe", f"{kept / len(views) / 1e6:.2f} MB")
    made.add_row("a million voxels", f"{bytes_of_voxels / len(before[0]):.0f} MB")
    made.add_row("half taken out and fused again", f"same voxels: {same}, features within {apart:.4f} of the largest")
    return made


def losses(frames: Sequence[RGBDFrame], settings: Settings, model: LanguageModel) -> Table:
    """What fewer dimensions lose."""
    layer = VoxelFeatures(settings.language.voxel_size, settings.language.feature_dimension)
    for frame in frames:
        add(layer, DenseView.of(frame, model.encode_dense([frame.rgb])[0], settings.language.voxel_size))
    raw = layer.arrays()[1].astype(np.float32)
    full = raw - raw.mean(0) if model.contrast is None else raw
    texts = model.compress(model.encode_text(label_set("scannet20").texts))
    space, asked = space_of(model), unit(texts)
    right = unit(full) @ asked.T
    _, _, components = np.linalg.svd(full[:: max(1, len(full) // 8000)], full_matrices=False)
    random = np.linalg.qr(np.random.default_rng(0).normal(size=(full.shape[1], max(DIMENSIONS))))[0].T
    made = Table("dimensions", *(f"{kind}: {what}" for kind in ("product", "PCA of the scene", "random")
                                 for what in ("cosine", "ranking", "top 1 %")),
                 title=f"{len(full)} voxels, full features of {full.shape[1]} dimensions, {len(asked)} questions")
    for count in (n for n in DIMENSIONS if n <= full.shape[1]):
        cells = []
        for basis in (np.eye(full.shape[1], dtype=np.float32)[:count], components[:count], random[:count]):
            short = full @ basis.T
            cosine = np.linalg.norm(short, axis=1) / np.maximum(np.linalg.norm(full, axis=1), 1e-9)  # of a projection
            cells += [f"{cosine.mean():.2f}", *ranking(right, unit(short) @ space.compressed(texts @ basis.T).T)]
        made.add_row(str(count), *cells)
    return made


def ranking(right: np.ndarray, short: np.ndarray) -> tuple[str, str]:
    """Spearman's correlation, and what stays of the best hundredth; means over questions. (V, n) cosines each."""
    correlations, kept = [], []
    best = max(1, len(right) // 100)
    for a, b in zip(right.T, short.T, strict=True):
        correlations.append(np.corrcoef(rankdata(a), rankdata(b))[0, 1])
        kept.append(len(np.intersect1d(np.argsort(-a)[:best], np.argsort(-b)[:best])) / best)
    return f"{np.mean(correlations):.2f}", f"{np.mean(kept):.2f}"


if __name__ == "__main__":
    raise SystemExit(main())
