"""Saving and loading scenes, and exporting them for other programs."""
