"""Broken templates, storyboards, inputs and tables in numbers, seeded: each ends in a refusal or in a valid storyboard.

`python -m tests.language_fuzz 500` runs so many of each sort and prints what became of them.
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from factory.check_fills import briefs_of
from factory.errors import FactoryError
from factory.plan.brief import Brief
from factory.plan.cars_table import read_cars
from factory.plan.facts import Facts
from factory.plan.price_table import read_prices
from factory.plan.ranking_table import rank_table, table_periods
from factory.plan.storyboard import ClipPart, Storyboard, read_marked
from factory.plan.tables import read_table
from factory.plan.timing import narration
from factory.plan.vocabulary import Vocabulary, unknown_words
from factory.plan.wants import storyboard_query
from factory.render.kinds import kind_problems
from factory.render.music_styles import STYLES
from factory.render.templates import PACKAGED, Templates
from factory.sample_facts import sample_facts
from understanding.labels import load_taxonomy

CALCULATION = "{{ 7 * 191 }}"  # 1337 stands nowhere unless somebody calculates it
NASTY = (
    *(CALCULATION, "{% set a = 7 %}", "{# x #}", "{{ config.__class__ }}", "{{ ''.__class__.__mro__ }}", "${7*191}"),
    *("{\\b1}{\\pos(0,0)}", "\\N\\h", "[0:v]scale=1[x];", "',drawtext=text='x", "%{pts}", "<svg/onload=1>"),
    *("&lt;]]>", "=1+1", "@SUM(A1)", "+7", "-", "- a: b", "a: b", "!!python/object:os.system x", "*a", "&a", "? x"),
    *("|", ">", "#", "\u202eabc\u202c", "\u2066x\u2069", "\ufeff", "\u200b", "e\u0301\u0301", "\U0001f697", "𠮷野家"),
    *("ﷺ", "א ב", "NaN", "inf", "1e309", "-0", "0", "٣", "１２３", "12,5", "1.2.3", "9" * 30, "1e-400", "0x10", "十二"),
    *("1万", "¥", "null", "true", "~", "", " ", "\t", "\n", '"', "'", "\\", "\u0000", "\u007f", "\u2028", "a" * 3000),
    *("n/a", "，", "；"),
)
SNIPPETS = (
    *("{{", "}}", "{%", "%}", "{#", "#}", "-", ":", "[", "]", "{", "}", "'", '"', "|", "~", "  ", "\n", "\n  - "),
    *("#", "*", "{% if x %}", "{% endif %}", "{% for a in b %}", "{% endfor %}", "{% else %}", "{{ nobody }}"),
    *("{{ brief }}", "{{ facts }}", "{{ range(10 ** 9) }}", "{{ 9 ** 64 ** 64 }}", "{{ 'a' * 10 ** 9 }}", "{{ [] }}"),
    *("{{ 1 / 0 }}", "{{ ''.__class__ }}", "{{ loop }}", "{{ parts }}", "{{ tr() }}", "{{ vary([], 1) }}"),
    *("{{ said('x', 3) }}", ".x", "{{ spoken_for(3) }}", "{{ shown(none, none) }}", "{{ footage_of(3, 4) }}"),
    *("{{ choose_lines([1], 'a') }}", "[9]", "{{ fail(1, 2) }}", "{% include 'x' %}", "{% import 'y' as z %}"),
    *("{% macro m() %}", "{{ self }}", "null", "-1", "9e99", "{{ unit_word([]) }}", "{{ period_name(7) }}"),
    *("{{ metric_name({}) }}", "{{ change_text(1) }}", "{{ '{x}'.format }}", "{{ {}.a.b }}"),
    *("{{ 'x' | int(base=99) }}", "{{ 3 | round(-999) }}", "{{ [1] | sum('a') }}", "{{ {} | items }}", "&a"),
)
TAXONOMY = load_taxonomy()
WORDS = Vocabulary(
    TAXONOMY.resolve,
    lambda word: next(iter(TAXONOMY.nearest(word)), None),
    Templates().cards(),
    tuple(STYLES),
    Templates().captions(),
    (),
)
TEXTS = {
    **{file.name.partition(".")[0]: file.read_text("utf-8") for file in (PACKAGED / "storyboards").glob("[a-z]*.j2")},
    "starter": (PACKAGED / "starters" / "storyboard.yaml.j2").read_text("utf-8").replace("@name@", "starter"),
}
SMALL = ("starter", "off_road", "accident_compilation")  # compiled anew for each case, so mostly those


class Leak(AssertionError):
    """A text of the data was taken for something else."""


def damaged(text: str, dice: random.Random) -> str:
    """Return `text` with one to four wounds: something cut, doubled, moved or put in."""
    for _ in range(dice.randint(1, 4)):
        at, length = dice.randrange(len(text) + 1), dice.choice((1, 1, 2, 5, 20, 200))
        kind = dice.randrange(5)
        part = text[at : at + length]
        if kind == 0:
            text = text[:at] + text[at + length :]
        elif kind == 1:
            text = text[:at] + part + text[at:]
        elif kind == 2:
            other = dice.randrange(len(text) + 1)
            text = text[:other] + part + text[other:]
        else:
            text = text[:at] + dice.choice(SNIPPETS if kind == 3 else NASTY) + text[at:]
    return text


def read_to_the_end(text: str, source: str) -> Storyboard:
    """Read a storyboard and use it as planning does before it looks into the library."""
    storyboard, marked = read_marked(text, source)
    narration(storyboard)
    if not unknown_words(storyboard, marked, WORDS):
        for scene in storyboard.scenes:
            for layer in scene.layers:
                if isinstance(layer, ClipPart):
                    storyboard_query(layer.query, TAXONOMY.resolve)
    return storyboard


def a_template(dice: random.Random) -> str:
    name = dice.choice((*SMALL, *SMALL, *TEXTS))
    text = damaged(TEXTS[name], dice)
    templates = Templates(given={f"storyboards/{name}.yaml.j2": text})
    kind_problems(text)
    templates.unknown(name)
    kind = templates.describe(name)
    brief = Brief(template=name, locale=dice.choice(("zh-CN", "en-US")), seconds=dice.choice((None, 15, 60)))
    filled = templates.filled(name, {"brief": brief, "facts": sample_facts(kind.needs)})
    read_to_the_end(filled.text, name)
    return "read"


def a_storyboard(dice: random.Random) -> str:
    name = dice.choice(tuple(RENDERED))
    read_to_the_end(damaged(RENDERED[name], dice), name)
    return "read"


def an_input(dice: random.Random) -> str:
    name = dice.choice(tuple(TEXTS))
    kind = KINDS.describe(name)
    keys = dice.sample(sorted(kind.inputs), k=min(len(kind.inputs), dice.randint(1, 3)))
    values = (*NASTY, "7", "yes", "calm", "outside")
    given = {key if dice.random() < 0.9 else key + "x": dice.choice(values) for key in keys}
    locale = dice.choice(("zh-CN", "en-US"))
    brief = Brief(template=name, set=given, locale=locale, seed=dice.randrange(9))
    text = KINDS.storyboard(name, {"brief": brief, "facts": sample_facts(kind.needs)})
    literal(read_to_the_end(text, name), given.values())
    return "read"


def a_row(dice: random.Random) -> str:
    """A table of cars, prices or sales with bad cells, in some encoding, through the readers into a template."""
    sort = dice.choice(tuple(GOOD_ROWS))
    table = read_table(*a_table(dice, sort))
    locale = dice.choice(("zh-CN", "en-US"))
    if sort == "cars":
        read, _bad = read_cars(table, {}, body=TAXONOMY.resolve)
        compared = dice.random() < 0.5
        facts = Facts(read[0].name_en, read[: 3 if compared else 1], None, (read[0].source,))
        name = "comparison" if compared else "new_car_report"
    elif sort == "prices":
        changes, _bad = read_prices(table, {})
        facts, name = Facts(changes[0].name_en, (), None, (changes[0].source,), changes), "price_change"
    else:
        options = {dice.choice(("name", "value", "period", "where", "top", "order", "unit")): dice.choice(NASTY)}
        options = options if dice.random() < 0.2 else {}
        table_periods(table, options)
        ranking, _bad = rank_table(table, options)
        facts, name = Facts(ranking.title, (), ranking, (ranking.source,)), "ranking"
    brief = Brief(template=name, locale=locale, seconds=dice.choice((None, 15, 90)))
    text = KINDS.storyboard(name, {"brief": brief, "facts": facts})
    literal(read_to_the_end(text, name), [cell for row in table.rows for cell in row])
    return "read"


GOOD_ROWS = {
    "cars": (
        ("slug", "make", "name_zh", "name_en", "body", "price (万元)", "range_km", "aliases", "source", "date"),
        ("x5", "Northwind", "北风 X5", "Northwind X5", "suv", "26.98", "560", "X5|北风", "Desk", "2026-11-01"),
    ),
    "prices": (
        ("name_zh", "name_en", "price_kind", "old_price", "new_price", "unit", "effective_date", "source"),
        ("北风 X5", "Northwind X5", "指导价", "269800", "249800", "元", "2026-11-01", "Desk"),
    ),
    "sales": (
        ("name", "sales", "period", "rank", "previous", "source", "date"),
        ("北风 X5", "12,345", "2026-10", "", "11000", "Desk", "2026-11-01"),
    ),
}


def a_table(dice: random.Random, sort: str) -> tuple[bytes, str]:
    header, row = (list(line) for line in GOOD_ROWS[sort])
    rows = [numbered(row, number) for number in range(dice.randint(1, 9))]
    for _ in range(dice.randint(0, 8)):
        target = dice.choice([header, *rows, *rows, *rows])
        if target:
            target[dice.randrange(len(target))] = dice.choice(NASTY)
    if dice.random() < 0.1:
        dice.choice([header, *rows]).append("more")
    if dice.random() < 0.1:
        header.append(dice.choice(header))
    mark = dice.choice(",,,;\t")
    quote = (lambda cell: '"' + cell.replace('"', '""') + '"') if dice.random() < 0.8 else str
    text = dice.choice(("\n", "\n", "\r\n")).join(mark.join(map(quote, line)) for line in (header, *rows))
    data = text.encode(dice.choice(("utf-8", "utf-8", "utf-8-sig", "utf-16", "gb18030", "cp1252")), "replace")
    if dice.random() < 0.15:
        at = dice.randrange(len(data) + 1)
        data = data[:at] + dice.randbytes(3) + data[at + 2 :]
    return data, dice.choice(("sales.csv", NASTY[0], "a" * 400))


def numbered(row: list[str], number: int) -> list[str]:
    """Return a row whose names are its own."""
    return [f"{cell}{number}" if place == 0 or cell[:1] in "北N" else cell for place, cell in enumerate(row)]


def literal(storyboard: Storyboard, cells: Any) -> None:
    """Raise `Leak` where an expression in the data was calculated, or stands there otherwise than it was written."""
    said = storyboard.model_dump_json()
    if "1337" in said and not any("1337" in cell for cell in cells):
        raise Leak(said)


KINDS = Templates(given={f"storyboards/{name}.yaml.j2": text for name, text in TEXTS.items()})


def filled(name: str) -> str:
    """Return a storyboard of a template as it is."""
    kind = KINDS.describe(name)
    brief = next(brief for brief in briefs_of(kind, {}) if (brief.locale, brief.seconds) == ("en-US", 15))
    return KINDS.storyboard(name, {"brief": brief, "facts": sample_facts(kind.needs)})


RENDERED = {name: filled(name) for name in TEXTS}
SORTS: Mapping[str, Callable[[random.Random], str]] = {
    "templates": a_template,
    "storyboards": a_storyboard,
    "inputs": an_input,
    "rows": a_row,
}


def run(sort: str, cases: int) -> Counter[str]:
    """Return what became of so many cases, by the code of the refusal; what is no refusal is raised with its seed."""
    outcomes = Counter[str]()
    for number in range(cases):
        try:
            outcomes[SORTS[sort](random.Random(f"{sort} {number}"))] += 1
        except FactoryError as refusal:
            outcomes[refusal.code if refusal.cause and refusal.next_step else "refused without a word"] += 1
        except Exception as error:
            raise AssertionError(f"{sort} {number}: {type(error).__name__}: {str(error)[:300]}") from error
    return outcomes


if __name__ == "__main__":
    for sort in SORTS:
        began, cases = time.process_time(), int(sys.argv[1])
        told = ", ".join(f"{name} {count}" for name, count in run(sort, cases).most_common())
        sys.stdout.write(f"{sort}: {cases} cases in {time.process_time() - began:.1f} s: {told}\n")
