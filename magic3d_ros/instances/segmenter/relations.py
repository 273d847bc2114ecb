"""How each superpoint lies to the one that a query starts from: what a mask is told beside the features of both."""

from __future__ import annotations

import numpy as np
import torch
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra

from magic3d_ros.instances.segmenter.encoder import GraphTensors
from magic3d_ros.instances.segmenter.linkage import Linkage, average_linkage

RELATIONS = 8
_FARTHEST = 30.0  # nats of a path; beyond, nothing is one thing
_STEP = 1e-3  # nats that a sure border costs, so that of equal paths the shorter one is nearer
_NEAR = 0.05  # metres, and nats: logarithms tell no less apart
_SURE = 0.003  # of a probability, so that its logit is finite


def linkage_of(affinity: torch.Tensor, graph: GraphTensors) -> Linkage:
    """Clusters by average linkage of (P,) affinity logits; no gradient goes through them."""
    return average_linkage(affinity.detach().sigmoid().double().cpu().numpy(), graph.border.double().cpu().numpy(),
                           graph.pairs.cpu().numpy(), len(graph))


def relations(features: torch.Tensor, affinity: torch.Tensor, graph: GraphTensors, linkage: Linkage,
              seeds: torch.Tensor) -> torch.Tensor:
    """(Q, S, RELATIONS) of (Q,) seeds to all superpoints.

    The affinity at which both join (logit), the cheapest path of affinities between them (log of nats), distance, level
    distance (log of metres), rise and its size (metres), likeness of features, and whether it is the seed itself.
    """
    joined = torch.from_numpy(linkage.joined_at(seeds.cpu().numpy())).float().to(features.device).clamp(_SURE, 1 - _SURE)
    offset = graph.center[None] - graph.center[seeds][:, None]
    itself = torch.arange(len(graph), device=features.device)[None] == seeds[:, None]
    return torch.stack([torch.logit(joined) / 2, torch.log(_paths(affinity, graph, seeds) + _NEAR),
                        torch.log(offset.norm(dim=-1) + _NEAR), torch.log(offset[..., :2].norm(dim=-1) + _NEAR),
                        offset[..., 2], offset[..., 2].abs(), features[seeds] @ features.T / features.shape[1],
                        itself.float()], -1)


def _paths(affinity: torch.Tensor, graph: GraphTensors, seeds: torch.Tensor) -> torch.Tensor:
    """(Q, S) least sum of -log affinity (P,) along a path from each seed to each superpoint."""
    cost = torch.nn.functional.softplus(-affinity.detach()).double().cpu().numpy() + _STEP
    one, other = graph.pairs.cpu().numpy().T
    costs = coo_matrix((cost, (one, other)), shape=(len(graph),) * 2).tocsr()
    nats = dijkstra(costs, directed=False, indices=seeds.cpu().numpy(), limit=_FARTHEST)
    return torch.from_numpy(np.minimum(nats, _FARTHEST)).float().to(affinity.device)
