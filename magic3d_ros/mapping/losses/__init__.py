"""What a neural map is trained to minimise. Pure functions on tensors: they know no field, no renderer and no keyframe."""
