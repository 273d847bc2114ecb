"""How this process shares the processor with others. To be called before torch is imported."""

from __future__ import annotations

import os
from collections.abc import MutableMapping


def wait_without_spinning(environment: MutableMapping[str, str] | None = None) -> None:
    """Let the threads of torch sleep while they wait for each other, unless the user chose otherwise.

    By default they spin, and where other processes want the same cores (a camera driver, a player, a second node) each waits for
    one that is not running: with two threads on two busy cores the 2D models took 2180 ms a keyframe spinning, 418 ms sleeping.
    OpenMP reads the variable when its library is loaded (OpenMP 5.2, 21.7), so afterwards this has no effect.
    environment: where to set it; this process when None.
    """
    (os.environ if environment is None else environment).setdefault("OMP_WAIT_POLICY", "PASSIVE")
