"""What is known of the configured models: where they are expected, licence, size, whether they are there, how to get them."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path

from magic3d_ros.config import Settings
from magic3d_ros.cues import tiers
from magic3d_ros.cues.weights import ModelError, how_to_get, local_places

APACHE = "Apache-2.0"
PUBLISHED: dict[str, tuple[str, int]] = {
    "facebook/dinov2-small": (APACHE, 88), "facebook/dinov2-base": (APACHE, 346), "facebook/dinov2-large": (APACHE, 1217),
    "facebook/sam-vit-base": (APACHE, 375), "facebook/sam-vit-large": (APACHE, 1249), "facebook/sam-vit-huge": (APACHE, 2564),
    "facebook/sam2.1-hiera-tiny": (APACHE, 156), "facebook/sam2.1-hiera-small": (APACHE, 184),
    "google/siglip-base-patch16-224": (APACHE, 813), "google/siglip2-base-patch16-224": (APACHE, 1500),
    "laion/CLIP-ViT-B-16-laion2B-s34B-b88K": ("MIT", 599),
    "openai/clip-vit-base-patch16": ("its page names none, OpenAI's repository is MIT", 599),
    "depth-anything/Depth-Anything-V2-Small-hf": (APACHE, 99),
    "depth-anything/Depth-Anything-V2-Base-hf": ("CC-BY-NC-4.0: not for commercial use", 390),
    "depth-anything/Depth-Anything-V2-Large-hf": ("CC-BY-NC-4.0: not for commercial use", 1341),
    "depth-anything/DA3-SMALL": (APACHE, 137),
    "depth-anything/DA3-BASE": (APACHE, 541),
    "depth-anything/DA3MONO-LARGE": (APACHE, 1400),
    "depth-anything/DA3METRIC-LARGE": (APACHE, 1400),
    "apple/DepthPro-hf": ("Apple AMLR: for research only", 1900),
    "prs-eth/marigold-depth-v1-0": (APACHE, 5200),
}
"""hub name -> licence, MB of weights, as the hub's pages of these models have them (some sizes: four bytes a parameter, as
many as the authors state). Read the licence on the model's own page before you rely on it."""


@dataclass(frozen=True)
class ModelEntry:
    """One kind's model. place: its folder or file, else where it is expected. problem: why it is not there, "" = it is."""

    kind: str
    model: str
    present: bool
    place: str
    licence: str
    megabytes: int
    problem: str
    cure: str


def entries(settings: Settings) -> list[ModelEntry]:
    """The configured model of every kind. Looks at this machine alone, fetches nothing."""
    return [entry(kind, settings) for kind in tiers.KINDS]


def entry(kind: str, settings: Settings) -> ModelEntry:
    """What is known of one kind's model."""
    model = tiers.model_of(kind, settings)
    if model == tiers.NONE:
        return ModelEntry(kind, model, True, "", "", 0, "", "")
    if model == tiers.EMBEDDED:
        return ModelEntry(kind, model, True, "pip packages", APACHE, 0, "", "")
    offline = copy.deepcopy(settings)
    offline.cues.allow_download = False
    name, licence, size = model, "see its page", 0
    try:
        name = tiers.hub_name(model)
        licence, size = PUBLISHED.get(name, (licence, size))
        place = tiers.find(kind, offline)
    except ModelError as error:
        expected = local_places(name, settings.cues)[:2][-1]  # in cues.model_directory by its full name
        cure = how_to_get(name, settings.cues)
        return ModelEntry(kind, model, False, str(expected.absolute()), licence, size, str(error), cure)
    return ModelEntry(kind, model, True, str(place), licence_of(place) or licence, megabytes(place), "", "")


def licence_of(folder: Path) -> str:
    """What the front matter of a model card (README.md) in the folder says; "" = nothing."""
    card = folder / "README.md"
    if not card.is_file():
        return ""
    head = card.read_text(encoding="utf-8", errors="replace")[:10_000].splitlines()
    if not head or head[0].strip() != "---":
        return ""
    for line in head[1:]:
        if line.strip() == "---":
            break
        name, _, value = line.partition(":")
        if name == "license":
            return value.strip()
    return ""


def megabytes(place: Path) -> int:
    """Size of a file, or of all files in a folder."""
    files = [place] if place.is_file() else [path for path in place.rglob("*") if path.is_file()]
    return round(sum(path.stat().st_size for path in files) / 1e6)
