"""Sparse 3D networks in plain torch: voxel sites, convolutions on them, U-Nets."""
