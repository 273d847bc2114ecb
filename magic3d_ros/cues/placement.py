"""Where a model runs and how precisely."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import torch

from magic3d_ros.cues.weights import ModelError

Module = TypeVar("Module", bound=torch.nn.Module)

_PRECISIONS = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


@dataclass(frozen=True)
class Placement:
    """A model's device, number format and whether torch.compile prepares it."""

    device: torch.device
    dtype: torch.dtype = torch.float32
    compile: bool = False

    def put(self, network: Module) -> Module:
        """The network on its device, ready for inference. Raises ModelError when the device has no room for it."""
        try:
            return network.to(device=self.device, dtype=self.dtype).eval().requires_grad_(False)
        except torch.cuda.OutOfMemoryError as error:
            raise ModelError(f"{self.device} has no room for {type(network).__name__}: put it on another device (its section's "
                             "'device'), choose a smaller model, or set cues.precision to float16") from error


def place(device: str, precision: str = "auto", compiled: bool = False) -> Placement:
    """Settings -> placement: `device` auto (a GPU that is there, else the CPU), cpu, cuda or cuda:N; `precision` auto (half on a
    GPU), float32, float16 or bfloat16.

    Raises ModelError for a GPU that is not there.
    """
    try:
        where = torch.device("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else torch.device(device)
    except RuntimeError as error:
        raise ModelError(f"'{device}' is no device: auto, cpu, cuda or cuda:N") from error
    if where.type not in ("cpu", "cuda"):
        raise ModelError(f"'{device}' is no device that models run on here: auto, cpu, cuda or cuda:N")
    if where.type == "cuda" and (where.index or 0) >= torch.cuda.device_count():
        raise ModelError(f"device {device} is not there (torch sees {torch.cuda.device_count()} GPUs): set device to auto "
                         "or cpu, or install a CUDA build of torch and its driver")
    if precision == "auto":
        return Placement(where, torch.float16 if where.type == "cuda" else torch.float32, compiled)
    return Placement(where, _PRECISIONS[precision], compiled)
