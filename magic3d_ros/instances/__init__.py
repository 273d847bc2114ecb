"""Which parts of the surface are one thing: class-agnostic 3D instances and structure."""
