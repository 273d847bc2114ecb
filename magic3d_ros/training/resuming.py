"""The state of a training in a file, from which the same command goes on where it was interrupted."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

_SAME = ("batch", "seed")
"""What of a plan must be the same when a training goes on; other numbers may change."""

logger = logging.getLogger(__name__)


class TrainingError(RuntimeError):
    """Training that cannot go on; the message names the cause and the cure."""


def keep(file: Path, network: torch.nn.Module, optimizer: torch.optim.Optimizer, plan: Mapping[str, Any], step: int,
         figures: Mapping[str, float]) -> None:
    """Write the state after a step; an interruption leaves the one before."""
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    torch.save({"network": network.state_dict(), "optimizer": optimizer.state_dict(), "plan": dict(plan), "step": step,
                "figures": dict(figures)}, beside)
    os.replace(beside, file)


def restored(file: Path, network: torch.nn.Module, optimizer: torch.optim.Optimizer, plan: Mapping[str, Any]
             ) -> tuple[int, dict[str, float] | None]:
    """Steps done and the figures that were kept, network and optimizer as they were; (0, None) where there is no such file.

    Raises TrainingError for a file that is no such state, that of another plan, or of another network.
    """
    if not file.is_file():
        return 0, None
    try:
        state: dict[str, Any] = torch.load(file, map_location="cpu", weights_only=True)
        stored, step, figures = state["plan"], int(state["step"]), {str(k): v for k, v in state["figures"].items()}
        same = all(stored[name] == plan[name] for name in _SAME)
    except Exception as error:  # torch.load raises whatever a broken file leads it to
        raise TrainingError(f"cannot go on from {file}, it is not a whole state ({type(error).__name__}): delete it to begin "
                            "again") from error
    if not same:
        raise TrainingError(f"{file} is the state of a training with {stored}: use its batch and seed to go on, or another --out")
    try:
        network.load_state_dict(state["network"])
        optimizer.load_state_dict(state["optimizer"])
    except (RuntimeError, ValueError, KeyError) as error:
        first = str(error).splitlines()[0]
        raise TrainingError(f"{file} belongs to another architecture ({first}): delete it to begin again") from error
    logger.info("going on at step %d of %d", step, plan["steps"])
    return step, figures
