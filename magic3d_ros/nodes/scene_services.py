"""The services of scene_mapper: questions, views, and saving and loading of maps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node

from magic3d_ros import srv
from magic3d_ros.config import Settings
from magic3d_ros.frames import FrameError
from magic3d_ros.geometry.camera import Camera
from magic3d_ros.instances.views import crop
from magic3d_ros.language.answer import Answer, Question
from magic3d_ros.language.label_set import painted
from magic3d_ros.language.question import problem
from magic3d_ros.nodes.clouds import cloud_message, heat_cloud
from magic3d_ros.nodes.conversions import header, image_message, nanoseconds, pose_matrix
from magic3d_ros.nodes.jobs import Answers
from magic3d_ros.nodes.live_mapping import LiveMapping, NotReady
from magic3d_ros.nodes.map_names import map_folder
from magic3d_ros.nodes.object_messages import detailed_object, object_array, object_message
from magic3d_ros.nodes.ros_install import color_image
from magic3d_ros.nodes.scene_topics import SceneTopics
from magic3d_ros.scene import Scene
from magic3d_ros.storage.map_folder import export_map, load_map, save_map

MAX_IMAGE_SIDE = 4096
MAX_RESULTS = 1000
MAX_LABELS = 200
MAX_LABEL_LENGTH = 200

Transform = Callable[[str, int], np.ndarray]


class SceneServices:
    """Offers the services; answers read the scene's snapshot; what needs or changes the map runs on the mapping's worker.

    to_world: (frame, stamp) -> (4, 4) transform of that frame into the world frame; raises LookupError with the reason.
    """

    def __init__(self, node: Node, settings: Settings, mapping: LiveMapping, topics: SceneTopics, to_world: Transform) -> None:
        self._node, self._settings, self._mapping, self._topics, self._to_world = node, settings, mapping, topics, to_world
        self._answers = Answers(node)
        group = ReentrantCallbackGroup()  # one waiting question must not keep the others waiting
        offered: list[tuple[type, str, Callable[..., Any]]] = [
            (srv.QueryScene, "query_scene", self.query_scene), (srv.SegmentByLabels, "segment_by_labels", self.segment_by_labels),
            (srv.ListObjects, "list_objects", self.list_objects), (srv.GetObject, "get_object", self.get_object),
            (srv.RenderView, "render_view", self.render_view), (srv.SaveMap, "save_map", self.save_map),
            (srv.LoadMap, "load_map", self.load_map), (srv.ExportMap, "export_map", self.export_map),
            (srv.ResetMap, "reset_map", self.reset_map)]
        self._services = [node.create_service(kind, f"~/{name}", call, callback_group=group) for kind, name, call in offered]

    def close(self) -> None:
        """Take the services down."""
        for service in self._services:
            self._node.destroy_service(service)
        self._answers.close()

    async def query_scene(self, request: srv.QueryScene.Request, response: srv.QueryScene.Response) -> srv.QueryScene.Response:
        """Where is what I ask for?"""
        try:
            question = self._question(request)
            wrong = problem(question)
        except (ValueError, FrameError) as error:
            wrong = str(error)
        if wrong:
            response.status, response.why = srv.QueryScene.Response.INVALID, wrong
            return response

        def answer(pipeline: Any) -> tuple[Scene, Answer]:
            return pipeline.scene, pipeline.scene.query(question)

        try:
            scene, found = await self._answers.of(lambda done: self._mapping.ask(answer, done))
        except NotReady as error:
            response.status, response.why = srv.QueryScene.Response.NOT_READY, str(error)
            return response
        except Exception as error:  # whatever it was, the one who asked must be told
            self._node.get_logger().error(f"query_scene: {type(error).__name__}: {error}")
            response.status, response.why = srv.QueryScene.Response.INVALID, f"unexpected {type(error).__name__}: {error}"
            return response
        response.status, response.why = int(found.status), found.why
        response.header = self._header(scene)
        query = self._settings.query
        for match in found.matches:
            thing = scene.object(match.id)
            if thing is None:
                continue
            message = detailed_object(scene, thing, response.header, request.include_points, query.robot_radius,
                                      query.approach_reach)
            message.score, message.probability = float(match.score), float(match.probability)
            message.label = match.label or thing.label
            response.objects.append(message)
        if request.publish_heatmap and found.heat is not None:
            self._topics.publish_heat(heat_cloud(scene, found.heat, response.header))
        return response

    async def segment_by_labels(self, request: srv.SegmentByLabels.Request,
                                response: srv.SegmentByLabels.Response) -> srv.SegmentByLabels.Response:
        """Name every surface point by the best of the labels."""
        labels = list(request.labels)
        if not 1 <= len(labels) <= MAX_LABELS or any(not 1 <= len(label.strip()) <= MAX_LABEL_LENGTH for label in labels):
            response.message = f"give 1 to {MAX_LABELS} labels of 1 to {MAX_LABEL_LENGTH} characters"
            return response

        def segment(pipeline: Any) -> tuple[Scene, np.ndarray, np.ndarray]:
            return (pipeline.scene, *pipeline.scene.segment(labels))

        result = await self._try(segment, response, self._mapping.ask)
        if result is not None:
            scene, indices, confidence = result
            response.points = cloud_message(self._header(scene), scene.surface.vertices, {
                "rgb": painted(labels, indices), "label": indices.astype(np.int32), "confidence": confidence.astype(np.float32)})
            response.message = f"{int((indices >= 0).sum())} of {len(indices)} points named"
        return response

    async def list_objects(self, request: srv.ListObjects.Request,
                           response: srv.ListObjects.Response) -> srv.ListObjects.Response:
        """All things of the newest scene and, where asked for, what moves in the newest frame."""
        scene, pipeline = self._mapping.scene, self._mapping.pipeline
        response.objects = object_array(scene, self._header(scene), request.include_structure, request.min_confidence)
        if request.include_moving and pipeline is not None:
            moving = await self._answers.of(lambda done: self._mapping.ask(lambda p: p.moving_things(), done))
            response.moving.header = header(pipeline.last_stamp, self._settings.ros.world_frame)
            response.moving.objects = [object_message(thing) for thing in moving]
        return response

    async def get_object(self, request: srv.GetObject.Request, response: srv.GetObject.Response) -> srv.GetObject.Response:
        """One thing by its id."""

        def find(pipeline: Any) -> tuple[Any, Any, Any]:
            scene = pipeline.scene
            thing = scene.object(request.id)
            if thing is None:
                known = ", ".join(str(o.id) for o in scene.objects[:20]) or "none yet"
                raise LookupError(f"there is no object {request.id}; known ids: {known}")
            image = None
            if request.include_image:
                view = next((v for v in thing.views if pipeline.mapper.keyframes.get(v.stamp) is not None), None)
                image = None if view is None else (view.stamp, crop(pipeline.mapper.keyframes.get(view.stamp), view))
            query = self._settings.query
            return scene, detailed_object(scene, thing, self._header(scene), request.include_points, query.robot_radius,
                                          query.approach_reach), image

        result = await self._try(find, response, self._mapping.ask)
        if result is not None:
            scene, response.object, image = result
            response.header = self._header(scene)
            if image is not None:
                response.image = image_message(image[1], header(image[0], ""))
        return response

    async def render_view(self, request: srv.RenderView.Request, response: srv.RenderView.Response) -> srv.RenderView.Response:
        """What the map looks like from a pose."""

        def render(pipeline: Any) -> Any:
            camera = self._render_camera(request)
            pose = pose_matrix(request.camera_pose.pose)
            frame = request.camera_pose.header.frame_id
            if frame and frame != self._settings.ros.world_frame:
                stamp = request.camera_pose.header.stamp
                pose = self._to_world(frame, stamp.sec * 1_000_000_000 + stamp.nanosec) @ pose
            if not np.isfinite(pose).all():
                raise ValueError("the camera's pose is not a rigid transform: is its quaternion of unit length?")
            return pipeline.scene, pipeline.render(camera, pose)

        result = await self._try(render, response)
        if result is not None:
            scene, view = result
            response.rgb = image_message(view.rgb, self._header(scene))
            response.depth = image_message(view.depth, self._header(scene))
            guessed = np.zeros(view.depth.shape, bool) if view.guessed is None else view.guessed
            response.guessed = image_message(guessed.astype(np.uint8) * 255, self._header(scene))
        return response

    async def save_map(self, request: srv.SaveMap.Request, response: srv.SaveMap.Response) -> srv.SaveMap.Response:
        """Save under a name."""

        def save(pipeline: Any) -> str:
            folder = self._folder(request.name)
            folder.parent.mkdir(parents=True, exist_ok=True)
            save_map(pipeline, folder, {"frames": self._mapping.counts.summary()})
            return f"saved as {request.name} in {folder.parent}"

        response.message = await self._try(save, response) or response.message
        return response

    async def load_map(self, request: srv.LoadMap.Request, response: srv.LoadMap.Response) -> srv.LoadMap.Response:
        """Replace the map by a saved one."""

        def load(pipeline: Any) -> str:
            self._mapping.replace(load_map(self._folder(request.name), self._settings, pipeline.extractor))
            scene = self._mapping.understand()
            return f"loaded {request.name}: {len(scene.objects)} things, {len(scene.surface)} surface points"

        response.message = await self._try(load, response) or response.message
        return response

    async def export_map(self, request: srv.ExportMap.Request, response: srv.ExportMap.Response) -> srv.ExportMap.Response:
        """Write files for other programs."""

        def export(pipeline: Any) -> list[str]:
            folder = self._folder(request.name)
            folder.mkdir(parents=True, exist_ok=True)
            scene = self._mapping.understand()
            return [f"{request.name}/{name}" for name in export_map(scene, folder, pipeline.filled_surface())]

        files = await self._try(export, response)
        if files is not None:
            response.files, response.message = files, f"wrote {len(files)} files"
        return response

    async def reset_map(self, _: srv.ResetMap.Request, response: srv.ResetMap.Response) -> srv.ResetMap.Response:
        """Forget the scene."""

        def reset(__: Any) -> str:
            self._mapping.rebuild()
            return "the scene is empty"

        response.message = await self._try(reset, response) or response.message
        return response

    def _question(self, request: srv.QueryScene.Request) -> Question:
        image = None
        if len(request.image.data):
            if max(request.image.width, request.image.height) > MAX_IMAGE_SIDE:
                raise ValueError(f"the picture is {request.image.width}x{request.image.height}; at most "
                                 f"{MAX_IMAGE_SIDE}x{MAX_IMAGE_SIDE}")
            image = color_image(request.image, "image")
        region = None
        if request.use_region:
            region = np.array([[p.x, p.y, p.z] for p in (request.region_min, request.region_max)])
            if not np.isfinite(region).all() or (region[0] > region[1]).any():
                raise ValueError("region_min must not exceed region_max in any coordinate, and both must be finite")
        at, limit = request.viewpoint, request.max_results or self._settings.query.max_results
        return Question(request.text, image, tuple(request.negatives), region, min(limit, MAX_RESULTS),
                        nanoseconds(request.seen_after), request.max_age, request.relations,
                        np.array([at.x, at.y, at.z]) if request.use_viewpoint else None)

    def _render_camera(self, request: srv.RenderView.Request) -> Camera:
        info = request.camera_info
        if info.width:
            camera = Camera(info.width, info.height, info.k[0], info.k[4], info.k[2], info.k[5])
        elif self._mapping.newest is not None:
            camera = self._mapping.newest.frame.camera
        else:
            raise ValueError("no camera was seen yet: give camera_info")
        width, height = request.width or camera.width, request.height or camera.height
        if max(width, height) > MAX_IMAGE_SIDE:
            raise ValueError(f"{width}x{height} is too large: at most {MAX_IMAGE_SIDE}x{MAX_IMAGE_SIDE}")
        return camera.resized(width, height)

    def _folder(self, name: str) -> Any:
        return map_folder(self._settings.ros.map_directory, name)

    def _header(self, scene: Scene) -> Any:
        return header(scene.stamp, self._settings.ros.world_frame)

    async def _try(self, job: Callable[[Any], Any], response: Any, submit: Callable[..., None] | None = None) -> Any:
        """The job's result; None after an error, which is told in the response and logged where it is not the caller's."""
        submit = submit or self._mapping.submit
        try:
            result = await self._answers.of(lambda done: submit(job, done))
        except (NotReady, ValueError, LookupError, OSError) as error:
            response.success, response.message = False, str(error)
            return None
        except Exception as error:
            self._node.get_logger().error(f"{type(error).__name__}: {error}")
            response.success, response.message = False, f"unexpected {type(error).__name__}: {error}"
            return None
        response.success = True
        return result

