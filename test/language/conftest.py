"""A small scene for questions: a chair, a table, a mug on it, a floor."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from fake import BANK, FourClasses, picture

from magic3d_ros.config import LanguageSettings, QuerySettings
from magic3d_ros.geometry.box import OrientedBox
from magic3d_ros.language.concepts.lexicon import Lexicon
from magic3d_ros.language.fusion import LanguageMap
from magic3d_ros.mapping.surface import Surface


@dataclass(frozen=True)
class Thing:
    id: int
    kind: str
    label: str
    box: OrientedBox
    centroid: np.ndarray
    structure: str = ""
    last_seen: int = 0
    support: int = -1


def sheet(center, side, cells=10):
    """A horizontal square of (cells + 1)^2 vertices, faces up."""
    steps = np.linspace(-side / 2, side / 2, cells + 1)
    x, y = np.meshgrid(steps, steps)
    vertices = np.stack([x.ravel(), y.ravel(), np.zeros(x.size)], 1) + center
    n = cells + 1
    corner = (np.arange(cells)[:, None] * n + np.arange(cells)).ravel()
    faces = np.concatenate([np.stack([corner, corner + 1, corner + n], 1), np.stack([corner + 1, corner + n + 1, corner + n], 1)])
    return vertices, faces


@pytest.fixture(autouse=True)
def bank(monkeypatch):
    """The bank that ships looks like classes that the fake model does not have."""
    monkeypatch.setattr("magic3d_ros.language.concepts.knowledge.load_bank", lambda name: BANK)
    monkeypatch.setattr("magic3d_ros.language.concepts.knowledge.load_lexicon", lambda names: Lexicon())
    return BANK


@pytest.fixture
def model():
    return FourClasses()


@pytest.fixture
def room(model):
    """(language map, surface, labels, things)"""
    parts = {1: ("chair", sheet((2.0, 0.0, 0.45), 0.3)), 2: ("table", sheet((0.0, 0.0, 0.72), 1.0)),
             3: ("mug", sheet((0.0, 0.0, 0.8), 0.08)), 4: ("floor", sheet((0.0, 0.0, 0.0), 6.0))}
    vertices, faces, labels, things, base = [], [], [], [], 0
    for i, (name, (v, f)) in parts.items():
        vertices.append(v)
        faces.append(f + base)
        labels.append(np.full(len(v), i, np.int32))
        base += len(v)
        structure = name if name == "floor" else ""
        things.append(Thing(i, "structure" if structure else "object", structure,
                            OrientedBox(v.mean(0), np.ptp(v, axis=0), np.eye(3)), v.mean(0), structure))
    points = np.concatenate(vertices).astype(np.float32)
    up = np.zeros_like(points)
    up[:, 2] = 1
    surface = Surface(points, np.concatenate(faces).astype(np.int32), up, np.zeros(points.shape, np.uint8),
                      np.ones(len(points), np.float32))
    language = LanguageMap(LanguageSettings(feature_dimension=4), QuerySettings(), model)
    language._background = model.background(picture("chair"))
    views = {i: [(100, (0, 0, 8, 8), lambda name=name: picture(name)), (200, (0, 0, 8, 8), lambda name=name: picture(name))]
             for i, (name, _) in parts.items() if name != "floor"}
    language.describe(views)
    return language, surface, np.concatenate(labels), things
