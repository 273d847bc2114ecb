"""Thin ROS 2 nodes and message conversions: the only folder that imports rclpy."""
