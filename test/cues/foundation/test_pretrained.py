"""What is said when a library cannot load a checkpoint."""

from __future__ import annotations

from pathlib import Path

import pytest

from magic3d_ros.cues.foundation.pretrained import model_type, naming_the_cause
from magic3d_ros.cues.weights import ModelError


def test_a_torchvision_of_another_torch_is_named_even_behind_another_error():
    with pytest.raises(ModelError, match="torchvision was not built for torch"), naming_the_cause(Path("model")):
        try:
            raise RuntimeError("operator torchvision::nms does not exist")
        except RuntimeError as error:
            raise ModuleNotFoundError("Could not import module 'Sam2Model'") from error


def test_a_missing_package_is_named():
    with pytest.raises(ModelError, match=r"No module named 'segment_anything'.*pip install"), naming_the_cause(Path("model")):
        raise ModuleNotFoundError("No module named 'segment_anything'")


def test_other_errors_become_one_line():
    with pytest.raises(ModelError) as caught, naming_the_cause(Path("model")):
        raise KeyError("several\nlines")
    assert "\n" not in str(caught.value) and "KeyError" in str(caught.value)


def test_what_has_a_name_already_passes():
    with pytest.raises(ModelError, match=r"^as it was$"), naming_the_cause(Path("model")):
        raise ModelError("as it was")
    with pytest.raises(MemoryError), naming_the_cause(Path("model")):
        raise MemoryError


def test_a_folder_of_another_library_is_named(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelError, match="names no model_type"):
        model_type(tmp_path)
