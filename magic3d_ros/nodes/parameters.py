"""Settings as ROS parameters: declared with description and range, read back checked, changed while running where safe."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor, ParameterType, SetParametersResult
from rclpy.node import Node
from rclpy.parameter import Parameter

from magic3d_ros.config import Setting, Settings, SettingsError, describe

CHANGEABLE = frozenset({
    "query.found_probability", "query.ambiguous_probability", "query.max_results", "query.robot_radius", "query.approach_reach",
    "instances.update_interval", "ros.publish_interval", "ros.pose_timeout", "ros.cue_timeout", "ros.sync_slop", "ros.queue_size",
    "ros.rendered_width", "ros.rendered_rate",
})
"""Settings that may change while the node runs; every other one shapes the map or the connections and is read once."""

_OF_ROS = ("use_sim_time", "qos_overrides.", "start_type_description_service", "diagnostic_updater.")

_TYPES = {bool: ParameterType.PARAMETER_BOOL, int: ParameterType.PARAMETER_INTEGER, float: ParameterType.PARAMETER_DOUBLE,
          str: ParameterType.PARAMETER_STRING}


def declare_settings(node: Node, own: Iterable[str] = ()) -> Settings:
    """Declare every setting as a parameter of the node and return their values.

    own: names of further parameters that the node declares itself. Values come from the command line and parameter files.
    Raises SettingsError for a name that is neither a setting nor `own`, and for a value that it cannot have.
    """
    overrides = dict(node._parameter_overrides)  # type: ignore[attr-defined]  # rclpy has no public way to see undeclared ones
    settings = Settings()
    for name, parameter in overrides.items():
        if name in own or name.startswith(_OF_ROS):
            continue
        try:
            settings.set(name, parameter.value)
        except SettingsError as error:
            raise SettingsError(f"{error} (a parameter of node {node.get_name()})") from error
    settings.check()
    values = settings.flat()
    for name, known in describe():
        node.declare_parameter(name, values[name], descriptor(name, values[name], known), ignore_override=True)
    return settings


def descriptor(name: str, value: object, known: Setting) -> ParameterDescriptor:
    """Description, unit, range and choices of a setting as ROS shows them."""
    text = known.doc + (f" [{known.unit}]" if known.unit else "")
    constraints = "one of: " + ", ".join(known.choices) if known.choices else ""
    # Types are checked by Settings.set, which takes `1` for `1.0`; the static type would refuse it without saying why.
    described = ParameterDescriptor(name=name, type=_TYPES[type(value)], description=text, additional_constraints=constraints,
                                    read_only=False, dynamic_typing=True)
    if isinstance(value, bool) or known.minimum is None or known.maximum is None:
        return described
    if isinstance(value, int):
        described.integer_range = [IntegerRange(from_value=int(known.minimum), to_value=int(known.maximum), step=0)]
    elif isinstance(value, float):
        described.floating_point_range = [FloatingPointRange(from_value=float(known.minimum), to_value=float(known.maximum),
                                                             step=0.0)]
    return described


def follow_changes(node: Node, settings: Settings, changed: Callable[[str], None] = lambda name: None) -> None:
    """Apply parameter changes to `settings` while the node runs; refuse, with the reason, those that need a restart.

    changed: called with the name of each setting that took a new value.
    """
    names = dict(describe())

    def on_set(parameters: list[Parameter]) -> SetParametersResult:
        trial = Settings()
        trial.update(settings.flat())
        wanted = [p for p in parameters if p.name in names]
        try:
            for parameter in wanted:
                trial.set(parameter.name, parameter.value)
                if parameter.name not in CHANGEABLE and trial.flat()[parameter.name] != settings.flat()[parameter.name]:
                    return SetParametersResult(successful=False, reason=(
                        f"{parameter.name} is read once at the start: give it on the command line or in a parameter file "
                        "and start the node again"))
            trial.check()
        except SettingsError as error:
            return SetParametersResult(successful=False, reason=str(error))
        for parameter in wanted:
            settings.set(parameter.name, parameter.value)
            changed(parameter.name)
        return SetParametersResult(successful=True)

    node.add_on_set_parameters_callback(on_set)
