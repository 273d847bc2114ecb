"""From a pyramid of voxel features to masks: a transformer whose queries look only where their own mask is.

Mask2Former (Cheng et al. 2022) on sparse voxels, as Mask3D (Schult et al. 2023) and Segment3D (Huang et al. 2024) use it.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional

from magic3d_ros.instances.segmenter.queries import PlaceEncoding, furthest_points
from magic3d_ros.networks.sparse_tensor import SparseTensor, mean_by_row

OBJECT = 0
"""Class of a query that found a thing; 1 = it found nothing."""

_FEED_FORWARD = 4  # hidden layer over width, as in Mask2Former
_LEVELS = 3  # coarsest levels of the pyramid that queries look at, in turn, as in Mask2Former


class Prediction(NamedTuple):
    """Of one cloud. classes: (Q, 2) logits, object or nothing. masks: (Q, V) logits of every voxel, in the cloud's order.
    seeds: (Q,) int64 voxels that the queries started from."""

    classes: torch.Tensor
    masks: torch.Tensor
    seeds: torch.Tensor


class _Level(NamedTuple):
    """What queries look at. content, place: (V_l, width). mask_features: (V_l, width), means of those of the finest voxels."""

    content: torch.Tensor
    place: torch.Tensor
    mask_features: torch.Tensor


class MaskDecoder(nn.Module):
    """Queries start at furthest points with the features found there (Mask3D's non-parametric queries), so that any number of
    them may be asked for, whatever it was trained with."""

    def __init__(self, pyramid_widths: list[int], width: int, heads: int, rounds: int) -> None:
        """pyramid_widths: channels of each level, coarsest first. rounds: times that all levels are looked at, each time by
        layers of its own."""
        super().__init__()
        used = pyramid_widths[:_LEVELS]
        self.place = PlaceEncoding(width)
        self.mask_place = PlaceEncoding(width)
        self.of_level = nn.ModuleList(nn.Linear(channels, width) for channels in used)
        self.start = nn.Sequential(nn.Linear(pyramid_widths[-1], width), nn.ReLU(), nn.Linear(width, width))
        self.layers = nn.ModuleList(_Layer(width, heads) for _ in range(rounds * len(used)))
        self.norm = nn.LayerNorm(width)
        self.classes = nn.Linear(width, 2)
        self.mask_embedding = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(),
                                            nn.Linear(width, width))

    def forward(self, pyramid: list[SparseTensor], mask_features: SparseTensor, cloud: int, queries: int, first: int = 0,
                every_layer: bool = False) -> list[Prediction]:
        """Predictions of one cloud of a batch, the last is the result; with every_layer those of all layers before it too.

        pyramid: coarsest level first. mask_features: of the finest level, (V, width); the logits of a mask are their dot products
        with what a query makes of it. queries: at most so many; a cloud of fewer voxels gets fewer. first: row of the cloud's
        voxels to start the queries from.
        """
        finest, points = pyramid[-1].of_cloud(cloud)
        middle = points.mean(0)
        own_features = mask_features.of_cloud(cloud)[0] + self.mask_place(points - middle)
        levels = self._levels(pyramid, cloud, middle, own_features)
        seeds = furthest_points(points, queries, first)
        place = self.place(points[seeds] - middle)
        content = self.start(finest[seeds]) + place
        found = [self._predicted(content, own_features, seeds)] if every_layer else []
        for number, layer in enumerate(self.layers):
            level = levels[number % len(levels)]
            content = layer(content, place, level, self._outside(content, level))
            if every_layer or number == len(self.layers) - 1:
                found.append(self._predicted(content, own_features, seeds))
        return found

    def _levels(self, pyramid: list[SparseTensor], cloud: int, middle: torch.Tensor, mask_features: torch.Tensor) -> list[_Level]:
        """The looked-at levels, coarsest first; their mask features are means over the voxels they cover, level by level."""
        means, levels = mask_features, []
        for number in reversed(range(len(pyramid))):
            features, centers = pyramid[number].of_cloud(cloud)
            if number < len(pyramid) - 1:
                means = mean_by_row(means, _parents(pyramid[number + 1], cloud), len(features))
            if number < len(self.of_level):
                levels.append(_Level(self.of_level[number](features), self.place(centers - middle), means))
        return levels[::-1]

    def _outside(self, content: torch.Tensor, level: _Level) -> torch.Tensor:
        """(Q, V_l) bool, where the masks so far are not; a query without any mask looks everywhere."""
        with torch.no_grad():
            outside = self.mask_embedding(self.norm(content)) @ level.mask_features.T < 0
            return outside & ~outside.all(1, keepdim=True)

    def _predicted(self, content: torch.Tensor, mask_features: torch.Tensor, seeds: torch.Tensor) -> Prediction:
        content = self.norm(content)
        return Prediction(self.classes(content), self.mask_embedding(content) @ mask_features.T, seeds)


class _Layer(nn.Module):
    """Masked cross attention, self attention, feed-forward, each with its residual and norm (Mask2Former's order)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.cross = nn.ModuleList(nn.Linear(width, width) for _ in range(4))
        self.own = nn.ModuleList(nn.Linear(width, width) for _ in range(4))
        self.forward_part = nn.Sequential(nn.Linear(width, _FEED_FORWARD * width), nn.ReLU(),
                                          nn.Linear(_FEED_FORWARD * width, width))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3))

    def forward(self, content: torch.Tensor, place: torch.Tensor, level: _Level, outside: torch.Tensor) -> torch.Tensor:
        """content, place: (Q, width). outside: (Q, V_l) bool, not looked at."""
        looked = self._attended(self.cross, content + place, level.content + level.place, level.content, ~outside)
        content = self.norms[0](content + looked)
        content = self.norms[1](content + self._attended(self.own, content + place, content + place, content, None))
        return self.norms[2](content + self.forward_part(content))

    def _attended(self, maps: nn.ModuleList, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor,
                  seen: torch.Tensor | None) -> torch.Tensor:
        q, k, v = (linear(x).unflatten(1, (self.heads, -1)).transpose(0, 1)
                   for linear, x in zip(maps, (query, key, value), strict=False))
        together = functional.scaled_dot_product_attention(q, k, v, seen)
        return maps[3](together.transpose(0, 1).flatten(1))


def _parents(finer: SparseTensor, cloud: int) -> torch.Tensor:
    """(V,) for each voxel of a cloud the row of the next coarser level's, counted within the cloud."""
    sites, joins = finer.sites.coarser
    parent = torch.empty(len(finer), dtype=torch.long, device=finer.features.device)
    for child, above in zip(joins.inputs, joins.outputs, strict=True):
        parent[child] = above
    before = torch.searchsorted(sites.batch.contiguous(), torch.tensor(cloud, device=parent.device))
    return parent[finer.sites.batch == cloud] - before
