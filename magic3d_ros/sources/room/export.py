"""Write a room as a folder of images, in the layout that the folder source reads, with its ground truth beside."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from magic3d_ros.sources.room.ground_truth import RoomMesh, vertices_in_view
from magic3d_ros.sources.room.simulated_room import RenderedFrame, SimulatedRoom
from magic3d_ros.sources.room.workers import WorkerError, in_workers
from magic3d_ros.sources.source import SourceError

WORKERS = 2
"""Processes that render. More than two cores are rarely idle on a robot's computer, and two keep a laptop usable."""

JPEG_QUALITY = 92
BEST_FRAMES = 3


@dataclass(frozen=True)
class FrameReport:
    """What one written frame held: pixels by instance id, share of valid depth, and packed bits of the vertices it shows."""

    pixels: dict[int, int]
    valid: float
    seen: bytes


class FrameWriter:
    """Renders and writes one frame; runs in the worker processes."""

    def __init__(self, room: SimulatedRoom, folder: Path, mesh: RoomMesh) -> None:
        self._room, self._folder, self._mesh = room, folder, mesh

    def __call__(self, index: int) -> FrameReport:
        """Write colour, depth, instances and mask of frame `index`."""
        rendered = self._room.render(index)
        frame, truth = rendered
        self._write(f"color/{index:06d}.jpg", frame.rgb[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        quick = [cv2.IMWRITE_PNG_COMPRESSION, 1]
        self._write(f"depth/{index:06d}.png", np.round(frame.depth * 1000).astype(np.uint16), quick)
        self._write(f"instance/{index:06d}.png", truth.instance.astype(np.uint16), quick)
        self._write(f"mask/{index:06d}.png", truth.distractor.astype(np.uint8) * 255, quick)
        return self._report(index, rendered)

    def _report(self, index: int, rendered: RenderedFrame) -> FrameReport:
        ids, counts = np.unique(rendered.truth.instance, return_counts=True)
        seen = np.packbits(vertices_in_view(self._mesh, self._room.camera, rendered.truth)).tobytes()
        pixels = {int(i): int(n) for i, n in zip(ids, counts, strict=True)}
        return FrameReport(pixels, float((rendered.frame.depth > 0).mean()), seen)

    def _write(self, name: str, picture: np.ndarray, options: list[int]) -> None:
        done, encoded = cv2.imencode(Path(name).suffix, picture, options)
        if not done:
            raise OSError(f"{name} cannot be encoded")
        (self._folder / name).write_bytes(encoded.tobytes())


def write_folder(room: SimulatedRoom, path: Path | str, progress: Callable[[int, int], None] | None = None,
                 workers: int = WORKERS) -> dict[str, float]:
    """Render all frames into a new folder; it appears under its name only when it is complete.

    color/ (JPEG), depth/ (16-bit PNG, millimetres, 0 = no reading), poses_c2w.txt (frame number and 16 values, row-major),
    intrinsics.txt (3x3); instance/ (16-bit ids), mask/ (255 = distractor), instances.json, gt_mesh_labels.npz (the surface that
    the frames show). progress(done, total) is called after each frame. workers: processes; 0 renders in this one.
    Returns statistics: frames, valid_depth, distractor_frames (those with a distractor in .1 % of the image or more).
    Raises SourceError when the folder is not empty or cannot be written; nothing is left behind then.
    """
    path = Path(path)
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise SourceError(f"{path} exists and is not empty: a room is written into a new folder")
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
        temporary.chmod(0o755)
        statistics = _write(room, temporary, progress, workers)
        temporary.replace(path)
        temporary = None
    except OSError as error:
        raise SourceError(f"cannot write the room to {path}: {error.strerror or error}") from error
    except WorkerError as error:
        raise SourceError(f"cannot write the room to {path}: {error}") from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)
    return statistics


def _write(room: SimulatedRoom, folder: Path, progress: Callable[[int, int], None] | None, workers: int) -> dict[str, float]:
    for name in ("color", "depth", "instance", "mask"):
        (folder / name).mkdir()
    mesh = room.mesh()
    writer = FrameWriter(room, folder, mesh)
    results = in_workers(writer, len(room), workers) if workers else ((i, writer(i)) for i in range(len(room)))
    reports: dict[int, FrameReport] = {}
    seen = np.zeros(len(mesh.vertices), bool)
    for index, report in results:
        reports[index] = report
        seen |= np.unpackbits(np.frombuffer(report.seen, np.uint8), count=len(seen)).astype(bool)
        if progress is not None:
            progress(len(reports), len(room))
    _write_poses(room, folder)
    _write_mesh(mesh.only(seen), folder)
    _write_instances(room, folder, reports)
    moving = [instance.id for instance in room.instances if instance.moving]
    enough = 0.001 * room.camera.width * room.camera.height
    visible = sum(sum(report.pixels.get(i, 0) for i in moving) >= enough for report in reports.values())
    valid = float(np.mean([report.valid for report in reports.values()]))
    return {"frames": len(room), "valid_depth": valid, "distractor_frames": visible}


def _write_poses(room: SimulatedRoom, folder: Path) -> None:
    rows = [" ".join([str(i), *(f"{value:.9g}" for value in pose.ravel())]) for i, pose in enumerate(room.poses)]
    (folder / "poses_c2w.txt").write_text("\n".join(rows) + "\n", encoding="ascii")
    np.savetxt(folder / "intrinsics.txt", room.camera.matrix)


def _write_mesh(mesh: RoomMesh, folder: Path) -> None:
    np.savez_compressed(folder / "gt_mesh_labels.npz", vertices=mesh.vertices, faces=mesh.faces, colors=mesh.colors,
                        instance=mesh.instance.astype(np.int16))


def _write_instances(room: SimulatedRoom, folder: Path, reports: dict[int, FrameReport]) -> None:
    """id -> class, name, box, and the frames that show most of it."""
    views: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for index in sorted(reports):
        for identity, pixels in reports[index].pixels.items():
            views[identity].append((pixels, index))
    rows = []
    for instance in room.instances:
        found = sorted(views[instance.id], key=lambda view: (-view[0], view[1]))
        row: dict[str, Any] = {
            "id": instance.id, "class": instance.label, "name": instance.name, "kind": instance.kind, "moving": instance.moving,
            "n_frames": len(found), "best_frames": [index for _, index in found[:BEST_FRAMES]],
            "pixels": sum(pixels for pixels, _ in found)}
        if instance.box is not None:
            row |= {"center": instance.box.center.round(4).tolist(), "size": instance.box.size.round(4).tolist(),
                    "rotation": instance.box.rotation.ravel().round(6).tolist()}
        rows.append(row)
    (folder / "instances.json").write_text(json.dumps({"instances": rows}, indent=1) + "\n", encoding="utf-8")
