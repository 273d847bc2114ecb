"""Non-maximum suppression written out, for the reference libraries: torchvision's compiled one is missing beside a CPU torch."""

from __future__ import annotations

import torch


def naive_nms(boxes, scores, idxs, iou_threshold):
    """As torchvision's batched_nms, for boxes of one class."""
    kept, boxes = [], boxes.tolist()
    for box in torch.argsort(scores, descending=True, stable=True).tolist():
        if not any(overlap(boxes[box], boxes[other], iou_threshold) for other in kept):
            kept.append(box)
    return torch.tensor(kept, dtype=torch.int64)


def overlap(a, b, least):
    """Whether the boxes' IoU is more than the least; boxes without an area do not overlap."""
    shared = max(0, min(a[2], b[2]) - max(a[0], b[0])) * max(0, min(a[3], b[3]) - max(a[1], b[1]))
    return shared > least * ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)
