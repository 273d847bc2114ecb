from __future__ import annotations

from magic3d_ros.nodes import environment


def test_the_shared_memory_profile_is_chosen_and_threads_sleep():
    given: dict[str, str] = {}
    environment.prepare(given)
    assert given["FASTDDS_DEFAULT_PROFILES_FILE"] == str(environment.shared_memory_profile())
    assert given["OMP_WAIT_POLICY"] == "PASSIVE"
    assert "ROS_AUTOMATIC_DISCOVERY_RANGE" not in given
    environment.prepare(given, local_only=True)
    assert given["ROS_AUTOMATIC_DISCOVERY_RANGE"] == "LOCALHOST"


def test_what_the_user_chose_stays():
    mine = {"FASTDDS_DEFAULT_PROFILES_FILE": "mine.xml", "OMP_WAIT_POLICY": "ACTIVE", "ROS_AUTOMATIC_DISCOVERY_RANGE": "SUBNET"}
    given = dict(mine)
    environment.prepare(given, local_only=True)
    assert given == mine
    older = {"FASTRTPS_DEFAULT_PROFILES_FILE": "mine.xml"}
    environment.prepare(older)
    assert "FASTDDS_DEFAULT_PROFILES_FILE" not in older
