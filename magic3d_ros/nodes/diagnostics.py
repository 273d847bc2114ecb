"""Diagnostics once a second on /diagnostics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.clock import Clock, ClockType
from rclpy.node import Node

PERIOD = 1.0
"""Seconds; the rate that ROS's diagnostic_aggregator expects."""


@dataclass(frozen=True)
class Report:
    """State of one part of a node. level: 0 fine, 1 warning, 2 error. message: a sentence for people. values: figures."""

    part: str
    level: int
    message: str
    values: Mapping[str, Any] = field(default_factory=dict)


class DiagnosticsPublisher:
    """Publishes what `collect` reports, once a second of wall time (also while a simulated clock stands still)."""

    def __init__(self, node: Node, collect: Callable[[], list[Report]]) -> None:
        self._node, self._collect = node, collect
        self._publisher = node.create_publisher(DiagnosticArray, "/diagnostics", 10)
        self._timer = node.create_timer(PERIOD, self._publish, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def close(self) -> None:
        """Fall silent."""
        self._node.destroy_timer(self._timer)
        self._node.destroy_publisher(self._publisher)

    def _publish(self) -> None:
        name = self._node.get_name()
        message = DiagnosticArray()
        message.header.stamp = self._node.get_clock().now().to_msg()
        for report in self._collect():
            values = [KeyValue(key=key, value=_text(value)) for key, value in report.values.items()]
            message.status.append(DiagnosticStatus(level=bytes([report.level]), name=f"{name}: {report.part}",
                                                   message=report.message, hardware_id=name, values=values))
        self._publisher.publish(message)


def _text(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)
