"""The executable scene_mapper: prepares the process, then runs the node of scene_mapper_node.py."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from magic3d_ros.nodes import environment


def main(arguments: Sequence[str] | None = None) -> int:
    """`ros2 run magic3d_ros scene_mapper --ros-args -r rgb:=/camera/color/image_raw ...`."""
    environment.prepare()  # before torch and the middleware are loaded: both read it once
    from magic3d_ros.nodes.scene_mapper_node import SceneMapper
    from magic3d_ros.nodes.spinning import run

    return run(SceneMapper, list(sys.argv[1:] if arguments is None else arguments))


if __name__ == "__main__":
    raise SystemExit(main())
