"""What tests of the foundation tier share: torchvision beside a CPU build of torch."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest
import torch

sys.path.append(str(Path(__file__).parent))  # for language_checkpoints

_BESIDE = Path(__file__).resolve().parents[3] / "build" / "torchvision"
# PyPI's torchvision is built for torch with CUDA. Beside a CPU build its import fails for want of two operators, so they are
# declared first; nothing here calls them. (In the library: once a process, and it must outlive the import.)
_OPERATORS = None
if importlib.util.find_spec("torchvision") is None and _BESIDE.is_dir():
    _OPERATORS = torch.library.Library("torchvision", "DEF")
    _OPERATORS.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _OPERATORS.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    sys.path.append(str(_BESIDE))


@pytest.fixture(scope="session")
def torchvision():
    """The module; skips where it is not installed."""
    return pytest.importorskip("torchvision", reason="torchvision is not installed: what needs it is not tested")
