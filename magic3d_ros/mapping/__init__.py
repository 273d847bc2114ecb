"""Geometry and appearance: the block-sparse TSDF, free space, meshing, rendering, keyframes."""
