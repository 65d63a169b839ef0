import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest
import resvg_py
import yaml
from PIL import Image

from factory.plan.brief import Brief
from factory.plan.facts import Facts
from factory.plan.timeline import Canvas
from factory.render.brands import contrast
from factory.render.fonts import font_file
from factory.render.kinds import InputRefused, KindUnreadable
from factory.render.layout import layout_for
from factory.render.templates import TemplateFailed, Templates, UnknownTemplate

CANVASES = {"16:9": Canvas(1920, 1080), "9:16": Canvas(1080, 1920), "1:1": Canvas(1080, 1080)}
LONG_ZH = "旷野 Pro 双排长轴距越野改装限定纪念版 2026 款上市特别版"
LONG_EN = "Terra Pro Double Cab Long Wheelbase Limited Anniversary Edition 2026"
NASTY = '</text><image href="file:///etc/passwd"/>{{ 7 * 7 }} & "quoted" \' : - # \u2028 [a]'
HEAD = "{# {title: {zh: 甲, en: A}, description: {zh: 乙, en: B}, inputs: {count: {type: integer, maximum: 9}}} #}\n"

BARS = [
    {"label": label, "value": str(98_000 - 9_100 * n)} for n, label in enumerate(("北风 X5", LONG_EN, "流明 S", "皮可"))
]
MONTHS = [{"label": f"2026-{n + 1:02}", "value": str(18_000 + (-1) ** n * 400 * n)} for n in range(12)]


def place(name: str, value: object = "98321", **more: Any) -> dict[str, Any]:
    row = {"rank": 2, "name": name, "value": value, "unit": "辆", "scale": "102345", "leader": "102345"}
    about = {"source": "AutoReel 示例数据", "date": "2026-11-01", "sample": True, "change": "up", "moved": "上升2位"}
    return {**row, **about, "tied": False, **more}


def card_data(name: str) -> dict[str, dict[str, Any]]:
    """Return data for every card, with the given name in it."""
    rows = [place(name, rank=i + 1, value=str(102345 - 9000 * i), tied=i in (2, 3)) for i in range(10)]
    specs = [
        {"label": "指导价", "value": "189,800", "unit": "元"},
        {"label": "续航", "value": "560", "unit": "km", "note": "CLTC"},
    ]
    more = [
        {"label": "百公里加速", "value": "5.9", "unit": "s"},
        {"label": "DC charging", "value": "1,234,567", "unit": "kWh/100km"},
    ]
    source = {"source": "AutoReel 示例数据", "date": "2026-11-01", "sample": True}
    compared = [
        {"name": name, "value": "1,234,567", "unit": "kWh/100km", "note": "CLTC", "share": 1, "best": True},
        {"name": "流明 S", "value": "", "unit": "", "note": "", "share": -1},
        {"name": name, "value": "560", "unit": "km", "note": "WLTP", "share": 0.5, "told": False},
    ]
    prices = {"old": {"value": "1,269,800.50", "unit": "元"}, "new": {"value": "1,249,800.50", "unit": "元"}}
    moved = {"way": "down", "difference": "1,234,567 CNY less", "percent": "down 12.3%", "effective": name}
    return {
        "title": {"title": name, "subtitle": name, "kicker": "新车速报"},
        "cover": {"title": name, "kicker": "新车速报", "place": "bottom"},
        "lower_third": {"name": name, "line": name},
        "rank_card": place(name, tied=True),
        "table_card": {"title": name, "unit": "辆", "rows": rows, "scale": "102345", **source},
        "spec_card": {"name": name, "specs": specs + more, **source},
        "compare_card": {"title": name, "entries": compared, "better": "deeper", "remark": name, **source},
        "price_card": {"name": name, "kind": "transaction price", **prices, **moved, **source},
        "verdict": {"label": name, "line": name},
        "incident_card": {"heading": "事故画面", "place": name, "time": "2026-08-03 17:40", "credit": name},
        "safety_card": {"label": "安全提示", "line": name},
        "credits": {"footage": [f"{name}, {i}" for i in range(30)], "music": ["a"], "data": ["b"], "sample": True},
        "text": {"lines": [name, name], "size": "title", "place": "top-right"},
        "bar_chart": {"title": name, "unit": "辆", "points": BARS, "mark": "北风 X5", **source},
        "line_chart": {"title": name, "unit": "辆", "points": MONTHS, **source},
        "inset": {"box": [200, 300, 400, 240], "radius": 12},
        "ident": {"line": name},
        "watermark": {"corner": "top-right", "opacity": 0.75, "share": 0.12},
        "ai_label": {},
        "sample_badge": {},
    }


def words_of(svg: str) -> list[str]:
    return ["".join(text.itertext()) for text in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


def box_of(svg: str) -> tuple[float, float, float, float]:
    root = ElementTree.fromstring(svg)
    x, y, w, h = (float(part) for part in root.attrib["viewBox"].split())
    assert (root.attrib["width"], root.attrib["height"]) == (f"{w:g}", f"{h:g}")
    return x, y, w, h


@pytest.fixture(scope="module")
def templates() -> Templates:
    return Templates()


def test_every_card_of_the_house_is_tried(templates: Templates) -> None:
    assert set(templates.cards()) == set(card_data("x"))


@pytest.mark.parametrize("aspect", CANVASES)
@pytest.mark.parametrize("name", ["X5", LONG_ZH, LONG_EN, NASTY])
def test_cards_stay_in_the_safe_area_above_the_captions(templates: Templates, aspect: str, name: str) -> None:
    canvas = CANVASES[aspect]
    box = layout_for(canvas)
    for locale in ("zh-CN", "en-US"):
        for card, data in card_data(name).items():
            if card == "watermark":
                continue  # it stands beside the safe area
            svg = templates.card(card, data=data, canvas=canvas, brand="autoreel", locale=locale)
            x, y, w, h = box_of(svg)
            assert x % 2 == y % 2 == w % 2 == h % 2 == 0
            assert box.left - 2 <= x <= x + w <= box.right + 4, (card, x, w)
            floor = box.bottom if card == "cover" else box.floor  # a cover has no captions
            assert box.top - 2 <= y <= y + h <= floor + 4, (card, y, h)
            sizes = {
                float(t.attrib["font-size"])
                for t in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")
            }
            assert min(sizes, default=canvas.height) >= 0.022 * canvas.height, (card, sizes)


@pytest.mark.parametrize("aspect", CANVASES)
@pytest.mark.parametrize("locale", ["zh-CN", "en-US"])
def test_no_text_runs_out_of_its_card(templates: Templates, aspect: str, locale: str) -> None:
    from factory.render.lettering import text_width

    for name in (LONG_ZH, LONG_EN):
        for card, data in card_data(name).items():
            svg = templates.card(card, data=data, canvas=CANVASES[aspect], brand="daylight", locale=locale)
            x, y, w, h = box_of(svg)
            for text in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text"):
                size, at = float(text.attrib["font-size"]), float(text.attrib["x"])
                width = text_width("".join(text.itertext()), size)
                left = at - width * {"start": 0, "middle": 0.5, "end": 1}[text.attrib["text-anchor"]]
                assert x - 3 <= left <= left + width <= x + w + 1, (card, aspect, "".join(text.itertext()))
                baseline = float(text.attrib["y"])
                assert y <= baseline - 0.7 * size < baseline <= y + h, (card, aspect)


def test_cards_are_drawn_by_resvg_at_the_size_they_say(templates: Templates) -> None:
    for card, data in card_data("北风 X5").items():
        svg = templates.card(card, data=data, canvas=CANVASES["16:9"], brand="circuit", locale="en-US")
        png = resvg_py.svg_to_bytes(svg_string=svg, skip_system_fonts=True, font_files=[str(font_file())])
        picture = Image.open(io.BytesIO(bytes(png))).convert("RGBA")
        assert picture.size == tuple(int(side) for side in box_of(svg)[2:])
        inside = picture.getbbox()
        assert inside is not None
        if card in ("ident", "watermark"):
            continue  # these have no plate that fills their box
        assert max(inside[:2]) <= 1, card
        assert inside[2] >= picture.width - 3, card


def test_a_counting_card_keeps_its_box_and_settles_on_the_exact_number(templates: Templates) -> None:
    data = place("流明 S", value="1234567.89", scale="1234567.89")
    boxes, shown = set(), []
    for step in (0.0, 0.3, 0.77, 1.0):
        svg = templates.card(
            "rank_card", data=data, canvas=CANVASES["16:9"], brand="autoreel", locale="zh-CN", progress=step
        )
        boxes.add(box_of(svg))
        shown.append(next(words for words in words_of(svg) if words.endswith(("0.00", ".89")) or "." in words))
    assert len(boxes) == 1
    assert shown[0] == "0.00"
    assert shown[-1] == "1,234,567.89"
    assert [Decimal(words.replace(",", "")) for words in shown] == sorted(Decimal(w.replace(",", "")) for w in shown)


def test_bars_are_as_long_as_their_share_from_zero(templates: Templates) -> None:
    def longest(value: str, progress: float = 1.0) -> float:
        svg = templates.card(
            "rank_card",
            data=place("X5", value=value, scale="200", leader="200"),
            canvas=CANVASES["16:9"],
            brand="autoreel",
            locale="en-US",
            progress=progress,
        )
        paths = ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}path")
        accents = [path.attrib["d"] for path in paths if path.attrib["fill"] == "#ffb000"]
        return float(accents[-1].split("h")[1].split("v")[0])

    assert longest("50") == pytest.approx(longest("200") / 4, abs=0.1)
    assert longest("200", 0.5) == pytest.approx(longest("200") / 2, abs=0.1)
    assert longest("0") == 0


@pytest.mark.parametrize("aspect", CANVASES)
@pytest.mark.parametrize("corner", ["top-left", "top-right", "bottom-left", "bottom-right"])
def test_the_watermark_stands_on_the_canvas_and_over_no_card(templates: Templates, aspect: str, corner: str) -> None:
    canvas = CANVASES[aspect]
    box = layout_for(canvas)
    data = {"corner": corner, "opacity": 0.75, "share": 0.12}
    svg = templates.card("watermark", data=data, canvas=canvas, brand="circuit", locale="zh-CN")
    x, y, w, h = box_of(svg)
    assert 0 <= x < x + w <= canvas.width
    assert 0 <= y < y + h <= canvas.height
    assert y + h <= box.top + 2 if corner.startswith("top") else y >= box.bottom - 2
    assert (x + w / 2 < canvas.width / 2) == corner.endswith("left")
    assert 'opacity="0.75"' in svg


@pytest.mark.parametrize("brand", ["autoreel", "circuit", "daylight"])
@pytest.mark.parametrize("behind", [0, 90, 160, 255])
def test_text_without_a_plate_is_read_on_any_footage(templates: Templates, brand: str, behind: int) -> None:
    kit = templates.brand(brand)
    data = {"lines": ["慢一点 Slowly"], "plate": False, "place": "middle", "size": "label"}
    svg = templates.card("text", data=data, canvas=CANVASES["16:9"], brand=brand, locale="zh-CN")
    drawn = resvg_py.svg_to_bytes(svg_string=svg, font_files=[str(font_file())], skip_system_fonts=True)
    pixels = np.asarray(Image.open(io.BytesIO(bytes(drawn))).convert("RGBA")).astype(float)
    share = pixels[..., 3:] / 255
    shown = pixels[..., :3] * share + behind * (1 - share)
    wanted = np.array([int(kit.text[i : i + 2], 16) for i in (1, 3, 5)])
    letters = (np.abs(pixels[..., :3] - wanted).max(axis=-1) < 6) & (pixels[..., 3] > 250)
    near = cv2.dilate(letters.astype(np.uint8), np.ones((9, 9))) > cv2.dilate(letters.astype(np.uint8), np.ones((5, 5)))
    around = "#" + "".join(f"{round(value):02x}" for value in np.median(shown[near], axis=0))
    assert contrast(kit.text, around) >= 4.5


def test_an_ident_keeps_its_box_while_it_is_drawn(templates: Templates) -> None:
    look: dict[str, Any] = {"canvas": CANVASES["9:16"], "brand": "circuit", "locale": "en-US"}
    cards = [templates.card("ident", data={"line": "Every day"}, progress=p / 10, **look) for p in range(11)]
    assert len({box_of(card) for card in cards}) == 1
    ink = []
    for card in cards:
        drawn = resvg_py.svg_to_bytes(svg_string=card, font_files=[str(font_file())], skip_system_fonts=True)
        ink.append(int((np.asarray(Image.open(io.BytesIO(bytes(drawn))))[..., 3] > 128).sum()))
    assert ink == sorted(ink)
    assert ink[0] == 0


def test_a_chart_is_honest_from_its_first_to_its_last_frame(templates: Templates) -> None:
    boxes = set()
    look: dict[str, Any] = {"canvas": CANVASES["16:9"], "brand": "circuit", "locale": "en-US"}
    for progress in (0.3, 1.0):
        svg = templates.card("bar_chart", data=card_data("x")["bar_chart"], progress=progress, **look)
        boxes.add(box_of(svg))
        paths = [path.attrib["d"] for path in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}path")]
        bars = [float(path.partition("h")[2].partition("v")[0]) for path in paths[2 : 2 + len(BARS)]]
        shares = [int(point["value"]) / int(BARS[0]["value"]) for point in BARS]
        assert [bar / bars[0] for bar in bars] == pytest.approx(shares, abs=0.002)
    assert len(boxes) == 1
    whole = templates.card("line_chart", data=card_data("x")["line_chart"], **look)
    assert "not from zero" not in whole
    cut = {**card_data("x")["line_chart"], "from_zero": False}
    told = templates.card("line_chart", data=cut, **look)
    assert any("not from zero" in words for words in words_of(told))


def test_the_ai_label_is_at_least_a_twentieth_of_the_short_side(templates: Templates) -> None:
    for canvas in CANVASES.values():
        svg = templates.card("ai_label", data={}, canvas=canvas, brand="daylight", locale="zh-CN")
        text = next(ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text"))
        assert float(text.attrib["font-size"]) >= 0.05 * min(canvas.width, canvas.height)


def test_what_a_card_says_comes_from_its_data(templates: Templates) -> None:
    def say(card: str, locale: str, **data: Any) -> str:
        svg = templates.card(card, data=data, canvas=CANVASES["16:9"], brand="autoreel", locale=locale)
        return " ".join(words_of(svg))

    assert "SAMPLE DATA" in say("rank_card", "en-US", **place("X5"))
    assert "SAMPLE" not in say("rank_card", "en-US", **place("X5", sample=False))
    assert "无上期数据" in say("rank_card", "zh-CN", **place("X5", change="unknown", moved=""))
    assert "无上期数据" not in say("rank_card", "zh-CN", **place("X5", change="none", moved=""))
    assert "并列" in say("rank_card", "zh-CN", **place("X5", tied=True))
    assert "来源：AutoReel 示例数据，2026-11-01" in say("rank_card", "zh-CN", **place("X5"))
    assert "places" not in say("incident_card", "en-US", heading="Road accident")
    listed = say("credits", "en-US", footage=[f"Clip {i:03}" for i in range(100)])
    shown = listed.count("Clip ")
    assert f"and {100 - shown} more" in listed


def test_data_can_be_no_markup(templates: Templates) -> None:
    svg = templates.card("verdict", data={"line": NASTY}, canvas=CANVASES["16:9"], brand="autoreel", locale="en-US")
    assert ElementTree.fromstring(svg).find(".//{http://www.w3.org/2000/svg}image") is None
    assert "{{ 7 * 7 }}" in " ".join(words_of(svg))


# --- storyboards of a user's own folder ------------------------------------------------------------------------------


def own(folder: Path, text: str, name: str = "mine") -> Templates:
    (folder / "storyboards").mkdir(exist_ok=True)
    (folder / "storyboards" / f"{name}.yaml.j2").write_text(text, encoding="utf-8")
    return Templates([folder])


def fill(templates: Templates, name: str = "mine", subject: str = "x", **options: Any) -> str:
    return templates.storyboard(name, {"brief": Brief(template=name, **options), "facts": Facts(subject)})


def test_whatever_a_value_holds_yaml_reads_it_back(tmp_path: Path) -> None:
    templates = own(tmp_path, HEAD + "a: {{ facts.subject }}\nb: [{{ facts.subject }}, 1]\n")
    for subject in [
        NASTY,
        "- a: b",
        "no",
        "1e3",
        "\x85 \ufeff \x7f",
        "北风\n\tX5",
        '"',
        "{% if x %}",
        "🚗",
        "a: |\n  b",
    ]:
        assert yaml.safe_load(fill(templates, subject=subject)) == {"a": subject, "b": [subject, 1]}


def test_values_of_every_kind_are_json(tmp_path: Path) -> None:
    templates = own(
        tmp_path,
        HEAD + "a: {{ facts }}\nb: {{ 0.00001 }}\nc: {{ 1e20 }}\nd: {{ none }}\ne: {{ true }}\nf: {{ 'x: <y>' }}\n",
    )
    read = yaml.safe_load(fill(templates))
    assert read["a"]["subject"] == "x"
    assert (read["b"], read["c"], read["d"], read["e"], read["f"]) == (0, 10**20, None, True, "x: <y>")


def test_macros_write_template_text_and_their_values_stay_data(tmp_path: Path) -> None:
    text = HEAD + "{% macro row(x) %}{name: {{ x }}, n: 1}{% endmacro %}\nrows: [{{ row(facts.subject) }}]\n"
    assert yaml.safe_load(fill(own(tmp_path, text), subject="}: [")) == {"rows": [{"name": "}: [", "n": 1}]}


def test_tr_fills_named_places_once(tmp_path: Path) -> None:
    text = HEAD + 'a: {{ tr(zh="第{rank}名，{name}。", en="Number {rank}: {name}.", rank=3, name=facts.subject) }}\n'
    templates = own(tmp_path, text)
    assert yaml.safe_load(fill(templates, subject="{rank}"))["a"] == "第3名，{rank}。"
    assert yaml.safe_load(fill(templates, locale="en-US"))["a"] == "Number 3: x."


def test_variants_differ_from_seed_to_seed_and_not_by_chance(tmp_path: Path) -> None:
    templates = own(tmp_path, HEAD + 'a: {{ vary(["p", "q", "r"], "hook") }}\n')
    said = [yaml.safe_load(fill(templates, seed=seed))["a"] for seed in range(6)]
    assert sorted(said[:3]) == ["p", "q", "r"]
    assert said[:3] == said[3:]


@pytest.mark.parametrize(
    ("text", "line", "cause"),
    [
        ("a: {{ nobody }}", 2, "nobody"),
        ("a: 1\nb: {{ facts.nothing }}", 3, "nothing"),
        ("a: {% if %}", 2, "Expected an expression"),
        ("a: {{ ''.__class__.__mro__ }}", 2, "unsafe"),
        ("a: {{ brief.canonical_json.__globals__ }}", 2, "unsafe"),
        ("a: {% for a in range(400) %}{% for b in range(400) %}{% endfor %}{% endfor %}", 2, "turns"),
        ("a: {{ range(10 ** 9) }}", 2, "longer than"),
        ("a: {{ 'a' * 10 ** 9 }}", 2, "plain numbers"),
        ("a: {{ 2 ** 10000 }}", 2, "plain numbers"),
        ("{% for a in range(9000) %}{{ facts.subject }}{% endfor %}", None, "characters"),
        ('{% include "../../../../etc/passwd" %}', None, "not there"),
        ('{% import "nothing.j2" as n %}', None, "nothing.j2"),
        ("a: {{ 1 / 0 }}", 2, "ZeroDivisionError"),
        ('a: {{ tr(zh="{who}", en="{who}") }}', 2, "who"),
        ('{{ fail("no car here", "name one") }}', 2, "no car here"),
        ("{% macro a(n) %}{{ a(n) }}{% endmacro %}{{ a(1) }}", 2, "Recursion"),
    ],
)
def test_a_failing_template_is_named_with_its_line(tmp_path: Path, text: str, line: int | None, cause: str) -> None:
    with pytest.raises(TemplateFailed) as failed:
        fill(own(tmp_path, HEAD + text), subject="x" * 300)
    assert failed.value.place == "storyboards/mine.yaml.j2"
    assert failed.value.line == line
    assert cause in failed.value.cause
    assert failed.value.exit_code == 2


def test_inputs_are_typed_and_unknown_ones_name_the_nearest(tmp_path: Path) -> None:
    templates = own(tmp_path, HEAD + "n: {{ inputs.count }}\n")
    assert yaml.safe_load(fill(templates, set={"count": "7"})) == {"n": 7}
    assert yaml.safe_load(fill(templates)) == {"n": 0}
    for given, said in [
        ({"cuont": "7"}, "did you mean count?"),
        ({"count": "10"}, "up to 9"),
        ({"count": "x"}, "whole"),
    ]:
        with pytest.raises(InputRefused) as refused:
            fill(templates, set=given)
        assert said in refused.value.sentence()


def test_the_users_folder_goes_first_and_brings_its_own_cards(tmp_path: Path) -> None:
    (tmp_path / "cards").mkdir()
    (tmp_path / "cards" / "verdict.svg.j2").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 2 2" width="2" height="2">'
        "<text>{{ data.line }}</text></svg>"
    )
    svg = Templates([tmp_path]).card(
        "verdict", data={"line": "mine <3"}, canvas=CANVASES["1:1"], brand="autoreel", locale="en-US"
    )
    assert words_of(svg) == ["mine <3"]


def test_unknown_names_are_refused_with_the_nearest(templates: Templates) -> None:
    with pytest.raises(UnknownTemplate) as unknown:
        templates.describe("rankng")
    assert "did you mean ranking?" in unknown.value.sentence()
    with pytest.raises(UnknownTemplate):
        templates.card("../cards/title", data={}, canvas=CANVASES["1:1"], brand="autoreel", locale="en-US")
    with pytest.raises(UnknownTemplate):
        templates.brand("autorel")


def test_a_template_must_say_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(KindUnreadable):
        fill(own(tmp_path, "a: 1\n"))


def test_a_cards_digest_changes_with_what_it_imports(tmp_path: Path) -> None:
    (tmp_path / "cards").mkdir()
    before = Templates([tmp_path]).digest("title")
    parts = (Path(__file__).parents[1] / "templates" / "cards" / "_parts.svg.j2").read_text(encoding="utf-8")
    (tmp_path / "cards" / "_parts.svg.j2").write_text(parts + "{# changed #}", encoding="utf-8")
    assert Templates([tmp_path]).digest("title") != before == Templates().digest("title")


def test_plain_json_is_what_cards_get(templates: Templates) -> None:
    data = json.loads(json.dumps(card_data("北风")["table_card"]))
    assert templates.card("table_card", data=data, canvas=CANVASES["16:9"], brand="autoreel", locale="zh-CN")
