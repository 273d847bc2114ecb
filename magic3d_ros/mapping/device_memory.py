"""What is done when a GPU has no memory left: the same work in smaller batches, said once."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

import torch

_log = logging.getLogger(__name__)

T = TypeVar("T")


class OutOfDeviceMemory(MemoryError):
    """Not even the smallest batch fits; the message says what does not, and what to do. Nothing was changed by it."""


class DeviceMemory:
    """Remembers how much each kind of work can take at a time. notes: a sentence for each kind that had to be made smaller."""

    def __init__(self) -> None:
        self._sizes: dict[str, int] = {}
        self.notes: dict[str, str] = {}

    def in_batches(self, kind: str, largest: int, smallest: int, work: Callable[[int], T]) -> T:
        """`work(size)`, with at most `largest` at a time, or with half as many for as long as the device has no memory for it.

        work: must change nothing before it has all the memory that it needs: it is begun anew. What was too much once is not
        tried again. Raises OutOfDeviceMemory where `smallest` is too much too.
        """
        while True:
            size = min(largest, self._sizes.get(kind, largest))
            try:
                return work(size)
            except torch.OutOfMemoryError as error:
                if size <= smallest:
                    raise OutOfDeviceMemory(f"the device has no memory for {kind}, not even for {size} at a time: {CURE}"
                                            ) from error
                self._sizes[kind] = max(smallest, size // 2)
            # Here the error is gone, and with it the frames that held what had been allocated.
            self._note(kind, f"the device has no memory for {kind} of {size} at a time: goes on with {self._sizes[kind]}")
            if torch.cuda.is_available():
                torch.cuda.empty_cache()

    def _note(self, kind: str, sentence: str) -> None:
        if kind not in self.notes:
            _log.warning("%s; to avoid it, %s", sentence, CURE)
        self.notes[kind] = sentence


CURE = "end other programs on the GPU, lower map.max_blocks, or set map.device to cpu"
