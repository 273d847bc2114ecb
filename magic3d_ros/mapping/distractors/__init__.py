"""Telling what moves from what stands: uncertainty learned online on 2D features, and geometry."""
