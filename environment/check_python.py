"""Prints why this Python cannot be used to set the package up; nothing when it can. Runs on any Python 3.

One argument: 'sourced' where the rclpy of an installed ROS is to be used, else 'wheels'.
"""

import importlib.util
import os
import sys
import sysconfig


def problem(ros):
    version = "{}.{}".format(*sys.version_info[:2])
    if not (3, 10) <= sys.version_info[:2] <= (3, 14):
        return f"is Python {version}: 3.10 to 3.14 is needed"
    in_venv = sys.prefix != sys.base_prefix
    if not in_venv and not (importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip")):
        return f"has no venv module: apt install python{version}-venv"
    if not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")):
        return f"has no headers, which the ROS interfaces are built with: apt install python{version}-dev"
    if ros == "sourced" and not importlib.util.find_spec("rclpy"):
        return "has no rclpy, though a ROS 2 install is sourced: name its Python in MAGIC3D_PYTHON"
    return ""


sys.stdout.write(problem(sys.argv[1]))
