"""Pictures of the map while it is mapped: how long one takes, how many come a second.

    ./run bench rendering [SOURCE] [--seconds 20] [--rate 10] [--refine] [--set NAME=VALUE]

The threads of the node without its topics: frames come at --rate a second, understanding goes on, pictures of ros.rendered_width
pixels are drawn from the newest frame's pose, as many as can be. `preview` is what rendered/rgb and
rendered/depth show, `full` what the service render_view answers. CPU: of the drawing thread alone. --refine: poses and appearance
are refined in the background too. SOURCE: ../shared/data/redkitchen, or the simulated room where it is not there.
"""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from magic3d_ros.config import Settings, load_settings
from magic3d_ros.cues.extractor import CueExtractor
from magic3d_ros.frames import RGBDFrame
from magic3d_ros.geometry.camera import Camera
from magic3d_ros.mapping.surface import View
from magic3d_ros.nodes.frame_counts import FrameCounts
from magic3d_ros.nodes.live_mapping import Incoming, LiveMapping
from magic3d_ros.pipeline import ScenePipeline
from magic3d_ros.sources.open import open_source

GOAL = 5.0  # pictures a second
DEFAULT = Path(__file__).resolve().parents[2] / "shared" / "data" / "redkitchen"

Draw = Callable[[ScenePipeline, Camera, np.ndarray], View]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bench rendering", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", nargs="?", default=str(DEFAULT) if DEFAULT.is_dir() else "room", help="folder, bag or room")
    parser.add_argument("--seconds", type=float, default=20.0, help="of mapping a row")
    parser.add_argument("--rate", type=float, default=10.0, help="frames a second")
    parser.add_argument("--refine", action="store_true")
    parser.add_argument("--set", dest="assignments", action="append", default=[], metavar="NAME=VALUE")
    options = parser.parse_args(arguments)
    settings = load_settings(None, dict(item.split("=", 1) for item in options.assignments))
    wanted = int(options.seconds * options.rate)
    frames = [frame for frame, _ in zip(open_source(options.source, settings), range(wanted), strict=False)]
    table = Table("picture", "a second", "CPU ms (95 %)", "wall ms (95 %)", "frames mapped", "ms from frame to map", box=None,
                  title=f"{options.source}, {len(frames)} frames at {options.rate:g} a second, {torch.get_num_threads()} threads "
                        "of torch" + (", refining" if options.refine else ""))
    reached = 0.0
    for name, draw in (("preview", lambda p, camera, pose: p.preview(camera, pose)),
                       ("full", lambda p, camera, pose: p.render(camera, pose, newest=False))):
        live = Pictures(settings, draw)
        live.play(frames, options.rate, options.refine)
        reached = live.rate if name == "preview" else reached
        table.add_row(name, f"{live.rate:.1f}", *(f"{np.median(v) * 1e3:.0f} ({np.percentile(v, 95) * 1e3:.0f})"
                                                  for v in (live.cpu, live.wall)),
                      str(live.mapped), f"{np.median(live.latency) * 1e3:.0f}")
    Console(highlight=False).print(table)
    return 0 if reached >= GOAL else 1


class Pictures:
    """One run of mapping with pictures, and what it cost: seconds of CPU and of wall clock a picture, pictures a second."""

    def __init__(self, settings: Settings, draw: Draw) -> None:
        self._settings, self._draw = settings, draw
        self._counts = FrameCounts()
        self._live = LiveMapping(settings, lambda: ScenePipeline(settings, CueExtractor(settings)), self._counts,
                                 mapped=lambda pipeline, newest: self.latency.append(time.monotonic() - self._arrived[
                                     newest.frame.stamp]))
        self._arrived: dict[int, float] = {}
        self.cpu: list[float] = []
        self.wall: list[float] = []
        self.latency: list[float] = []
        self.rate = 0.0

    @property
    def mapped(self) -> int:
        """Frames that joined the map."""
        return len(self.latency)

    def play(self, frames: list[RGBDFrame], rate: float, refine: bool) -> None:
        """Map the frames in their time and draw all the while."""
        self._live.start()
        while self._live.pipeline is None:
            time.sleep(0.05)
        ended = threading.Event()
        drawer = threading.Thread(target=self._pictures, args=(ended,))
        begin = time.monotonic()
        drawer.start()
        for number, frame in enumerate(frames):
            time.sleep(max(0.0, begin + number / rate - time.monotonic()))
            self._arrived[frame.stamp] = time.monotonic()
            self._live.put(Incoming(frame.stamp, lambda frame=frame: frame, time.monotonic(), "",  # type: ignore[misc]
                                    frame.camera_to_world))
            if refine and number == len(frames) // 4:
                self._live.refine(lambda pipeline, end: pipeline.refine(len(frames) / rate, end), _told)
        spent = time.monotonic() - begin
        ended.set()
        drawer.join()
        self.rate = len(self.cpu) / spent
        self._live.stop()

    def _pictures(self, ended: threading.Event) -> None:
        drawn, free = 0, threading.Event()
        free.set()
        while not ended.is_set():
            newest, latest = self._live.newest, self._live.latest
            if newest is None or latest is None or latest.stamp == drawn or not free.wait(0.005):
                time.sleep(0.005)
                continue
            drawn = latest.stamp
            free.clear()
            camera, width = newest.frame.camera, self._settings.ros.rendered_width
            if camera.width > width:
                camera = camera.resized(width, round(camera.height * width / camera.width))
            self._live.draw(lambda pipeline, camera=camera, pose=latest.camera_to_world: self._timed(  # type: ignore[misc]
                pipeline, camera, pose), lambda result, error: free.set())

    def _timed(self, pipeline: ScenePipeline, camera: Camera, pose: np.ndarray) -> None:
        cpu, wall = time.thread_time(), time.perf_counter()
        self._draw(pipeline, camera, pose)
        self.cpu.append(time.thread_time() - cpu)
        self.wall.append(time.perf_counter() - wall)


def _told(result: Any, error: Exception | None) -> None:
    if error is not None:
        raise error


if __name__ == "__main__":
    raise SystemExit(main())
