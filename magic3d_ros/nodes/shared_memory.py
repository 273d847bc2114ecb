"""What killed ROS processes leave in shared memory.

Fast DDS keeps a segment of some 70 MB a process in /dev/shm and removes it at a clean end; nothing removes what a killed process
had. Enough of them fill the memory. The segment fastdds_ID has a lock file fastdds_ID_el, which its process holds while it lives.
"""

from __future__ import annotations

import re
from pathlib import Path

from magic3d_ros.doctor.finding import Finding, ok, warning

DIRECTORY = Path("/dev/shm")
_SEGMENT = re.compile(r"fastdds_[0-9a-f]{16}")


def left_behind(directory: Path = DIRECTORY) -> list[Path]:
    """Segments that belong to no living process; none where the system has no such directory."""
    if not directory.is_dir():
        return []
    segments = (path for path in directory.iterdir() if _SEGMENT.fullmatch(path.name))
    return sorted(path for path in segments if not _held(path.with_name(path.name + "_el")))


def judge(directory: Path = DIRECTORY) -> Finding:
    """One finding."""
    dead = left_behind(directory)
    if not dead:
        return ok("shared memory", "nothing left of processes that were killed")
    size = sum(path.stat().st_size for path in dead if path.exists())
    return warning("shared memory", f"ROS processes that were killed ({len(dead)}) left {size / 1e6:.0f} MB in {directory}",
                   f"rm {' '.join(f'{path}*' for path in dead[:8])}{' ...' if len(dead) > 8 else ''}")


def _held(lock: Path) -> bool:
    import fcntl  # only where there is a /dev/shm

    try:
        with lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:  # locked, or somebody else's: not ours to call dead
        return True
    return False
