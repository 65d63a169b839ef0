"""Voices: word times, levels, splitting, refusals, fallback and cache, on the real models."""

from __future__ import annotations

import hashlib
import re
import wave
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factory.plan.facts import Locale
from factory.plan.lexicon import read_lexicons
from factory.plan.reading import Reader, Said
from factory.plan.timeline import Speech
from factory.render.narrator import Narrator, VoiceNote, load_lexicons, voices_for, voices_told, write_wav
from factory.render.overlays import Cached
from factory.render.speech_sound import LEAD, PEAK_DB, SPEECH_DB, TAIL, active_rms
from factory.render.utterance import LATE, Utterance, phoneme_ids, sentences, utter
from factory.render.voice import SAMPLE_RATE, Samples, Spoken, Voice, VoiceFailed
from factory.render.voice_chinese import KokoroVoice
from factory.render.voice_english import HibariVoice
from factory.render.voice_silent import SilentVoice
from factory.store.files import Files

LEXICONS = load_lexicons()
ENGLISH = (
    "The Northwind X5 costs 199,800 yuan. It does 0-100 km/h in 4.9 seconds (claimed), and 560 km on the CLTC cycle."
)
CHINESE = "第3名，北风 X5，销量12,345辆，上升2位。"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return Files(tmp_path_factory.mktemp("voices"))


@pytest.fixture(scope="module")
def hibari() -> HibariVoice:
    return HibariVoice()


@pytest.fixture(scope="module")
def kokoro(store: Files) -> KokoroVoice:
    return KokoroVoice(LEXICONS["zh-CN"], store.cached)


def read(text: str, locale: Locale) -> Sequence[Said]:
    return Reader(LEXICONS[locale]).read(text)


def narrator(voices: Sequence[Voice], store: Files) -> Narrator:
    return Narrator(voices, LEXICONS, cached=store.cached, adopt=lambda path: store.adopt(path).digest)


def close(text: str) -> str:
    return re.sub(r"\s", "", text)


def dbfs(value: float) -> float:
    return float(20 * np.log10(max(value, 1e-9)))


def check_words(text: str, spoken: Spoken) -> None:
    seconds = len(spoken.samples) / SAMPLE_RATE
    assert close("".join(word.text for word in spoken.words)) == close(text)
    edges = [edge for word in spoken.words for edge in (word.start, word.end)]
    assert edges == sorted(edges)
    assert edges[0] >= 0
    assert edges[-1] <= seconds + 0.001
    assert seconds - edges[-1] < TAIL + 0.35


def check_sound(samples: Samples) -> None:
    assert samples.dtype == np.float32
    assert dbfs(float(np.abs(samples).max())) <= PEAK_DB + 0.1
    assert dbfs(active_rms(samples, SAMPLE_RATE)) == pytest.approx(SPEECH_DB, abs=1.0)
    lead, tail = samples[: round(LEAD * SAMPLE_RATE)], samples[-round(TAIL * SAMPLE_RATE) :]
    assert not lead.any()
    assert not tail.any()
    early = np.abs(samples[: round((LEAD + 0.15) * SAMPLE_RATE)]).max()
    assert dbfs(float(early)) > -45, "the speech does not start where its file starts"


def test_english_is_said_with_the_times_of_its_words(hibari: HibariVoice) -> None:
    spoken = hibari.speak(read(ENGLISH, "en-US"), 1.0)
    check_words(ENGLISH, spoken)
    check_sound(spoken.samples)
    texts = [word.text for word in spoken.words]
    assert {"X5", "199,800 yuan.", "4.9 seconds", "(claimed),", "560 km"} <= set(texts)


def test_english_is_the_same_bytes_each_time_and_faster_at_a_higher_rate(hibari: HibariVoice) -> None:
    said = read(ENGLISH, "en-US")
    once, again, quick = hibari.speak(said, 1.0), HibariVoice().speak(said, 1.0), hibari.speak(said, 1.5)
    assert np.array_equal(once.samples, again.samples)
    assert once.words == again.words
    assert len(once.samples) / len(quick.samples) == pytest.approx(1.5, abs=0.2)


@pytest.mark.slow
def test_chinese_is_said_with_the_times_of_its_words(kokoro: KokoroVoice) -> None:
    spoken = kokoro.speak(read(CHINESE, "zh-CN"), 1.0)
    check_words(CHINESE, spoken)
    check_sound(spoken.samples)
    assert {"第3名，", "X5，", "12,345辆，", "2位。"} <= {word.text for word in spoken.words}
    once, again = (kokoro.speak(read("第3名。", "zh-CN"), 1.0) for _ in range(2))
    assert np.array_equal(once.samples, again.samples)


def test_chinese_phonemes_are_all_in_the_alphabet_of_the_model(kokoro: KokoroVoice) -> None:
    syllables = "啊波次得额佛哥喝衣鸡科了么呢哦泼七日四特五西鱼知吃诗二云远怎穷窗双涌翁女略"
    text = f"{syllables}“旷野 Pro”（红隼GT）：调校、Northwind…café!"
    parts = kokoro.parts(read(text, "zh-CN"))
    letters = set("".join(part.phonemes + part.pause for part in parts))
    assert letters <= set(kokoro._vocabulary)
    assert close("".join(part.written for part in parts)) == close(text)
    spoken = {part.written: part.phonemes for part in parts}
    assert spoken["调校"] == "tʰjau↗ʨjau↘"
    assert spoken["Pro"] == "pɹˈO"
    assert spoken["Northwind"] == "nˈɔɹθwɪnd"


@pytest.mark.parametrize(
    ("text", "locale", "cause"),
    [
        ("Новый седан", "en-US", "Н"),
        ("新しい車", "zh-CN", "い"),
        ("😀 …", "zh-CN", "nothing to say"),
        ("   ", "en-US", "nothing to say"),
        ("北风今天正式上市，共三款配置。", "en-US", "Chinese text"),
        ("这个字\U0003134a没有读音", "zh-CN", "no reading"),
    ],
)
def test_what_cannot_be_said_is_refused_by_name(
    text: str, locale: Locale, cause: str, hibari: HibariVoice, kokoro: KokoroVoice
) -> None:
    voice: Voice = hibari if locale == "en-US" else kokoro
    with pytest.raises(VoiceFailed, match=cause):
        voice.speak(read(text, locale), 1.0)


def test_emoji_and_stray_signs_are_passed_over_in_silence(hibari: HibariVoice) -> None:
    for text in ("Great 🚗 car™ — 北风, really… [yes]!\n", "“Stop.” (He said: “no!”) 🚗", "… Well? 'Yes.'"):
        check_words(text, hibari.speak(read(text, "en-US"), 1.0))


def test_an_editors_reading_is_spoken_or_refused_by_its_phoneme(hibari: HibariVoice) -> None:
    own = read_lexicons("en-US: {words: {Qashqai: /kˈæʃkI/, Xpeng: /ʃʐpˈɛŋ/}}", "own.yaml", LEXICONS)
    spoken = hibari.speak(Reader(own["en-US"]).read("The Qashqai."), 1.0)
    assert [word.text for word in spoken.words] == ["The", "Qashqai."]
    with pytest.raises(VoiceFailed, match="ʐ"):
        hibari.speak(Reader(own["en-US"]).read("The Xpeng."), 1.0)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=30) | st.text(alphabet="北风第名 Xx5a9é“”()…—-,.'’/%12.万元km&🚗#い\n", max_size=30))
def test_any_text_becomes_phonemes_of_the_model_or_is_refused(
    hibari: HibariVoice, kokoro: KokoroVoice, text: str
) -> None:
    for voice, locale in ((hibari, "en-US"), (kokoro, "zh-CN")):
        try:
            parts = voice.parts(read(text, locale))  # type: ignore[arg-type]  # callers give one of the literals
        except VoiceFailed:
            continue
        assert close("".join(part.written for part in parts)) == close(text)
        phoneme_ids("".join(part.phonemes + part.pause for part in parts), voice._vocabulary)


def test_a_long_sentence_is_cut_below_the_limit_of_the_model(hibari: HibariVoice) -> None:
    text = "It goes on, " * 60 + "without a stop " * 60 + "and ends."
    spoken = hibari.speak(read(text, "en-US"), 1.0)
    check_words(text, spoken)
    parts = [Utterance("word", "a" * 40)] * 9 + [Utterance(",", pause=","), Utterance("word", "a" * 40)]
    cut = list(sentences(parts, 100))
    assert all(sum(len(part.phonemes) for part in sentence) <= 100 for sentence, _ in cut)
    assert [part for sentence, _ in cut for part in sentence] == parts
    with pytest.raises(VoiceFailed, match="too long for one word"):
        list(sentences([Utterance("word", "a" * 101)], 100))


@pytest.mark.parametrize("mark", ["(", "“", "（"])
def test_a_mark_that_opens_nothing_stays_with_the_word_before_it(mark: str, hibari: HibariVoice) -> None:
    said = hibari.speak(read(f"Hello there. {mark}", "en-US"), 1.0)
    assert close("".join(word.text for word in said.words)) == f"Hellothere.{mark}"


def test_words_lie_where_the_model_put_their_phonemes() -> None:
    """A tone of known length a phoneme, told late as the models tell it: word edges must be where it sounds."""

    def tones(phonemes: str, rate: float) -> tuple[Samples, Sequence[float]]:
        lengths = [2400.0] + [2400.0 if letter.isalpha() else 1200.0 for letter in phonemes] + [2400.0]
        levels = [0.0, *(0.5 if letter.isalpha() else 0.0 for letter in phonemes), 0.0]
        time = np.arange(round(sum(lengths)))
        level = np.roll(np.repeat(levels, [round(length) for length in lengths]), -round(LATE * 24_000))
        return (level * np.sin(time * 0.1)).astype(np.float32), lengths

    parts = [Utterance("Ab", "ab"), Utterance(" "), Utterance("c", "c"), Utterance("."), Utterance("!", pause="!")]
    spoken = utter([*parts, Utterance("De", "de")], tones, rate=1.0, model_rate=24_000, limit=100)
    assert [word.text for word in spoken.words] == ["Ab", "c.!", "De"]
    starts, ends = [word.start for word in spoken.words], [word.end for word in spoken.words]
    assert starts[0] == pytest.approx(LEAD, abs=0.012)
    assert ends[0] == pytest.approx(LEAD + 0.2, abs=0.012)
    assert starts[1] == pytest.approx(LEAD + 0.25, abs=0.012)
    sound = np.abs(spoken.samples[round((starts[2] + 0.01) * SAMPLE_RATE) :])
    assert sound[: SAMPLE_RATE // 20].max() > 0.1


def test_silence_lasts_as_long_as_speech() -> None:
    for text, locale in ((ENGLISH, "en-US"), (CHINESE, "zh-CN")):
        spoken = SilentVoice().speak(read(text, locale), 1.0)  # type: ignore[arg-type]  # callers give one of the literals
        assert not spoken.samples.any()
        assert close("".join(word.text for word in spoken.words)) == close(text)
        assert 3.0 < len(spoken.samples) / SAMPLE_RATE < 16.0


class Counting:
    """A real voice that counts how often it speaks, and may be out of order."""

    def __init__(self, name: str, *, fails: bool = False) -> None:
        self.name = name
        self.locales: frozenset[Locale] = frozenset({"en-US"})
        self.spoke = 0
        self._fails = fails

    def speak(self, said: Sequence[Said], rate: float) -> Spoken:
        self.spoke += 1
        if self._fails:
            raise VoiceFailed(f"{self.name} is out of order", next_step="mend it")
        return SilentVoice().speak(said, rate)


def test_a_sentence_is_made_once_and_kept_as_a_file_of_the_store(store: Files) -> None:
    voice = Counting("one")
    speech = narrator([voice], store).speak(ENGLISH, "en-US")
    assert narrator([voice], store).speak(ENGLISH, "en-US") == speech
    assert voice.spoke == 1
    assert narrator([voice], store).speak(ENGLISH, "en-US", 1.2).seconds < speech.seconds
    assert voice.spoke == 2
    check_file(store, speech)


def test_a_narrator_who_is_silent_is_no_synthetic_voice(store: Files) -> None:
    """The label in the picture is due where a machine is heard."""
    for voice, heard in ((SilentVoice(), False), (Counting("machine"), True)):
        speaks = narrator([voice], store)
        assert not speaks.synthetic
        speaks.speak(ENGLISH, "en-US")
        assert speaks.synthetic is heard


def check_file(store: Files, speech: Speech) -> None:
    path = store.path(speech.file)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == speech.file
    with wave.open(str(path), "rb") as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, SAMPLE_RATE)
        assert speech.seconds == Fraction(file.getnframes(), SAMPLE_RATE)
    assert speech.words[-1].end <= speech.seconds


def test_words_are_made_again_where_only_the_sound_was_kept(store: Files) -> None:
    voice = Counting("half kept")
    speech = narrator([voice], store).speak("Half kept.", "en-US")
    for words in store.cache.rglob("*.json"):
        words.unlink()
    assert narrator([voice], store).speak("Half kept.", "en-US") == speech
    assert voice.spoke == 2


def test_the_next_voice_speaks_where_one_fails_and_it_is_noted(store: Files) -> None:
    broken, spare = Counting("broken", fails=True), Counting("spare")
    speaker = narrator([broken, spare], store)
    speaker.speak("Hello.", "en-US")
    assert speaker.notes == (VoiceNote("Hello.", "spare", ("broken: broken is out of order",)),)
    told = {"voices": ["spare"], "voices_passed_over": ["broken: broken is out of order"]}
    assert voices_told(speaker.notes) == told
    assert voices_told(()) == {"voices": []}
    with pytest.raises(VoiceFailed, match="broken is out of order"):
        narrator([broken], store).speak("Hello.", "en-US")
    with pytest.raises(VoiceFailed, match="no voice speaks zh-CN"):
        narrator([spare], store).speak("你好。", "zh-CN")
    with pytest.raises(VoiceFailed, match="rate"):
        narrator([spare], store).speak("Hello.", "en-US", 9.0)


def test_settings_name_voices_and_load_nothing(store: Files) -> None:
    cached: Cached = store.cached
    assert [voice.name for voice in voices_for("silent", LEXICONS, cached)] == ["silent 1"]
    assert {locale for voice in voices_for("auto", LEXICONS, cached) for locale in voice.locales} == {"en-US", "zh-CN"}
    with pytest.raises(VoiceFailed, match="robot"):
        voices_for("robot", LEXICONS, cached)


def test_a_wav_is_clipped_to_its_range(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", Spoken(np.array([2.0, -2.0], np.float32), ()))
    with wave.open(str(tmp_path / "a.wav"), "rb") as file:
        assert np.frombuffer(file.readframes(2), "<i2").tolist() == [32767, -32767]
