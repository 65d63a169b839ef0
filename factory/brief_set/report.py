"""The figures of a brief set as a page that people read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

FIGURES: Final = (
    *("briefs", "videos", "thin", "placed", "on_tag", "on_tag_by_own_tags", "repeats", "cooldown_breaks"),
    *("numbers_checked", "numbers_wrong", "failed_checks"),
)
_ABOUT: Final = {
    "briefs": "orders of the set",
    "videos": "finished videos",
    "thin": "refusals for lack of material",
    "placed": "real shots placed in finished videos; drawn ones are counted apart",
    "on_tag": "share of the judged ones that fit what their scene asked for, by the hand labels",
    "on_tag_by_own_tags": "the same by the tagger's own tags, of which the shots were chosen",
    "repeats": "pairs of placements in one video that show the same moments",
    "cooldown_breaks": "pairs of placements in two videos of one series that show the same moments",
    "numbers_checked": "numbers on cards and in captions",
    "numbers_wrong": "of them: not the table's, or not read on the picture",
    "failed_checks": "faults of length, loudness, captions, frames; failures; refusals that the oracle denies",
}
_RULES: Final = Path(__file__).parent / "data" / "judging.md"


def report_of(answer: Mapping[str, Any]) -> str:
    """Return the figures as Markdown."""
    return "\n".join([*_head(answer), *_table(answer["orders"]), *_lists(answer), _RULES.read_text(encoding="utf-8")])


def _head(answer: Mapping[str, Any]) -> Iterator[str]:
    clips = answer["clips"]
    yield "# The brief set"
    yield ""
    yield "Forty orders (kinds, subjects, languages, aspects, lengths, each in a series), made unattended and judged:"
    yield ""
    yield "```\nfactory brief-set --library FOLDER --library FOLDER --out set/ --jobs 2 --report docs/brief-set.md\n```"
    yield ""
    yield (
        "`--library` takes any folder of clips; the drawn sample library is always added. `--out` gets everything: a "
        "house of its own (library, cache), the videos, a record of each order, a contact sheet of each video and "
        "one of all. A run that was stopped goes on where it was; `--only NAME` makes some, `--again` makes all anew."
    )
    yield ""
    yield (
        f"This run had {clips['real']} real clips, {clips['labelled']} of them labelled by hand, and {clips['drawn']} "
        f"drawn ones. {answer['placed_drawn']} drawn shots were placed beside the real ones."
    )
    yield ""
    yield "| figure | value | meaning |"
    yield "|---|---|---|"
    for name in FIGURES:
        value = (
            f"{100 * answer[name]:.1f} %" if name.startswith("on_tag") and answer[name] is not None else answer[name]
        )
        yield f"| `{name}` | {value} | {_ABOUT[name]} |"
    hand, own = answer["judged"]["by_hand"], answer["judged"]["by_own_tags"]
    yield ""
    yield f"By hand: {hand['on']} on, {hand['off']} off, {hand['unjudged']} not judged. "
    yield f"By our own tags: {own['on']} on, {own['off']} off, {own['unjudged']} not judged."
    for folder, told in answer["by_folder"].items():
        yield f"From `{folder}`, by hand: {told['on']} on, {told['off']} off, {told['unjudged']} not judged."
    yield ""


def _table(orders: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield "## The orders"
    yield ""
    yield "| brief | kind | series | language | aspect | asked | came of it | shots | numbers | work |"
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for one in orders:
        came = f"{one['lasts']:.1f} s" if one["outcome"] == "video" else one["outcome"]
        yield (
            f"| {one['name']} | {one['template']} | {one['series']} | {one['locale']} | {one['aspect']} "
            f"| {one['seconds']} s | {came} | {one['shots'] or ''} | {one['numbers'] or ''} | {one['took']:.0f} s |"
        )
    yield ""


def _lists(answer: Mapping[str, Any]) -> Iterator[str]:
    thin = [one for one in answer["orders"] if one["outcome"] == "thin"]
    yield from _section("Refusals", (f"{one['name']}: {one['oracle']}" for one in thin))
    off = (
        f"{one['video']}, scene {one['scene']}: `{one['query']}`, seen: {', '.join(one['seen'])}"
        for one in answer["off_tag"]
    )
    yield from _section("Off tag by the hand labels", off)
    wrong = (
        f"{one['name']}, frame {number['frame']}, {number['where']}: {number['number']}: {number['why']}"
        for one in answer["orders"]
        for number in one["wrong"]
    )
    yield from _section("Wrong numbers", wrong)
    yield from _section("Failed checks", answer["failures"])


def _section(title: str, lines: Iterator[str] | Sequence[str]) -> Iterator[str]:
    told = [f"- {line}" for line in lines]
    if told:
        yield from (f"## {title}", "", *told, "")
