"""From features of superpoints to masks: a transformer whose queries look only where their own mask is.

Mask2Former (Cheng et al. 2022) on superpoints, as SPFormer (Sun et al. 2023); queries start from places in the scene, as in
Mask3D (Schult et al. 2023) and Segment3D (Huang et al. 2024).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional

from magic3d_ros.instances.segmenter.encoder import GraphTensors, perceptron
from magic3d_ros.instances.segmenter.linkage import Linkage
from magic3d_ros.instances.segmenter.queries import PlaceEncoding
from magic3d_ros.instances.segmenter.relations import RELATIONS, linkage_of, relations

OBJECT = 0
"""Class of a query that answers for a thing; 1 = none, another query does."""

_FEED_FORWARD = 4  # hidden layer over width, as in Mask2Former
_RELATION_WIDTH = 16
_SHARPNESS = 2.0  # of dot products of random features, so that masks begin neither flat nor certain
_DESCRIBED = 4
_CERTAIN, _POSSIBLE = 0.8, 0.2  # of mask values: how much a mask grows between the two says how clear its border is


class Prediction(NamedTuple):
    """Of one cloud. layers: (Q, S) logits of masks before any layer and after each; the last is the result. classes: (Q, 2)
    logits. overlaps: (Q,) logits of the IoU that the mask has with a thing. seeds: (Q,) int64 superpoints that queries start
    from."""

    layers: list[torch.Tensor]
    classes: torch.Tensor
    overlaps: torch.Tensor
    seeds: torch.Tensor

    @property
    def masks(self) -> torch.Tensor:
        """(Q, S) logits."""
        return self.layers[-1]


class MaskDecoder(nn.Module):
    """Any number of queries may be asked for, whatever it was trained with: each answers for the thing that its superpoint is
    part of."""

    def __init__(self, width: int, heads: int, layers: int) -> None:
        super().__init__()
        self.place = PlaceEncoding(width)
        self.start = perceptron(width, width, width)
        self.layers = nn.ModuleList(_Layer(width, heads) for _ in range(layers))
        self.relation = nn.ModuleList(perceptron(RELATIONS, _RELATION_WIDTH, _RELATION_WIDTH, 1) for _ in range(layers + 1))
        self.norm = nn.LayerNorm(width)
        self.embedding = perceptron(width, width, width)
        self.mask_features = nn.Linear(width, width)
        self.answer = perceptron(width + _DESCRIBED, width, 3)

    def forward(self, features: torch.Tensor, affinity: torch.Tensor, graph: GraphTensors, seeds: torch.Tensor,
                linkage: Linkage | None = None) -> Prediction:
        """features (S, width), affinity (P,): of the encoder. seeds: (Q,) superpoints. linkage: of the affinity, where known."""
        linkage = linkage_of(affinity, graph) if linkage is None else linkage
        place = self.place(graph.center - graph.center.mean(0))
        mask_features = self.mask_features(features)
        relation = relations(features, affinity, graph, linkage, seeds)
        content, of_seeds = self.start(features[seeds]), place[seeds]
        masks = [self._masks(content, mask_features, relation, 0)]
        for number, layer in enumerate(self.layers, 1):
            outside = masks[-1].detach() < 0
            content = layer(content, of_seeds, features, place, outside & ~outside.all(1, keepdim=True))
            masks.append(self._masks(content, mask_features, relation, number))
        described = torch.cat([self.norm(content), _described(masks[-1].detach(), graph.size, seeds)], 1)
        answer = self.answer(described)
        return Prediction(masks, answer[:, :2], answer[:, 2], seeds)

    def _masks(self, content: torch.Tensor, features: torch.Tensor, relation: torch.Tensor, number: int) -> torch.Tensor:
        """(Q, S): what a query looks for in the features, and where it looks from its seed."""
        alike = self.embedding(self.norm(content)) @ features.T * (_SHARPNESS / math.sqrt(features.shape[1]))
        return alike + self.relation[number](relation)[..., 0]


class _Layer(nn.Module):
    """Masked cross attention, self attention, feed-forward, each with its residual and norm (Mask2Former's order)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.cross = nn.ModuleList(nn.Linear(width, width) for _ in range(4))
        self.own = nn.ModuleList(nn.Linear(width, width) for _ in range(4))
        self.forward_part = perceptron(width, _FEED_FORWARD * width, width)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3))

    def forward(self, content: torch.Tensor, place: torch.Tensor, features: torch.Tensor, places: torch.Tensor,
                outside: torch.Tensor) -> torch.Tensor:
        """content, place: (Q, width). features, places: (S, width). outside: (Q, S) bool, not looked at."""
        looked = self._attended(self.cross, content + place, features + places, features, ~outside)
        content = self.norms[0](content + looked)
        content = self.norms[1](content + self._attended(self.own, content + place, content + place, content, None))
        return self.norms[2](content + self.forward_part(content))

    def _attended(self, maps: nn.ModuleList, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor,
                  seen: torch.Tensor | None) -> torch.Tensor:
        q, k, v = (linear(x).unflatten(1, (self.heads, -1)).transpose(0, 1)
                   for linear, x in zip(maps, (query, key, value), strict=False))
        together = functional.scaled_dot_product_attention(q, k, v, seen)
        return maps[3](together.transpose(0, 1).flatten(1))


def _described(logits: torch.Tensor, size: torch.Tensor, seeds: torch.Tensor) -> torch.Tensor:
    """(Q, _DESCRIBED) of (Q, S) masks: mean value inside, log of points, log of how much they grow with a looser bound, value at
    the seed."""
    value = logits.sigmoid()

    def points(least: float) -> torch.Tensor:
        return ((value > least) * size).sum(1)

    inside = points(0.5)
    mean = (value * (value > 0.5) * size).sum(1) / inside.clamp(min=1)
    spread = points(_POSSIBLE).clamp(min=1).log() - points(_CERTAIN).clamp(min=1).log()
    return torch.stack([mean, torch.log1p(inside) / 5, spread, value[torch.arange(len(seeds), device=seeds.device), seeds]], 1)
