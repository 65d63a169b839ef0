"""The seven kinds of video as templates: what they ask for, what they say, and that nothing is said but the facts."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from factory.plan.brief import Brief, Table
from factory.plan.facts import Car, Facts, Locale, PriceChange, Ranking, RankingRow, Source, Spec
from factory.plan.layer_parts import ImagePart
from factory.plan.numbers import exact
from factory.plan.query import parse_query
from factory.plan.storyboard import CardPart, ClipPart, Scene, Storyboard, read_storyboard
from factory.plan.timeline import Canvas
from factory.render.phrases import speaking_seconds
from factory.render.templates import TemplateFailed, Templates

TEMPLATES = Templates()
KINDS = (
    *("new_car_report", "ranking", "comparison", "price_change"),
    *("off_road", "highlights", "accident_compilation"),
)
LOCALES: tuple[Locale, ...] = ("zh-CN", "en-US")
SOURCE = Source("Sample table", "2026-11-01", sample=True)
MARGIN = 0.5  # of a spoken scene beside its voice, roughly
TAGS = ("driving-view", "traffic", "aerial", "exterior", "interior", "detail", "race", "accident")


def car(slug: str, zh: str, en: str, specs: int = 6) -> Car:
    known = (
        Spec("price", "指导价", "Price", Decimal(189800), "元"),
        Spec("range_km", "续航里程", "Range", Decimal(560), "km", "CLTC"),
        Spec("zero_to_100_s", "百公里加速", "0–100 km/h", Decimal("5.9"), "s"),
        Spec("power_kw", "最大功率", "Power", Decimal(220), "kW"),
        Spec("wheelbase_mm", "轴距", "Wheelbase", Decimal(2890), "mm"),
        Spec("seats", "座位数", "Seats", Decimal(5), "座"),
    )
    return Car(slug, en.split(maxsplit=1)[0], zh, en, "suv", known[:specs], SOURCE)


CARS = [car("northwind-x5", "北风 X5", "Northwind X5"), car("lumen-s", "流明 S", "Lumen S")]


def ranking(count: int = 6) -> Ranking:
    rows = [RankingRow(1, "北风 X5", Decimal(18234), "up", previous_rank=3, previous_value=Decimal(15001), car=CARS[0])]
    rows += [RankingRow(2, "流明 S", Decimal(15210), "down", previous_rank=1, car=CARS[1])]
    rows += [RankingRow(3, "红隼 GT", Decimal(12044), "same", tied=True, previous_rank=3)]
    rows += [RankingRow(3, "旷野 Pro", Decimal(12044), "new", tied=True)]
    rows += [RankingRow(5 + i, f'皮可 "{i}"', Decimal(9876 - 100 * i), "unknown") for i in range(8)]
    return Ranking("sales", "sales", "辆", "2026-10", tuple(rows[:count]), SOURCE)


def price(name_zh: str, name_en: str, old: int, new: int, **more: Any) -> PriceChange:
    given = {"kind": "guide", "unit": "元", "date": "2026-11-01", "source": SOURCE, **more}
    return PriceChange(name_zh, name_en, old=Decimal(old), new=Decimal(new), **given)


PRICES = (
    price("北风 X5", "Northwind X5", 189800, 174800, car=CARS[0]),
    price("流明 S", "Lumen S", 239800, 244800, car=CARS[1]),
    price("旷野 Pro", "Terra Pro", 191500, 186900, kind="deal", date="2026-11"),
)


def facts(kind: str) -> Facts:
    cars = tuple(CARS[: {"new_car_report": 1, "comparison": 2, "price_change": 2}.get(kind, 0)])
    return Facts(
        "" if kind == "highlights" else "x",
        cars=cars,
        ranking=ranking() if kind == "ranking" else None,
        sources=(SOURCE,),
        prices=PRICES if kind == "price_change" else (),
    )


def board(kind: str, locale: Locale = "zh-CN", about: Facts | None = None, **options: Any) -> Storyboard:
    if kind == "highlights":
        options["set"] = {"about": "race", **options.get("set", {})}
    brief = Brief(template=kind, locale=locale, **options)
    return read_storyboard(TEMPLATES.storyboard(kind, {"brief": brief, "facts": about or facts(kind)}), kind)


def spoken(made: Storyboard) -> str:
    return " ".join(scene.voice.text for scene in made.scenes if scene.voice)


def guessed(made: Storyboard) -> float:
    return sum(guessed_scene(scene, made.locale) for scene in made.scenes)


def guessed_scene(scene: Scene, locale: Locale) -> float:
    overlap = scene.transition.duration if scene.transition else 0.0
    if scene.duration != "auto":
        return scene.duration - overlap
    assert scene.voice is not None
    return speaking_seconds(scene.voice.text, locale) + MARGIN - overlap


def cards(made: Storyboard) -> Iterator[CardPart]:
    yield from (layer for scene in made.scenes for layer in scene.layers if isinstance(layer, CardPart))


def clips(made: Storyboard) -> Iterator[tuple[Scene, ClipPart]]:
    yield from ((scene, layer) for scene in made.scenes for layer in scene.layers if isinstance(layer, ClipPart))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("locale", LOCALES)
def test_each_kind_keeps_the_rules_of_a_programme(kind: str, locale: Locale) -> None:
    for seconds in (15, None, 60, 180):
        for seed in (0, 1, 2):
            made = board(kind, locale, seconds=seconds, seed=seed)
            first, last = made.scenes[0], made.scenes[-1]
            assert [s.id for s in made.scenes if s.poster] == ["hook"] == [first.id]
            assert first.duration == 2.6  # the AI label stands for two seconds at least; a longer voice lengthens it
            assert first.voice
            assert speaking_seconds(first.voice.text, locale) <= 3
            assert any(layer.type == "label" and layer.card == "ai_label" for layer in first.layers)
            assert (last.id, last.still) == ("credits", True)
            assert guessed_scene(last, locale) <= 5
            assert all(isinstance(s.duration, str) or s.duration >= 1 for s in made.scenes)
            assert all(s.duration != "auto" or s.voice for s in made.scenes)


def test_an_off_road_film_cuts_on_beats_where_it_is_asked_to() -> None:
    asked, plain = board("off_road", set={"beats": "yes"}).audio.music, board("off_road").audio.music
    assert asked
    assert plain
    assert (asked.cut, plain.cut) == ("beats", "free")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("locale", LOCALES)
def test_the_length_follows_the_brief(kind: str, locale: Locale) -> None:
    usual = TEMPLATES.describe(kind).seconds
    lengths = {seconds: guessed(board(kind, locale, seconds=seconds)) for seconds in (15, usual, 60)}
    assert lengths[15] < lengths[usual] <= lengths[60]
    assert 0.75 * usual <= lengths[usual] <= 1.2 * usual
    if kind != "ranking":  # a table of six rows says no more than six places
        assert lengths[60] >= 45
        assert guessed(board(kind, locale, seconds=180)) >= 150


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("locale", LOCALES)
def test_every_card_can_be_drawn_in_every_shape(kind: str, locale: Locale) -> None:
    for canvas in (Canvas(1920, 1080), Canvas(1080, 1920), Canvas(1080, 1080)):
        for part in cards(board(kind, locale)):
            assert TEMPLATES.card(part.card, data=part.data, canvas=canvas, brand="circuit", locale=locale)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("locale", LOCALES)
def test_nothing_is_claimed_that_the_facts_do_not_carry(kind: str, locale: Locale) -> None:
    known = {"2026", "10", "11", "01", "1"}
    for about in CARS:
        known |= {exact(spec.value) for spec in about.specs} | {"18.98", "100", "0", "5", "2890", "189,800", "2,890"}
    for row in ranking(12).rows:
        known |= {str(row.rank), exact(row.value), f"{row.value}", "2", "3", "1.82", "1.52", "1.2", "1.5"}
        known |= {"18,200", "15,200", "12,000", "15,000", "8", "7", "6", "12", "9", "4"}
    for change in PRICES:
        moved = abs(change.difference)
        known |= {exact(figure) for figure in (change.old, change.new, moved, abs(change.percent))}
        known |= {f"{(figure / 10_000).normalize():f}" for figure in (change.old, change.new, moved)} | {f"{moved}"}
    for seconds in (15, 35, 120):
        for seed in (0, 1, 2):
            text = spoken(board(kind, locale, seconds=seconds, seed=seed))
            assert set(re.findall(r"\d[\d,.]*\d|\d", text)) <= known, text
            assert not re.search(r"最[^大小低]|第一|首选|国家级|best|greatest|unrivalled", text), text


# --- new car ---------------------------------------------------------------------------------------------------------


def test_a_new_car_report_shows_that_car_alone() -> None:
    known = car("northwind-x5", "北风 X5", "Northwind X5")
    more = tuple(replace(spec, key=f"more_{spec.key}") for spec in known.specs)
    made = board("new_car_report", seconds=180, about=Facts("x", cars=(replace(known, specs=known.specs + more),)))
    assert any(scene.id.startswith("facts-") for scene in made.scenes)
    assert all(set(layer.query.text) == {"北风 X5", "Northwind X5"} for _, layer in clips(made))
    wanted = {tag for _, layer in clips(made) for tag in layer.query.tags_all}
    assert {"exterior", "detail", "interior"} <= wanted
    assert {"hook", "exterior", "detail", "interior", "driving", "figures", "verdict", "credits"} <= {
        scene.id for scene in made.scenes
    }


def test_prices_carry_their_label_and_only_known_facts_are_shown() -> None:
    main, same, more = [
        part.data["specs"] for part in cards(board("new_car_report", seconds=60)) if part.card == "spec_card"
    ]
    assert main == same
    assert main[0] == {"label": "指导价", "value": "18.98", "unit": "万元", "note": ""}
    assert [spec["label"] for spec in main[1:]] == ["续航里程", "百公里加速", "最大功率"]
    assert main[1]["note"] == "CLTC"
    assert [spec["label"] for spec in more] == ["轴距", "座位数"]
    bare = board("new_car_report", about=Facts("x", cars=(car("a", "甲", "A", specs=0),)))
    assert not [part for part in cards(bare) if part.card in ("spec_card", "verdict")]


@pytest.mark.parametrize("locale", LOCALES)
def test_seven_shots_of_a_car_are_enough(locale: Locale) -> None:
    made = board("new_car_report", locale)
    required = [scene for scene, _ in clips(made) if not scene.optional]
    assert len(required) == 7
    assert all(guessed_scene(scene, locale) <= 6 for scene in required)


def test_a_new_car_report_needs_a_car() -> None:
    with pytest.raises(TemplateFailed) as failed:
        board("new_car_report", about=Facts("nobody"))
    assert "--subject" in failed.value.next_step
    assert failed.value.exit_code == 2


# --- ranking ---------------------------------------------------------------------------------------------------------


def test_a_countdown_ends_with_the_winner_then_the_table() -> None:
    made = board("ranking", seconds=60)
    ranks = [part.data["rank"] for part in cards(made) if part.card == "rank_card"]
    assert ranks == sorted(ranks, reverse=True)
    assert ranks[-1] == 1
    table = next(part for part in cards(made) if part.card == "table_card")
    assert [row["rank"] for row in table.data["rows"]] == ranks[::-1]
    assert [scene.id for scene in made.scenes][-2:] == ["table", "credits"]


def test_rank_cards_carry_the_exact_numbers_with_source_and_date() -> None:
    for locale in LOCALES:
        parts = [part for part in cards(board("ranking", locale, seconds=90)) if part.card == "rank_card"]
        assert [part.data["value"] for part in parts[::-1]] == [f"{row.value}" for row in ranking().rows]
        for part in parts:
            assert part.counts
            assert (part.data["source"], part.data["date"], part.data["sample"]) == ("Sample table", "2026-11-01", True)
            assert Decimal(part.data["scale"]) == 18234


def test_places_are_said_as_people_say_them() -> None:
    chinese = " ".join(spoken(board("ranking", seconds=90, seed=seed)) for seed in range(4))
    english = " ".join(spoken(board("ranking", "en-US", seconds=90, seed=seed)) for seed in range(4))
    for words in ("榜首是北风 X5，1.82万辆。", "比上期上升2位。", "并列第3名的是红隼 GT", "1.2万辆。这一期新上榜。"):
        assert words in chinese
    for words in ("Number one: Northwind X5, 18,200 units. ", "Up 2 places on last time.", "Tied at number 3: 红隼 GT"):
        assert words in english
    assert "A new entry." in english


def test_no_other_car_stands_for_a_place() -> None:
    made = board("ranking", seconds=90)
    for scene, layer in clips(made):
        if not scene.id.startswith("place-"):
            continue
        query = str(parse_query(layer.query.where, lambda word: word if word in TAGS else None))
        for row in ranking().rows:
            for name in row.car.names() if row.car else (row.name,):
                negated = f"Not(term=HasText(text={name!r}))"
                assert (negated in query) != (name in layer.query.prefer), (scene.id, name)


def test_more_places_where_there_is_more_time() -> None:
    many = Facts("x", ranking=ranking(12))
    counts = [
        sum(part.card == "rank_card" for part in cards(board("ranking", about=many, seconds=seconds)))
        for seconds in (15, 40, 60, 120)
    ]
    assert counts[0] == 4  # three places, one of them shared
    assert counts == sorted(counts)
    assert counts[-1] == 10
    asked = board("ranking", about=many, seconds=120, set={"places": "4"})
    assert sum(part.card == "rank_card" for part in cards(asked)) == 4


def test_a_tie_is_shown_whole_or_not_at_all() -> None:
    def places(ranks: Sequence[int]) -> list[int]:
        rows = tuple(
            replace(row, rank=rank, tied=ranks.count(rank) > 1)
            for row, rank in zip(ranking(len(ranks)).rows, ranks, strict=True)
        )
        made = board("ranking", about=Facts("x", ranking=replace(ranking(3), rows=rows)), seconds=15)
        return sorted(part.data["rank"] for part in cards(made) if part.card == "rank_card")

    assert places([1, 2, 3, 4, 5]) == [1, 2, 3]
    assert places([1, 2, 3, 3, 5]) == [1, 2, 3, 3]
    assert places([1, 1, 3, 3, 3, 6]) == [1, 1, 3, 3, 3]
    assert len(places([1] * 12)) == 10


def test_movement_is_told_where_there_is_an_earlier_period() -> None:
    def changes(rows: tuple[RankingRow, ...]) -> set[str]:
        made = board("ranking", about=Facts("x", ranking=replace(ranking(3), rows=rows)))
        return {part.data["change"] for part in cards(made) if part.card == "rank_card"}

    rows = ranking(3).rows
    assert changes(tuple(replace(row, change="unknown") for row in rows)) == {"none"}
    assert changes((rows[0], *(replace(row, change="unknown") for row in rows[1:]))) == {rows[0].change, "unknown"}


def test_a_column_is_named_as_people_name_it() -> None:
    metrics = {
        "dc_max_kw": "peak DC charging power",
        "sales": "sales",
        "ac_phases": "AC phases",
        "Top speed": "top speed",
    }
    for column, name in metrics.items():
        about = Facts("x", ranking=replace(ranking(3), metric=column, title=column, period=""))
        assert board("ranking", "en-US", about=about).title == f"Ranking by {name}"


def test_a_table_without_a_title_gets_one_from_metric_and_period() -> None:
    assert board("ranking").title == "2026年10月销量榜"
    assert board("ranking", "en-US").title == "Ranking by sales, October 2026"
    assert board("ranking", set={"title": "十月榜"}).title == "十月榜"


def test_a_ranking_needs_three_rows() -> None:
    for about in (Facts("x"), Facts("x", ranking=ranking(2))):
        with pytest.raises(TemplateFailed):
            board("ranking", about=about)


# --- off-road and accidents ------------------------------------------------------------------------------------------


def test_off_road_shows_off_road_only_with_its_sound_in_front() -> None:
    made = board("off_road", seconds=60)
    assert all("off-road" in layer.query.tags_all and layer.sound_db is not None for _, layer in clips(made))
    assert all(-6 <= (layer.sound_db or 0) <= 0 for _, layer in clips(made))
    assert made.audio.music is not None
    assert made.audio.music.gain_db <= -22
    assert sum(not scene.optional for scene, _ in clips(made)) >= 3
    terrains = {tag for scene, layer in clips(made) if scene.optional for tag in layer.query.tags_all} - {"off-road"}
    assert {"mud", "dune", "rock", "snow", "water-crossing"} <= terrains


def test_accidents_are_neutral_and_end_on_a_safety_line() -> None:
    made = board("accident_compilation", seconds=60)
    incidents = [scene for scene, layer in clips(made) if "accident" in layer.query.tags_all]
    assert [scene.optional for scene in incidents] == [False, False, *[True] * (len(incidents) - 2)]
    assert made.blur_faces
    assert all("face-visible" in layer.query.tags_none for scene, layer in clips(made) if scene not in incidents)
    clear = board("accident_compilation", set={"blur_faces": "no"})
    assert not clear.blur_faces
    assert all("face-visible" in layer.query.tags_none for _, layer in clips(clear))
    safety = next(scene for scene in made.scenes if scene.id == "safety")
    assert any(isinstance(part, CardPart) and part.card == "safety_card" for part in safety.layers)
    for _, layer in clips(made):
        assert ("accident" in layer.query.tags_all) != ("accident" in layer.query.tags_none)


def test_where_and_when_of_an_accident_come_from_the_table_alone() -> None:
    table = Table(name="t.csv", columns=("clip", "地点", "time"), rows=(("Wet saloon", "某路口", "2026-08-03"),))
    made = board("accident_compilation", data=table)
    first, second = [part.data for part in cards(made) if part.card == "incident_card"][:2]
    assert (first["place"], first["time"]) == ("某路口", "2026-08-03")
    assert (second["place"], second["time"]) == ("", "")
    scene = next(layer for scene, layer in clips(made) if scene.id == "incident-1")
    assert scene.query.text == ("Wet saloon",)


# --- what an order may add -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_the_brand_opens_and_closes_only_where_it_is_asked_to(kind: str) -> None:
    assert (board(kind).intro, board(kind).outro) == (False, False)
    asked = board(kind, set={"intro": "yes", "outro": "yes"})
    assert (asked.intro, asked.outro) == (True, True)


def test_a_report_shows_the_picture_that_an_order_brings() -> None:
    assert not any(scene.id == "photo" for scene in board("new_car_report").scenes)
    shown = board("new_car_report", set={"photo": "press.jpg", "photo_credit": "Ann"})
    (photo,) = (scene.layers[0] for scene in shown.scenes if scene.id == "photo")
    assert isinstance(photo, ImagePart)
    assert (photo.file, photo.credit) == ("press.jpg", "Ann")


# --- sentences that vary ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("locale", LOCALES)
def test_what_recurs_is_said_in_four_ways(kind: str, locale: Locale) -> None:
    told: dict[str, list[str]] = {}
    for seed in range(4):
        for scene in board(kind, locale, seconds=90, seed=seed).scenes:
            if scene.voice:
                told.setdefault(scene.id, []).append(scene.voice.text)
    facts_alone = re.compile(r"figures|more-figures|facts-[2-9]")
    always = {scene: ways for scene, ways in told.items() if len(ways) == 4 and not facts_alone.fullmatch(scene)}
    assert len(always) >= 2
    assert {scene: ways for scene, ways in always.items() if len(set(ways)) < 4} == {}


# --- comparisons, prices, highlights ---------------------------------------------------------------------------------


def compared(*cars: Car, **options: Any) -> Storyboard:
    return board("comparison", about=Facts("x", cars=cars, sources=(SOURCE,)), **options)


def test_each_figure_is_said_over_its_own_car_and_the_better_one_shown_when_all_are_known() -> None:
    other = replace(CARS[1], specs=(replace(CARS[1].specs[0], value=Decimal(169800)),))
    made = compared(replace(CARS[0], specs=CARS[0].specs[:1]), other, locale="en-US")
    prices = [part for part in cards(made) if part.card == "compare_card"]
    assert [layer.query.car for scene, layer in clips(made) if scene.id.startswith("price-")] == [
        "northwind-x5",
        "lumen-s",
    ]
    assert [[entry["told"] for entry in part.data["entries"]] for part in prices] == [[True, False], [True, True]]
    assert [[entry["best"] for entry in part.data["entries"]] for part in prices] == [[False] * 2, [False, True]]
    assert "Lumen S costs less" in spoken(made)


def test_figures_of_two_test_cycles_are_shown_and_not_compared() -> None:
    ranges = [
        replace(car, specs=(replace(car.specs[1], cycle=cycle),))
        for car, cycle in zip(CARS, ("CLTC", "WLTP"), strict=True)
    ]
    made = compared(*ranges)
    last = [part for part in cards(made) if part.card == "compare_card"][-1]
    assert [entry["note"] for entry in last.data["entries"]] == ["CLTC", "WLTP"]
    assert not any(entry["best"] for entry in last.data["entries"])
    assert last.data["remark"]
    assert "工况不同，不直接比较" in spoken(made)
    assert "更长" not in spoken(made)


def test_a_missing_figure_is_said_to_be_missing() -> None:
    made = compared(CARS[0], replace(CARS[1], specs=CARS[1].specs[:1]), seconds=120)
    assert "流明 S，资料里没有这项数字。" in spoken(made)
    assert "" in [
        entry["value"] for part in cards(made) if part.card == "compare_card" for entry in part.data["entries"]
    ]


def test_three_cars_are_each_looked_at_as_often() -> None:
    third = car("kestrel-gt", "红隼 GT", "Kestrel GT")
    made = compared(*CARS, third, seconds=180)
    shown = [layer.query.car for scene, layer in clips(made) if scene.id.startswith("look-")]
    assert {shown.count(one.slug) for one in (*CARS, third)} == {len(shown) // 3}


def test_a_price_is_called_what_the_table_calls_it() -> None:
    made = board("price_change", seconds=120)
    kinds = [part.data["kind"] for part in cards(made) if part.card == "price_card"]
    assert set(kinds) == {"指导价", "成交价"}
    for number, word, other in ((1, "指导价", "成交价"), (3, "成交价", "指导价")):
        said = next(scene.voice.text for scene in made.scenes if scene.id == f"prices-{number}" and scene.voice)
        assert word in said
        assert other not in said


def test_a_price_card_carries_both_prices_the_difference_when_and_by_whom() -> None:
    part = next(part for part in cards(board("price_change", "en-US")) if part.card == "price_card")
    assert (part.data["old"]["value"], part.data["new"]["value"]) == ("189,800", "174,800")
    assert (part.data["difference"], part.data["percent"], part.data["way"]) == ("15,000 CNY less", "down 7.9%", "down")
    assert part.data["effective"] == "From 1 November 2026"
    assert (part.data["source"], part.data["date"], part.data["sample"]) == ("Sample table", "2026-11-01", True)


def test_highlights_want_a_theme_and_no_accidents() -> None:
    made = board("highlights", set={"about": "off-road & mud"})
    assert made.title == "越野、泥地"
    assert all(
        layer.query.where == "off-road & mud" and "accident" in layer.query.tags_none for _, layer in clips(made)
    )
    assert board("highlights", "en-US", set={"about": "duration:>=4"}).title == "Highlights"
    named = board("highlights", about=Facts("x5", cars=(CARS[0],)), set={"about": ""})
    assert (named.title, named.scenes[0].layers[0].query.car) == ("北风 X5", "northwind-x5")  # type: ignore[union-attr]
    for wrong in ("", "crash", "车祸"):
        with pytest.raises(TemplateFailed):
            board("highlights", set={"about": wrong})


def test_the_credits_name_the_sources_of_what_was_shown_alone() -> None:
    other = replace(SOURCE, name="Another desk")
    rows = (PRICES[0], replace(PRICES[1], source=other))
    about = Facts("x", cars=tuple(CARS), sources=(SOURCE, other), prices=rows)
    short, long = (board("price_change", about=about, seconds=seconds) for seconds in (15, 60))
    assert [next(part.data["data"] for part in cards(made) if part.card == "credits") for made in (short, long)] == [
        ["Sample table，2026-11-01"],
        ["Sample table，2026-11-01", "Another desk，2026-11-01"],
    ]
    assert "Another desk" in spoken(long)
