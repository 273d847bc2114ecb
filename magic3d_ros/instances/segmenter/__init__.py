"""Class-agnostic 3D instances by a network trained without labels: a sparse U-Net with a mask transformer (docs/segmenter.md)."""
