"""Rigid transforms: small motions, averages and blends of them. All (4, 4) float64."""

from __future__ import annotations

import numpy as np


def rotation_of(vector: np.ndarray) -> np.ndarray:
    """(3, 3) rotation about a (3,) axis by its length in radians (Rodrigues)."""
    angle = float(np.linalg.norm(vector))
    if angle < 1e-12:
        return np.eye(3)
    x, y, z = vector / angle
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return np.eye(3) + np.sin(angle) * cross + (1.0 - np.cos(angle)) * cross @ cross


def upright_rotation(up: np.ndarray) -> np.ndarray:
    """(3, 3) smallest rotation that turns the (3,) direction `up` to +z. Raises ValueError for a zero or non-finite vector."""
    length = float(np.linalg.norm(up))
    if not np.isfinite(length) or length < 1e-9:
        raise ValueError(f"{up} is no direction: up must be a finite vector of some length")
    x, y, z = np.asarray(up, np.float64) / length
    axis = np.array([y, -x, 0.0])
    sine = float(np.linalg.norm(axis))
    if sine < 1e-9:
        return np.eye(3) if z > 0 else np.diag([1.0, -1.0, -1.0])
    return rotation_of(axis / sine * np.arctan2(sine, z))


def vector_of(rotation: np.ndarray) -> np.ndarray:
    """(3,) axis times angle in radians, up to pi, of a (3, 3) rotation."""
    cosine = float(np.clip((np.trace(rotation) - 1.0) / 2.0, -1.0, 1.0))
    axis = np.array([rotation[2, 1] - rotation[1, 2], rotation[0, 2] - rotation[2, 0], rotation[1, 0] - rotation[0, 1]]) / 2.0
    sine = float(np.linalg.norm(axis))
    if cosine < -0.999:  # the difference of off-diagonals vanishes at half a turn: take the axis from the symmetric part
        symmetric = (rotation + np.eye(3)) / 2.0
        column = symmetric[:, int(np.argmax(np.diag(symmetric)))]
        direction = column / np.linalg.norm(column)
        return direction * np.arctan2(sine, cosine) * (1.0 if direction @ axis >= 0 else -1.0)
    return axis * (np.arctan2(sine, cosine) / sine if sine > 1e-12 else 1.0)


def moved(pose: np.ndarray, turn: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """A camera-to-world pose turned by the world vector `turn` (radians) about the camera's own place, then shifted (metres)."""
    result = np.array(pose, np.float64)
    result[:3, :3] = nearest_rotation(rotation_of(turn) @ result[:3, :3])
    result[:3, 3] += shift
    return result


def nearest_rotation(matrix: np.ndarray) -> np.ndarray:
    """The (3, 3) rotation nearest to a matrix that is almost one."""
    u, _, v = np.linalg.svd(matrix)
    return u @ np.diag([1.0, 1.0, np.linalg.det(u @ v)]) @ v


def inverse(pose: np.ndarray) -> np.ndarray:
    """The inverse of a rigid transform."""
    result = np.eye(4)
    result[:3, :3] = pose[:3, :3].T
    result[:3, 3] = -pose[:3, :3].T @ pose[:3, 3]
    return result


def blended(first: np.ndarray, second: np.ndarray, share: float, about: np.ndarray) -> np.ndarray:
    """Between two world motions: rotation interpolated on the sphere, the displacement of the point `about` (3,) linearly.

    About a point because a motion's own translation means the place of the world's origin, which may be kilometres away.
    """
    start, end = (motion[:3, :3] @ about + motion[:3, 3] for motion in (first, second))
    result = np.eye(4)
    result[:3, :3] = rotation_of(share * vector_of(second[:3, :3] @ first[:3, :3].T)) @ first[:3, :3]
    result[:3, 3] = start + share * (end - start) - result[:3, :3] @ about
    return result


def best_motion(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The rigid motion that brings (n, 3) points nearest to their (n, 3) partners (Kabsch 1976)."""
    middle, aim = source.mean(0), target.mean(0)
    u, _, v = np.linalg.svd((target - aim).T @ (source - middle))
    rotation = u @ np.diag([1.0, 1.0, np.linalg.det(u @ v)]) @ v
    result = np.eye(4)
    result[:3, :3], result[:3, 3] = rotation, aim - rotation @ middle
    return result
