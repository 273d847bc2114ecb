"""The executable cue_extractor: prepares the process, then runs the node of cue_extractor_node.py."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from magic3d_ros.nodes import environment


def main(arguments: Sequence[str] | None = None) -> int:
    """`ros2 run magic3d_ros cue_extractor --ros-args -p shard:=0 -p shards:=2`."""
    environment.prepare()  # before torch and the middleware are loaded: both read it once
    from magic3d_ros.nodes.cue_extractor_node import CueExtractorNode
    from magic3d_ros.nodes.spinning import run

    return run(CueExtractorNode, list(sys.argv[1:] if arguments is None else arguments))


if __name__ == "__main__":
    raise SystemExit(main())
