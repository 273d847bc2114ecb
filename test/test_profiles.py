"""config/profiles: each loads, says what it is for, and names models of the kinds that it is for."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from magic3d_ros.config import Settings, load_settings
from magic3d_ros.cues.catalogue import PUBLISHED
from magic3d_ros.cues.tiers import EMBEDDED, KINDS, NONE, model_of

PROFILES = Path(__file__).resolve().parents[1] / "config" / "profiles"


def test_the_embedded_profile_is_the_default():
    assert load_settings(PROFILES / "embedded.yaml").flat() == Settings().flat()


@pytest.mark.parametrize("name", ["desktop_gpu", "jetson"])
def test_the_profiles_of_gpus_name_published_models_whose_licence_allows_every_use(name):
    settings = load_settings(PROFILES / f"{name}.yaml")
    named = [model_of(kind, settings) for kind in KINDS]
    assert settings.cues.tier == "foundation"
    assert EMBEDDED not in named
    for model in named:
        assert model == NONE or PUBLISHED[model][0] == "Apache-2.0"


@pytest.mark.parametrize("path", sorted(PROFILES.glob("*.yaml")), ids=lambda path: path.stem)
def test_profiles_are_commented_and_name_no_setting_twice(path):
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# ")
    keys = [line.split("#")[0].strip() for line in text.splitlines() if line and not line.startswith(("#", " "))]
    assert keys == [f"{section}:" for section in yaml.safe_load(text)]
