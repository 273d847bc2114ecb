"""One model at work: its time and memory are counted, it works smaller when memory runs out, and its failures stay its own."""

from __future__ import annotations

import gc
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import torch

from magic3d_ros.frames import RGBDFrame

Result = TypeVar("Result")

MIN_WIDTH = 160
"""Pixels; below it a model sees nothing that a map could use."""
_SHRINK = 0.75
"""of the width, each time that memory does not suffice: about half of the pixels."""
_DEPTH = 3
"""Objects within objects in which weights are looked for: a language model holds an image model, and that its network."""
_log = logging.getLogger(__name__)


class RunningModel(Generic[Result]):
    """Runs `call(frames)`, which asks `model` for one result a frame.

    kind: what it makes ("features", "masks", ...). device: where the model runs.
    milliseconds: of the newest batch, for each frame. peak: memory of the newest batch beyond the weights, MB; GPU only.
    reduced: what had to be made smaller, "" = nothing. problem: why the newest batch has no result, "" = it has.
    """

    def __init__(self, kind: str, model: Any, call: Callable[[Sequence[RGBDFrame]], list[Result]],
                 device: torch.device) -> None:
        self.kind, self.model, self.device = kind, model, device
        self.name: str = model.name
        self.milliseconds = 0.0
        self.peak = 0.0
        self.reduced = ""
        self.problem = ""
        self.failures = 0
        self._call = call

    def run(self, frames: Sequence[RGBDFrame]) -> list[Result] | None:
        """One result a frame; None when the model failed, which `problem` and the log say."""
        while True:
            try:
                return self._measured(frames)
            except Exception as error:  # whatever one model does, the others go on
                if is_out_of_memory(error):
                    _free(self.device)
                    if self._work_smaller():
                        continue
                    self._failed(f"{self.name} ({self.kind}) has no room on {self.device} even for one small image: choose a "
                                 "smaller model, another device, or cues.precision float16")
                    return None
                self._failed(f"{self.name} ({self.kind}) failed: {type(error).__name__}: {_one_line(error)}")
                return None

    def figures(self) -> dict[str, float | str]:
        """For diagnostics: milliseconds a frame, MB of weights and of working memory, what was made smaller, what is wrong."""
        figures: dict[str, float | str] = {f"ms.{self.name}": round(self.milliseconds, 1),
                                           f"MB.{self.name}": round(weight_megabytes(self.model))}
        if self.peak:
            figures[f"MB.{self.name}.working"] = round(self.peak)
        if self.reduced:
            figures[f"reduced.{self.name}"] = self.reduced
        if self.failures:
            figures[f"failures.{self.name}"] = self.failures
        cut_short = getattr(self.model, "cut_short", 0)
        if cut_short:
            figures[f"cut_short.{self.name}"] = cut_short  # images whose time budget ended before all masks were found
        return figures

    def _measured(self, frames: Sequence[RGBDFrame]) -> list[Result]:
        on_gpu = self.device.type == "cuda"
        before = torch.cuda.memory_allocated(self.device) if on_gpu else 0
        if on_gpu:
            torch.cuda.reset_peak_memory_stats(self.device)
        start = time.perf_counter()
        results = self._call(frames)
        self.milliseconds = (time.perf_counter() - start) * 1e3 / max(len(frames), 1)
        if on_gpu:
            self.peak = (torch.cuda.max_memory_allocated(self.device) - before) / 2**20
        if self.problem:
            _log.info("%s (%s) works again", self.name, self.kind)
        self.problem = ""
        return results

    def _work_smaller(self) -> bool:
        """Halve the batch, then the points that are asked at once, then reduce the images; False when none can get smaller."""
        batch, points, width = (getattr(self.model, name, least) for name, least in
                                (("batch", 1), ("points_at_once", 1), ("max_width", 0)))
        if batch > 1:
            self.model.batch = batch // 2
        elif points > 1:
            self.model.points_at_once = points // 2
        elif width * _SHRINK >= MIN_WIDTH:
            self.model.max_width = int(width * _SHRINK)
        else:
            return False
        names = {"batch": "images at once", "points_at_once": "points at once", "max_width": "image width"}
        self.reduced = ", ".join(f"{text} {getattr(self.model, name)}" for name, text in names.items()
                                 if hasattr(self.model, name))
        _log.warning("%s (%s) ran out of memory on %s: from now on %s; a smaller model or a lower cues.batch and cues.max_width "
                     "avoid that", self.name, self.kind, self.device, self.reduced)
        return True

    def _failed(self, problem: str) -> None:
        self.failures += 1
        _log.debug("%s", problem, exc_info=True)
        if problem != self.problem:
            _log.error("%s", problem)
        self.problem = problem


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a device or the computer had no memory left."""
    without_class = isinstance(error, RuntimeError) and "can't allocate memory" in str(error)  # torch's allocator on a CPU
    return without_class or isinstance(error, (torch.OutOfMemoryError, MemoryError))


def weight_megabytes(model: Any) -> float:
    """MB of the weights in a model and the objects that it is made of, each tensor once."""
    sizes: dict[int, int] = {}

    def visit(thing: Any, depth: int) -> None:
        if isinstance(thing, torch.nn.Module):
            sizes.update((tensor.data_ptr(), tensor.nbytes) for tensor in (*thing.parameters(), *thing.buffers()))
        elif depth and hasattr(thing, "__dict__"):
            for part in list(vars(thing).values()):
                visit(part, depth - 1)

    visit(model, _DEPTH)
    return sum(sizes.values()) / 2**20


def _free(device: torch.device) -> None:
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
