"""Fixtures of the tests that speak ROS: a domain of their own on this machine only, and a context for each test."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator

import pytest

from magic3d_ros.child_process import Child

pytest.importorskip("rclpy", reason="no rclpy: the nodes are not tested")
pytest.importorskip("magic3d_ros.srv", reason="the interfaces are not built: the nodes are not tested")


@pytest.fixture(scope="session")
def ros_domain() -> Iterator[int]:
    """A ROS domain that no other program on this machine uses, for this process and those it starts."""
    from domain_coordinator import domain_id

    from magic3d_ros.nodes import environment

    with domain_id() as domain:
        os.environ["ROS_DOMAIN_ID"] = str(domain)
        os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
        environment.prepare()
        yield domain


@pytest.fixture
def ros_context(ros_domain: int) -> Iterator[object]:
    """A ROS context that ends with the test."""
    import rclpy
    from rclpy.context import Context

    context = Context()
    rclpy.init(context=context)
    yield context
    context.try_shutdown()


@pytest.fixture
def spin_until(ros_context: object) -> Iterator[Callable[..., bool]]:
    """spin_until(nodes, condition, seconds): spin until the condition holds; False when it did not within that time."""
    import time

    from rclpy.executors import SingleThreadedExecutor

    executor = SingleThreadedExecutor(context=ros_context)

    def spin(nodes: list, condition: Callable[[], bool], seconds: float = 10.0) -> bool:
        for node in nodes:
            if node not in executor.get_nodes():
                executor.add_node(node)
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                return False
            executor.spin_once(timeout_sec=0.05)
        return True

    yield spin
    executor.shutdown(timeout_sec=1.0)


@pytest.fixture(scope="module")
def start_node(ros_domain: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Child]]:
    """start_node(module, *arguments): a node in a process of its own; it is ended with the module's tests."""
    logs = tmp_path_factory.mktemp("logs")
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    started: list[Child] = []

    def start(module: str, *arguments: str) -> Child:
        command = [sys.executable, "-m", f"magic3d_ros.nodes.{module}", *arguments]
        started.append(Child(module, command, logs / f"{module}_{len(started)}.log", environment))
        return started[-1]

    yield start
    for child in started:
        child.stop()
