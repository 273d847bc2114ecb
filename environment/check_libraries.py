"""Loads what needs libraries of the system, and names the Debian packages of those that are missing."""

import sys

DEBIAN_PACKAGES = {
    "libEGL.so": "libegl1",
    "libGL.so": "libgl1",
    "libX11.so": "libx11-6",
    "libgomp.so": "libgomp1",
    "libusb-1.0.so": "libusb-1.0-0",
}


def load_everything():
    import cv2
    import rclpy
    import torch
    from magic3d_ros.srv import QueryScene
    from tf2_msgs.msg import TFMessage

    from magic3d_ros.geometry.open3d_import import load_open3d

    load_open3d()
    return cv2, rclpy, torch, TFMessage, QueryScene


if __name__ == "__main__":
    try:
        load_everything()
    except (ImportError, OSError) as error:
        packages = [package for library, package in DEBIAN_PACKAGES.items() if library in str(error)]
        missing = f"\nmissing system library: apt install {' '.join(packages)}" if packages else ""
        sys.exit(f"{type(error).__name__}: {error}{missing}")
