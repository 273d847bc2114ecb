"""Images and words in the joint class space."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from magic3d_ros.cues.embedded.efficientnet import EfficientNetLite
from magic3d_ros.cues.embedded.joint_space import JointClassSpace
from magic3d_ros.cues.embedded.sentence import SentenceEncoder


@pytest.fixture(scope="module")
def space(tmp_path_factory):
    return JointClassSpace(EfficientNetLite(), SentenceEncoder(cache=tmp_path_factory.mktemp("cache")))


def best(space, text, count=5):
    return [space.class_names[i] for i in np.argsort(-space.encode_text([text])[0])[:count]]


def test_words_name_their_class(space):
    assert best(space, "a coffee mug")[0] == "coffee mug"
    assert best(space, "where is the refrigerator?")[0] == "refrigerator"


def test_what_people_want_leads_to_what_serves(space):
    assert "folding chair" in best(space, "where can I sit")
    assert "book cover" in best(space, "I would like something to read")
    assert "computer keyboard" in best(space, "something to type on")


def test_a_question_that_names_a_class_is_left_alone(space):
    """"teapot" is near "brew tea", but it means the teapot and nothing else."""
    assert space.encode_text(["teapot"])[0, space.class_names.index("teapot")] > 0.9


def test_text_is_of_unit_length_and_words_only(space):
    vectors = space.encode_text(["chair", "/etc/passwd", "a.png", "Stuhl zum Sitzen", "x" * 900])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert (vectors >= 0).all()


def test_a_picture_and_its_mirror_image_mean_the_same(space):
    image = np.random.default_rng(0).integers(0, 255, (60, 80, 3), dtype=np.uint8)
    first, second = space.encode_crops([image, image[:, ::-1]])
    np.testing.assert_allclose(first, second, atol=1e-3)


def test_dense_features_are_the_compressed_logits_of_their_cells(space):
    """The mean over all cells is what classifying the whole image gives, compressed (the network pools by a mean)."""
    image = cv2.resize(np.random.default_rng(1).integers(0, 255, (14, 14, 3), dtype=np.uint8), (224, 224))
    dense = space.encode_dense(image).values.astype(np.float32)
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
    """Two crops of the white mug; the centre is that of its picture."""
    image = cv2.cvtColor(cv2.imread(str(shared_data / "redkitchen" / "color" / "000600.jpg")), cv2.COLOR_BGR2RGB)
    crop = image[290:357, 348:406]
    vector = space.encode_crops([crop])[0] - space.background(image).mean(0)
    assert "coffee mug" in [space.class_names[i] for i in np.argsort(-vector)[:5]]
