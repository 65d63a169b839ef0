"""What a storyboard says in numbers stands in the facts, or it is refused by scene, sentence and number."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factory.plan.claims import ClaimUnsupported, check_claims, claims, evidence_for
from factory.plan.facts import Car, Facts, Locale, Ranking, RankingRow, Spec
from factory.plan.storyboard import Storyboard
from tests.test_storyboard_templates import CARS, KINDS, LOCALES, SOURCE, board, ranking

NAMES = ("北风", "流明", "红隼", "旷野", "皮可", "远航", "晴川", "鹿鸣")
SPECS = (
    ("price", "指导价", "Price", "元", 100),
    ("range_km", "续航里程", "Range", "km", 1),
    ("zero_to_100_s", "百公里加速", "0–100 km/h", "s", Decimal("0.1")),
    ("consumption", "能耗", "Consumption", "kWh/100km", Decimal("0.1")),
    ("torque_nm", "最大扭矩", "Torque", "N·m", 1),
)


def sentence(text: str, locale: Locale = "zh-CN", **options: Any) -> Storyboard:
    """A storyboard of one scene that says and shows one thing."""
    layers = options.pop("layers", ({"type": "color", "color": "#000000"},))
    scene = {"id": "only", "voice": {"text": text}, "layers": layers}
    title = options.pop("title", "标题")
    record = {"version": 1, "template": "x", "title": title, "locale": locale, "scenes": (scene,), **options}
    return Storyboard.model_validate(record)


def refused(made: Storyboard, facts: Facts, **options: Any) -> ClaimUnsupported:
    with pytest.raises(ClaimUnsupported) as refusal:
        check_claims(made, facts, **options)
    return refusal.value


@st.composite
def a_car(draw: st.DrawFn) -> Car:
    specs = [
        Spec(
            key, zh, en, Decimal(draw(st.integers(11, 9999))) * step, unit, draw(st.sampled_from(["", "CLTC", "WLTP"]))
        )
        for key, zh, en, unit, step in SPECS
    ]
    number = draw(st.integers(2, 9))
    return Car("a-car", "北风", f"北风 X{number}", f"Northwind X{number}", "suv", tuple(specs), SOURCE)


@st.composite
def a_ranking(draw: st.DrawFn) -> Facts:
    values = sorted(draw(st.lists(st.integers(100, 2_000_000), min_size=3, max_size=8, unique=True)), reverse=True)
    before = draw(st.permutations(range(1, len(values) + 1)))
    rows = tuple(
        RankingRow(
            rank,
            name,
            Decimal(value),
            "same" if earlier == rank else "up" if earlier > rank else "down",
            previous_rank=earlier,
            previous_value=Decimal(draw(st.integers(100, 2_000_000))),
        )
        for rank, name, value, earlier in zip(range(1, 9), NAMES, values, before, strict=False)
    )
    unit, metric = draw(st.sampled_from([("辆", "sales"), ("元", "price"), ("km", "range_km")]))
    return Facts(
        "x", ranking=Ranking("榜", metric, unit, draw(st.sampled_from(["2026-10", "2026-Q3", "2025"])), rows, SOURCE)
    )


@settings(max_examples=25)
@given(st.data())
def test_the_templates_say_nothing_but_the_facts(data: st.DataObject) -> None:
    kind, locale = data.draw(st.sampled_from(KINDS)), data.draw(st.sampled_from(LOCALES))
    facts = {"new_car_report": st.builds(lambda car: Facts("x", cars=(car,)), a_car()), "ranking": a_ranking()}
    about = data.draw(facts.get(kind, st.just(Facts("x"))))
    options = {"seconds": data.draw(st.sampled_from([15, 35, 90])), "seed": data.draw(st.integers(0, 3))}
    check_claims(board(kind, locale, about, **options), about)


def digits_of(made: Storyboard) -> Iterator[tuple[tuple[Any, ...], int]]:
    """Yield where every digit stands that a viewer hears or reads: path of the text, place in it."""
    record = made.model_dump(mode="json")
    for number, scene in enumerate(record["scenes"]):
        if scene["voice"]:
            yield from (((number, "voice", "text"), m.start()) for m in re.finditer("[0-9]", scene["voice"]["text"]))
        for place, layer in enumerate(scene["layers"]):
            for path, text in leaves(layer.get("data") or {}, (number, "layers", place, "data")):
                yield from ((path, m.start()) for m in re.finditer("[0-9]", text))


def leaves(value: Any, path: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], str]]:
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(item, (*path, key))
    elif isinstance(value, str | int) and not isinstance(value, bool):
        yield path, str(value)


def mutated(made: Storyboard, path: tuple[Any, ...], at: int, digit: str) -> Storyboard:
    record = made.model_dump(mode="json")
    holder = record["scenes"]
    for key in path[:-1]:
        holder = holder[key]
    text = str(holder[path[-1]])
    holder[path[-1]] = text[:at] + digit + text[at + 1 :]
    return Storyboard.model_validate(record)


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("kind", ["ranking", "new_car_report"])
def test_a_changed_digit_is_refused_wherever_it_stands(kind: str, locale: Locale) -> None:
    rows = tuple(replace(row, name=f"{NAMES[place]} Pro", car=None) for place, row in enumerate(ranking(7).rows))
    about = (
        Facts("x", cars=(CARS[0],)) if kind == "new_car_report" else Facts("x", ranking=replace(ranking(), rows=rows))
    )
    made = board(kind, locale, about, seconds=60)
    places = list(digits_of(made))
    assert len(places) > 60
    accepted = []
    for path, at in random.Random(5).sample(places, 60):
        before = str(leaf(made, path))[at]
        changed = mutated(made, path, at, str((int(before) + 1 + at % 8) % 10 or 9 if before != "9" else 4))
        try:
            check_claims(changed, about)
            accepted.append((path, leaf(made, path), leaf(changed, path)))
        except ClaimUnsupported:
            pass
    assert accepted == []


def leaf(made: Storyboard, path: tuple[Any, ...]) -> Any:
    holder: Any = made.model_dump(mode="json")["scenes"]
    for key in path:
        holder = holder[key]
    return holder


def test_the_refusal_names_scene_sentence_number_and_the_nearest_figure() -> None:
    about = Facts("x", cars=(CARS[0],))
    refusal = refused(sentence("北风 X5来了。续航里程590公里。"), about)
    for part in ("only", "续航里程590公里。", "'590公里'"):
        assert part in refusal.cause
    assert "560 km" in refusal.next_step
    assert [claim.mention.value for claim in refusal.claims] == [590]


@pytest.mark.parametrize(
    ("text", "locale", "true"),
    [
        ("指导价18.98万元。", "zh-CN", True),
        ("指导价十八点九八万元。", "zh-CN", True),
        ("指导价18.98万辆。", "zh-CN", False),  # the number of another unit
        ("百公里加速5.9秒，五座。", "zh-CN", True),
        ("百公里加速6秒。", "zh-CN", False),  # measures are not rounded
        ("零到两百公里。", "zh-CN", False),
        ("北风 X6。", "zh-CN", False),
        ("续航翻了三倍。", "zh-CN", False),
        ("The Northwind X5 does 560 km, and seats five seats.", "en-US", True),
        ("It does five hundred sixty kilometers.", "en-US", True),
        ("It does five hundred fifty kilometers.", "en-US", False),
        ("It does 560 miles.", "en-US", False),
        ("The Northwind X5 costs 189,800 CNY.", "en-US", True),
        ("It costs 190,000 CNY.", "en-US", False),
        ("The V8 is gone.", "en-US", False),
        ("Its range has doubled.", "en-US", False),
        ("Figures of November 2026.", "en-US", True),
        ("Figures of December 2026.", "en-US", False),
    ],
)
def test_a_sentence_about_one_car(text: str, locale: Locale, true: bool) -> None:
    about = Facts("x", cars=(CARS[0],))
    made = sentence(text, locale)
    if true:
        check_claims(made, about)
    else:
        refused(made, about)


@pytest.mark.parametrize(
    ("text", "true"),
    [
        ("北风 X5，1.82万辆。", True),
        ("流明 S，1.82万辆。", False),  # the figure of another row
        ("第2名，流明 S，1.52万辆。", True),
        ("第1名，流明 S，1.52万辆。", False),  # its place of the period before
        ("流明 S，上期第1名。", True),
        ("北风 X5，1.5万辆。", False),  # its figure of the period before
        ("北风 X5，上期是1.5万辆。", True),
        ("北风 X5 比流明 S多3024辆。", True),  # a difference
        ("北风 X5 比流明 S多3,042辆。", False),
        ("北风 X5 比上期增长21.6%，即22%。", True),  # (18234 - 15001) / 15001
        ("北风 X5 比上期增长21.5%。", False),
        ("北风 X5 是上期的1.2倍。", True),
        ("北风 X5 比上期翻倍。", False),
        ("北风 X5 比上期上升2位，流明 S下降1位。", True),
        ("北风 X5 上升3位。", False),
        ("2026年10月，前6名。", True),
        ("2026年9月，前6名。", False),
        ("2026年11月的数据。", False),  # that is when the source was published
        ("数据发布于2026年11月1日。", True),
        ("前9名。", False),
    ],
)
def test_a_sentence_about_a_table(text: str, true: bool) -> None:
    about = Facts("x", ranking=replace(ranking(), rows=ranking(6).rows))
    made = sentence(text)
    if true:
        check_claims(made, about)
    else:
        refused(made, about)


def test_words_typed_into_the_order_may_hold_numbers() -> None:
    title = "双11特辑：4款纯电"
    made = sentence("共有4款。", title=title)
    refused(made, Facts("x"))
    check_claims(made, Facts("x"), typed=[title])
    refused(sentence("共有5款。", title=title), Facts("x"), typed=[title])


def test_texts_charts_and_credits_are_read_too() -> None:
    about = Facts("x", cars=(CARS[0],))
    for layer in (
        {"type": "text", "lines": ["CLTC", "{} km"]},
        {"type": "card", "card": "verdict", "data": {"line": "{} km"}},
        {"type": "card", "card": "x", "data": {"specs": [{"label": "续航", "value": "{}", "unit": "km"}]}},
        {"type": "image", "file": "a.png", "credit": "{} km"},
        {"type": "chart", "kind": "bar", "title": "续航", "unit": "km", "source": "x", "date": "2026-11-01",
         "points": [{"label": "北风 X5", "value": "{}"}, {"label": "它", "value": 560}]},
    ):  # fmt: skip
        for value, true in (("560", True), ("565", False)):
            made = sentence("看。", layers=(json.loads(json.dumps(layer).replace("{}", value)),))
            if true:
                check_claims(made, about)
            else:
                assert "565" in str(refused(made, about))


def test_every_number_of_a_storyboard_is_looked_at() -> None:
    about = Facts("x", ranking=ranking())
    made = board("ranking", "en-US", about, seconds=60)
    said = " ".join(scene.voice.text for scene in made.scenes if scene.voice)
    found = [claim for claim in claims(made, evidence_for(made, about)) if claim.key == ""]
    assert len(found) >= len(re.findall(r"(?<![A-Za-z\d,.\"])\d[\d,.]*(?!\d|\")", said))


def test_a_scene_without_words_is_fine() -> None:
    scene = {"id": "a", "duration": 2.0, "layers": [{"type": "color", "color": "#000000"}]}
    record = {"version": 1, "template": "x", "title": "t", "locale": "en-US", "scenes": [scene]}
    check_claims(Storyboard.model_validate(record), Facts("x"))
