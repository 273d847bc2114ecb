"""Settings -> models. What a checkpoint is, its own files say; which model serves, a section's `model` or else the tier."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

from magic3d_ros.config import Settings
from magic3d_ros.cues.protocols import EdgeModel, FeatureModel, GeometryModel, LanguageModel, MaskModel
from magic3d_ros.cues.weights import WEIGHTS, ModelError, find_model, read_config

if TYPE_CHECKING:
    from magic3d_ros.cues.placement import Placement

EMBEDDED, NONE = "embedded", "none"
TIERS = {
    "embedded": {"features": EMBEDDED, "masks": NONE, "language": EMBEDDED, "depth": NONE, "normals": NONE, "edges": NONE},
    # The smallest of each family whose licence (Apache-2.0) allows every use: docs/models.md.
    "foundation": {"features": "facebook/dinov2-small", "masks": "facebook/sam2.1-hiera-tiny",
                   "language": "google/siglip2-base-patch16-224", "depth": "depth-anything/Depth-Anything-V2-Small-hf",
                   "normals": NONE, "edges": NONE},
}
"""tier -> section of the settings -> its model where it names none"""
KINDS = tuple(TIERS["embedded"])
"""the kinds of model, by their sections of the settings"""


def model_of(kind: str, settings: Settings) -> str:
    """What serves a kind: "embedded", "none", or a folder, a file or a name of the hub."""
    named: str = getattr(settings, kind).model
    return named or TIERS[settings.cues.tier][kind]


def has_model(kind: str, settings: Settings) -> bool:
    """Whether a model serves a kind. The embedded tier's masks are no model's: the pipeline makes them of depth and colour."""
    model = model_of(kind, settings)
    return model != NONE and not (kind == "masks" and model == EMBEDDED)


def short_name(model: str) -> str:
    """A model's name without its owner or folder, so that it is the same on two machines."""
    return Path(model).name


def placement_of(kind: str, settings: Settings) -> Placement:
    """Where a kind's model runs. Raises ModelError for a device that is not there."""
    from magic3d_ros.cues.placement import place  # with torch, which questions in words do without

    return place(getattr(settings, kind).device, settings.cues.precision, settings.cues.compile)


def hub_name(model: str) -> str:
    """The name on the hub of what open_clip calls ARCHITECTURE:TAG, other names as they are. Raises ModelError without it."""
    if ":" not in model or Path(model).expanduser().exists():
        return model
    from magic3d_ros.cues.foundation.open_clip_model import published_at

    return published_at(model)[0] or model


def find(kind: str, settings: Settings) -> Path:
    """Where a kind's model lies. Raises ModelError when it is not on this machine (weights.find_model)."""
    model = model_of(kind, settings)
    if kind == "language":
        return _language_place(model, settings)[0]
    return find_model(model, settings.cues)


def load(kind: str, settings: Settings) -> Any:
    """The model of a kind, on its device; None where there is none. Raises ModelError: one line, what is wrong and what to do."""
    if model_of(kind, settings) == NONE:
        if kind == "language":
            raise ModelError("language.model cannot be 'none': things are found by it; name a model, or 'embedded'")
        return None
    return {"features": load_features, "masks": load_masks, "language": load_language, "depth": load_geometry,
            "normals": load_geometry, "edges": load_edges}[kind](settings, *((kind,) if kind in ("depth", "normals") else ()))


def load_features(settings: Settings) -> FeatureModel:
    """The model of appearance features. Raises ModelError."""
    model, placement = model_of("features", settings), placement_of("features", settings)
    if model == EMBEDDED:
        return _efficientnet("features", settings)
    from magic3d_ros.cues.foundation.dino import DinoFeatures

    cues = settings.cues
    return DinoFeatures(find_model(model, cues), placement, max_width=cues.max_width, batch=cues.batch, name=short_name(model))


def load_masks(settings: Settings) -> MaskModel:
    """The model of class-agnostic masks. Raises ModelError."""
    model, placement = model_of("masks", settings), placement_of("masks", settings)
    _refuse_embedded("masks", model)
    from magic3d_ros.cues.foundation.sam_transformers import TransformersSam
    from magic3d_ros.cues.foundation.segment_anything import SegmentAnything

    path = find_model(model, settings.cues)
    if path.is_dir() and not (path / "config.json").is_file():
        path = _only_checkpoint(path)
    masks = settings.masks
    loader = TransformersSam if path.is_dir() else SegmentAnything
    return loader(path, placement, points_per_side=masks.points_per_side, granularity=masks.granularity,
                  time_budget=masks.time_budget, max_width=settings.cues.max_width, name=short_name(model))


def load_language(settings: Settings) -> LanguageModel:
    """The image-language model. Raises ModelError."""
    model, language, cues = model_of("language", settings), settings.language, settings.cues
    if model == EMBEDDED:
        from magic3d_ros.cues.embedded.joint_space import JointClassSpace
        from magic3d_ros.cues.embedded.sentence import SentenceEncoder

        return JointClassSpace(lambda: _efficientnet("language", settings), SentenceEncoder(), language.feature_dimension)
    placement = placement_of("language", settings)
    path, architecture = _language_place(model, settings)
    options: dict[str, Any] = {"dense": language.dense, "feature_dimension": language.feature_dimension,
                               "max_width": cues.max_width, "batch": cues.batch, "name": short_name(model)}
    if architecture or _is_open_clip(path):
        from magic3d_ros.cues.foundation.open_clip_model import OpenClip

        return OpenClip(path, placement, architecture=architecture, find=lambda name: find_model(name, cues, whole=False),
                        **options)
    from magic3d_ros.cues.foundation import clip_transformers
    from magic3d_ros.cues.foundation.pretrained import model_type
    from magic3d_ros.cues.foundation.siglip import Siglip

    if model_type(path) in clip_transformers.MODEL_TYPES:
        return clip_transformers.TransformersClip(path, placement, **options)
    return Siglip(path, placement, **options)


def load_geometry(settings: Settings, kind: str = "depth") -> GeometryModel:
    """The model of monocular depth, or with kind "normals" that of monocular normals. Raises ModelError."""
    model, placement = model_of(kind, settings), placement_of(kind, settings)
    _refuse_embedded(kind, model)
    path, depth = find_model(model, settings.cues), settings.depth
    if path.is_file():
        from magic3d_ros.cues.embedded.compact_predictor import CompactPredictor

        return CompactPredictor(path, placement, batch=settings.cues.batch, name=short_name(model))
    if (path / "model_index.json").is_file():
        from magic3d_ros.cues.foundation.marigold import Marigold

        return Marigold(path, placement, ensemble=depth.ensemble, steps=depth.steps, name=short_name(model))
    from magic3d_ros.cues.foundation.depth_anything_3 import DepthAnything3, is_depth_anything_3
    from magic3d_ros.cues.foundation.depth_transformers import TransformersDepth

    if is_depth_anything_3(path):
        return DepthAnything3(path, placement, batch=settings.cues.batch, name=short_name(model))
    return TransformersDepth(path, placement, batch=settings.cues.batch, name=short_name(model))


def load_edges(settings: Settings) -> EdgeModel:
    """The model of edges between things. Raises ModelError."""
    model, placement = model_of("edges", settings), placement_of("edges", settings)
    _refuse_embedded("edges", model)
    from magic3d_ros.cues.foundation.edge_network import HolisticEdges

    path, cues = find_model(model, settings.cues), settings.cues
    if path.is_dir():
        path = _only_checkpoint(path)
    return HolisticEdges(path, placement, max_width=cues.max_width, batch=cues.batch, name=short_name(model))


def without_compiling(settings: Settings) -> Settings:
    """The same settings with cues.compile off."""
    plain = copy.deepcopy(settings)
    plain.cues.compile = False
    return plain


def _efficientnet(kind: str, settings: Settings) -> Any:
    from magic3d_ros.cues.embedded.efficientnet import EfficientNetLite

    return EfficientNetLite(placement_of(kind, settings).device, settings.cues.max_width)


def _refuse_embedded(kind: str, model: str) -> None:
    if model == EMBEDDED:
        cure = "its masks are made of depth and colour where the map is" if kind == "masks" else \
            f"leave {kind}.model empty, or name a model"
        raise ModelError(f"the embedded tier has no model of {kind}: {cure}")


def _language_place(model: str, settings: Settings) -> tuple[Path, str]:
    """Where a language model lies, and its architecture where only its name tells that (open_clip's ARCHITECTURE:TAG)."""
    if ":" not in model:
        return find_model(model, settings.cues), ""
    from magic3d_ros.cues.foundation.open_clip_model import find_open_clip

    return find_open_clip(model, settings.cues)


def _is_open_clip(path: Path) -> bool:
    if path.is_file() or (path / "open_clip_config.json").is_file():
        return True
    read_config(path)  # neither: the error names what a folder must hold
    return False


def _only_checkpoint(folder: Path) -> Path:
    files = sorted(path for path in folder.iterdir() if path.suffix in (*WEIGHTS, ".h5"))
    if len(files) != 1:
        raise ModelError(f"{folder} has no config.json and {len(files)} checkpoints beside: name one checkpoint file")
    return files[0]
