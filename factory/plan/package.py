"""The words that go with a video to a platform: title, description, hashtags and chapters, each within its rules.

They say what the video says: its title, its sentences, its cards, its sources. Nothing is added to praise it, so that
no claim stands here that does not stand there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

from factory.plan.facts import Facts, Locale
from factory.plan.platforms import ChapterRule, Platform
from factory.plan.timeline import CardLayer, TimedScene, Timeline

VERSION = 1
CARS_NAMED = 3  # in hashtags
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Told:
    """What is known beside the timeline: the kind of video by its name, the facts, the lines that credit footage."""

    kind: str
    facts: Facts
    credits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Chapter:
    """A stretch of the program from `start` frames on."""

    start: int
    title: str


def package(timeline: Timeline, told: Told, platforms: Mapping[str, Platform]) -> dict[str, Any]:
    """Return the words of every platform as plain JSON values, in the locale of the video."""
    return {
        "version": VERSION,
        "title": timeline.title,
        "locale": timeline.locale,
        "seconds": round(float(timeline.seconds), 3),
        "platforms": {name: _for(timeline, told, rules) for name, rules in platforms.items()},
    }


def _for(timeline: Timeline, told: Told, rules: Platform) -> dict[str, Any]:
    tags = hashtags(told, _locale(timeline), rules)
    written = " ".join(rules.hashtags.form.format(tag) for tag in tags)
    beside = written if rules.hashtags.counted else ""
    title, description = title_of(timeline.title, told.kind, rules), _description(timeline, told, rules, beside)
    found = chapters_of(timeline, rules.chapters) if rules.chapters else ()
    clocked = [(float(chapter.start / timeline.canvas.fps), chapter.title) for chapter in found]
    return {
        "name": rules.name.zh if timeline.locale == "zh-CN" else rules.name.en,
        "title": title,
        "description": description,
        "hashtags": list(tags),
        "hashtag_text": written,
        "chapters": [{"at": round(at, 3), "clock": clock(at), "title": name} for at, name in clocked],
    }


def _locale(timeline: Timeline) -> Locale:
    return "zh-CN" if timeline.locale == "zh-CN" else "en-US"


# --- title and tags --------------------------------------------------------------------------------------------------


def title_of(title: str, kind: str, rules: Platform) -> str:
    """Return the title as the platform takes it: what is too long ends in `…`, what is too short names the kind."""
    plain = _plain(title, rules, rules.title.allowed)
    if len(plain) < rules.title.least:
        plain = _plain(f"{title} {kind}", rules, rules.title.allowed)
    return _shortened(plain, rules.title.most, "" if rules.title.allowed is not None else "…")


def hashtags(told: Told, locale: Locale, rules: Platform) -> tuple[str, ...]:
    """Return the words of the tags, the most telling first: the kind, the cars, their makers, the places of a table."""
    cars = told.facts.cars[:CARS_NAMED]
    rows = told.facts.ranking.rows[:CARS_NAMED] if told.facts.ranking else ()
    named = [row.car.name(locale) if row.car else row.name for row in rows]
    words = [told.kind, *(car.name(locale) for car in cars), *(car.make for car in cars), *named]
    found = dict.fromkeys(tag for word in words if (tag := re.sub(r"[^\w]+", "", word)))
    return tuple(tag for tag in found if len(tag) <= rules.hashtags.longest)[: rules.hashtags.most]


def _plain(text: str, rules: Platform, allowed: str | None = None) -> str:
    kept = "".join(
        " " if letter in rules.refused or not (allowed is None or letter.isalnum() or letter in allowed) else letter
        for letter in text
    )
    return _SPACE.sub(" ", kept).strip()


def _shortened(text: str, most: int, sign: str) -> str:
    if len(text) <= most:
        return text
    cut = text[: most - len(sign)]
    at_word = cut.rpartition(" ")[0] if cut.isascii() else cut
    return (at_word or cut).rstrip(" ,，、-") + sign


# --- description -----------------------------------------------------------------------------------------------------


def _description(timeline: Timeline, told: Told, rules: Platform, tags: str) -> str:
    """Return what is said, then sources, what is synthetic, credits and tags; sentences and credits go first where room
    lacks, whole ones, and it is said how many credits are left out."""
    zh = timeline.locale == "zh-CN"
    fixed = [*_sources(told.facts, zh), _synthetic(timeline, zh)]
    tail = [line for line in (*fixed, tags) if line]
    room = rules.description.most - sum(len(line) + 1 for line in tail) - 1
    said = [line.speech.text.strip() for scene in timeline.scenes for line in scene.lines]
    story = _fitting(said, room, "" if zh else " ")
    room -= len(story) + 1
    credits = _credits(told.credits, room, zh)
    lines = [story, *(line for line in (*fixed, *credits, tags) if line)]
    return _only(("\n".join(line for line in lines if line)), rules)


def _only(text: str, rules: Platform) -> str:
    return "".join(letter for letter in text if letter not in rules.refused)[: rules.description.most]


def _fitting(sentences: Iterable[str], room: int, gap: str) -> str:
    text = ""
    for sentence in sentences:
        longer = f"{text}{gap}{sentence}" if text else sentence
        if len(longer) > room:
            break
        text = longer
    return text


def _sources(facts: Facts, zh: bool) -> list[str]:
    lines = []
    for source in dict.fromkeys(facts.sources):
        named = (
            "，".join(filter(None, (source.name, source.date)))
            if zh
            else ", ".join(filter(None, (source.name, source.date)))
        )
        lines.append(f"数据来源：{named}" if zh else f"Source: {named}")
        if source.sample:
            lines.append("数据为示例，并非真实数据。" if zh else "The figures are samples and not real.")
    return list(dict.fromkeys(lines))


def _synthetic(timeline: Timeline, zh: bool) -> str:
    spoken = any(scene.lines for scene in timeline.scenes)
    if spoken and timeline.music:
        return "配音与音乐由人工智能或程序合成。" if zh else "Voice and music are synthetic (AI or program)."
    if spoken:
        return "配音由人工智能合成。" if zh else "The voice is synthetic (AI)."
    return "" if not timeline.music else "音乐由程序合成。" if zh else "The music is made by a program."


def _credits(lines: Sequence[str], room: int, zh: bool) -> list[str]:
    shown: list[str] = []
    for number, line in enumerate(lines):
        words = f"画面：{line}" if zh else f"Footage: {line}"
        left = len(lines) - number
        rest = (
            f"另有 {left} 条画面署名，见随片说明。" if zh else f"{left} more credits: see the notes beside the video."
        )
        if len(words) + 1 + (len(rest) + 1 if left > 1 else 0) > room:
            return [*shown, rest] if len(rest) + 1 <= room else shown
        shown.append(words)
        room -= len(words) + 1
    return shown


# --- chapters --------------------------------------------------------------------------------------------------------


def chapters_of(timeline: Timeline, rules: ChapterRule) -> tuple[Chapter, ...]:
    """Return the chapters, the first from frame 0, each long enough; none where there would be too few."""
    zh, least = timeline.locale == "zh-CN", Fraction(str(rules.seconds)) * timeline.canvas.fps
    found: list[Chapter] = []
    for scene, start in zip(timeline.scenes, timeline.scene_starts(), strict=True):
        name = _name_of(scene, zh)
        if not found:
            found.append(Chapter(0, name or timeline.title))
        elif name and name != found[-1].title and start - found[-1].start >= least:
            found.append(Chapter(start, name))
    if len(found) > 1 and timeline.frames - found[-1].start < least:
        found.pop()
    assert all(other.start - one.start >= least for one, other in pairwise(found))
    return tuple(found) if len(found) >= rules.fewest else ()


def _name_of(scene: TimedScene, zh: bool) -> str:
    """Return what a scene's card calls it; empty where no card says."""
    for layer in scene.layers:
        if not isinstance(layer, CardLayer) or layer.role == "label":
            continue
        data = layer.data
        if layer.role == "credits":
            return "片尾" if zh else "Credits"
        if data.get("specs"):
            return "参数" if zh else "Figures"
        if data.get("rows"):
            return "完整榜单" if zh else "The whole table"
        name = next((str(data[key]) for key in ("title", "name", "heading", "label") if data.get(key)), "")
        if name and data.get("rank"):
            tied = ("并列" if zh else "Tied ") if data.get("tied") else ""
            return f"{tied}第{data['rank']}名 {name}" if zh else f"{tied}No. {data['rank']}: {name}"
        if name:
            return _SPACE.sub(" ", name).strip()
    return ""


def clock(seconds: float) -> str:
    """Return `m:ss`, or `h:mm:ss` from an hour on."""
    whole = int(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
