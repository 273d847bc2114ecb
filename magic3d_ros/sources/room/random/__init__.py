"""Rooms that nobody furnished: one a seed, with a way of the camera over their free floor."""
