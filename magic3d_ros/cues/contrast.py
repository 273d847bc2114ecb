"""What makes the cosines of a contrastively trained image-text model mean something."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

CANONICAL_PHRASES = ("object", "things", "stuff", "texture")
"""Phrases that fit everything a little: a question that fits no better than these is not answered by what is seen (Kerr et al.,
"LERF: Language Embedded Radiance Fields", ICCV 2023; these four in lerf/encoders/openclip_encoder.py)."""


@dataclass(frozen=True)
class Contrast:
    """Of models trained to tell matching pairs of images and texts from others (CLIP, SigLIP).

    logit_scale: what their training multiplied cosines with before a softmax or sigmoid: exp(logit_scale * cosine) are odds.
    negatives: (K, D) unit vectors of CANONICAL_PHRASES.
    """

    logit_scale: float
    negatives: np.ndarray
