"""Map what a camera publishes: scene_mapper, as many cue_extractor processes as asked for, and RViz if wanted.

    ros2 launch magic3d_ros magic3d.launch.py rviz:=true rgb:=/camera/color/image_raw \
        depth:=/camera/aligned_depth_to_color/image_raw camera_info:=/camera/color/camera_info
"""

import os

from ament_index_python.packages import get_package_share_directory
from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, EmitEvent, OpaqueFunction, SetEnvironmentVariable
from launch.conditions import IfCondition
from launch.events import Shutdown
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from magic3d_ros.config import Settings, load_settings
from magic3d_ros.nodes.environment import prepare

SHARE = get_package_share_directory("magic3d_ros")
YES_OR_NO = ["true", "false"]
SECONDS_TO_END = "20"  # Python takes apart models and map at its end: 6 s on two busy cores, and launch's own patience is 5 s


def arguments():
    """What can be given as name:=value; the description is what --show-args prints."""
    def argument(name, default, description, choices=None):
        return DeclareLaunchArgument(name, default_value=default, description=description, choices=choices)

    return [
        argument("rgb", "rgb", "topic of the colour images"),
        argument("depth", "depth", "topic of the depth images: 16UC1 in millimetres or 32FC1 in metres"),
        argument("camera_info", "camera_info", "topic of the colour camera's CameraInfo"),
        argument("depth_camera_info", "depth/camera_info", "topic of the depth camera's CameraInfo, if depth is not registered"),
        argument("pose_source", "", "where poses come from; empty: as the profile says", ["", "tf", "pose", "odometry"]),
        argument("pose", "pose", "topic of the poses with pose_source:=pose (PoseStamped)"),
        argument("odometry", "odometry", "topic of the poses with pose_source:=odometry (Odometry)"),
        argument("pose_corrections", "pose_corrections", "topic of corrected poses (a SLAM's loop closures, Path)"),
        argument("world_frame", "", "frame of the scene; empty: as the profile says"),
        argument("config", os.path.join(SHARE, "config", "magic3d.yaml"), "the profile: a YAML file with any of the settings"),
        argument("extractors", "0", "cue_extractor processes that run the 2D models; 0: scene_mapper runs them itself"),
        argument("use_sim_time", "false", "take the time from /clock", YES_OR_NO),
        argument("rviz", "false", "show the scene in RViz", YES_OR_NO),
    ]


def profile(context: LaunchContext, external_cues: bool) -> dict:
    """The settings that differ from their defaults, as node parameters."""
    settings = load_settings(LaunchConfiguration("config").perform(context))
    for name in ("world_frame", "pose_source"):
        value = LaunchConfiguration(name).perform(context)
        if value:
            settings.set(f"ros.{name}", value)
    if external_cues:
        settings.set("ros.external_cues", True)
    defaults = Settings().flat()
    return {name: value for name, value in settings.flat().items() if value != defaults[name]}


def nodes(context: LaunchContext) -> list:
    """scene_mapper and its cue_extractors."""
    shards = int(LaunchConfiguration("extractors").perform(context))
    clock = {"use_sim_time": LaunchConfiguration("use_sim_time").perform(context) == "true"}
    settings = profile(context, external_cues=shards > 0)
    topics = {"rgb": "rgb", "depth": "depth", "camera_info": "camera_info", "depth/camera_info": "depth_camera_info",
              "pose": "pose", "odometry": "odometry", "pose_corrections": "pose_corrections"}
    remappings = [(topic, LaunchConfiguration(name)) for topic, name in topics.items()]
    common = {"package": "magic3d_ros", "output": "screen", "sigterm_timeout": SECONDS_TO_END}
    mapper = Node(executable="scene_mapper", name="scene_mapper", parameters=[settings, clock], remappings=remappings,
                  on_exit=[EmitEvent(event=Shutdown(reason="scene_mapper ended"))], **common)
    extractors = [Node(executable="cue_extractor", name=f"cue_extractor_{shard}",
                       parameters=[settings, clock, {"shard": shard, "shards": shards}], **common) for shard in range(shards)]
    return [mapper, *extractors]


def transports() -> list:
    """Shared memory for all processes, RViz too, unless the user's environment names a profile of its own."""
    wanted = dict(os.environ)
    prepare(wanted)
    return [SetEnvironmentVariable(name, value) for name, value in wanted.items() if name not in os.environ]


def generate_launch_description():
    rviz = Node(package="rviz2", executable="rviz2", name="rviz2", condition=IfCondition(LaunchConfiguration("rviz")),
                arguments=["-d", os.path.join(SHARE, "rviz", "magic3d.rviz")],
                parameters=[{"use_sim_time": LaunchConfiguration("use_sim_time")}])
    return LaunchDescription([*arguments(), *transports(), rviz, OpaqueFunction(function=nodes)])
