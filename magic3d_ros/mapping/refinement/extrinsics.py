"""The transform from depth to colour, told from the pictures: a surface point must look alike to all who see it.

Poses say where a frame's depth lies (alignment.py), so they are the depth camera's; what the transform changes is which pixel of
the colour image a reading belongs to. A point that two keyframes see is looked up in both images, and one rigid motion, shared
by all pairs of keyframes, makes the lumas agree: direct alignment (Irani and Anandan 1999) over six numbers, Gauss-Newton with
robust weights, coarse to fine. Pairs whose cameras are turned or moved against each other tell it; among images that are alike
each wrong transform would be wrong in the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch.nn.functional import grid_sample

from magic3d_ros.geometry.camera import Camera
from magic3d_ros.geometry.rigid import inverse, rotation_of, vector_of
from magic3d_ros.mapping.keyframe import Keyframe

WIDTH = 320  # pixels
MOST = 48  # keyframes, spread over the run
PARTNERS = 3  # others that each is compared with
POINTS = 1500  # of a keyframe, where its luma changes most
BLURS = (3.0, 1.2)  # pixels, coarse to fine
ITERATIONS = 6  # at each blur
SPREAD = 8.0  # of 255 at which a difference of luma counts half
APART = (0.08, 1.2)  # metres, with a radian as one: partners are neither nearer nor farther
SEEN = 0.02  # of the depth: what lies farther from the partner's reading is hidden there, or moved
SMOOTH = 0.03  # likewise between neighbours: points at edges of things belong to two surfaces
LEAST = 200  # points that a pair has in common
PRIOR = (0.03, np.radians(1.5))  # metres, radians: how far off a transform usually is; directions that nothing tells stay
DRAWN = 4.0  # how many points have the error of one in common: neighbours are blurred into each other
LARGEST = (0.06, np.radians(3.0))  # metres, radians: a transform that is farther off is wrong, not inexact
GAIN = 0.005  # share by which the differences must fall for a change to be believed


@dataclass(frozen=True)
class _Look:
    """A keyframe as it is compared: camera, pose, depth (H, W), points (3, n) in camera axes, images of luma and its gradients
    (1, 3, H, W) at each blur."""

    camera: Camera
    pose: np.ndarray
    depth: torch.Tensor
    points: torch.Tensor
    images: list[torch.Tensor]


@torch.no_grad()
def extrinsics_step(keyframes: Sequence[Keyframe], first: AbstractContextManager[object] | None = None) -> np.ndarray:
    """The rigid motion (4, 4) of the depth's points, in the colour camera's axes, with which what keyframes see of the same
    points looks most alike; the identity where that makes no difference. Poses must fit the depth. first: see `align`."""
    pause = first or nullcontext()
    chosen = keyframes[::-(-len(keyframes) // MOST)] if keyframes else []
    looks = []
    for keyframe in chosen:
        with pause:
            pass
        looks.append(_look(keyframe))
    pairs = [pair for i in range(len(looks)) for pair in _pairs(looks, i)]
    found = np.eye(4)
    if len(pairs) < 3:
        return found
    for level in range(len(BLURS)):
        for _ in range(ITERATIONS):
            with pause:
                pass
            matrix, right, _ = _equations(pairs, found, level)
            step = -np.linalg.solve(matrix, right)
            update = np.eye(4)
            update[:3, :3], update[:3, 3] = rotation_of(step[:3]), step[3:]
            found = update @ found
            if np.linalg.norm(step[3:]) < 1e-5 and np.linalg.norm(step[:3]) < 1e-5:
                break
    start, end = (_equations(pairs, motion, len(BLURS) - 1)[2] for motion in (np.eye(4), found))
    angle = np.arccos(np.clip((np.trace(found[:3, :3]) - 1) / 2, -1, 1))
    if end > (1 - GAIN) * start or np.linalg.norm(found[:3, 3]) > LARGEST[0] or angle > LARGEST[1]:
        return np.eye(4)
    return found


def _look(keyframe: Keyframe) -> _Look:
    width = min(WIDTH, keyframe.camera.width)
    height = max(1, round(keyframe.camera.height * width / keyframe.camera.width))
    camera = keyframe.camera.resized(width, height)
    depth = cv2.resize(keyframe.depth(), (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
    gray = cv2.cvtColor(cv2.resize(keyframe.rgb(), (width, height), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    images = []
    for blur in BLURS:
        luma = cv2.GaussianBlur(gray.astype(np.float32), (0, 0), blur)
        images.append(np.stack([luma, cv2.Sobel(luma, cv2.CV_32F, 1, 0, scale=1 / 8), cv2.Sobel(luma, cv2.CV_32F, 0, 1,
                                                                                             scale=1 / 8)]))
    around = np.ones((5, 5), np.uint8)
    usable = (cv2.erode(depth, around) > 0) & (cv2.dilate(depth, around) < (1 + SMOOTH) * depth)
    trust = keyframe.weights()
    if trust is not None:
        usable &= cv2.resize(trust, (width, height), interpolation=cv2.INTER_NEAREST_EXACT) > 0.5
    rows, columns = np.nonzero(usable)
    strength = np.hypot(*images[-1][1:])[rows, columns]
    most = np.argsort(-strength, kind="stable")[:2 * POINTS:2]
    rows, columns = rows[most], columns[most]
    z = depth[rows, columns]
    points = np.stack([(columns - camera.cx) / camera.fx * z, (rows - camera.cy) / camera.fy * z, z]).astype(np.float32)
    return _Look(camera, keyframe.camera_to_world, torch.from_numpy(depth)[None, None], torch.from_numpy(points),
                 [torch.from_numpy(image)[None] for image in images])


def _pairs(looks: list[_Look], index: int) -> list[tuple[_Look, _Look, torch.Tensor, torch.Tensor]]:
    """Pairs of a keyframe and others, with the points (3, n) that both see, in the axes of each."""
    here = looks[index]
    apart = np.array([_apart(here.pose, other.pose) for other in looks])
    candidates = [i for i in np.argsort(-apart) if APART[0] <= apart[i] <= APART[1]]
    pairs: list[tuple[_Look, _Look, torch.Tensor, torch.Tensor]] = []
    for i in candidates[::max(1, len(candidates) // (4 * PARTNERS))]:
        other = looks[i]
        motion = (inverse(other.pose) @ here.pose).astype(np.float32)
        there = torch.from_numpy(motion[:3, :3]) @ here.points + torch.from_numpy(motion[:3, 3:])
        reading = _sampled(other.depth, other.camera, there, "nearest")[0]
        seen = ((reading - there[2]).abs() < SEEN * there[2]) & (there[2] > 0)
        if int(seen.sum()) >= LEAST:
            pairs.append((here, other, here.points[:, seen], there[:, seen]))
        if len(pairs) == PARTNERS:
            break
    return pairs


def _equations(pairs: list[tuple[_Look, _Look, torch.Tensor, torch.Tensor]], motion: np.ndarray, level: int
               ) -> tuple[np.ndarray, np.ndarray, float]:
    """Normal matrix (6, 6) and right side (6,) for a turn and a shift after `motion`, the prior included; and the mean robust
    difference of luma."""
    scale = np.array([PRIOR[1]] * 3 + [PRIOR[0]] * 3)
    turned = np.concatenate([vector_of(motion[:3, :3]), motion[:3, 3]])
    matrix, right = np.diag(scale**-2.0), turned / scale**2
    total, count = 0.0, 0
    rotation, shift = torch.from_numpy(motion[:3, :3].astype(np.float32)), torch.from_numpy(motion[:3, 3:].astype(np.float32))
    for here, other, points, there in pairs:
        a, b = rotation @ points + shift, rotation @ there + shift
        luma_a, slope_a = _luma(here, a, level)
        luma_b, slope_b = _luma(other, b, level)
        mean_a, mean_b = luma_a.mean(), luma_b.mean()
        # The exposure of one against the other.
        gain = (((luma_a - mean_a) ** 2).mean() / ((luma_b - mean_b) ** 2).mean().clamp_min(1.0)).sqrt().clamp(0.5, 2.0)
        residual = (luma_a - mean_a) - gain * (luma_b - mean_b)
        weight = 1.0 / (1.0 + (residual / SPREAD) ** 2)
        jacobian = torch.cat([torch.linalg.cross(a, slope_a, dim=0) - gain * torch.linalg.cross(b, slope_b, dim=0),
                              slope_a - gain * slope_b])
        weighted = (jacobian * weight).double() / (SPREAD**2 * DRAWN)
        matrix = matrix + (weighted @ jacobian.T.double()).numpy()
        right = right + (weighted @ residual.double()).numpy()
        total += float((residual**2 * weight).sum())
        count += len(residual)
    return matrix, right, total / max(count, 1)


def _luma(look: _Look, points: torch.Tensor, level: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Luma (n,) at points (3, n) in camera axes, and its gradient (3, n) along these axes."""
    luma, along_u, along_v = _sampled(look.images[level], look.camera, points, "bilinear")
    x, y, z = points
    right, down = along_u * look.camera.fx / z, along_v * look.camera.fy / z
    return luma, torch.stack([right, down, -(right * x + down * y) / z])


def _sampled(image: torch.Tensor, camera: Camera, points: torch.Tensor, mode: str) -> torch.Tensor:
    """(channels, n) of an image (1, channels, H, W) where points (3, n) project; the border's outside of it."""
    x, y, z = points
    z = z.clamp_min(1e-3)
    u, v = x / z * camera.fx + camera.cx, y / z * camera.fy + camera.cy
    at = torch.stack([u * (2.0 / (camera.width - 1)) - 1.0, v * (2.0 / (camera.height - 1)) - 1.0], 1)[None, None]
    padding = "zeros" if mode == "nearest" else "border"
    return grid_sample(image, at, mode=mode, padding_mode=padding, align_corners=True)[0, :, 0]


def _apart(first: np.ndarray, second: np.ndarray) -> float:
    cosine = (np.trace(first[:3, :3].T @ second[:3, :3]) - 1) / 2
    return float(np.linalg.norm(first[:3, 3] - second[:3, 3]) + np.arccos(np.clip(cosine, -1, 1)))
