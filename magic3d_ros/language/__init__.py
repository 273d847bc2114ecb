"""What surface and instances mean: fused language features, text queries, calibration."""
