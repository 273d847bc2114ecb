"""A saved map against a labelled ground-truth mesh (gt_mesh_labels.npz of a recording)."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

from magic3d_ros.evaluation.instance_metrics import average_precision, transfer_labels
from magic3d_ros.storage.map_error import MapError
from magic3d_ros.storage.map_folder import OBJECTS, POINTS, read_manifest
from magic3d_ros.storage.ply import read_points

TRUTH = "gt_mesh_labels.npz"
WITHIN = 0.05
"""Metres: the usual threshold for room-scale surfaces (precision and recall in MonoSDF's ScanNet table)."""


def compare(directory: Path, truth_file: Path) -> dict[str, float]:
    """Figures of a map: ap, ap50, ap25 (class-agnostic, ScanNet protocol, confidence 1), the same ranked by confidence, counts,
    accuracy (median distance of map points to the true surface, m), precision and completeness (shares within 5 cm).

    Completeness counts all true vertices, also those that no frame shows. Raises MapError.
    """
    read_manifest(directory)
    try:
        with np.load(truth_file, allow_pickle=False) as stored:
            vertices, truth = np.asarray(stored["vertices"], np.float64), np.asarray(stored["instance"], np.int64)
    except (OSError, ValueError, KeyError) as error:
        raise MapError(f"{truth_file} is no labelled ground-truth mesh ({error}): it needs vertices and instance") from error
    points, _, labels = read_points(directory / POINTS)
    if len(points) == 0:
        raise MapError(f"{directory} holds no surface: there is nothing to compare")
    things = json.loads((directory / OBJECTS).read_text(encoding="utf-8"))
    ours = transfer_labels(points, labels, vertices)
    plain = average_precision(truth, ours)
    ranked = average_precision(truth, ours, {thing["id"]: thing["confidence"] for thing in things})
    to_truth, _ = cKDTree(vertices).query(points)
    to_map, _ = cKDTree(points).query(vertices, distance_upper_bound=WITHIN)
    return {"ap": plain.ap, "ap50": plain.ap50, "ap25": plain.ap25, "ranked_ap": ranked.ap, "ranked_ap50": ranked.ap50,
            "ranked_ap25": ranked.ap25, "true_things": float(plain.truth), "predicted_things": float(plain.predicted),
            "accuracy": float(np.median(to_truth)), "precision": float((to_truth < WITHIN).mean()),
            "completeness": float(np.isfinite(to_map).mean())}
