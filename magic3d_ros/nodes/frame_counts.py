"""Where every frame went: the bookkeeping that lets diagnostics say what was lost and why."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque

from magic3d_ros.frames import FrameError
from magic3d_ros.sources.frame_gate import FrameGate


class FrameCounts:
    """Counts frames from their arrival to their use; safe to use from any thread.

    A frame is one colour image. received = used + dropped + waiting, always. What is dropped is counted and logged, each reason
    once, by the gate that recordings pass too. `others` counts what arrived or was lost on the way
    without being a frame: depth images, camera infos, depth images without a colour image, messages lost in transport.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._gate = FrameGate("scene_mapper")
        self._recent: deque[float] = deque(maxlen=50)
        self._recent_used: deque[float] = deque(maxlen=50)
        self.received = 0
        self.used = 0
        self.keyframes = 0
        self.others: Counter[str] = Counter()
        self.latency = 0.0

    @property
    def dropped(self) -> dict[str, int]:
        """Frames dropped by reason (short, stable)."""
        return self._gate.skipped

    @property
    def why(self) -> dict[str, str]:
        """The newest sentence for people for each of these reasons."""
        return self._gate.why

    @property
    def waiting(self) -> int:
        """Frames that arrived and were neither used nor dropped yet."""
        with self._lock:
            return self.received - self.used - sum(self.dropped.values())

    def arrived(self) -> None:
        """A colour image arrived."""
        with self._lock:
            self.received += 1
            self._recent.append(time.monotonic())

    def follow(self, stamp: int, index: int) -> None:
        """A frame is about to be handed on. Raises FrameError when it does not come in order of time; see FrameGate.follow."""
        with self._lock:
            self._gate.follow(stamp, index)

    def skip(self, error: FrameError, index: int | None = None, count: int = 1) -> None:
        """Frames are dropped: one of that number, or `count` of them."""
        with self._lock:
            self._gate.skip(error, index, count)

    def drop(self, reason: str, message: str) -> None:
        """A frame is dropped for a reason (short, stable) with a sentence for people."""
        self.skip(FrameError(reason, message))

    def note(self, what: str, count: int = 1) -> None:
        """Something other than a frame arrived or was lost."""
        with self._lock:
            self.others[what] += count

    def use(self, keyframe: bool, latency: float) -> None:
        """A frame joined the map, `latency` seconds after its arrival."""
        with self._lock:
            self.used += 1
            self.keyframes += keyframe
            self._recent_used.append(time.monotonic())
            # Mean over about the last twenty frames.
            self.latency = latency if self.used == 1 else 0.95 * self.latency + 0.05 * latency

    def rates(self) -> tuple[float, float]:
        """(received, used) frames a second over the last fifty frames; 0 when nothing came for five seconds."""
        with self._lock:
            return _rate(self._recent), _rate(self._recent_used)

    def summary(self) -> dict[str, int]:
        """All counts by name, for diagnostics and tests."""
        with self._lock:
            counts = {"received": self.received, "used": self.used, "keyframes": self.keyframes,
                      "dropped": sum(self.dropped.values())}
            counts["waiting"] = counts["received"] - counts["used"] - counts["dropped"]
            counts.update({f"dropped.{reason}": n for reason, n in sorted(self.dropped.items())})
            counts.update(sorted(self.others.items()))
            return counts


def _rate(times: deque[float]) -> float:
    if len(times) < 2 or time.monotonic() - times[-1] > 5.0:
        return 0.0
    return (len(times) - 1) / max(times[-1] - times[0], 1e-9)
