"""Stage 2 of Segment3D: what the network of stage 1 is sure of on whole clouds becomes what it is trained on next."""

from __future__ import annotations

import hashlib
from pathlib import Path

from magic3d_ros.instances.segmenter.inference import Segmenter
from magic3d_ros.training.cloud_samples import CloudSample, CloudSampleError
from magic3d_ros.training.segmenter_scenes import SURFACE

SURE = 0.6
"""Score above which a thing is believed (Segment3D)."""


def pseudo_name(weights: Path) -> str:
    """The file of pseudo labels that these weights of stage 1 make: others make another."""
    return f"pseudo_{hashlib.sha256(weights.read_bytes()).hexdigest()[:8]}.npz"


def pseudo_label(segmenter: Segmenter, folder: Path, name: str) -> int:
    """Label the whole cloud of a prepared scene and write it as `name` beside it -> how many things are believed.

    Nothing is written without any. Raises CloudSampleError for a scene that is not prepared.
    """
    surface = CloudSample.load(folder / SURFACE)
    found = segmenter.propose(surface.points, surface.colors, least_score=SURE)
    if len(found.scores):
        CloudSample(surface.points, surface.colors, found.labels).save(folder / name)
    return len(found.scores)


def pseudo_labelled(folders: list[Path], name: str) -> list[Path]:
    """The labelled clouds of prepared scenes. Raises CloudSampleError where no scene has one."""
    files = [folder / name for folder in folders if (folder / name).is_file()]
    if not files:
        raise CloudSampleError(f"stage 1 is sure (> {SURE}) of nothing in these scenes: train stage 1 longer, or on more scenes")
    return files
