"""Sentences in the embedded tier."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from magic3d_ros.cues.embedded import sentence
from magic3d_ros.cues.embedded.sentence import DIMENSION, SentenceEncoder, cache_directory


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    return SentenceEncoder(cache=tmp_path_factory.mktemp("cache"))


def test_meaning_is_closer_than_spelling(encoder):
    chair, sit, chain = encoder.encode(["a chair", "something to sit on", "a chain"])
    assert chair @ sit > chair @ chain
    assert np.linalg.norm(chair) == pytest.approx(1, abs=1e-5)


def test_batches_and_padding_do_not_change_a_vector(encoder):
    alone = encoder.encode(["cup"])[0]
    among = encoder.encode(["cup", "a much longer sentence about where the cup might have been put last night"], batch=2)[0]
    np.testing.assert_allclose(alone, among, atol=1e-5)


def test_paths_are_words(encoder):
    assert encoder.encode(["/etc/passwd"]).shape == (1, DIMENSION)


def test_fixed_lists_are_kept_on_disk(tmp_path, encoder):
    first = SentenceEncoder(cache=tmp_path)
    vectors = first.encode_fixed(["cup", "table"])
    second = SentenceEncoder(cache=tmp_path)
    np.testing.assert_array_equal(second.encode_fixed(["cup", "table"]), vectors)
    assert second._model is None, "the cache was not used"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_damaged_cache_is_made_anew(tmp_path):
    first = SentenceEncoder(cache=tmp_path)
    vectors = first.encode_fixed(["cup"])
    file = next(tmp_path.iterdir())
    file.write_bytes(b"not an array")
    np.testing.assert_allclose(SentenceEncoder(cache=tmp_path).encode_fixed(["cup"]), vectors, atol=1e-6)
    assert np.load(file, allow_pickle=False).shape == (1, DIMENSION)


def test_a_cache_that_cannot_be_written_costs_nothing_but_time(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert SentenceEncoder(cache=blocked / "below").encode_fixed(["cup"]).shape == (1, DIMENSION)


def test_cache_follows_xdg(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_directory() == tmp_path / "magic3d_ros"


def test_a_question_is_encoded_once_and_few_are_remembered(tmp_path, monkeypatch):
    encoder = SentenceEncoder(cache=tmp_path)
    first = encoder.encode(["a red mug"])
    monkeypatch.setattr(encoder, "_load", lambda: pytest.fail("it is known"))
    np.testing.assert_array_equal(encoder.encode(["a red mug"]), first)
    monkeypatch.undo()
    monkeypatch.setattr(sentence, "_RECENT", 1)
    encoder.encode(["a blue mug"])
    assert list(encoder._recent) == ["a blue mug"]


def test_words_of_a_fixed_list_need_no_model(tmp_path, monkeypatch):
    fixed = SentenceEncoder(cache=tmp_path).encode_fixed(["chair", "table"])
    encoder = SentenceEncoder(cache=tmp_path)
    monkeypatch.setattr(encoder, "_load", lambda: pytest.fail("the list is on disk"))
    np.testing.assert_array_equal(encoder.encode_fixed(["chair", "table"]), fixed)
    np.testing.assert_array_equal(encoder.encode(["table"]), fixed[1:])


def test_the_network_is_transformers_own(encoder):
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    folder = str(sentence._model_folder())
    texts = ["where can I sit", "a", "größe 汉字",
             "a sentence that is cut because it has more tokens than the model reads " * 30]
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model = transformers.AutoModel.from_pretrained(folder, local_files_only=True, use_safetensors=True).eval()
    tokens = tokenizer(texts, padding=True, truncation=True, max_length=256, return_tensors="pt")
    with torch.inference_mode():
        states = model(**tokens).last_hidden_state
    attended = tokens["attention_mask"][..., None]
    mean = (states * attended).sum(1) / attended.sum(1)
    np.testing.assert_allclose(encoder.encode(texts), torch.nn.functional.normalize(mean, dim=-1).numpy(), atol=2e-6)


def test_questions_need_neither_torch_nor_transformers():
    program = ("import sys; from magic3d_ros.cues.embedded.sentence import SentenceEncoder;"
               "SentenceEncoder().encode(['a red mug']);"
               "sys.exit(' '.join(name for name in ('torch', 'transformers') if name in sys.modules) or 0)")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
