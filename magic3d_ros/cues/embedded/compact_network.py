"""The network of the compact monocular predictor: depth, normals and confidence from one image, small enough for a CPU.

Encoder: EfficientNet-Lite0 (Tan and Le 2019) up to its last block, normalisations folded. Decoder: its maps merged from coarse
to fine by 3x3 convolutions, as in U-Net (Ronneberger et al. 2015), with the mean of the coarsest map added everywhere, because
the scale of a room shows in the whole picture. Answers at a quarter of the resolution, enlarged to half.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional

from magic3d_ros.cues.embedded.efficientnet import load_network

STRIDE = 32
"""Images must be a multiple of it wide and high."""

CANONICAL_FOCAL = 160.0
"""Pixels. Depth is predicted as a camera of this focal length would have to see it for the same picture, so that one network
serves all cameras (Metric3D, Yin et al. 2023). In the middle of the training pictures' focal lengths."""

ENCODER_TAPS = (2, 4, 10, 15)
"""Blocks whose answers the decoder reads: the last ones at stride 4, 8, 16 and 32."""

TAP_CHANNELS = (24, 40, 112, 320)
WIDTHS = (64, 96, 128, 160)
"""Channels of the decoder at stride 4, 8, 16, 32: its cost is below that of the encoder."""

FIRST_LOG_DEPTH = 0.7
"""Log of the canonical depth that an untrained network starts at: 2 m, a usual distance in rooms."""


class Prediction(NamedTuple):
    """log_depth: (N, h, w) of the canonical depth in metres. log_scale: (N, h, w), log of the Laplace scale of log_depth's error.
    normals: (N, 3, h, w) unit, camera frame, towards the camera. h, w are half the image's."""

    log_depth: torch.Tensor
    log_scale: torch.Tensor
    normals: torch.Tensor


class CompactNetwork(nn.Module):
    """forward: (N, 3, H, W) float32, (x - 127) / 128 of 8-bit RGB, H and W multiples of 32.

    pretrained: start the encoder from its ImageNet weights (their package must be installed); else they are random.
    """

    def __init__(self, pretrained: bool) -> None:
        super().__init__()
        whole = load_network(pretrained)
        self.stem: nn.Module = whole._conv_stem
        self.blocks: nn.ModuleList = whole._blocks[:ENCODER_TAPS[-1] + 1]
        self.activation = nn.ReLU6(inplace=True)
        self.deepest = nn.Sequential(nn.Conv2d(TAP_CHANNELS[3], WIDTHS[3], 1), nn.GroupNorm(8, WIDTHS[3]), nn.ReLU(inplace=True))
        self.overall = nn.Linear(TAP_CHANNELS[3], WIDTHS[3])
        self.merges = nn.ModuleList(_merge(WIDTHS[i + 1] + TAP_CHANNELS[i], WIDTHS[i]) for i in (2, 1, 0))
        self.answer = nn.Conv2d(WIDTHS[0], 5, 3, padding=1)
        nn.init.normal_(self.answer.weight, std=0.01)

    def forward(self, image: torch.Tensor) -> Prediction:
        """See the class."""
        taps = self.encode(image)
        x = self.deepest(taps[3]) + self.overall(taps[3].mean((2, 3)))[:, :, None, None]
        for merge, tap in zip(self.merges, taps[2::-1], strict=True):
            x = functional.interpolate(x, size=tap.shape[2:], mode="bilinear", align_corners=False)
            x = merge(torch.cat([x, tap], 1))
        answer = functional.interpolate(self.answer(x), scale_factor=2.0, mode="bilinear", align_corners=False)
        facing = answer[:, 2:] - answer.new_tensor([0.0, 0.0, 1.0])[:, None, None]  # untrained: towards the camera
        return Prediction(answer[:, 0] + FIRST_LOG_DEPTH, answer[:, 1].clamp(-6.0, 3.0) - 1.0,
                          functional.normalize(facing, dim=1))

    def encode(self, image: torch.Tensor) -> list[torch.Tensor]:
        """The encoder's maps at stride 4, 8, 16 and 32."""
        x = self.activation(self.stem(image))
        taps = []
        for number, block in enumerate(self.blocks):
            x = block(x)
            if number in ENCODER_TAPS:
                taps.append(x)
        return taps


def _merge(channels: int, width: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(channels, width, 3, padding=1, bias=False), nn.GroupNorm(8, width), nn.ReLU(inplace=True))
