"""The 2D models in two processes of their own, compressed images, poses from a topic, and a recording's own clock."""

from __future__ import annotations

import time

import pytest

from magic3d_ros.nodes.client import SceneClient
from magic3d_ros.nodes.cue_exchange import shard_of

pytestmark = [pytest.mark.ros, pytest.mark.slow]

SECONDS = 120.0


def test_keyframes_are_spread_evenly_and_each_has_one_extractor():
    stamps = [k * 100_000_000 for k in range(1000)]  # a camera at exactly 10 Hz
    counts = [sum(shard_of(stamp, 4) == shard for stamp in stamps) for shard in range(4)]
    assert sum(counts) == 1000
    assert min(counts) > 200


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
    done = []
    for shard in range(2):
        with SceneClient(node_name=f"cue_extractor_{shard}") as watcher:
            done.append(int(watcher.diagnostics(20.0)["cues"].values["done"]))
    assert min(done) > 0
    assert sum(done) == int(seen["cues"].values["cues_sent"])
    for process in (*extractors, mapper):
        process.stop(patience=40.0)
        assert process.returncode == 0, process.last_lines()
        assert "Traceback" not in process.log.read_text(encoding="utf-8")


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
