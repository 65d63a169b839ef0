"""Words on their way into the net: languages, lengths, silence."""

from __future__ import annotations

import numpy as np
import pytest

from understanding.build import load_bert
from understanding.labels import load_taxonomy
from understanding.sentences import SentenceEncoder, name_vectors
from understanding.words import WordEncoder, Words, language


@pytest.fixture(scope="module")
def sentences() -> SentenceEncoder:
    return SentenceEncoder()


@pytest.fixture(scope="module")
def encoder(sentences: SentenceEncoder) -> WordEncoder:
    return WordEncoder(load_bert()[1], sentences, max_tokens=32)


def test_words_stand_in_the_order_of_what_they_tell() -> None:
    words = Words(title="Mud", file_name="clips/OffRoad.mp4", burnt_in="北风 X5", speech="hello")
    assert words.text() == "Mud\nOff Road\n北风 X5\nhello"
    assert words.spoken_or_shown() == "Mud\n北风 X5\nhello"
    assert len(Words(speech="a" * 10**6).text()) == 20_000


def test_english_reaches_both_branches(encoder: WordEncoder) -> None:
    tokens, sentence = encoder.encode("A pickup in deep mud")
    assert tokens[0] == 101
    assert tokens[-1] == 102
    assert sentence is not None
    assert abs(float(np.linalg.norm(sentence)) - 1) < 1e-3


def test_long_words_are_cut(encoder: WordEncoder) -> None:
    tokens, _ = encoder.encode("mud " * 5000)
    assert len(tokens) == 32


def test_a_language_that_bert_cannot_read_reaches_the_sentence_branch_only(encoder: WordEncoder) -> None:
    tokens, sentence = encoder.encode("今天试驾这辆硬派越野，穿越泥泞路段")
    assert len(tokens) == 0
    assert sentence is not None
    assert sentence.any()


@pytest.mark.parametrize("text", ["", "  \n", "--- !?"])
def test_no_words_reach_no_branch(encoder: WordEncoder, text: str) -> None:
    tokens, sentence = encoder.encode(text)
    assert len(tokens) == 0
    assert sentence is None


def test_chinese_and_english_names_lie_near(sentences: SentenceEncoder) -> None:
    night, wanted, other = sentences.encode(["night", "夜晚", "方向盘"])
    assert night @ wanted > 0.6 > night @ other
    again = sentences.encode(["方向盘", "", "night"])
    np.testing.assert_array_equal(again[0], other)
    assert not again[1].any()


def test_label_vectors_are_unit_and_differ(sentences: SentenceEncoder) -> None:
    taxonomy = load_taxonomy()
    vectors = name_vectors(taxonomy, sentences)
    assert vectors.shape == (len(taxonomy), 512)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3)
    near = vectors @ vectors.T - np.eye(len(taxonomy))
    assert near.max() < 0.999


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("今天我们来看看这台新车的内饰", "zh"),
        ("Today we look at the interior of this new car", "en"),
        ("", ""),
        ("X5", ""),
        ("12:30 2026", ""),
    ],
)
def test_language_of_the_words(text: str, code: str) -> None:
    assert language(text) == code
