"""Where frames come from: folders, ROS bags, the simulated room."""
