"""Stage 2 of Segment3D: what the network of stage 1 is sure of on whole clouds becomes what it is trained on next."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from magic3d_ros.instances.segmenter.inference import Segmenter
from magic3d_ros.training.cloud_samples import UNMASKED, UNSEEN, CloudSample, CloudSampleError
from magic3d_ros.training.segmenter_scenes import SURFACE, VIEWS

SURE = 0.6
"""Mean overlap of a thing with the masks of the frames that see it, above which it is believed. In place of Segment3D's score of
.6: on two rooms that nothing was trained on, things below .5 had a mean true IoU of .2, those above .7 one of .5; by their
score alone they were alike."""

SHOWN = 100
"""Points of a thing that a frame must see for its masks to say something about it (as many as a mask must have)."""


def pseudo_name(weights: Path) -> str:
    """The file of pseudo labels that these weights of stage 1 make: others make another."""
    return f"pseudo_{hashlib.sha256(weights.read_bytes()).hexdigest()[:8]}.npz"


def pseudo_label(segmenter: Segmenter, folder: Path, name: str) -> int:
    """Label the whole cloud of a prepared scene and write it as `name` beside it -> how many things are believed.

    What belongs to no thing that is believed is unknown, not nothing. Nothing is written without any. Raises CloudSampleError for
    a scene that is not prepared.
    """
    sample, views = CloudSample.load(folder / SURFACE), _views(folder / VIEWS)
    if views.shape[1] != len(sample):
        raise CloudSampleError(f"{folder / VIEWS} is of another surface than {SURFACE}: delete the folder and make it again")
    found = segmenter.things(sample.graph)
    sure = agreement(found.labels, len(found.scores), sample.graph.size, views) > SURE
    labels = np.where(np.append(sure, False)[found.labels], found.labels, -1).astype(np.int32)
    if sure.any():
        CloudSample(sample.graph, labels).save(folder / name)
    return int(sure.sum())


def agreement(labels: np.ndarray, count: int, size: np.ndarray, views: np.ndarray) -> np.ndarray:
    """(count,) mean IoU of each thing with the mask of a frame that fits it best, over the frames that show enough of it, by how
    much they show.

    labels: (S,) thing of each superpoint, -1 = none; size: (S,) its points; views: (F, S) mask of each superpoint in each frame.
    A frame judges what it sees alone; a thing that no frame shows has 0.
    """
    total, weight = np.zeros(count), np.zeros(count)
    for view in views.astype(np.int64):
        seen = view != UNSEEN
        spans = int(view.max(initial=UNMASKED)) + 2
        cell = (labels[seen] + 1) * spans + view[seen] + 1
        table = np.bincount(cell, size[seen], (count + 1) * spans).reshape(count + 1, spans)
        shown, of_mask = table.sum(1, keepdims=True)[1:], table.sum(0)[1:]
        shared = table[1:, 1:]
        best = (shared / np.maximum(shown + of_mask - shared, 1)).max(1, initial=0.0)
        enough = np.where(shown[:, 0] >= SHOWN, shown[:, 0], 0.0)
        total += enough * best
        weight += enough
    return total / np.maximum(weight, 1)


def _views(file: Path) -> np.ndarray:
    try:
        views = np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise CloudSampleError(f"{file} cannot be read ({error}): delete its folder and prepare the scene again") from error
    if views.ndim != 2 or views.dtype != np.int16:
        raise CloudSampleError(f"{file} holds {views.shape} {views.dtype}, not (F, S) int16: delete its folder and prepare it "
                               "again")
    return np.asarray(views)


def pseudo_labelled(folders: list[Path], name: str) -> list[Path]:
    """The labelled clouds of prepared scenes. Raises CloudSampleError where no scene has one."""
    files = [folder / name for folder in folders if (folder / name).is_file()]
    if not files:
        raise CloudSampleError(f"on nothing that stage 1 finds in these scenes do the frames agree (> {SURE}): train stage 1 "
                               "longer, or on more scenes")
    return files
