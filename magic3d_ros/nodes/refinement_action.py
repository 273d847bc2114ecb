"""The action refine_map: improve the map in the background, with feedback, until the time is up or it is cancelled."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable

from rclpy.action import ActionServer, CancelResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node

from magic3d_ros.action import RefineMap
from magic3d_ros.mapping.refinement.reports import RefinementReport
from magic3d_ros.nodes.jobs import Answers
from magic3d_ros.nodes.live_mapping import LiveMapping, NotReady
from magic3d_ros.pipeline import ScenePipeline

_log = logging.getLogger(__name__)

MAX_SECONDS = 3600.0
_FEEDBACK_INTERVAL = 0.25
"""Seconds between feedbacks of the same stage."""


class RefinementAction:
    """One refinement at a time, on the mapping's thread for it. under_way: the stage that is worked on, or empty. last: what the
    last one did, or why it could not.

    ROS gives a rejected goal no words; so a goal that cannot be is accepted and ends at once as aborted, with the reason in
    `message`. A cancelled one keeps what was reached and tells it. So does one that ends because the node goes down, the map is
    replaced, or corrected poses have come.
    """

    def __init__(self, node: Node, mapping: LiveMapping) -> None:
        self._node, self._mapping = node, mapping
        self._answers = Answers(node)
        self.under_way = self.last = ""
        self._server = ActionServer(node, RefineMap, "~/refine_map", self._execute, callback_group=ReentrantCallbackGroup(),
                                    cancel_callback=lambda _: CancelResponse.ACCEPT)

    def close(self) -> None:
        """Take the action down; the mapping has ended the refinement by then."""
        self._server.destroy()
        self._answers.close()

    async def _execute(self, goal: ServerGoalHandle) -> RefineMap.Result:
        problem = self._problem(goal.request)
        if problem:
            return self._abort(goal, problem)
        self.under_way = "begins"
        try:
            report = await self._answers.of(
                lambda done: self._mapping.refine(lambda pipeline, ended: self._refine(pipeline, ended, goal), done))
        except NotReady as error:
            return self._abort(goal, str(error))
        except Exception as error:  # whatever it was, the one who waits for the result must be told
            _log.error("refine_map met an error", exc_info=error)
            return self._abort(goal, f"unexpected {type(error).__name__}: {error}")
        finally:
            self.under_way = ""
        result = _result(report)
        self.last = result.message
        if goal.is_cancel_requested:
            goal.canceled()
        elif result.success:
            goal.succeed()
        else:
            goal.abort()
        return result

    def _problem(self, request: RefineMap.Goal) -> str:
        if not 0.0 < request.seconds <= MAX_SECONDS:  # NaN fails too
            return f"seconds must lie above 0 and not beyond {MAX_SECONDS:.0f}, not {request.seconds:g}"
        if self.under_way:
            return "another refinement is under way: wait for it, or cancel it"
        return ""

    def _refine(self, pipeline: ScenePipeline, ended: Callable[[], bool], goal: ServerGoalHandle) -> RefinementReport:
        if not len(pipeline.mapper.keyframes):
            raise NotReady("nothing has been mapped yet: there is nothing to refine")
        wanted = {name: getattr(goal.request, name) for name in ("poses", "calibration", "appearance")}
        if not any(wanted.values()):
            wanted = {}  # what pipeline.refine does unless told

        def tell(feedback: RefineMap.Feedback) -> None:
            self.under_way = f"{feedback.stage}, {feedback.progress:.0%} of the time"
            goal.publish_feedback(feedback)

        return pipeline.refine(goal.request.seconds, lambda: goal.is_cancel_requested or ended(), _throttled(tell), **wanted)

    def _abort(self, goal: ServerGoalHandle, why: str) -> RefineMap.Result:
        self._node.get_logger().warning(f"refine_map: {why}")
        self.last = why
        goal.abort()
        return RefineMap.Result(success=False, message=why, **dict.fromkeys(_MEASURED, math.nan))


_MEASURED = ("depth_error_before", "depth_error_after", "psnr_before", "psnr_after")


def _result(report: RefinementReport) -> RefineMap.Result:
    """The report's fields, which are those of the result."""
    result = RefineMap.Result()
    for name in result.get_fields_and_field_types():
        setattr(result, name, type(getattr(result, name))(getattr(report, name)))
    return result


def _throttled(publish: Callable[[RefineMap.Feedback], None]) -> Callable[[str, float, float], None]:
    last_stage, last_time = "", -math.inf

    def progress(stage: str, share: float, loss: float) -> None:
        nonlocal last_stage, last_time
        now = time.monotonic()
        if stage == last_stage and now - last_time < _FEEDBACK_INTERVAL:
            return
        last_stage, last_time = stage, now
        publish(RefineMap.Feedback(stage=stage, progress=float(share), loss=float(loss)))

    return progress
