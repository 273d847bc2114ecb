"""The sparse 3D U-Net that predicts language features from geometry, and its file."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from magic3d_ros.language.distillation_scene import DistillationScene
from magic3d_ros.networks.sparse_tensor import SparseTensor
from magic3d_ros.networks.sparse_unet import SMALL, Shape, SparseUNet

FORMAT = "magic3d distillation 1"
INPUTS = {"normals": 3, "height": 1, "colors": 3}
"""What the network may be told of a voxel besides that it is there (OpenScene tells nothing more), and channels."""
CELL = 0.08
"""m; edge of the network's voxels. Twice the language layer's: four times less work a step, and reach to twice as far; after 40 s
on one core it reached an mIoU of .17 on the oracle's features, with 4 cm .11 (docs/distillation.md)."""
_HEIGHT = 2.5
"""m; the height of a room is about one."""


class DistillationError(RuntimeError):
    """Weights that cannot be used, or training that cannot go on; the message names the cause and the cure."""


@dataclass(frozen=True)
class DistillationPlan:
    """What a network is made for. encoder: name of the language model whose features it predicts. dimension: of these features.
    voxel_size: metres, of the language layer. inputs: of INPUTS. shape: of the U-Net. cell: metres, edge of its voxels."""

    encoder: str
    dimension: int
    voxel_size: float
    inputs: tuple[str, ...] = ("normals", "height")
    shape: Shape = SMALL
    cell: float = CELL

    def __post_init__(self) -> None:
        unknown = [name for name in self.inputs if name not in INPUTS]
        if unknown or len(set(self.inputs)) < len(self.inputs):
            raise DistillationError(f"inputs of the network are some of {', '.join(INPUTS)}, each once, not "
                                    f"{', '.join(self.inputs)}")


class DistillationNetwork(nn.Module):
    """Unit language features of voxels, predicted from where they are."""

    def __init__(self, plan: DistillationPlan) -> None:
        super().__init__()
        self.plan = plan
        shape = plan.shape
        self.unet = SparseUNet(1 + sum(INPUTS[name] for name in plan.inputs), plan.dimension, shape.widths, shape.blocks,
                               shape.up_widths, shape.up_blocks, shape.kernel)

    def forward(self, scenes: Sequence[DistillationScene], turns: Sequence[np.ndarray] | None = None) -> torch.Tensor:
        """Features (sum of V, C), of any length, of all voxels of some scenes, one after the other.

        turns: for each scene a (3, 3) rotation about z, perhaps mirrored, in which it is shown; None = as it is.
        """
        points, features, cloud = [], [], []
        for number, scene in enumerate(scenes):
            turn = np.eye(3) if turns is None else turns[number]
            points.append(scene.points @ turn.T)
            features.append(self._inputs(scene, turn))
            cloud.append(np.full(len(scene), number))
        place, told, number_of = (torch.from_numpy(np.concatenate(parts)).to(self.unet.head.weight.device)
                                  for parts in (points, features, cloud))
        tensor, row = SparseTensor.from_points(place, told.float(), self.plan.cell, number_of)
        found: torch.Tensor = self.unet(tensor).features[row]
        return found

    @torch.no_grad()
    def predict(self, scene: DistillationScene) -> np.ndarray:
        """(V, C) float32 of unit length. The network is left ready to predict."""
        if len(scene) == 0:
            return np.zeros((0, self.plan.dimension), np.float32)
        self.eval()
        found: np.ndarray = nn.functional.normalize(self([scene]), dim=1).float().cpu().numpy()
        return found

    def _inputs(self, scene: DistillationScene, turn: np.ndarray) -> np.ndarray:
        """(V, channels): one, and what `plan.inputs` says."""
        parts = {"normals": scene.normals @ turn.T, "height": scene.points[:, 2:] / _HEIGHT, "colors": scene.colors / 127.5 - 1.0}
        return np.concatenate([np.ones((len(scene), 1)), *(parts[name] for name in self.plan.inputs)], 1)


def save_network(network: DistillationNetwork, file: Path, note: dict[str, str]) -> None:
    """Weights as float16 safetensors; the plan and `note` go into the file's metadata."""
    tensors = {name: (t.half() if t.is_floating_point() else t).detach().contiguous() for name, t in network.state_dict().items()}
    temporary = file.with_suffix(".partial")
    save_file(tensors, temporary, {"format": FORMAT, "plan": json.dumps(asdict(network.plan)), **note})
    os.replace(temporary, file)


def load_network(file: Path, encoder: str, dimension: int, voxel_size: float) -> DistillationNetwork:
    """What `save_network` wrote, for the features at hand. Raises DistillationError for another file, and for a network that
    predicts other features."""
    try:
        with safe_open(file, "pt") as stored:  # type: ignore[no-untyped-call]
            about = stored.metadata() or {}
            if about.get("format") != FORMAT:
                raise DistillationError(f"{file} holds no network of `magic3d train distill`")
            plan = _plan(about["plan"])
            wanted = DistillationPlan(encoder, dimension, voxel_size, plan.inputs, plan.shape, plan.cell)
            if plan != wanted:
                raise DistillationError(f"{file} predicts features of {plan.encoder} in {plan.dimension} dimensions for voxels "
                                        f"of {plan.voxel_size} m, the map has {encoder}, {dimension} and {voxel_size} m: train "
                                        "one with `magic3d train distill`, or leave distillation.weights empty")
            network = DistillationNetwork(plan)
            network.load_state_dict({name: stored.get_tensor(name) for name in stored.keys()})  # noqa: SIM118
    except (OSError, SafetensorError, RuntimeError, KeyError, TypeError, ValueError) as error:
        if isinstance(error, DistillationError):
            raise
        raise DistillationError(f"{file} cannot be read as a network ({error}): name a file that `magic3d train distill` "
                                "wrote, or leave distillation.weights empty") from error
    return network.eval()


def _plan(text: str) -> DistillationPlan:
    values = json.loads(text)
    widths, blocks, up_widths, up_blocks, kernel = values.pop("shape")
    shape = Shape(tuple(widths), tuple(blocks), tuple(up_widths), tuple(up_blocks), kernel)
    return DistillationPlan(**{**values, "inputs": tuple(values["inputs"]), "shape": shape})
