"""An example behaviour: ask the map where one can sit, and print the pose that a robot should drive to.

    python examples/go_to_where_i_can_sit.py [QUESTION] [--node scene_mapper] [--wait 30]

Needs a running scene_mapper. The goal is a geometry_msgs/PoseStamped, as Nav2's `goal_pose` topic and its action NavigateToPose
take it. Exit codes: 0 a goal was printed, 1 no answer came, 2 wrong usage, 3 there is nowhere to go (the reason is printed).
"""

from __future__ import annotations

import argparse
import math
import sys
import time

import rclpy
from geometry_msgs.msg import PoseStamped
from magic3d_ros.srv import QueryScene
from rclpy.node import Node


def ask(node: Node, mapper: str, question: str, seconds: float) -> QueryScene.Response:
    """The scene's answer; asks again while the scene is not ready. Raises TimeoutError after so many seconds."""
    name = f"/{mapper}/query_scene"
    client = node.create_client(QueryScene, name)
    deadline = time.monotonic() + seconds
    if not client.wait_for_service(timeout_sec=seconds):
        raise TimeoutError(f"{name} is not there: is scene_mapper running in this ROS domain?")
    while time.monotonic() < deadline:
        future = client.call_async(QueryScene.Request(text=question, max_results=5))
        rclpy.spin_until_future_complete(node, future, timeout_sec=max(0.1, deadline - time.monotonic()))
        if future.done() and future.result().status != QueryScene.Response.NOT_READY:
            return future.result()
        time.sleep(0.5)
    raise TimeoutError(f"{name} had no answer within {seconds:.0f} s")


def goal_of(answer: QueryScene.Response) -> tuple[PoseStamped | None, str]:
    """Where to drive, and why: before the likeliest thing that was found and that floor leads to."""
    if answer.status not in (QueryScene.Response.FOUND, QueryScene.Response.AMBIGUOUS):
        return None, answer.why
    for thing in answer.objects:
        if thing.approach_poses:
            sure = "" if answer.status == QueryScene.Response.FOUND else "perhaps "
            return thing.approach_poses[0], f"{sure}{thing.label or 'a thing'} (object {thing.id}, {thing.probability:.2f})"
    return None, f"{answer.why}; but no free floor near it is known"


def main() -> int:
    """Ask, choose, print; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("question", nargs="?", default="where can I sit")
    parser.add_argument("--node", default="scene_mapper", help="name of the mapper's node")
    parser.add_argument("--wait", type=float, default=30.0, help="seconds for the service to appear and to answer")
    options = parser.parse_args()
    rclpy.init()
    node = rclpy.create_node("go_to_where_i_can_sit")
    try:
        goal, why = goal_of(ask(node, options.node, options.question, options.wait))
    except TimeoutError as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        node.destroy_node()
        rclpy.try_shutdown()
    if goal is None:
        print(f"nowhere to go: {why}")
        return 3
    place, turn = goal.pose.position, goal.pose.orientation
    yaw = math.atan2(2 * (turn.w * turn.z + turn.x * turn.y), 1 - 2 * (turn.y**2 + turn.z**2))
    print(f"to {why}")
    print(f"goal: frame {goal.header.frame_id}, x {place.x:.3f} m, y {place.y:.3f} m, z {place.z:.3f} m, yaw {yaw:.3f} rad")
    return 0


if __name__ == "__main__":
    sys.exit(main())
