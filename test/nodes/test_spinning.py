"""What a worker publishes while ROS is being shut down."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.ros


def test_what_comes_after_the_shutdown_is_dropped() -> None:
    import rclpy
    from rclpy.context import Context
    from std_msgs.msg import Empty

    from magic3d_ros.nodes.spinning import dropped_at_the_end

    context = Context()
    rclpy.init(context=context)
    node = rclpy.create_node("ending", context=context)
    publisher = node.create_publisher(Empty, "ending", 1)
    with pytest.raises(RuntimeError, match="of its own"), dropped_at_the_end(node):
        raise RuntimeError("an error of its own")  # while ROS runs, errors are errors
    rclpy.shutdown(context=context)
    with pytest.raises(RuntimeError):
        publisher.publish(Empty())
    with dropped_at_the_end(node):
        publisher.publish(Empty())
    with dropped_at_the_end(node):
        publisher.get_subscription_count()
    node.destroy_node()
