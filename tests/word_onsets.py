"""When the words of a voice begin: by its own times, by a recogniser's, and by the energy of the sound.

Whisper's word times are coarse (steps of 20 ms) and early, since its attention sees a word come. The truth is plain
where a word follows a pause: it begins where the sound does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

import numpy as np
from pypinyin import lazy_pinyin
from scipy.signal import resample_poly

from factory.plan.facts import Locale
from factory.plan.reading import Reader
from factory.plan.timeline import Word
from factory.render.narrator import load_lexicons
from factory.render.speech_sound import sounding
from factory.render.voice import SAMPLE_RATE, Spoken, Voice

SENTENCES: dict[Locale, tuple[str, ...]] = {
    "en-US": (
        "The new model comes with a larger battery and a quiet cabin.",
        "Low gear, a steady foot, and the car climbs the rock slowly.",
        "On sand, momentum is everything, so keep the engine turning.",
        "The driver slowed down before the bend and stayed in his lane.",
        "Its boot holds two large suitcases and a folded pushchair.",
        "Sales rose again this month, and the leader kept its place.",
        "Heavy rain made the road slippery, and nobody saw the lorry.",
        "The front seats are heated, and the steering wheel is too.",
        "Behind the wheel it feels light, but it never feels nervous.",
        "This is where the tarmac stops and the mountain begins.",
        "Keep a safe distance, and look twice before you turn left.",
        "The track goes on through the forest, but we stop here.",
    ),
    "zh-CN": (
        "这款新车的电池更大，车内也更安静。",
        "慢一点，轮子要一个一个地放在石头上。",
        "在沙漠里，动量不能断，油门要稳住。",
        "司机在弯道前减速，没有离开自己的车道。",
        "后备箱可以放下两个大箱子和一辆婴儿车。",
        "这个月销量继续上升，领先的车型没有变化。",
        "大雨让路面变得很滑，谁也没有看见卡车。",
        "前排座椅可以加热，方向盘也可以加热。",
        "开起来很轻快，但是一点也不紧张。",
        "柏油路到这里结束，山路从这里开始。",
        "请保持安全距离，左转以前多看一眼。",
        "道路穿过森林继续向前，我们就停在这里。",
    ),
}
APART: dict[Locale, str] = {
    "en-US": "Battery. Mountain. Driver. Forest. Camera. Tarmac. Distance. Winter. Garage. Pedal. Window. Lorry.",
    "zh-CN": "电池。山路。司机。森林。方向盘。柏油路。距离。冬天。车库。油门。窗户。卡车。",
}
MOST_SECONDS = 0.5  # words that are further apart are not the same


@dataclass(frozen=True, slots=True)
class Onset:
    """A word and when it begins, in seconds: as the voice tells, and as it is heard."""

    text: str
    told: float
    heard: float

    @property
    def error(self) -> float:
        return self.heard - self.told


def spoken(voice: Voice, text: str, locale: Locale, rate: float = 1.0) -> Spoken:
    return voice.speak(Reader(load_lexicons()[locale]).read(text), rate)


def recognised(ear: Any, said: Spoken, locale: Locale) -> list[Word]:
    """Return the words that Whisper hears, with its times."""
    sound = resample_poly(said.samples, 1, SAMPLE_RATE // 16_000).astype(np.float32)
    segments, _ = ear.transcribe(
        sound, language=locale[:2], temperature=0.0, condition_on_previous_text=False, word_timestamps=True
    )
    return [Word(word.word, word.start, word.end) for segment in segments for word in segment.words or ()]


def matched(told: Sequence[Word], heard: Sequence[Word], locale: Locale) -> list[Onset]:
    """Return the onsets of the words that both have: by letters, or in Chinese by syllables (輛 is 辆 is 亮)."""
    ours, theirs = list(_units(told, locale)), list(_units(heard, locale))
    same = SequenceMatcher(None, [text for text, _ in ours], [text for text, _ in theirs], autojunk=False)
    onsets = []
    for block in same.get_matching_blocks():
        for k in range(block.size):
            (text, one), (_, other) = ours[block.a + k], theirs[block.b + k]
            if one is not None and other is not None and abs(one - other) < MOST_SECONDS:
                onsets.append(Onset(text, one, other))
    return onsets


def _units(words: Sequence[Word], locale: Locale) -> Iterator[tuple[str, float | None]]:
    """Yield each word with its start; of a Chinese word every syllable, the start with the first only."""
    for word in words:
        if locale == "zh-CN":
            for place, syllable in enumerate(lazy_pinyin(re.sub(r"[^㐀-鿿]", "", word.text))):
                yield syllable, word.start if place == 0 else None
        elif text := re.sub(r"[^a-z]", "", word.text.lower()):
            yield text, word.start


def after_pauses(said: Spoken, pause: float = 0.15) -> list[Onset]:
    """Return the onsets of words that follow a pause, as the energy tells them: where the sound begins again."""
    loud = sounding(said.samples, SAMPLE_RATE)
    edges = np.flatnonzero(np.diff(loud.astype(np.int8), prepend=0) == 1) / SAMPLE_RATE
    ends = np.flatnonzero(np.diff(loud.astype(np.int8), append=0) == -1) / SAMPLE_RATE
    starts = [float(e) for e in edges if not len(before := ends[ends < e]) or e - before[-1] >= pause]
    onsets = []
    for start in starts:
        word = min(said.words, key=lambda word: abs(word.start - start))
        if abs(word.start - start) < pause:
            onsets.append(Onset(word.text, word.start, start))
    return onsets


def summary(onsets: Sequence[Onset]) -> dict[str, int]:
    """Return how far told and heard lie apart in whole milliseconds: median, 90th percentile, median with its sign."""
    errors = np.array([onset.error for onset in onsets]) * 1000
    return {
        "words": len(errors),
        "median_ms": round(float(np.median(np.abs(errors)))),
        "p90_ms": round(float(np.percentile(np.abs(errors), 90))),
        "signed_ms": round(float(np.median(errors))),
    }
