"""Images and words in the joint class space."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from magic3d_ros.cues.embedded.efficientnet import EfficientNetLite
from magic3d_ros.cues.embedded.joint_space import JointClassSpace, class_names
from magic3d_ros.cues.embedded.sentence import SentenceEncoder


@pytest.fixture(scope="module")
def space(tmp_path_factory):
    return JointClassSpace(EfficientNetLite, SentenceEncoder(cache=tmp_path_factory.mktemp("cache")))


def best(space, text, count=5):
    return [space.class_names[i] for i in np.argsort(-space.encode_text([text])[0])[:count]]


def test_words_name_their_class(space):
    assert best(space, "a coffee mug")[0] == "coffee mug"
    assert best(space, "refrigerator")[0] == "refrigerator"


def test_a_thousand_different_class_names_in_their_places():
    names, kinds = class_names()
    assert len(names) == len(set(names)) == len(kinds) == 1000
    assert (names[504], names[559], names[760], names[851]) == ("coffee mug", "folding chair", "refrigerator", "television")
    assert kinds.index("thing") == 398  # the first 398 outputs are animals


def test_text_is_of_unit_length_and_words_only(space):
    vectors = space.encode_text(["chair", "/etc/passwd", "a.png", "Stuhl zum Sitzen", "x" * 900])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert (vectors >= 0).all()


def test_animals_are_weighed_down(space):
    image = np.random.default_rng(0).integers(0, 255, (60, 80, 3), dtype=np.uint8)
    logits = space._images.logits([image])[0]
    np.testing.assert_allclose(space.encode_crops([image])[0, 390:400], logits[390:400] * ([0.3] * 8 + [1.0] * 2), atol=1e-4)


def test_dense_features_are_the_compressed_logits_of_their_cells(space):
    """The mean over all cells is what classifying the whole image gives, compressed (the network pools by a mean)."""
    image = cv2.resize(np.random.default_rng(1).integers(0, 255, (14, 14, 3), dtype=np.uint8), (224, 224))
    dense = space.encode_dense([image])[0].values.astype(np.float32)
    logits = space._images.logits([image])[0] * space._class_weight
    np.testing.assert_allclose(dense.mean((0, 1)), space.compress(logits[None])[0], atol=0.05)
    assert dense.shape == (7, 7, 64)


def test_compression_keeps_what_the_classifier_says(space):
    """Cosines of 64 of 1000 dimensions follow the full ones (.90 on real crops, random projections .62)."""
    generator = np.random.default_rng(2)
    features = np.maximum(generator.normal(size=(200, 1280)), 0).astype(np.float32)
    logits = (features @ space._images.classifier_weight.numpy().T) * space._class_weight
    logits -= logits.mean(0)
    small = space.compress(logits)

    def cosines(x):
        unit = x / np.linalg.norm(x, axis=1, keepdims=True)
        return (unit @ unit.T)[np.triu_indices(len(x), 1)]

    assert np.corrcoef(cosines(logits), cosines(small))[0, 1] > 0.6
    assert small.shape == (200, 64)


def test_background_is_the_same_for_the_same_image(space):
    image = np.random.default_rng(3).integers(0, 255, (90, 120, 3), dtype=np.uint8)
    np.testing.assert_array_equal(space.background(image), space.background(image))


@pytest.mark.data
def test_a_mug_is_recognised(space, shared_data):
    """The white mug in three frames; the centre is the mean of random views of the kitchen."""

    def frame(number):
        return cv2.cvtColor(cv2.imread(str(shared_data / "redkitchen" / "color" / f"{number:06d}.jpg")), cv2.COLOR_BGR2RGB)

    center = np.concatenate([space.background(frame(n)) for n in (0, 180, 330, 540, 720, 870)]).mean(0)
    boxes = {600: (348, 288, 409, 360), 540: (134, 262, 180, 317), 240: (217, 302, 264, 358)}
    crops = [frame(n)[y0:y1, x0:x1] for n, (x0, y0, x1, y1) in boxes.items()]
    vector = (space.encode_crops(crops) - center).mean(0)
    assert {"coffee mug", "cup"} & {space.class_names[i] for i in np.argsort(-vector)[:5]}
    texts = ["a coffee mug", "a chair", "a television", "a book", "a table", "a refrigerator", "a lamp"]
    assert (space.encode_text(texts) @ vector).argmax() == 0
