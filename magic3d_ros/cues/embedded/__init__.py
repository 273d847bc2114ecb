"""2D models whose weights pip itself delivers: real-time on a CPU, no downloads."""
