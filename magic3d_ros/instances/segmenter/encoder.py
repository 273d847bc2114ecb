"""From voxels and superpoints to features of superpoints, and to how surely two neighbours are one thing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import pairwise

import torch
from torch import nn

from magic3d_ros.instances.region_features import PAIR_FEATURES
from magic3d_ros.instances.segmenter.superpoint_features import NODE_FEATURES
from magic3d_ros.instances.segmenter.superpoints import SuperpointGraph
from magic3d_ros.networks.sparse_convolution import RowNorm
from magic3d_ros.networks.sparse_tensor import mean_by_row


@dataclass(frozen=True)
class GraphTensors:
    """A `SuperpointGraph` as tensors: superpoint (n,) int64, center (S, 3) metres, size (S,) points, nodes (S, F), pairs (P, 2)
    int64, edges (P, F'), border (P,)."""

    superpoint: torch.Tensor
    center: torch.Tensor
    size: torch.Tensor
    nodes: torch.Tensor
    pairs: torch.Tensor
    edges: torch.Tensor
    border: torch.Tensor

    @staticmethod
    def of(graph: SuperpointGraph, device: torch.device) -> GraphTensors:
        """On a device."""
        arrays = (graph.superpoint.astype("int64"), graph.center, graph.size, graph.nodes, graph.pairs.astype("int64"),
                  graph.edges, graph.border)
        return GraphTensors(*(torch.from_numpy(array).to(device) for array in arrays))

    def __len__(self) -> int:
        return len(self.nodes)

    def to(self, device: torch.device) -> GraphTensors:
        """On another device."""
        return GraphTensors(*(getattr(self, field.name).to(device) for field in fields(self)))


def perceptron(*widths: int) -> nn.Sequential:
    """Linear layers with ReLU between them."""
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.Linear(before, after), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


class SuperpointEncoder(nn.Module):
    """Means of voxel features over each superpoint, beside what is measured of it; neighbours then tell each other what they are
    (message passing with features of the border: Gilmer et al. 2017)."""

    def __init__(self, voxel_width: int, width: int, rounds: int) -> None:
        """voxel_width: channels of the voxel features. rounds: of messages."""
        super().__init__()
        self.node_norm, self.edge_norm = RowNorm(NODE_FEATURES), RowNorm(PAIR_FEATURES)
        self.edge = perceptron(PAIR_FEATURES, width, width // 2)
        self.node = perceptron(NODE_FEATURES + voxel_width, width, width)
        self.message = nn.ModuleList(perceptron(2 * width + width // 2, width, width) for _ in range(rounds))
        self.update = nn.ModuleList(perceptron(2 * width, width, width) for _ in range(rounds))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(rounds))
        self.affinity = perceptron(2 * width + width // 2, width, 1)

    def forward(self, voxels: torch.Tensor, row: torch.Tensor, graphs: Sequence[GraphTensors]
                ) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        """Features (S, width) of the superpoints of every cloud of a batch, and logits (P,) that a pair is one thing.

        voxels: (V, voxel_width) of the batch; row: (n of all clouds,) voxel of each point.
        """
        count, pair_count = [len(graph) for graph in graphs], [len(graph.pairs) for graph in graphs]
        first = [sum(count[:k]) for k in range(len(count))]
        superpoint = torch.cat([graph.superpoint + k for graph, k in zip(graphs, first, strict=True)])
        pairs = torch.cat([graph.pairs + k for graph, k in zip(graphs, first, strict=True)])
        pooled = mean_by_row(voxels[row], superpoint, sum(count))
        nodes = self.node(torch.cat([self.node_norm(torch.cat([graph.nodes for graph in graphs])), pooled], 1))
        edges = self.edge(self.edge_norm(torch.cat([graph.edges for graph in graphs]))) if len(pairs) else \
            nodes.new_zeros(0, nodes.shape[1] // 2)
        one, other = torch.cat([pairs, pairs.flip(1)]).T
        both_ways = torch.cat([edges, edges])
        degree = nodes.new_zeros(len(nodes)).index_add_(0, one, nodes.new_ones(len(one))).clamp(min=1)[:, None]
        for message, update, norm in zip(self.message, self.update, self.norms, strict=True):
            told = torch.relu(message(torch.cat([nodes[one], nodes[other], both_ways], 1)))
            heard = torch.zeros_like(nodes).index_add_(0, one, told) / degree
            nodes = norm(nodes + update(torch.cat([nodes, heard], 1)))
        a, b = nodes[pairs[:, 0]], nodes[pairs[:, 1]]
        affinity = self.affinity(torch.cat([a + b, (a - b).abs(), edges], 1))[:, 0]
        return list(nodes.split(count)), list(affinity.split(pair_count))
