"""Camera models, rigid transforms, boxes, the up axis."""
