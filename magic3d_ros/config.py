"""All settings, typed, in one place.

A setting has one name everywhere: `map.voxel_size` is `map: {voxel_size: ...}` in YAML, the ROS parameter `map.voxel_size`,
and `--set map.voxel_size=...` on the command line. Description, unit and range stand beside each default here; the ROS
parameter descriptors, the check of values and docs/parameters.md are made from them.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml


class SettingsError(ValueError):
    """A setting that does not exist or has a value it cannot have; the message says which and what is allowed."""


@dataclass(frozen=True)
class Setting:
    """What is known of one setting besides its value."""

    doc: str
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()


def setting(default: Any, doc: str, unit: str = "", minimum: float | None = None, maximum: float | None = None,
            choices: tuple[str, ...] = ()) -> Any:
    """A dataclass field that carries its description, unit and range."""
    return field(default=default, metadata={"setting": Setting(doc, unit, minimum, maximum, choices)})


@dataclass
class InputSettings:
    """How incoming frames are read."""

    depth_scale: float = setting(0.0, "metres per depth unit; 0 takes it from the encoding (16UC1 millimetres, 32FC1 metres)", "m", 0.0, 10.0)
    min_depth: float = setting(0.1, "nearer depth readings are ignored", "m", 0.0, 10.0)
    max_depth: float = setting(5.0, "farther depth readings are ignored: a sensor's noise grows with the square of range", "m", 0.2, 100.0)
    rectified: bool = setting(False, "images from ROS are rectified: camera_info's projection matrix holds, not its distortion")
    intrinsics: str = setting("", "colour intrinsics 'fx fy cx cy' of a folder that brings none, or to replace its own", "px")
    frame_rate: float = setting(0.0, "file numbers a second, for a folder without times; 0 takes the data set's (30 where it says none)", "Hz", 0.0, 1000.0)
    up: str = setting("auto", "which way is up in the world frame; auto takes +z where cameras agree with it, else estimates it",
                      choices=("auto", "+x", "-x", "+y", "-y", "+z", "-z"))
    pose_error: str = setting("estimated", "error of the poses that come, for refining them: estimated (noise and drift are told from the frames, and no more than that is taken out; not while calibrating), or unlimited (poses go as far as depth says: sharper surfaces, but a trajectory may bend)", choices=("estimated", "unlimited"))


@dataclass
class BagSettings:
    """Which topics and frames of a ROS bag are read; what is empty is guessed by type and name, and the guess is logged."""

    rgb: str = setting("", "topic of the colour images (raw or compressed)")
    depth: str = setting("", "topic of the depth images (raw, compressed or compressedDepth)")
    camera_info: str = setting("", "topic of the colour camera's CameraInfo")
    depth_camera_info: str = setting("", "topic of the depth camera's CameraInfo, where depth is not registered to colour; 'none' = it is registered")
    pose: str = setting("", "topic with the pose (PoseStamped, PoseWithCovarianceStamped or Odometry); 'tf' = from TF")
    world_frame: str = setting("", "frame of the scene when poses come from TF; empty takes map, world or odom, else the root of the tree")
    camera_frame: str = setting("", "optical frame of the colour camera; empty takes the image's own frame_id")
    pose_frame: str = setting("", "frame that a PoseStamped topic is the pose of; empty takes the camera's")


@dataclass
class MapSettings:
    """The voxel map."""

    voxel_size: float = setting(0.02, "edge of a voxel", "m", 0.004, 0.2)
    truncation: float = setting(0.08, "distance behind and before a surface that its voxels store", "m", 0.01, 1.0)
    max_weight: float = setting(64.0, "observations after which a voxel's mean becomes a moving mean", "", 1.0, 10000.0)
    min_weight: float = setting(3.0, "observations a voxel needs before it is surface", "", 0.0, 1000.0)
    max_blocks: int = setting(65536, "cap on 8x8x8-voxel blocks (11 kB each); the least recently seen go first", "blocks", 64, 4194304)
    free_voxel_size: float = setting(0.1, "edge of a voxel of the free-space layer", "m", 0.02, 1.0)
    self_check_every: int = setting(20, "one of so many keyframes is kept out of the map for a while and compared with it; 0 = none", "", 0, 100000)
    self_check_seconds: float = setting(5.0, "how long such a keyframe is kept out of the map", "s", 0.0, 3600.0)
    device: str = setting("auto", "where the map lives; auto takes a GPU that is there", choices=("auto", "cpu", "cuda"))


@dataclass
class KeyframeSettings:
    """Which frames the 2D models look at, and how many are remembered."""

    translation: float = setting(0.10, "a frame this far from the last keyframe becomes one", "m", 0.0, 10.0)
    rotation: float = setting(8.0, "a frame turned this far from the last keyframe becomes one", "deg", 0.0, 180.0)
    max_interval: float = setting(3.0, "a keyframe at least this often, even at rest", "s", 0.0, 3600.0)
    max_count: int = setting(400, "keyframes remembered (compressed); beyond it the most redundant views go first", "", 8, 100000)
    between_width: int = setting(400, "frames between keyframes are remembered at most this wide, so that the map can be fused again when poses change; 0 = not remembered", "px", 0, 16384)
    max_memory: float = setting(400.0, "memory of all remembered frames; beyond it redundant views go first, frames between keyframes before keyframes", "MB", 1.0, 1000000.0)


@dataclass
class FieldSettings:
    """The neural half of the map: colour finer than a voxel, and signed distances where the depth sensor is blind."""

    levels: int = setting(6, "resolutions of the hash grid", "", 1, 24)
    features: int = setting(2, "features of each resolution", "", 1, 8)
    coarsest: float = setting(0.32, "edge of the hash grid's largest cells", "m", 0.02, 10.0)
    finest: float = setting(0.015, "edge of its smallest cells: 0.01 is sharper where poses are exact, finer learns the noise of poses", "m", 0.0005, 1.0)
    table_bits: int = setting(17, "log2 of the rows of the finest resolution (each more doubles memory: 2 MB at 17, three times that while training)", "", 8, 24)
    hidden: int = setting(32, "units in each of the two hidden layers", "", 4, 512)
    learning_rate: float = setting(0.01, "of Adam for the grid; the networks take a third of it", "", 1e-6, 1.0)
    rays: int = setting(4096, "rays of a colour step", "", 16, 1048576)
    samples: int = setting(2097152, "surface samples of remembered frames kept ready, 31 bytes each; drawn anew frame by frame", "", 4096, 268435456)
    views: int = setting(6, "remembered frames nearest to a view that give it detail; 0 shows the field alone", "", 0, 64)
    density: str = setting("volsdf", "how signed distances become rendering weights", choices=("volsdf", "neus", "truncated"))
    near: float = setting(0.1, "rays are looked at from here", "m", 0.001, 100.0)
    geometry_rays: int = setting(1024, "rays of a step that trains signed distances, in patches of 16 x 16", "", 256, 1048576)
    ray_samples: int = setting(32, "samples on a ray whose surface is not known", "", 8, 1024)
    surface_samples: int = setting(12, "samples around a surface that is known or guessed", "", 2, 1024)


@dataclass
class DistractorSettings:
    """Telling what moves from what stands: what moves does not become map."""

    enabled: bool = setting(True, "people and moved things are recognised and kept out of the map")
    settle_time: float = setting(5.0, "a thing that came and has stood still for so long becomes map", "s", 0.0, 3600.0)
    steps: int = setting(4, "training steps of the uncertainty head at each keyframe", "", 0, 1000)


_MODEL = "a folder, a file, or a name on the hub; empty = the tier's, embedded = the embedded tier's"
_DEVICE = "where it runs: auto (a GPU that is there), cpu, cuda or cuda:N"


@dataclass
class CueSettings:
    """The 2D models, all of them; each has a section of its own."""

    tier: str = setting("embedded", "which family of models serves where a section's `model` is empty",
                        choices=("embedded", "foundation"))
    max_width: int = setting(640, "images are reduced to this width before the models see them", "px", 64, 4096)
    model_directory: str = setting("~/.cache/magic3d/models", "where models named by a relative path are looked for first")
    allow_download: bool = setting(False, "models may be fetched from a hub; nothing is ever fetched otherwise")
    precision: str = setting("auto", "arithmetic of foundation models; auto takes float16 on a GPU, float32 on a CPU",
                             choices=("auto", "float32", "float16", "bfloat16"))
    compile: bool = setting(False, "foundation models are compiled by torch.compile: minutes at the start, faster afterwards")
    batch: int = setting(4, "images that a model sees at once, at most", "", 1, 256)


@dataclass
class FeatureSettings:
    """Appearance features: what tells moving things from standing ones."""

    model: str = setting("", f"{_MODEL}; facebook/dinov2-small or another DINOv2 or DINOv3")
    device: str = setting("auto", _DEVICE)


@dataclass
class MaskSettings:
    """Class-agnostic masks of single images."""

    model: str = setting("", f"{_MODEL}, none = no masks; facebook/sam2.1-hiera-tiny, another SAM, or a checkpoint of segment-anything")
    device: str = setting("auto", _DEVICE)
    points_per_side: int = setting(16, "the image is asked at a grid of so many by so many points (segment-anything: 32)", "", 1, 256)
    granularity: str = setting("objects", "which of overlapping masks counts: whole objects, their parts, or the surest",
                               choices=("objects", "parts", "all"))
    time_budget: float = setting(10.0, "after this, an image's remaining points are left out", "s", 0.01, 3600.0)


@dataclass
class DepthSettings:
    """Monocular depth: surfaces where the depth sensor is blind."""

    model: str = setting("", f"{_MODEL}, none = no monocular depth; depth-anything/Depth-Anything-V2-Small-hf, "
                             "apple/DepthPro-hf, prs-eth/marigold-depth-v1-1")
    device: str = setting("auto", _DEVICE)
    ensemble: int = setting(1, "predictions of a diffusion model that are joined; more than one tells their uncertainty", "", 1, 64)
    steps: int = setting(4, "denoising steps of a diffusion model", "", 1, 100)


@dataclass
class NormalSettings:
    """Surface normals from a picture alone."""

    model: str = setting("", f"{_MODEL}, none = from depth only; prs-eth/marigold-normals-v1-1")
    device: str = setting("auto", _DEVICE)


@dataclass
class EdgeSettings:
    """Edges between things in single images, by a learned network."""

    model: str = setting("", "a file with the weights of HED, or a folder with nothing else; none, and empty in both tiers = things part at creases and changes of colour alone (docs/instances.md)")
    device: str = setting("auto", _DEVICE)


@dataclass
class InstanceSettings:
    """Separating the surface into things."""

    grouping: str = setting("recipe", "what joins regions: recipe = measured costs, which heed 2D masks; learned = a classifier trained on rendered rooms (docs/instances.md); network = the segmenter trained without labels (docs/segmenter.md)",
                            choices=("recipe", "learned", "network"))
    join_probability: float = setting(0.5, "learned: probability from which two neighbouring regions are one thing: higher splits more", "", 0.01, 1.0)
    merge_threshold: float = setting(0.75, "recipe: cost below which two neighbouring regions are one thing: lower splits more", "", 0.0, 5.0)
    min_vertices: int = setting(25, "things of less surface than so many vertices of a map of 2 cm voxels are dropped: 25 are .01 square metres", "", 1, 100000)
    update_interval: float = setting(3.0, "things are brought up to date at most this often", "s", 0.0, 3600.0)
    max_views: int = setting(5, "best views kept for each thing", "", 1, 50)


@dataclass
class LanguageSettings:
    """What surface and things mean."""

    model: str = setting("", f"{_MODEL}; a CLIP (ViT-B-16:openai and all of open_clip, or openai/clip-vit-base-patch16) or a SigLIP (google/siglip2-base-patch16-224)")
    device: str = setting("auto", _DEVICE)
    dense: str = setting("naclip", "how a CLIP sees an image's parts: attention of keys to near keys, or its values alone",
                         choices=("naclip", "maskclip"))
    concepts: str = setting("", "name of a YAML file in config/ with concepts of your own beside those that ship")
    lexicon: str = setting("", "affordance phrases: en, de, names of YAML files in config/, several separated by commas; none = without; empty = en for the embedded tier, none for a CLIP")
    examples: bool = setting(True, "the embedded tier names things by examples of known things in rendered rooms too")
    voxel_size: float = setting(0.04, "edge of a voxel of the language layer", "m", 0.01, 0.5)
    feature_dimension: int = setting(64, "dimensions of a language feature in the map", "", 8, 1024)
    pictures_per_update: int = setting(60, "pictures of things encoded in one live update (about 20 ms each on a core); the rest waits for the next", "", 1, 100000)


@dataclass
class DistillationSettings:
    """What surface means by its shape: features of language distilled into a 3D network (docs/distillation.md)."""

    use: str = setting("off", "off = not at all; unseen = where no camera looked well; ensemble = also where it fits a question better than what cameras saw",
                       choices=("off", "unseen", "ensemble"))
    weights: str = setting("", "file that `magic3d train distill` wrote, to begin with; empty begins anew in every scene")
    seconds: float = setting(60.0, "how long a scene is learned when its recording has ended or it is refined; 0 = the weights are used as they are", "s", 0.0, 3600.0)
    inputs: str = setting("normals,height,colors", "what a network that begins anew is told besides geometry: some of normals, height, colors, separated by commas")


@dataclass
class QuerySettings:
    """Answers."""

    found_probability: float = setting(0.5, "FOUND needs the best object to reach this probability", "", 0.0, 1.0)
    ambiguous_probability: float = setting(0.3, "below this nothing is found; between it and found_probability the answer is AMBIGUOUS", "", 0.0, 1.0)
    max_results: int = setting(5, "objects in an answer when the question names no number", "", 1, 1000)
    robot_radius: float = setting(0.25, "an approach pose keeps this far from everything that is not free floor", "m", 0.05, 5.0)
    approach_reach: float = setting(1.0, "an approach pose is at most this far from the thing", "m", 0.1, 10.0)


@dataclass
class RosSettings:
    """The ROS node: where its input comes from and how often it speaks. Topic names are ROS remappings."""

    world_frame: str = setting("map", "frame of the scene; poses are taken into it")
    pose_source: str = setting("tf", "where poses come from", choices=("tf", "pose", "odometry"))
    sync_slop: float = setting(0.03, "colour, depth and pose this far apart in time still belong together", "s", 0.0, 2.0)
    pose_timeout: float = setting(0.5, "a frame waits this long for its pose before it is dropped", "s", 0.0, 60.0)
    queue_size: int = setting(30, "frames waiting for the mapper, 1.5 MB each at 640x480; the oldest is dropped, and counted, when full", "", 1, 1000)
    reliable: bool = setting(True, "subscribe RELIABLE (a publisher with best effort only needs false)")
    compressed: bool = setting(False, "subscribe rgb/compressed and depth/compressedDepth instead of raw images")
    publish_interval: float = setting(2.0, "points, instances, objects and markers at most this often", "s", 0.05, 3600.0)
    corrected_frame: str = setting("", "frame that the poses on pose_corrections are of; empty = the camera's")
    rendered_width: int = setting(320, "width of the pictures of the map on rendered/rgb and rendered/depth, at most the camera's", "px", 16, 4096)
    rendered_rate: float = setting(5.0, "such pictures a second at most, and only while somebody listens", "Hz", 0.1, 60.0)
    map_directory: str = setting("~/.ros/magic3d", "the only directory in which maps are saved, loaded and exported")
    external_cues: bool = setting(False, "cues come from cue_extractor processes instead of this one")
    cue_timeout: float = setting(5.0, "a keyframe waits this long for external cues", "s", 0.1, 600.0)


@dataclass
class Settings:
    """Everything that can be set."""

    input: InputSettings = field(default_factory=InputSettings)
    bag: BagSettings = field(default_factory=BagSettings)
    map: MapSettings = field(default_factory=MapSettings)
    keyframes: KeyframeSettings = field(default_factory=KeyframeSettings)
    distractors: DistractorSettings = field(default_factory=DistractorSettings)
    cues: CueSettings = field(default_factory=CueSettings)
    features: FeatureSettings = field(default_factory=FeatureSettings)
    masks: MaskSettings = field(default_factory=MaskSettings)
    depth: DepthSettings = field(default_factory=DepthSettings)
    normals: NormalSettings = field(default_factory=NormalSettings)
    edges: EdgeSettings = field(default_factory=EdgeSettings)
    instances: InstanceSettings = field(default_factory=InstanceSettings)
    language: LanguageSettings = field(default_factory=LanguageSettings)
    distillation: DistillationSettings = field(default_factory=DistillationSettings)
    query: QuerySettings = field(default_factory=QuerySettings)
    ros: RosSettings = field(default_factory=RosSettings)
    field: FieldSettings = field(default_factory=FieldSettings)  # stays last: from here on the name hides dataclasses.field

    def flat(self) -> dict[str, Any]:
        """{'map.voxel_size': 0.02, ...} in order of declaration."""
        return {name: getattr(getattr(self, name.split(".")[0]), name.split(".")[1]) for name, _ in describe()}

    def set(self, name: str, value: Any) -> None:
        """Set one setting by its dotted name; text is converted to the setting's type.

        Raises SettingsError for an unknown name (with the nearest known one) or a value out of range.
        """
        known = dict(describe())
        if name not in known:
            near = difflib.get_close_matches(name, known, 1, 0.5)
            raise SettingsError(f"unknown setting '{name}'" + (f": did you mean '{near[0]}'?" if near else ""))
        section, key = name.split(".")
        setattr(getattr(self, section), key, _converted(name, value, getattr(getattr(self, section), key), known[name]))

    def update(self, values: Mapping[str, Any]) -> None:
        """Set from a nested mapping (as YAML gives it) or a flat one with dotted names."""
        for name, value in _flattened(values):
            self.set(name, value)

    def check(self) -> None:
        """Raise SettingsError for values that contradict each other."""
        if self.map.truncation < 2 * self.map.voxel_size:
            raise SettingsError(f"map.truncation {self.map.truncation} must be at least two voxels "
                                f"(map.voxel_size {self.map.voxel_size}): the surface would fall between voxels")
        if self.input.min_depth >= self.input.max_depth:
            raise SettingsError("input.min_depth must be below input.max_depth")
        if self.query.ambiguous_probability > self.query.found_probability:
            raise SettingsError("query.ambiguous_probability must not exceed query.found_probability")


def describe() -> Iterator[tuple[str, Setting]]:
    """Every setting's dotted name with its description, in order."""
    for section in dataclasses.fields(Settings):
        for item in dataclasses.fields(section.default_factory):  # type: ignore[arg-type]
            yield f"{section.name}.{item.name}", item.metadata["setting"]


def load_settings(path: Path | str | None = None, overrides: Mapping[str, Any] | None = None) -> Settings:
    """Defaults, then a YAML file, then overrides by dotted name. Raises SettingsError; the message names file and setting."""
    settings = Settings()
    if path is not None:
        try:
            values = yaml.safe_load(Path(path).read_text(encoding="utf-8")) or {}
        except (OSError, yaml.YAMLError) as error:
            raise SettingsError(f"cannot read settings from {path}: {error}") from error
        if not isinstance(values, Mapping):
            raise SettingsError(f"{path} must hold a mapping of sections, not a {type(values).__name__}")
        try:
            settings.update(values)
        except SettingsError as error:
            raise SettingsError(f"{path}: {error}") from error
    settings.update(overrides or {})
    settings.check()
    return settings


def _flattened(values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            for key, inner in value.items():
                yield f"{name}.{key}", inner
        else:
            yield str(name), value


def _converted(name: str, value: Any, current: Any, known: Setting) -> Any:
    kind = type(current)
    try:
        if kind is bool:
            converted: Any = value if isinstance(value, bool) else {"true": True, "false": False}[str(value).lower()]
        elif kind is int:
            if isinstance(value, bool) or int(float(value)) != float(value):
                raise ValueError
            converted = int(float(value))
        elif kind is float:
            if isinstance(value, bool):
                raise ValueError
            converted = float(value)
        else:
            converted = str(value)
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        raise SettingsError(f"{name} must be a {kind.__name__}, not {value!r}") from error
    if known.choices and converted not in known.choices:
        raise SettingsError(f"{name} must be one of {', '.join(known.choices)}, not {converted!r}")
    if kind in (int, float):
        low = -float("inf") if known.minimum is None else known.minimum
        high = float("inf") if known.maximum is None else known.maximum
        if not low <= converted <= high:  # NaN fails too
            raise SettingsError(f"{name} must lie between {low} and {high} {known.unit}".rstrip() + f", not {converted}")
    return converted
