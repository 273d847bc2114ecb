"""Fixtures that every room's tests share."""

from __future__ import annotations

import os
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import pytest
import torch

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real recordings beside the checkout; tests that need it are skipped where it is not."""
    root = Path(os.environ.get("MAGIC3D_SHARED_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
    if not root.is_dir():
        pytest.skip("no shared/data beside the checkout: recordings for measurements are not part of the project")
    return root


@pytest.fixture(scope="session")
def mapped_room():
    """The smallest simulated room, mapped by the real pipeline: (pipeline, the run's figures). Do not change it."""
    from magic3d_ros.config import Settings
    from magic3d_ros.cues.extractor import CueExtractor
    from magic3d_ros.offline import map_source
    from magic3d_ros.pipeline import ScenePipeline
    from magic3d_ros.sources.room import open_room

    settings = Settings()
    pipeline = ScenePipeline(settings, CueExtractor(settings))
    return pipeline, map_source(pipeline, open_room("tiny", settings))
