"""Poses and intrinsics made better after the fact, and the map fused again."""
