"""Two small networks: whether two neighbouring regions are one thing, and whether a region is a whole thing.

They learned from rendered random rooms (`magic3d train regions`); the shipped weights say which in their metadata. Two hidden
layers are so small that plain numpy is faster than a framework: a whole map takes a few ten milliseconds of matrix products.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open

from magic3d_ros.instances.region_features import PAIR_FEATURES, WHOLE_FEATURES

WEIGHTS = Path(__file__).parent / "weights" / "regions.safetensors"
FORMAT = "magic3d regions 1"
OVERLAPS = (0.25, 0.5, 0.6, 0.7, 0.8, 0.9)
"""IoU with a true thing that the second network tells the probabilities of: those of ScanNet's AP25 and AP, every other one."""
_CLIP = 4.0  # standard deviations beyond which training saw too little to be trusted
_LAYERS = ("0", "2", "4")


@dataclass(frozen=True)
class Network:
    """Standardised inputs, two hidden layers with rectifiers, logits. layers: (weight (out, in), bias (out,)) of each."""

    mean: np.ndarray
    scale: np.ndarray
    layers: tuple[tuple[np.ndarray, np.ndarray], ...]

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """(N, F) features -> (N, out) probabilities."""
        value = np.clip((features - self.mean) / self.scale, -_CLIP, _CLIP)
        for weight, bias in self.layers[:-1]:
            value = np.maximum(value @ weight.T + bias, 0.0)
        weight, bias = self.layers[-1]
        return 1.0 / (1.0 + np.exp(-(value @ weight.T + bias).astype(np.float64)))


@dataclass(frozen=True)
class RegionClassifier:
    """join: features of pairs (Q, 90) -> (Q, 1). whole: features of regions (R, 41) -> (R, 6), one for each of OVERLAPS."""

    join: Network
    whole: Network


class ClassifierError(RuntimeError):
    """Weights that cannot be used; the message names the file, the cause and the cure."""


@lru_cache(maxsize=4)
def load_classifier(path: Path = WEIGHTS) -> RegionClassifier:
    """Read weights. Raises ClassifierError."""
    cure = "install the package again or train it with `magic3d train regions`"
    if not path.is_file():
        raise ClassifierError(f"the weights of the region classifier {path} are not there: {cure}")
    try:
        with safe_open(path, framework="numpy") as stored:
            written = (stored.metadata() or {}).get("format")
            tensors = {name: stored.get_tensor(name).astype(np.float32) for name in stored.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise ClassifierError(f"{path} is no whole safetensors file ({error}): {cure}") from error
    if written != FORMAT:
        raise ClassifierError(f"{path} holds other weights than the region classifier's (format {written!r}, not '{FORMAT}'): "
                              f"{cure}")
    return RegionClassifier(_network(tensors, "join", PAIR_FEATURES, 1, path),
                            _network(tensors, "whole", WHOLE_FEATURES, len(OVERLAPS), path))


def _network(tensors: dict[str, np.ndarray], name: str, features: int, outputs: int, path: Path) -> Network:
    wanted = [f"{name}.mean", f"{name}.scale", *(f"{name}.{layer}.{part}" for layer in _LAYERS for part in ("weight", "bias"))]
    missing = [tensor for tensor in wanted if tensor not in tensors]
    if missing:
        raise ClassifierError(f"{path} lacks {', '.join(missing)}: train it with `magic3d train regions`")
    if not all(np.isfinite(tensors[tensor]).all() for tensor in wanted):
        raise ClassifierError(f"{path} has weights of '{name}' that are not finite: train it again with `magic3d train regions`")
    layers = tuple((tensors[f"{name}.{layer}.weight"], tensors[f"{name}.{layer}.bias"]) for layer in _LAYERS)
    if layers[0][0].shape[1:] != (features,):
        raise ClassifierError(f"{path}: the network '{name}' takes {layers[0][0].shape[-1]} features, this version computes "
                              f"{features}: train it again with `magic3d train regions`")
    shapes: list[tuple[int, ...]] = [(features,), (features,)]
    width = features
    for out in (len(layers[0][1]), len(layers[1][1]), outputs):
        shapes += [(out, width), (out,)]
        width = out
    if [tensors[tensor].shape for tensor in wanted] != shapes:
        raise ClassifierError(f"{path}: the layers of '{name}' do not fit together: train it again with `magic3d train regions`")
    return Network(tensors[f"{name}.mean"], tensors[f"{name}.scale"], layers)
