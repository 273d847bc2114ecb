"""The node scene_mapper: posed RGB-D topics in, the scene out as topics and services.

A lifecycle node. Configured, it loads the models and offers its services; active, it listens and publishes. Everything heavy runs
on the threads of `LiveMapping`; callbacks only pass messages on.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from rcl_interfaces.msg import ParameterDescriptor
from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn

from magic3d_ros.cues.extractor import CueExtractor
from magic3d_ros.frames import RGBDFrame
from magic3d_ros.nodes.cue_exchange import KeyframeSender
from magic3d_ros.nodes.diagnostics import DiagnosticsPublisher, Report
from magic3d_ros.nodes.distractor_topics import DistractorTopics
from magic3d_ros.nodes.frame_counts import FrameCounts
from magic3d_ros.nodes.frame_input import FrameInput
from magic3d_ros.nodes.instance_masks import InstanceMasks
from magic3d_ros.nodes.live_mapping import Incoming, LiveMapping
from magic3d_ros.nodes.mapping_diagnosis import (
    InputState,
    cue_report,
    input_report,
    mapping_report,
    own_cue_report,
    pose_report,
    refinement_report,
    self_check_report,
    sync_report,
)
from magic3d_ros.nodes.parameters import declare_settings, follow_changes
from magic3d_ros.nodes.pose_corrections import PoseCorrections
from magic3d_ros.nodes.refinement_action import RefinementAction
from magic3d_ros.nodes.rendered_views import RenderedViews
from magic3d_ros.nodes.scene_services import SceneServices
from magic3d_ros.nodes.scene_topics import SceneTopics
from magic3d_ros.pipeline import ScenePipeline

_OWN = ("autostart",)


class SceneMapper(LifecycleNode):
    """Owns the scene. Parameters are the settings of magic3d_ros.config and `autostart`."""

    def __init__(self, **kwargs: object) -> None:
        super().__init__("scene_mapper", **kwargs)  # type: ignore[arg-type]
        self.settings = declare_settings(self, _OWN)
        autostart: Any = self.declare_parameter("autostart", True, ParameterDescriptor(
            description="configure and activate itself at the start; false leaves that to a lifecycle manager")).value
        follow_changes(self, self.settings, self._on_changed)
        self.counts = FrameCounts()
        self.mapping: LiveMapping | None = None
        self._input: FrameInput | None = None
        self._topics: SceneTopics | None = None
        self._masks: InstanceMasks | None = None
        self._views: RenderedViews | None = None
        self._moving: DistractorTopics | None = None
        self._refinement: RefinementAction | None = None
        self._corrections: PoseCorrections | None = None
        self._scene_services: SceneServices | None = None
        self._sender: KeyframeSender | None = None
        self._timers_of_activity: dict[str, Any] = {}
        self._active = False
        self._diagnostics = DiagnosticsPublisher(self, self._reports)
        if autostart:
            self.trigger_configure()
            self.trigger_activate()

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load the models on the worker; offer topics and services meanwhile."""
        extractor = CueExtractor(self.settings)
        if self.settings.ros.external_cues:
            self._sender = KeyframeSender(self, "keyframe", extractor.name, self.settings.ros)
        self.counts = FrameCounts()
        world = self.settings.ros.world_frame
        self._moving = DistractorTopics(self, world)
        self.mapping = LiveMapping(self.settings, lambda: self._build(extractor), self.counts, self._send_keyframe(),
                                   self._moving.publish)
        if self._sender is not None:
            self._sender.mapping = self.mapping
        self._topics = SceneTopics(self, world)
        self._masks = InstanceMasks(self)
        self._views = RenderedViews(self, self.settings.ros, self.mapping)
        self._refinement = RefinementAction(self, self.mapping)
        self._corrections = PoseCorrections(self, self.settings.ros, self.mapping, self._between)
        self._scene_services = SceneServices(self, self.settings, self.mapping, self._topics, self._to_world)
        self.mapping.start()
        return super().on_configure(state)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Listen and publish. Listening begins when the models are loaded: a recording that waits for us loses nothing."""
        self._active = True
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._timers_of_activity = {
            name: self.create_timer(period, call, clock=steady) for name, period, call in (
                ("listen", 0.1, self._listen_when_ready), ("publish", self.settings.ros.publish_interval, self._publish),
                ("draw", 1.0 / self.settings.ros.rendered_rate, self._draw))}
        return super().on_activate(state)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop listening and publishing; the scene and the services stay."""
        self._stop_listening()
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Forget the scene."""
        self._release()
        return super().on_cleanup(state)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """End everything."""
        self._stop_listening()
        self._release()
        return super().on_shutdown(state)

    def close(self) -> None:
        """End the worker before the node is destroyed; nothing is left running."""
        self._stop_listening()
        self._release()

    def destroy_node(self) -> None:
        """Leave the ROS graph. rclpy's lifecycle nodes do not take their state machine down, which keeps the DDS participant and
        its shared memory: 70 MB of /dev/shm stayed behind at each end."""
        super().destroy_node()
        self._state_machine.destroy_when_not_in_use()

    def _build(self, extractor: CueExtractor) -> ScenePipeline:
        pipeline = ScenePipeline(self.settings, extractor)
        extractor.language.encode_text(["chair"])  # text models load at the first word; the first question should not wait
        self.get_logger().info("models loaded; ready")
        return pipeline

    def _send_keyframe(self) -> Any:
        sender = self._sender
        if sender is None:
            return None

        def send(frame: RGBDFrame) -> None:
            sender.send(frame)

        return send

    def _listen_when_ready(self) -> None:
        if self._input is None and self.mapping is not None and self.mapping.pipeline is not None:
            self._input = FrameInput(self, self.settings, self.counts, self._on_frame)
            self.get_logger().info("listening: " + ", ".join(f"{role} on {topic}" for role, topic in self._input.topics.items()))

    def _on_frame(self, frame: Incoming) -> None:
        if self.mapping is not None:
            self.mapping.put(frame)

    def _publish(self) -> None:
        if self._topics is not None and self.mapping is not None:
            self._topics.publish(self.mapping.scene, self.mapping.version)
            self._publish_masks(self.mapping)

    def _publish_masks(self, mapping: LiveMapping) -> None:
        masks, newest = self._masks, mapping.newest
        if masks is not None and newest is not None and masks.claim(mapping.version, newest):
            mapping.draw(lambda pipeline: masks.publish(pipeline.scene, newest), self._masks_published)

    def _masks_published(self, _: Any, error: Exception | None) -> None:
        if error is not None and self._active:
            self.get_logger().error(f"instance masks could not be drawn: {error}")

    def _draw(self) -> None:
        if self._views is not None:
            self._views.draw()

    def _to_world(self, frame: str, stamp: int) -> np.ndarray:
        if self._input is None:
            raise LookupError(f"no transforms are known: give the pose in '{self.settings.ros.world_frame}'")
        return self._input.poses.to_world(frame, stamp)

    def _between(self, target: str, source: str, stamp: int) -> np.ndarray:
        if self._input is None:
            raise LookupError("no transforms are known: the node is not listening")
        return self._input.poses.between(target, source, stamp)

    def _on_changed(self, name: str) -> None:
        value = self.settings.flat()[name]
        pipeline = self.mapping.pipeline if self.mapping is not None else None
        if pipeline is not None and pipeline.settings is not self.settings:
            pipeline.settings.set(name, value)  # a loaded map has a copy of its own
        if name == "ros.publish_interval" and self._timers_of_activity:
            self._timers_of_activity["publish"].timer_period_ns = round(value * 1e9)
        if name == "ros.rendered_rate" and self._timers_of_activity:
            self._timers_of_activity["draw"].timer_period_ns = round(1e9 / value)

    def _stop_listening(self) -> None:
        self._active = False
        for timer in self._timers_of_activity.values():
            self.destroy_timer(timer)
        self._timers_of_activity = {}
        if self._input is not None:
            self._input.close()
            self._input = None

    def _release(self) -> None:
        if self.mapping is not None and not self.mapping.stop():
            self.get_logger().error("the worker did not end within half a minute")
        self.mapping = None
        for part in (self._scene_services, self._refinement, self._corrections, self._topics, self._masks, self._views,
                     self._moving, self._sender):
            if part is not None:
                part.close()
        self._scene_services = self._refinement = self._corrections = None
        self._topics = self._masks = self._views = self._moving = self._sender = None

    def _reports(self) -> list[Report]:
        if self.mapping is None:
            return [Report("input", 1, "the node is not configured", {})]
        loading = self.mapping.failure or ("" if self.mapping.pipeline is not None else "the models are loading")
        state = self._input_state()
        reports = [input_report(state, self.counts, self._active, loading), sync_report(state), pose_report(state),
                   mapping_report(self.mapping, self._views.rate if self._views is not None else 0.0)]
        if self.mapping.pipeline is not None:
            reports.append(self_check_report(self.mapping.pipeline.mapper.self_check.figures()))
        if self._refinement is not None and self._corrections is not None:
            reports.append(refinement_report(self._refinement, self._corrections))
        if self._sender is not None:
            reports.append(cue_report(self.mapping, *self._sender.extractors, self._sender.refused))
        elif self.mapping.pipeline is not None:
            reports.append(own_cue_report(self.mapping.pipeline.extractor))
        return reports

    def _input_state(self) -> InputState:
        if self._input is None:
            return InputState(pose_source=self.settings.ros.pose_source)
        poses, frames = self._input.poses, self._input.frames
        sync = frames.sync
        return InputState(
            self._input.topics, self._input.publishers(), sync.match_rate, sync.matched, sync.dropped[0], sync.describe(),
            frames.info is not None, self.settings.ros.pose_source, poses.tried, poses.failure, poses.invalid, poses.refused,
            tuple(poses.known_frames[:50]))
