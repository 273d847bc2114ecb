"""Moving things put into the frames of any source, with exact depth and exact masks: the yardstick for distractors."""

from magic3d_ros.evaluation.composite.source import CompositeFrame, CompositeSettings, CompositeSource

__all__ = ["CompositeFrame", "CompositeSettings", "CompositeSource"]
