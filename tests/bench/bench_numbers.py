"""Are spoken numbers heard as they were meant: `python -m tests.bench.bench_numbers [--locale en-US]`.

Figures, never asserted. The sentences of the templates over the sample tables, and some with percentages and dates, are
spoken by the voices that ship and written down by Whisper base. Every number is looked for in what was heard, in its
order; wrong ones are printed with what was heard instead. Words that hold digits (names) do not count.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from factory.plan.brief import Brief
from factory.plan.cars_table import read_cars
from factory.plan.evidence import evidence_of
from factory.plan.facts import Facts, Locale
from factory.plan.number_mentions import mentions
from factory.plan.number_words import number_words
from factory.plan.ranking_table import rank_table
from factory.plan.sentences import sentences
from factory.plan.storyboard import read_storyboard
from factory.plan.tables import read_table
from factory.render.narrator import load_lexicons
from factory.render.templates import Templates
from factory.render.voice import Voice
from factory.render.voice_chinese import KokoroVoice
from factory.render.voice_english import HibariVoice
from factory.samples import tables
from factory.store.files import Files
from tests.bench.bench_words import listener
from tests.word_onsets import recognised, spoken

TRADITIONAL = str.maketrans("萬億兩點貳參", "万亿两点二三")
MORE: dict[Locale, tuple[str, ...]] = {
    "zh-CN": (
        "销量比上期增长8.1%。", "销量比上期下降12.5%。", "指导价下调6%，比原价少1.5万元。", "占比达到37.6%。",
        "数据截至2026年10月31日。", "新价格自2026年11月1日起执行。", "2026年第3季度的榜单。", "两款车相差45公里。",
    ),
    "en-US": (
        "Sales are up 8.1% on last time.", "Sales are down 12.5% on last time.", "It makes up 37.6% of the total.",
        "The guide price falls by 6%, which is 15,000 CNY.", "Figures as of 31 October 2026.",
        "The new price holds from 1 November 2026.", "The table of Q3 2026.", "The two are 45 km apart.",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence, the numbers that it states, and the names in it."""

    text: str
    values: tuple[Decimal, ...]
    names: tuple[str, ...]


def main() -> None:
    asked = sys.argv[sys.argv.index("--locale") + 1] if "--locale" in sys.argv else ""
    with tempfile.TemporaryDirectory() as folder:
        ear = listener(Path(folder))
        chinese = KokoroVoice(load_lexicons()["zh-CN"], Files(Path(folder)).cached)
        voices: dict[Locale, Voice] = {"en-US": HibariVoice(), "zh-CN": chinese}
        for locale, voice in voices.items():
            if asked in ("", locale):
                measure(ear, voice, locale, list(lines(locale)))


def measure(ear: Any, voice: Voice, locale: Locale, said: Sequence[Line]) -> None:
    total = right = 0
    print(f"{locale}, {voice.name}: {len(said)} sentences", flush=True)
    for line in said:
        heard = "".join(word.text for word in recognised(ear, spoken(voice, line.text, locale), locale))
        digits = in_digits(heard.translate(TRADITIONAL), locale)
        missed = not_heard(line.values, values(digits, locale, line.names, codes=True))
        total, right = total + len(line.values), right + len(line.values) - len(missed)
        if missed:
            print(
                f"  {', '.join(f'{value:f}' for value in missed)}: {line.text!r} heard as {heard.strip()!r}", flush=True
            )
    print(f"  {total} numbers, {right} right, {total - right} wrong: {(total - right) / total:.1%}", flush=True)


def not_heard(meant: Sequence[Decimal], heard: Sequence[Decimal]) -> list[Decimal]:
    """Return the numbers that are not heard, in their order."""
    blocks = SequenceMatcher(None, meant, heard, autojunk=False).get_matching_blocks()
    found = {block.a + k for block in blocks for k in range(block.size)}
    return [value for place, value in enumerate(meant) if place not in found]


def in_digits(heard: str, locale: Locale) -> str:
    """Write what was heard as numbers are written: words in digits, and 200,65 (两百六十五) and 240,000瓦 as meant.

    A recogniser writes `2` and `two` as it likes, and makes commas of pauses; nothing that sounds otherwise is joined.
    """
    heard = re.sub(
        r"(?<![0-9,])([1-9])00,(0?[1-9]|[1-9][0-9])(?![0-9,])", lambda m: str(int(m[1]) * 100 + int(m[2])), heard
    )
    heard = re.sub(r"([0-9]),?000瓦", r"\1千瓦", heard)
    for words in reversed(list(number_words(heard, locale))):
        heard = f"{heard[: words.start]}{words.value.normalize():f}{heard[words.end :]}"
    return heard


def values(text: str, locale: Locale, names: Sequence[str], *, codes: bool = False) -> tuple[Decimal, ...]:
    """Return the numbers of a text without their units; a date is its year, its part and its day. `codes`: also those
    that touch Latin letters, as a recogniser writes a name and the number after it together."""
    found = list[Decimal]()
    for mention in mentions(text, locale, names):
        if period := mention.period:
            found += [Decimal(part) for part in (period.year, period.part, period.day) if part]
        elif codes or mention.counts != "code":
            found.append(mention.value.normalize())
    return tuple(found)


def lines(locale: Locale) -> Iterator[Line]:
    """Yield every sentence that holds a number, once."""
    seen = set[str]()
    for template, facts in stories():
        names = evidence_of(facts, locale).names
        for seconds in (90, 30):
            brief = Brief(template=template, locale=locale, seconds=seconds)
            filled = Templates().storyboard(template, {"brief": brief, "facts": facts})
            scenes = read_storyboard(filled, template).scenes
            texts = [text for scene in scenes if scene.voice for text in sentences(scene.voice.text, locale)]
            for text in texts:
                if text not in seen and (stated := values(text, locale, names)):
                    seen.add(text)
                    yield Line(text, stated, names)
    yield from (Line(text, values(text, locale, ()), ()) for text in MORE[locale])


def stories() -> Iterator[tuple[str, Facts]]:
    cars, _ = read_cars(read_table(_sample("sample-cars.csv"), "cars.csv"), {})
    yield from (("new_car_report", Facts(car.slug, (car,), None, (car.source,))) for car in cars)
    known = {car.name_en: car for car in cars}
    sales = read_table(_sample("sample-sales.csv"), "sales.csv")
    for options in ({}, {"order": "asc"}):
        ranking, _ = rank_table(sales, options)
        rows = tuple(replace(row, car=known.get(row.name)) for row in ranking.rows)
        yield "ranking", Facts("sales", cars, replace(ranking, rows=rows), (ranking.source,))


def _sample(name: str) -> bytes:
    return (Path(tables.__file__).parent / name).read_bytes()


if __name__ == "__main__":
    main()
