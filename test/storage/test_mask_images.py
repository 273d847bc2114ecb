from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from magic3d_ros.frames import Camera, RGBDFrame
from magic3d_ros.mapping.distractors.verdict import DistractorVerdict
from magic3d_ros.storage.mask_images import MaskImages


def judged(index: int) -> tuple[RGBDFrame, DistractorVerdict]:
    camera = Camera(3, 2, 1, 1, 1, 1)
    frame = RGBDFrame(index, np.zeros((2, 3, 3), np.uint8), np.ones((2, 3), np.float32), camera, np.eye(4), index)
    beta = np.full((2, 3), 0.5, np.float32)
    beta[0, 0] = 3.0
    return frame, DistractorVerdict(index, beta, beta > 1, (beta < 1).astype(np.float32))


def test_images_stand_beside_the_map_under_the_names_of_the_frames(tmp_path: Path) -> None:
    images = MaskImages(tmp_path / "map", {7: "frame-07.color"})
    images.write(*judged(7))
    images.write(*judged(8))
    (tmp_path / "map").mkdir()
    folder = images.finish()
    assert sorted(p.name for p in folder.iterdir()) == ["000008.png", "frame-07.color.png"]
    image = cv2.imread(str(folder / "000008.png"), cv2.IMREAD_UNCHANGED)
    assert image.tolist() == [[230, 51, 51], [51, 51, 51]]  # 255 * 9 / 10 and 255 * .25 / 1.25
    assert [p.name for p in tmp_path.iterdir()] == ["map"]


def test_images_of_an_earlier_run_are_replaced_and_failed_runs_leave_nothing(tmp_path: Path) -> None:
    (tmp_path / "map" / "masks").mkdir(parents=True)
    (tmp_path / "map" / "masks" / "old.png").write_bytes(b"x")
    failed = MaskImages(tmp_path / "map")
    failed.write(*judged(1))
    failed._waiting.cleanup()
    images = MaskImages(tmp_path / "map")
    images.write(*judged(2))
    assert [p.name for p in images.finish().iterdir()] == ["000002.png"]
    assert [p.name for p in tmp_path.iterdir()] == ["map"]
