"""Training of the networks that this package brings itself: rendered rooms, losses, and the loop. Needs no data of anybody."""
