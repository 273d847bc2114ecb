"""Play a recording and map it while it plays; all arguments of magic3d.launch.py can be given too.

    ros2 launch magic3d_ros replay.launch.py bag:=kitchen.mcap rviz:=true

When the recording has ended the mapper goes on answering questions until Ctrl-C.
"""

import os

from ament_index_python.packages import get_package_share_directory
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

SHARE = get_package_share_directory("magic3d_ros")


def generate_launch_description():
    mapper = IncludeLaunchDescription(PythonLaunchDescriptionSource(os.path.join(SHARE, "launch", "magic3d.launch.py")),
                                      launch_arguments={"use_sim_time": "true"}.items())
    topics = ("rgb", "depth", "camera_info", "pose")
    player = Node(package="magic3d_ros", executable="player", name="player", output="screen",
                  arguments=[LaunchConfiguration("bag"), "--clock", "--pose-topic", "--rate", LaunchConfiguration("rate")],
                  remappings=[(topic, LaunchConfiguration(topic)) for topic in topics])
    return LaunchDescription([
        DeclareLaunchArgument("bag", description="ROS 2 bag (MCAP or sqlite3), folder of images, or room for the simulated room"),
        DeclareLaunchArgument("rate", default_value="1.0", description="times real time"),
        mapper,  # declares the topics' arguments, so it comes before the player
        player,
    ])
