"""The neural half of the map: colour finer than a voxel, and signed distances where the depth sensor is blind."""
