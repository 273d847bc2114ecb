"""One process that trains, or several that torchrun started, on one machine or on many."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
from torch import distributed

_PATIENCE = timedelta(hours=24)  # the others wait while the first prepares scenes


@dataclass(frozen=True)
class Process:
    """rank: number among the processes, the first writes files. device: that it trains on."""

    rank: int
    device: torch.device

    def wait(self) -> None:
        """Go on when all processes have come here."""
        if distributed.is_initialized():
            distributed.barrier()


@contextmanager
def processes() -> Iterator[Process]:
    """This process; joins the others that torchrun started, if it did, by nccl on GPUs and gloo on processors."""
    on_gpu = torch.cuda.is_available()
    if "RANK" not in os.environ or "WORLD_SIZE" not in os.environ:
        yield Process(0, torch.device("cuda" if on_gpu else "cpu"))
        return
    device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0"))) if on_gpu else torch.device("cpu")
    distributed.init_process_group("nccl" if on_gpu else "gloo", timeout=_PATIENCE)
    try:
        yield Process(distributed.get_rank(), device)
    finally:
        distributed.destroy_process_group()
