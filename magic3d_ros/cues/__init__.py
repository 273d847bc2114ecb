"""What 2D models say of one frame: protocols, the embedded tier and the extractor that runs them."""
