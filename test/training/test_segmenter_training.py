"""Training of the segmenter: batches, learning, stopping and going on, several processes, two stages from the command line."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from magic3d_ros.instances.segmenter.network import Architecture
from magic3d_ros.networks.sparse_unet import Shape
from magic3d_ros.training.cloud_samples import CloudSample, CloudSampleError
from magic3d_ros.training.processes import Process
from magic3d_ros.training.resuming import TrainingError
from magic3d_ros.training.segmenter_batches import plain_batch, random_batch, varied
from magic3d_ros.training.segmenter_pseudo_labels import pseudo_label, pseudo_labelled, pseudo_name
from magic3d_ros.training.segmenter_scenes import SURFACE, frame_clouds
from magic3d_ros.training.segmenter_training import Plan, one_cycle, train

TINY = Architecture(Shape((8, 8, 16), (0, 1, 1), (8, 16), (1, 1), 3), width=16, heads=2, rounds=1, voxel_size=0.1)
PLAN = Plan(steps=4, batch=2, queries=6, rate=1e-3, seed=0, check_every=2)
ALONE = Process(0, torch.device("cpu"))


def quiet(step: int, figures: object) -> None:
    """No report."""


def boxes(seed: int) -> CloudSample:
    """Two coloured cubes of .8 m, 1.5 m apart, and unlabelled points between."""
    random = np.random.default_rng(seed)
    label = np.repeat([0, 1, -1], [300, 300, 60]).astype(np.int32)
    points = random.uniform(0, 0.8, (len(label), 3)) + np.outer(np.where(label == 1, 1.5, np.where(label < 0, 0.9, 0)), [1, 0, 0])
    colors = np.where(label == 0, 200, np.where(label == 1, 60, 130))[:, None].repeat(3, 1)
    return CloudSample(points.astype(np.float32), colors.astype(np.uint8), label)


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    for seed in range(5):
        boxes(seed).save(tmp_path / f"frame_{seed}.npz")
    return sorted(tmp_path.glob("frame_*.npz"))


def test_a_varied_cloud_is_turned_about_the_vertical_and_scaled() -> None:
    sample = boxes(0)
    other = varied(sample, np.random.default_rng(1))
    assert len(other) == len(sample) and (other.labels == sample.labels).all()
    before, after = sample.points - sample.points[0], other.points - other.points[0]
    across = np.linalg.norm(before[1:, :2], axis=1)
    ratio = np.linalg.norm(after[1:, :2], axis=1) / across
    assert ratio.min() >= 0.9 and ratio.max() <= 1.1 and np.ptp(ratio) < 1e-3
    assert np.allclose(after[:, 2], before[:, 2] * ratio[0], atol=1e-4)
    assert (other.colors != sample.colors).any()


def test_a_wide_cloud_is_cut_to_what_surrounds_a_point() -> None:
    random = np.random.default_rng(0)
    points = random.uniform(0, 12, (20000, 3)).astype(np.float32)
    sample = CloudSample(points, np.zeros((20000, 3), np.uint8), np.zeros(20000, np.int32))
    spread = np.ptp(varied(sample, random).points, axis=0)
    assert (spread[:2] <= 4 * 1.1 * 2**0.5).all() and spread[2] > 10


def test_the_same_generator_gives_the_same_batch(files: list[Path]) -> None:
    one, two = (random_batch(files, 2, 0.1, np.random.default_rng(3)) for _ in range(2))
    assert torch.equal(one.tensor.features, two.tensor.features)
    assert [len(labels) for labels in one.labels] == torch.bincount(one.tensor.sites.batch).tolist()
    whole = plain_batch(files[:1], 0.1)
    assert set(whole.labels[0].tolist()) == {-1, 0, 1}


def test_the_rate_goes_through_one_cycle_as_torch_has_it() -> None:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], 1.0)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1.0, total_steps=50)
    for step in range(50):
        assert one_cycle(step, 50) == pytest.approx(schedule.get_last_lr()[0], abs=1e-6)
        optimizer.step()
        if step < 49:
            schedule.step()


def test_stopped_training_goes_on_to_the_same_weights(tmp_path: Path, files: list[Path]) -> None:
    class Stopped(Exception):
        pass

    def stop_at_three(step: int, figures: object) -> None:
        if step == 3:
            raise Stopped

    whole, parts = tmp_path / "whole.safetensors", tmp_path / "parts.safetensors"
    train(files[1:], files[:1], whole, TINY, PLAN, quiet, ALONE)
    with pytest.raises(Stopped):
        train(files[1:], files[:1], parts, TINY, PLAN, stop_at_three, ALONE)
    figures = train(files[1:], files[:1], parts, TINY, PLAN, quiet, ALONE)
    assert figures.step == 4
    ours, theirs = load_file(whole), load_file(parts)
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    steps = [json.loads(line)["step"] for line in parts.with_suffix(".log.jsonl").read_text().splitlines()]
    assert steps == [2, 4]


def test_it_learns(tmp_path: Path, files: list[Path]) -> None:
    seen = []
    plan = dataclasses.replace(PLAN, steps=60, check_every=10, rate=5e-3)
    train(files[1:], files[:1], tmp_path / "w.safetensors", TINY, plan, lambda step, figures: seen.append(figures), ALONE)
    checks = [figures for figures in seen if figures is not None]
    assert checks[-1].loss < 0.6 * checks[0].loss


def test_what_cannot_go_on_is_named(tmp_path: Path, files: list[Path]) -> None:
    weights = tmp_path / "w.safetensors"
    with pytest.raises(TrainingError, match="too few: name more scenes"):
        train(files, [], weights, TINY, PLAN, quiet, ALONE)
    train(files[1:], files[:1], weights, TINY, dataclasses.replace(PLAN, steps=1), quiet, ALONE)
    with pytest.raises(TrainingError, match="batch and seed"):
        train(files[1:], files[:1], weights, TINY, dataclasses.replace(PLAN, seed=7), quiet, ALONE)
    other = dataclasses.replace(TINY, width=32)
    with pytest.raises(TrainingError, match="another architecture") as error:
        train(files[1:], files[:1], weights, other, PLAN, quiet, ALONE)
    assert "\n" not in str(error.value)
    with pytest.raises(TrainingError, match="another architecture than"):
        train(files[1:], files[:1], tmp_path / "new.safetensors", other, PLAN, quiet, ALONE, start=weights)
    weights.with_suffix(".state.pt").write_bytes(b"no state")
    with pytest.raises(TrainingError, match="not a whole state"):
        train(files[1:], files[:1], weights, TINY, PLAN, quiet, ALONE)


def test_folders_without_a_usable_mask_are_named(tmp_path: Path) -> None:
    with pytest.raises(CloudSampleError, match="no frame of these scenes has a usable mask"):
        frame_clouds([tmp_path])
    with pytest.raises(CloudSampleError, match=r"sure .* of nothing"):
        pseudo_labelled([tmp_path], "pseudo.npz")


def test_only_what_stage_1_is_sure_of_becomes_a_label(tmp_path: Path) -> None:
    class Sure:
        """A segmenter that gives back what it is asked for."""

        def propose(self, points, colors, least_score):
            from magic3d_ros.instances.segmenter.proposals import Proposals

            assert least_score == 0.6
            return Proposals(np.where(points[:, 0] < 1, 0, -1).astype(np.int32), np.array([0.9], np.float32))

    sample = boxes(0)
    CloudSample(sample.points, sample.colors, np.full(len(sample), -1, np.int32)).save(tmp_path / SURFACE)
    (tmp_path / "w.safetensors").write_bytes(b"1")
    name = pseudo_name(tmp_path / "w.safetensors")
    assert pseudo_label(Sure(), tmp_path, name) == 1  # type: ignore[arg-type]
    assert (CloudSample.load(pseudo_labelled([tmp_path], name)[0]).labels == np.where(sample.points[:, 0] < 1, 0, -1)).all()
    (tmp_path / "w.safetensors").write_bytes(b"2")
    assert pseudo_name(tmp_path / "w.safetensors") != name


OF_TWO = """
import sys
from pathlib import Path
import torch
from magic3d_ros.instances.segmenter.network import Architecture
from magic3d_ros.networks.sparse_unet import Shape
from magic3d_ros.training.processes import processes
from magic3d_ros.training.segmenter_training import Plan, train

torch.set_num_threads(1)
folder = Path(sys.argv[1])
files = sorted(folder.glob("frame_*.npz"))
tiny = Architecture(Shape((8, 8, 16), (0, 1, 1), (8, 16), (1, 1), 3), width=16, heads=2, rounds=1, voxel_size=0.1)
with processes() as process:
    process.wait()
    train(files[1:], files[:1], folder / "both.safetensors", tiny, Plan(4, 2, 6, 1e-3, 0, 2), lambda *_: None, process)
(folder / f"rank{process.rank}").write_text("done")
"""


@pytest.mark.slow
def test_two_processes_of_torchrun_train_one_network(tmp_path: Path, files: list[Path]) -> None:
    script = tmp_path / "of_two.py"
    script.write_text(OF_TWO)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", str(script), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "rank0").exists() and (tmp_path / "rank1").exists()
    train(files[1:], files[:1], tmp_path / "one.safetensors", TINY, PLAN, quiet, ALONE)
    both, one = load_file(tmp_path / "both.safetensors"), load_file(tmp_path / "one.safetensors")
    assert any(not torch.equal(both[name], one[name]) for name in one)  # the second process' batches counted
    assert len((tmp_path / "both.log.jsonl").read_text().splitlines()) == 2  # only the first wrote
