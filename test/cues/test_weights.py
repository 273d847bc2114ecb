"""Where weights are looked for, and what is said of those that are missing, truncated or of something else."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import save_file

from magic3d_ros.config import Settings
from magic3d_ros.cues import weights
from magic3d_ros.cues.placement import place
from magic3d_ros.cues.weights import ModelError


@pytest.fixture
def cues(tmp_path, monkeypatch):
    """Settings with a model directory and an empty hub cache."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    settings = Settings().cues
    settings.model_directory = str(tmp_path / "models")
    return settings


def cached(cache, name, files):
    """A model in the layout of the hub's cache."""
    repository = cache / f"models--{name.replace('/', '--')}"
    snapshot = repository / "snapshots" / "0123abcd"
    snapshot.mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("0123abcd")
    for file, text in files.items():
        (snapshot / file).write_text(text)
    return snapshot


def test_a_local_folder_comes_before_the_model_directory_and_that_before_the_hubs_cache(cues, tmp_path):
    snapshot = cached(tmp_path / "cache", "owner/name", {"config.json": "{}"})
    assert weights.find_model("owner/name", cues) == snapshot
    short = tmp_path / "models" / "name"
    short.mkdir(parents=True)
    assert weights.find_model("owner/name", cues) == short
    full = tmp_path / "models" / "owner" / "name"
    full.mkdir(parents=True)
    assert weights.find_model("owner/name", cues) == full
    here = tmp_path / "owner" / "name"
    here.mkdir(parents=True)
    assert weights.find_model("owner/name", cues).resolve() == here
    assert weights.find_model(str(full), cues) == full


def test_a_missing_model_says_where_it_was_looked_for_and_how_to_get_it(cues, tmp_path):
    with pytest.raises(ModelError) as caught:
        weights.find_model("facebook/dinov2-small", cues)
    text = str(caught.value)
    assert "\n" not in text
    assert f"{tmp_path}/models/facebook/dinov2-small" in text and "the hub's cache" in text
    assert f"hf download facebook/dinov2-small --local-dir {tmp_path}/models/facebook/dinov2-small" in text
    assert "cues.allow_download" in text


@pytest.mark.parametrize("name", ["/nowhere/at/all", "a/b/c", "..", "spaces in it/name"])
def test_what_is_no_name_of_the_hub_is_never_asked_of_it(cues, name):
    cues.allow_download = True
    with pytest.raises(ModelError, match=r"no name of the hub|holds no weights") as caught:
        weights.weight_files(weights.find_model(name, cues))
    assert "\n" not in str(caught.value)


def test_without_network_the_cure_is_named(cues, monkeypatch):
    cues.allow_download = True

    def unreachable(*_, **__):
        raise ConnectionError("Name or service not known\nsecond line")

    monkeypatch.setattr("huggingface_hub.HfApi.list_repo_files", unreachable)
    with pytest.raises(ModelError, match=r"could not be fetched .*Name or service not known.*hf download owner/name") as caught:
        weights.find_model("owner/name", cues)
    assert "\n" not in str(caught.value)


def test_nothing_is_fetched_unless_allowed(cues, monkeypatch):
    asked = []
    monkeypatch.setattr(weights, "fetch", lambda model, whole: asked.append((model, whole)))
    with pytest.raises(ModelError):
        weights.find_model("owner/name", cues)
    assert asked == []
    cues.allow_download = True
    weights.find_model("owner/name", cues)
    weights.find_model("xlm-roberta-base", cues, whole=False)  # a name from before names had owners
    assert asked == [("owner/name", True), ("xlm-roberta-base", False)]


def test_settings_and_tokenizer_are_fetched_without_the_weights(monkeypatch):
    asked = []
    monkeypatch.setattr("huggingface_hub.HfApi.list_repo_files",
                        lambda self, name: ["config.json", "tokenizer.json", "model.safetensors", "flax_model.msgpack"])
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda name, allow_patterns: asked.append(allow_patterns) or "x")
    weights.fetch("owner/name", whole=False)
    weights.fetch("owner/name")
    assert asked == [["config.json", "tokenizer.json"], ["config.json", "tokenizer.json", "model.safetensors"]]


def test_one_kind_of_weights_is_fetched():
    files = ["README.md", "config.json", "model.safetensors", "pytorch_model.bin", "tf_model.h5", "onnx/model.onnx", ".git"]
    assert weights._needed(files) == ["README.md", "config.json", "model.safetensors"]
    assert weights._needed(["config.json", "sam.pth", "model.onnx"]) == ["config.json", "sam.pth"]
    clip = ["open_clip_config.json", "model.safetensors", "open_clip_pytorch_model.bin", "pytorch_model.bin", "vocab.json"]
    assert weights._needed(clip) == ["open_clip_config.json", "open_clip_pytorch_model.bin", "vocab.json"]
    assert weights._needed([*clip, "open_clip_model.safetensors"]) == [
        "open_clip_config.json", "vocab.json", "open_clip_model.safetensors"]
    assert weights._needed(["open_clip_config.json", "pytorch_model.bin"]) == ["open_clip_config.json", "pytorch_model.bin"]
    twice = ["unet/model.safetensors", "unet/model.fp16.safetensors", "vae/model.fp16.safetensors"]
    assert weights._needed(twice) == ["unet/model.safetensors", "vae/model.fp16.safetensors"]


def test_weights_are_read_the_safe_format_first(tmp_path):
    save_file({"a": torch.tensor([1.0, 2.0])}, tmp_path / "model.safetensors")
    torch.save({"a": torch.tensor([9.0])}, tmp_path / "pytorch_model.bin")
    assert weights.read_weights(tmp_path)["a"].tolist() == [1.0, 2.0]
    assert weights.read_weights(tmp_path / "pytorch_model.bin")["a"].tolist() == [9.0]
    torch.save({"state_dict": {"b": torch.tensor([3.0])}, "epoch": 4}, tmp_path / "trained.pt")
    assert weights.read_weights(tmp_path / "trained.pt")["b"].tolist() == [3.0]


def test_shards_are_all_needed(tmp_path):
    index = {"weight_map": {"a": "one.safetensors", "b": "two.safetensors"}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    save_file({"a": torch.tensor([1.0])}, tmp_path / "one.safetensors")
    with pytest.raises(ModelError, match=r"two\.safetensors cannot be read .*No such file.*copy the whole model"):
        weights.read_weights(tmp_path)
    save_file({"b": torch.tensor([2.0])}, tmp_path / "two.safetensors")
    assert sorted(weights.read_weights(tmp_path)) == ["a", "b"]


@pytest.mark.parametrize("name", ["model.safetensors", "model.pt"])
@pytest.mark.parametrize("kept", [0, 4, 40, 600])
def test_a_truncated_checkpoint_is_named(tmp_path, name, kept):
    path = tmp_path / name
    values = {"a": torch.zeros(1000)}
    save_file(values, path) if name.endswith("safetensors") else torch.save(values, path)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(ModelError, match=f"{name}.*(truncated or damaged|cannot be read as weights).*again") as caught:
        weights.read_weights(path)
    assert "\n" not in str(caught.value)


def test_a_pointer_of_git_lfs_is_told_from_weights(tmp_path):
    (tmp_path / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 10\n")
    with pytest.raises(ModelError, match="Git LFS pointer"):
        weights.weight_files(tmp_path)


class Evil:
    def __reduce__(self):
        return (print, ("was run",))


def test_python_objects_in_a_checkpoint_are_not_run(tmp_path, capsys):
    torch.save({"a": Evil()}, tmp_path / "model.pt")
    with pytest.raises(ModelError, match="is not opened"):
        weights.read_weights(tmp_path)
    torch.save([torch.zeros(1)], tmp_path / "model.pt")
    with pytest.raises(ModelError, match="a list, not a table"):
        weights.read_weights(tmp_path)
    assert "was run" not in capsys.readouterr().out


def test_a_folder_without_weights_or_settings_says_so(tmp_path):
    with pytest.raises(ModelError, match="holds no weights"):
        weights.weight_files(tmp_path)
    with pytest.raises(ModelError, match=r"config\.json cannot be read"):
        weights.read_config(tmp_path)
    (tmp_path / "config.json").write_text("[]")
    with pytest.raises(ModelError, match="JSON object"):
        weights.read_config(tmp_path)


def test_weights_of_another_architecture_are_named(tmp_path):
    weights.check_names(tmp_path, "Dinov2Model", [])
    with pytest.raises(ModelError, match="no checkpoint of Dinov2Model: it lacks a and 1 more"):
        weights.check_names(tmp_path, "Dinov2Model", ["b", "a"])
    with pytest.raises(ModelError, match="has other sizes for c; name"):
        weights.check_names(tmp_path, "Dinov2Model", [], mismatched=["c"])


def test_a_device_that_is_not_there_is_named():
    assert place("cpu").dtype == torch.float32
    assert place("cpu", "bfloat16").dtype == torch.bfloat16
    expected = "cuda" if torch.cuda.is_available() else "cpu"
    assert place("auto").device.type == expected
    with pytest.raises(ModelError, match="device cuda:31 is not there"):
        place("cuda:31")
    with pytest.raises(ModelError, match="'toaster' is no device"):
        place("toaster")
    with pytest.raises(ModelError, match="'meta' is no device"):
        place("meta")
