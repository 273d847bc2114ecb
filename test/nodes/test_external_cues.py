"""The 2D models in two processes of their own, compressed images, poses from a topic, and a recording's own clock."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
import yaml

from magic3d_ros.config import Settings, load_settings
from magic3d_ros.cues.tiers import KINDS, NONE, model_of
from magic3d_ros.nodes.client import SceneClient

pytestmark = [pytest.mark.ros, pytest.mark.slow]

SECONDS = 120.0
PROFILES = Path(__file__).resolve().parents[2] / "config" / "profiles"
TINY = {"features": "tiny-dinov2", "masks": "tiny-sam", "language": "tiny-siglip", "depth": "tiny-depth-anything"}


def test_two_extractors_share_the_keyframes_of_one_mapper(start_node):
    mapper = start_node("scene_mapper", "--ros-args", "-p", "ros.external_cues:=true", "-p", "ros.cue_timeout:=100.0",
                        "-p", "ros.queue_size:=100", "-p", "ros.compressed:=true", "-p", "ros.pose_source:=pose",
                        "-p", "use_sim_time:=true", "-p", "instances.update_interval:=0.5")
    extractors = [start_node("cue_extractor", "--ros-args", "-r", f"__node:=cue_extractor_{shard}", "-p", f"shard:={shard}",
                             "-p", "shards:=2") for shard in range(2)]
    with SceneClient(timeout=SECONDS) as client:
        client.wait(SECONDS)
        wait_for(lambda: client.diagnostics(20.0)["cues"].values["extractors"] == "2", mapper, *extractors)
        player = start_node("player", "room:tiny", "--compressed", "--pose-topic", "--clock", "--rate", "0.5",
                            "--wait", str(SECONDS))
        # The room's first ten frames hold two keyframes or more for either shard.
        wait_for(lambda: cues(client)["sent"] >= 4 and not player.running, mapper, player)
        wait_for(lambda: cues(client)["sent"] == cues(client)["joined"], mapper, *extractors)
        seen = client.diagnostics(20.0)
        assert player.returncode == 0, player.last_lines()
        assert seen["cues"].level == 0
        assert seen["input"].values["keyframes"] == seen["cues"].values["cues_sent"]
        assert seen["input"].values["used"] == seen["input"].values["received"] == "10"
        assert seen["poses"].values["source"] == "pose"
        wait_for(lambda: len(client.list_objects()) > 0, mapper)
        answer = client.query("a table")
        assert answer["status"] in ("found", "ambiguous", "not_found")
        assert answer["stamp"] < 60_000_000_000  # the recording's time base, not this machine's
    looked_at = [done(shard) for shard in range(2)]
    assert min(looked_at) > 0
    sent, resent = (int(seen["cues"].values[f"cues_{name}"]) for name in ("sent", "resent"))
    assert sent <= sum(looked_at) <= sent + resent  # resent is 0 unless the machine was so busy that one seemed dead
    for process in (*extractors, mapper):
        process.stop(patience=40.0)
        assert process.returncode == 0, process.last_lines()
        assert "Traceback" not in process.log.read_text(encoding="utf-8")


def test_a_killed_extractor_of_the_foundation_tier_loses_nothing(start_node, tmp_path):
    """SIGKILL to one of two extractors while it has keyframes at hand: the other looks at all of them."""
    shared = ["--ros-args", "--params-file", str(foundation_profile(tmp_path))]
    mapper = start_node("scene_mapper", *shared, "-p", "ros.external_cues:=true", "-p", "ros.cue_timeout:=60.0",
                        "-p", "ros.queue_size:=100", "-p", "keyframes.translation:=0.0")
    extractors = [start_node("cue_extractor", *shared, "-r", f"__node:=cue_extractor_{shard}", "-p", f"shard:={shard}",
                             "-p", "shards:=2") for shard in range(2)]
    with SceneClient(timeout=SECONDS) as client:
        client.wait(SECONDS)
        wait_for(lambda: client.diagnostics(20.0)["cues"].values["extractors"] == "2", mapper, *extractors)
        player = start_node("player", "room:tiny", "--rate", "0.2", "--wait", str(SECONDS))
        wait_for(lambda: cues(client)["joined"] >= 2, mapper, player, *extractors)
        victim = extractors[0]
        os.kill(victim._process.pid, signal.SIGSTOP)  # so that what it is given from here on is still in its hands at the end
        before = cues(client)["sent"]
        wait_for(lambda: cues(client)["sent"] >= before + 2, mapper, player)
        os.kill(victim._process.pid, signal.SIGKILL)
        wait_for(lambda: not player.running, mapper, player)
        wait_for(lambda: cues(client)["sent"] == cues(client)["joined"], mapper, extractors[1])
        seen = client.diagnostics(20.0)["cues"]
        names = ("sent", "joined", "missing", "resent", "too_late", "refused")
        counts = {name: int(seen.values[f"cues_{name}"]) for name in names}
        print(counts, "by the survivor:", done(1))
        assert counts["sent"] == 10 and counts["joined"] == 10
        assert counts["missing"] == counts["refused"] == counts["too_late"] == 0
        assert 1 <= counts["resent"] <= 8  # no more than the killed one had room for
        assert seen.values["extractors"] == "1"
        assert seen.level == 1 and "1 of 2 cue_extractors live" in seen.message
        figures = report(1)
        assert {"ms.tiny-dinov2", "ms.tiny-sam", "ms.tiny-siglip", "ms.tiny-depth-anything"} <= set(figures)
        wait_for(lambda: len(client.list_objects()) > 0, mapper)
        assert client.query("a table")["status"] in ("found", "ambiguous", "not_found")
    for process in (extractors[1], mapper):
        process.stop(patience=40.0)
        assert process.returncode == 0, process.last_lines()
        assert "Traceback" not in process.log.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["desktop_gpu", "jetson"])
def test_a_profile_as_it_is_launched_runs_on_tiny_checkpoints(start_node, tmp_path, name):
    """Weights lie where `hf download` puts them; in half precision where the profile says so."""
    from magic3d_ros.evaluation.random_checkpoints import write

    settings = load_settings(PROFILES / f"{name}.yaml", {
        "cues.model_directory": str(tmp_path / "models"), "masks.points_per_side": "4", "ros.external_cues": "true",
        "ros.cue_timeout": "60.0", "ros.queue_size": "100"})
    named = {kind: model for kind in KINDS if (model := model_of(kind, settings)) != NONE}
    for kind, model in named.items():
        write(TINY[kind], tmp_path / "models" / model)
    defaults = Settings().flat()
    changed = {key: value for key, value in settings.flat().items() if value != defaults[key]}  # as the launch file does
    parameters = tmp_path / "profile.yaml"
    parameters.write_text(yaml.safe_dump({"/**": {"ros__parameters": changed}}), encoding="utf-8")
    shared = ["--ros-args", "--params-file", str(parameters)]
    mapper = start_node("scene_mapper", *shared)
    extractor = start_node("cue_extractor", *shared, "-r", "__node:=cue_extractor_0")
    with SceneClient(timeout=SECONDS) as client:
        client.wait(SECONDS)
        wait_for(lambda: client.diagnostics(20.0)["cues"].values["extractors"] == "1", mapper, extractor)
        player = start_node("player", "room:tiny", "--rate", "0.5", "--wait", str(SECONDS))
        wait_for(lambda: client.diagnostics(20.0)["input"].values["used"] == "10" and not player.running, mapper, extractor)
        wait_for(lambda: cues(client)["sent"] == cues(client)["joined"], mapper, extractor)
        counts = cues(client)
        assert counts["sent"] >= 2 and counts["missing"] == 0
        timed = {f"ms.{Path(model).name}" for model in named.values()}
        wait_for(lambda: timed <= set(report(0)), extractor)  # told once a second, not at once
        assert not any(key.startswith("failures.") for key in report(0))
    for process in (extractor, mapper):
        process.stop(patience=40.0)
        assert process.returncode == 0, process.last_lines()
        assert "Traceback" not in process.log.read_text(encoding="utf-8")


def foundation_profile(folder: Path) -> Path:
    """A parameter file: the foundation tier on tiny random checkpoints."""
    from magic3d_ros.evaluation.random_checkpoints import ARCHITECTURES, write

    parameters = {"cues.tier": "foundation", "cues.batch": 2, "masks.points_per_side": 4, "instances.update_interval": 0.5}
    for name in ("tiny-dinov2", "tiny-sam", "tiny-siglip", "tiny-depth-anything"):
        parameters[f"{ARCHITECTURES[name][0]}.model"] = str(write(name, folder / name))
    path = folder / "foundation.yaml"
    path.write_text(yaml.safe_dump({"/**": {"ros__parameters": parameters}}), encoding="utf-8")
    return path


def report(shard: int) -> dict[str, str]:
    with SceneClient(node_name=f"cue_extractor_{shard}") as watcher:
        return watcher.diagnostics(20.0)["cues"].values


def done(shard: int) -> int:
    return int(report(shard)["done"])


def cues(client: SceneClient) -> dict[str, int]:
    values = client.diagnostics(20.0)["cues"].values
    return {name: int(values[f"cues_{name}"]) for name in ("sent", "joined", "missing")}


def wait_for(condition, *processes) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        for process in processes:
            process.check()
        assert time.monotonic() < deadline, "\n".join(f"{p.name}: {p.last_lines()}" for p in processes)
        time.sleep(0.2)
