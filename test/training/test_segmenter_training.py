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

from magic3d_ros.instances.region_features import PAIR_FEATURES
from magic3d_ros.instances.segmenter.network import Architecture
from magic3d_ros.instances.segmenter.proposals import Proposals
from magic3d_ros.instances.segmenter.superpoint_features import NODE_FEATURES
from magic3d_ros.instances.segmenter.superpoints import SuperpointGraph
from magic3d_ros.networks.sparse_unet import Shape
from magic3d_ros.training.cloud_samples import UNMASKED, UNSEEN, CloudSample, CloudSampleError
from magic3d_ros.training.processes import Process
from magic3d_ros.training.resuming import TrainingError
from magic3d_ros.training.segmenter_batches import plain_batch, random_batch, varied
from magic3d_ros.training.segmenter_pseudo_labels import agreement, pseudo_label, pseudo_labelled, pseudo_name
from magic3d_ros.training.segmenter_scenes import SURFACE, VIEWS, frame_clouds
from magic3d_ros.training.segmenter_training import Plan, one_cycle, train

TINY = Architecture(Shape((8, 8, 16), (0, 1, 1), (8, 16), (1, 1), 3), width=16, heads=2, layers=1, rounds=1, voxel_size=0.1)
PLAN = Plan(steps=4, batch=2, queries=6, rate=1e-3, seed=0, check_every=2)
ALONE = Process(0, torch.device("cpu"))


def quiet(step: int, figures: object) -> None:
    """No report."""


def boxes(seed: int) -> CloudSample:
    """Two coloured cubes of .8 m, 1.5 m apart, of four superpoints each in a row; the first feature of a pair says whether both
    are of one cube. The last superpoint is unknown."""
    random = np.random.default_rng(seed)
    superpoint = np.repeat(np.arange(8), 75).astype(np.int32)
    label = (np.arange(8) // 4).astype(np.int32)
    points = random.uniform(0, 0.8, (600, 3)) * (0.25, 1, 1) + np.outer(0.2 * superpoint + 0.7 * label[superpoint], (1, 0, 0))
    pairs = np.stack([np.arange(7), np.arange(1, 8)], 1).astype(np.int32)
    edges = random.normal(0, 0.3, (7, PAIR_FEATURES)).astype(np.float32)
    edges[:, 0] += 3 * (label[pairs[:, 0]] == label[pairs[:, 1]])
    edges[:, 2] = 2.0
    colors = np.where(label[superpoint] == 0, 200, 60)[:, None].repeat(3, 1).astype(np.uint8)
    nodes = random.normal(0, 0.3, (8, NODE_FEATURES)).astype(np.float32)
    graph = SuperpointGraph(points.astype(np.float32), colors, superpoint, nodes, pairs, edges)
    return CloudSample(graph, np.where(np.arange(8) == 7, -1, label).astype(np.int32))


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    for seed in range(5):
        boxes(seed).save(tmp_path / f"frame_{seed}.npz")
    return sorted(tmp_path.glob("frame_*.npz"))


def test_a_varied_cloud_is_turned_about_the_vertical_and_scaled() -> None:
    sample = boxes(0)
    other = varied(sample, np.random.default_rng(1))
    assert (other.labels == sample.labels).all() and (other.graph.edges == sample.graph.edges).all()
    before, after = (cloud.graph.points - cloud.graph.points[0] for cloud in (sample, other))
    ratio = np.linalg.norm(after[1:, :2], axis=1) / np.linalg.norm(before[1:, :2], axis=1)
    assert ratio.min() >= 0.9 and ratio.max() <= 1.1 and np.ptp(ratio) < 1e-3
    assert np.allclose(after[:, 2], before[:, 2] * ratio[0], atol=1e-4)
    assert (other.graph.colors != sample.graph.colors).any()


def test_the_same_generator_gives_the_same_batch(files: list[Path]) -> None:
    one, two = (random_batch(files, 2, 0.1, np.random.default_rng(3)) for _ in range(2))
    assert torch.equal(one.tensor.features, two.tensor.features) and len(one.row) == 1200
    assert (one.tensor.sites.batch[one.row] == torch.arange(2).repeat_interleave(600)).all()
    whole = plain_batch(files[:1], 0.1)
    assert whole.labels[0].tolist() == [0, 0, 0, 0, 1, 1, 1, -1] and len(whole.graphs[0]) == 8


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
    with pytest.raises(CloudSampleError, match="nothing that stage 1 finds"):
        pseudo_labelled([tmp_path], "pseudo.npz")


def test_frames_judge_what_they_see() -> None:
    """Thing 0 is one mask in the first frame (IoU 1), half of a mask in the second, which sees more; thing 1 is seen by none."""
    labels, size = np.array([0, 0, 1, -1]), np.array([100.0, 100, 100, 200])
    views = np.array([[4, 4, UNSEEN, UNSEEN], [2, 2, UNSEEN, 2], [UNMASKED, UNSEEN, UNSEEN, 0]], np.int16)
    weights = (200, 200, 100)  # points of thing 0 that the frames see; the third has no mask there
    assert agreement(labels, 2, size, views).tolist() == pytest.approx([(200 * 1 + 200 * 0.5 + 0) / sum(weights), 0.0])


def test_only_what_frames_agree_on_becomes_a_label(tmp_path: Path) -> None:
    class Found:
        """A segmenter that finds both boxes."""

        def things(self, graph: SuperpointGraph) -> Proposals:
            return Proposals(np.repeat([0, 1], 4).astype(np.int32), np.array([0.9, 0.2], np.float32))

    sample = boxes(0)
    CloudSample(sample.graph, np.full(8, -1, np.int32)).save(tmp_path / SURFACE)
    np.save(tmp_path / VIEWS, np.array([[0, 0, 0, 0, 1, 1, 2, 2]], np.int16))
    (tmp_path / "w.safetensors").write_bytes(b"1")
    name = pseudo_name(tmp_path / "w.safetensors")
    assert pseudo_label(Found(), tmp_path, name) == 1  # type: ignore[arg-type]
    assert CloudSample.load(pseudo_labelled([tmp_path], name)[0]).labels.tolist() == [0, 0, 0, 0, -1, -1, -1, -1]
    (tmp_path / "w.safetensors").write_bytes(b"2")
    assert pseudo_name(tmp_path / "w.safetensors") != name
    np.save(tmp_path / VIEWS, np.zeros((1, 3), np.int16))
    with pytest.raises(CloudSampleError, match="of another surface"):
        pseudo_label(Found(), tmp_path, name)  # type: ignore[arg-type]
    (tmp_path / VIEWS).write_bytes(b"no array")
    with pytest.raises(CloudSampleError, match="cannot be read"):
        pseudo_label(Found(), tmp_path, name)  # type: ignore[arg-type]


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
tiny = Architecture(Shape((8, 8, 16), (0, 1, 1), (8, 16), (1, 1), 3), width=16, heads=2, layers=1, rounds=1, voxel_size=0.1)
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
