"""Loaders of the foundation tier: DINO, SAM, CLIP and monocular geometry from local checkpoints, behind the cues' protocols."""
