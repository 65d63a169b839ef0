"""The set as data, its clips under neutral names, and its figures from what was made."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from factory.brief_set.judging import fits
from factory.brief_set.library import Library, hand_labels, neutral_name
from factory.brief_set.making import Record, read_record
from factory.brief_set.orders import BriefSet, BriefSetUnreadable, read_set
from factory.brief_set.report import FIGURES, report_of
from factory.brief_set.run import judged
from factory.errors import WrongUsage
from factory.plan.query import parse_query
from factory.settings import Settings
from factory.store import assets
from factory.wiring import Parts, parts
from tests.library import TAXONOMY, a_shot, adopted, put

SET = read_set()
KINDS = {"new_car_report", "ranking", "comparison", "off_road", "accident_compilation", "highlights", "price_change"}


def test_the_set_holds_forty_orders_of_every_kind_language_and_aspect() -> None:
    assert len(SET.briefs) == 40
    assert {brief.template for brief in SET.briefs} == KINDS
    assert {brief.locale for brief in SET.briefs} == {"zh-CN", "en-US"}
    assert {brief.aspect for brief in SET.briefs} == {"16:9", "9:16", "1:1"}
    assert all(brief.brief(draft=False).series for brief in SET.briefs)
    assert SET.length.around(15) == (10, 20)


def test_orders_whose_cards_show_numbers_name_their_tables() -> None:
    told = {"new_car_report", "ranking", "comparison", "price_change"}
    assert all(bool(brief.truth) is (brief.template in told) for brief in SET.briefs)


def test_an_order_that_is_not_there_is_refused_by_name() -> None:
    with pytest.raises(WrongUsage, match="no brief 'nope'"):
        SET.only(["nope"])


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("briefs: 3", "Field required"),
        ("length: {share: 0.2, seconds: 5}\ntables: {}\nbriefs: [{name: a, strange: 1}]", "strange"),
    ],
)
def test_a_set_that_says_nothing_is_refused(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "set.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(BriefSetUnreadable, match=why):
        read_set(path)


def test_a_neutral_name_tells_nothing_but_the_content(tmp_path: Path) -> None:
    (tmp_path / "crash at night.MP4").write_bytes(b"a")
    name = neutral_name(tmp_path / "crash at night.MP4")
    assert name.startswith("clip-")
    assert name.endswith(".mp4")
    assert not {"crash", "night"} & set(name.split("-"))


def test_hand_labels_are_found_by_content_with_coarse_words_among_the_fine_ones(tmp_path: Path) -> None:
    assert hand_labels(tmp_path, TAXONOMY) == {}
    (tmp_path / "a.mp4").write_bytes(b"a")
    (tmp_path / "labels.csv").write_text("file,coarse,tags\na.mp4,driving-pov,night;dashcam;suv\n", "utf-8")
    assert hand_labels(tmp_path, TAXONOMY) == {
        adopted("a").digest: frozenset({"driving-view", "night", "dashcam", "suv", "car"})
    }


@pytest.fixture
def house(tmp_path: Path) -> Parts:
    return parts(Settings(home=tmp_path / "home"))


def made(folder: Path, name: str, shots: list[dict[str, Any]], **said: Any) -> Record:
    """A record as an order leaves it, with its trace."""
    trace = folder / f"{name}.trace.json"
    trace.write_text(json.dumps({"title": name, "shots": shots}), "utf-8")
    return Record(name, "key", "video", 1, {"trace": str(trace)}, seconds=15.0, **said)


def test_figures_come_from_traces_labels_and_records(tmp_path: Path, house: Parts) -> None:
    with house.sessions.write() as session:
        for name, tags in (("a", ["traffic"]), ("b", ["traffic"]), ("drawn", ["traffic"])):
            put(session, name, a_shot(tags))
        shots = {name: assets.known(session, adopted(name).digest) for name in ("a", "b", "drawn")}
    number = {name: found.asset for name, found in shots.items() if found}

    def placed(name: str, scene: str) -> dict[str, Any]:
        digest = adopted(name).digest
        return {
            "scene": scene,
            "shot": number[name],
            "asset": digest,
            "in": 0.5,
            "out": 3.5,
            "query": "traffic & -night",
        }

    library = Library(
        frozenset({adopted("a").digest, adopted("b").digest}),
        frozenset({adopted("drawn").digest}),
        {adopted("a").digest: frozenset({"traffic"}), adopted("b").digest: frozenset({"race", "car"})},
        folders={adopted("a").digest: "ours", adopted("b").digest: "theirs"},
    )
    orders = BriefSet(length=SET.length, tables={}, briefs=tuple(replace_series(brief) for brief in SET.briefs[-4:]))
    one, two, three, four = (brief.name for brief in orders.briefs)
    wrong = [{"frame": 7, "where": "rank_card", "number": "3", "why": "the table says 2"}]
    records = {
        one: made(tmp_path, one, [placed("a", "x"), placed("a", "y"), placed("drawn", "z")], numbers=5, wrong=wrong),
        two: made(tmp_path, two, [placed("b", "x"), placed("a", "y")], faults=["it is black for 3 s"]),
        three: Record(three, "key", "thin", 1, cause="scene 'x' wants more", confirmed=True, oracle="0 moments"),
        four: Record(four, "key", "thin", 1, cause="scene 'x' wants more", oracle="all places can be filled"),
    }
    records = {name: without_video(record) for name, record in records.items()}
    told = judged(orders, records, library, house, tmp_path / "out")
    assert [told[name] for name in ("briefs", "videos", "thin", "placed", "placed_drawn")] == [4, 2, 2, 4, 1]
    assert told["judged"]["by_hand"] == {"on": 3, "off": 1, "unjudged": 0}
    assert told["by_folder"]["theirs"] == {"on": 0, "off": 1, "unjudged": 0}
    assert (told["on_tag"], told["on_tag_by_own_tags"]) == (0.75, 1.0)
    assert (told["repeats"], told["cooldown_breaks"]) == (1, 2)
    assert (told["numbers_checked"], told["numbers_wrong"]) == (5, 1)
    assert told["failed_checks"] == 2  # a black picture, and a refusal that the oracle denies
    assert told["off_tag"][0]["seen"] == ["car", "race"]
    page = report_of(told)
    assert "| `on_tag` | 75.0 % |" in page
    assert all(f"`{name}`" in page for name in FIGURES)
    assert "all places can be filled" in page
    with Image.open(tmp_path / "out" / "sheets" / "overview.png") as overview:
        assert overview.width == 1600


def without_video(record: Record) -> Record:
    """The overview shows no picture of it."""
    return replace(record, paths={role: path for role, path in record.paths.items() if role == "trace"})


def replace_series(brief: Any) -> Any:
    return brief.model_copy(update={"series": "one"})


def test_a_record_that_cannot_be_read_counts_as_none(tmp_path: Path) -> None:
    (tmp_path / "records").mkdir()
    (tmp_path / "records" / "a.json").write_text("{", "utf-8")
    assert read_record(tmp_path, "a") is None
    assert read_record(tmp_path, "b") is None


def test_queries_of_traces_are_read_as_they_were_asked() -> None:
    asked = '("BYD SEAL" | (driving-view | traffic | aerial) & -exterior & -"Lumen S") & -accident'
    assert fits(parse_query(asked, TAXONOMY.resolve), {"traffic"}) is True
    assert fits(parse_query(asked, TAXONOMY.resolve), {"parking"}) is False
