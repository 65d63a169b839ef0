"""A video of each row: rows fail alone, a rerun makes what changed, and a report says what became of each."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from factory import batch_report
from factory.batch import Batch, Outcome, batch, renamed
from factory.errors import WrongUsage
from factory.orders import table_of
from factory.plan.brief import Brief
from factory.plan.cars_table import read_cars
from factory.plan.tables import read_table
from factory.retention import clean
from factory.settings import Settings
from factory.store import catalog, job_lookup, jobs
from factory.store.job import Output
from factory.store.schema import JobRow
from factory.wiring import Parts, parts
from tests.library import made_job
from tests.test_cli import factory

pytestmark = pytest.mark.timeout(300)

PLATE = """\
{#
title: {zh: 牌, en: Plate}
description: {zh: 一块牌。, en: A plate.}
needs: nothing
seconds: 10
inputs:
  title: {type: text, maximum: 20}
  places: {type: integer, maximum: 5}
#}
version: 1
template: plate
title: {{ inputs.title or "Plate" }}
locale: {{ locale }}
scenes:
  - id: only
    duration: 1
    still: true
    layers:
      - {type: color, color: "#203040"}
      - {type: text, lines: [{{ inputs.title or "Plate" }}] }
"""
BOARD = (
    PLATE.replace("needs: nothing", "needs: ranking")
    .replace("template: plate", "template: board")
    .replace(
        'lines: [{{ inputs.title or "Plate" }}]',
        "lines: [{{ facts.ranking.rows[0].name }}, {{ facts.ranking.rows[0].value | string }}]",
    )
)
CARD = (
    PLATE.replace("needs: nothing", "needs: car")
    .replace("template: plate", "template: car_plate")
    .replace('lines: [{{ inputs.title or "Plate" }}]', "lines: [{{ facts.cars[0].specs[0].value | string }}]")
)
SALES = "name,sales,source,source_date\nOne,30,Desk,2026-11-02\nTwo,20,,\nBad,-5,,\nThree,10,,\n"
SHARED = Brief(template="plate", locale="en-US", draft=True)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three kinds of video that need no footage: quick to make."""
    folder = tmp_path_factory.mktemp("own") / "storyboards"
    folder.mkdir()
    for name, text in {"plate": PLATE, "board": BOARD, "car_plate": CARD}.items():
        (folder / f"{name}.yaml.j2").write_text(text, encoding="utf-8")
    return folder.parent


@pytest.fixture
def house(shelf: Path, tmp_path: Path) -> Parts:
    return parts(Settings(home=tmp_path / "home", templates=shelf, voice="silent"))


def run(house: Parts, folder: Path, text: str, shared: Brief = SHARED, *, again: bool = False) -> list[Outcome]:
    (folder / "rows.csv").write_text(text, encoding="utf-8")
    return list(batch(table_of(folder / "rows.csv"), shared, Batch(house, folder, folder / "out", again=again)))


def ends(outcomes: list[Outcome]) -> list[tuple[int, str]]:
    return sorted((outcome.line, outcome.status) for outcome in outcomes)


def test_rows_fail_alone_and_a_rerun_makes_what_changed(house: Parts, tmp_path: Path) -> None:
    (tmp_path / "sales.csv").write_text(SALES, encoding="utf-8")
    text = (
        "template,title,data,output,subject,places,seconds\n"
        ",One,,,,,\n"
        ",Two,,second,,,\n"
        "board,,sales.csv,,,,\n"
        "board,,absent.csv,,,,\n"
        "board,,,,nobody,,\n"
        ",Far too long for this input,,,,,\n"
        ",,,,,7,\n"
        ",,,,,,abc\n"
    )
    first = run(house, tmp_path, text)
    assert ends(first) == [(2, "made"), (3, "made"), (4, "made"), *((line, "refused") for line in (5, 6, 7, 8, 9))]
    by_line = {outcome.line: outcome for outcome in first}
    assert {line: by_line[line].column for line in range(5, 10)} == {
        **{5: "data", 6: "subject", 7: "title", 8: "places", 9: "seconds"}
    }
    assert all(outcome.cause and outcome.next_step for outcome in first if outcome.status == "refused")
    assert by_line[4].rows_refused == ("sales.csv, line 4, column 'sales': -5 is negative",)
    assert [Path(by_line[line].videos[0]).name for line in (2, 3)] == ["row-0002-16x9.mp4", "second-16x9.mp4"]
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"second-16x9.jpg", "second-16x9.timeline.json", "second-16x9.trace.json"} <= names
    sources = json.loads((tmp_path / "out" / "row-0004-16x9.trace.json").read_text("utf-8"))["sources"]
    assert [(source["name"], source["date"]) for source in sources] == [("Desk", "2026-11-02")]

    (tmp_path / "out" / "second-16x9.mp4").unlink()
    second = run(house, tmp_path, text)
    assert [o.status for o in second if o.status != "refused"] == ["reused"] * 3
    assert [o.videos for o in second] == [o.videos for o in first]
    assert all(Path(video).is_file() for outcome in second for video in outcome.videos)

    third = run(house, tmp_path, text.replace("Two", "Deux"))
    assert [o.line for o in third if o.status == "made"] == [3]
    assert {o.line: o.job for o in third}[2] == by_line[2].job


def test_a_row_whose_files_were_cleaned_away_is_made_anew(house: Parts, tmp_path: Path) -> None:
    (first,) = run(house, tmp_path, "title\nOne\n")
    with house.sessions.write() as session:
        session.execute(sa.update(JobRow).values(ended_at=datetime(2026, 1, 1, tzinfo=UTC)))
    assert clean(house.sessions, house.files, outputs_days=90).jobs == (first.job,)
    (second,) = run(house, tmp_path, "title\nOne\n")
    assert (second.status, second.digest, second.job == first.job) == ("made", first.digest, False)
    assert Path(second.videos[0]).is_file()


def test_what_a_row_names_is_part_of_it(house: Parts, tmp_path: Path) -> None:
    """A number that changes in the row's own table, in the catalogue or in the template makes the row anew."""

    def price(value: str) -> None:
        cars, _bad = read_cars(read_table(f"name,price\nNorthwind X5,{value}\n".encode(), "cars.csv"), {})
        with house.sessions.write() as session:
            catalog.save_cars(session, cars)

    (tmp_path / "sales.csv").write_text(SALES, encoding="utf-8")
    price("199800")
    text = "template,data,subject\nboard,sales.csv,\ncar_plate,,northwind-x5\n,,\n"
    text += "plate,,\n"
    assert ends(run(house, tmp_path, text)) == [(2, "made"), (3, "made"), (5, "made")]
    (tmp_path / "sales.csv").write_text(SALES.replace("30", "31"), encoding="utf-8")
    assert ends(run(house, tmp_path, text)) == [(2, "made"), (3, "reused"), (5, "reused")]
    price("189800")
    assert ends(run(house, tmp_path, text)) == [(2, "reused"), (3, "made"), (5, "reused")]
    (tmp_path / "sales.csv").write_text(SALES, encoding="utf-8")
    assert ends(run(house, tmp_path, text)) == [(2, "reused"), (3, "reused"), (5, "reused")]  # as it was at first


def test_finished_rows_are_made_again_on_request_or_where_a_file_is_gone(house: Parts, tmp_path: Path) -> None:
    (one,) = run(house, tmp_path, "title\nOne\n")
    (again,) = run(house, tmp_path, "title\nOne\n", again=True)
    assert (again.status, again.digest) == ("made", one.digest)
    assert again.job != one.job
    (third,) = run(house, tmp_path, "title\nOne\n")
    assert (third.status, third.job) == ("reused", again.job)
    with house.sessions.read() as session:
        outputs = job_lookup.get(session, again.job).outputs
    house.files.path(next(o.digest for o in outputs if o.role == "video")).unlink()
    (fourth,) = run(house, tmp_path, "title\nOne\n")
    assert fourth.status == "made"


def test_a_row_whose_job_was_cancelled_or_left_is_taken_up(house: Parts, tmp_path: Path) -> None:
    (one,) = run(house, tmp_path, "title\nOne\n")
    with house.sessions.write() as session:
        jobs.cancel(session, one.job)
    (two,) = run(house, tmp_path, "title\nOne\n")
    assert (two.status, two.job) == ("made", one.job)


def test_every_file_of_a_video_is_called_after_its_row() -> None:
    names = {("16:9", "video"): "A.B title-16x9.mp4", ("16:9", "trace"): "A.B title-16x9.trace.json"}
    names |= {("3:4", "cover"): "A.B title-3x4.cover.jpg", ("16:9", "poster"): "A.B title-16x9.jpg"}
    outputs = tuple(Output(aspect, role, "a" * 64, name, 1) for (aspect, role), name in names.items())
    job = renamed(made_job(Brief(template="off_road"), *outputs), "suv.v2")
    assert [output.name for output in job.outputs] == [
        *("suv.v2-16x9.mp4", "suv.v2-16x9.trace.json", "suv.v2-3x4.cover.jpg", "suv.v2-16x9.jpg")
    ]


def test_a_row_holds_its_video_also_where_it_was_made_before(house: Parts, tmp_path: Path) -> None:
    (one,) = run(house, tmp_path, "title\nOne\n")
    text = "title,embargo\nOne,2126-12-01T09:00 Asia/Shanghai\nTwo,tomorrow\n"
    wrong, held = run(house, tmp_path, text)
    assert (wrong.line, wrong.column) == (3, "embargo")
    assert (held.status, held.job) == ("reused", one.job)
    with house.sessions.read() as session:
        assert str(job_lookup.get(session, one.job).embargo) == "2126-12-01T09:00+08:00[Asia/Shanghai]"


def test_a_job_that_fails_is_told_with_its_own_cause(house: Parts, tmp_path: Path) -> None:
    text = "template,title\noff_road,\nplate,One\n"
    outcomes = {outcome.line: outcome for outcome in run(house, tmp_path, text)}
    assert (outcomes[2].status, outcomes[2].code) == ("failed", "no-material")
    assert outcomes[3].status == "made"


def test_a_folder_that_takes_no_files_is_refused_before_any_work(house: Parts, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file", encoding="utf-8")
    with pytest.raises(WrongUsage, match="no file can be written"):
        run(house, tmp_path, "title\nOne\n")


def test_the_report_stands_beside_the_videos(tmp_path: Path) -> None:
    good = Outcome(3, "made", "row-0003", "plate", "=cmd()", "en-US", videos=("a.mp4", "b.mp4"), seconds=2.5, took=1.5)
    bad = replace(good, line=2, status="refused", column="seed", code="row-refused", cause="no", next_step="mend it")
    with batch_report.write_report([good, bad], tmp_path).open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["line"], row["status"], row["column"]) for row in rows] == [
        ("2", "refused", "seed"),
        ("3", "made", ""),
    ]
    assert (rows[1]["videos"], rows[1]["subject"]) == ("a.mp4 | b.mp4", "'=cmd()")
    told = batch_report.record([good, bad])
    assert (told["rows"], told["made"], told["refused"], told["seconds"]) == (2, 1, 1, 5.0)
    assert "line 2" in batch_report.line(bad)
    assert "column 'seed': no. Next: mend it" in batch_report.line(bad)


def test_one_video_too_says_which_rows_of_its_table_were_refused(shelf: Path, tmp_path: Path) -> None:
    (tmp_path / "sales.csv").write_text(SALES, encoding="utf-8")
    given = ["--data", str(tmp_path / "sales.csv"), "--out", str(tmp_path / "out"), "--draft", "--json"]
    setting = {"FACTORY_TEMPLATES": str(shelf), "FACTORY_VOICE": "silent"}
    told = factory(tmp_path / "home", "make", "board", *given, **setting)
    assert told.returncode == 3, told.stderr
    assert "refused: sales.csv, line 4, column 'sales': -5 is negative" in told.stderr
    answer = json.loads(told.stdout)
    assert answer["rows_refused"] == ["sales.csv, line 4, column 'sales': -5 is negative"]
    assert Path(answer["video"]).is_file()


def test_the_command_answers_as_promised(shelf: Path, tmp_path: Path) -> None:
    rows, out = tmp_path / "rows.csv", tmp_path / "out"
    rows.write_text("title,seed\nOne,\nTwo,x\n", encoding="utf-8")
    given = ["--data", str(rows), "--out", str(out), "--draft", "--json"]
    setting = {"FACTORY_TEMPLATES": str(shelf), "FACTORY_VOICE": "silent"}
    told = factory(tmp_path / "home", "batch", "plate", *given, **setting)
    assert told.returncode == 3, told.stderr
    answer = json.loads(told.stdout)
    assert (answer["rows"], answer["made"], answer["refused"]) == (2, 1, 1)
    assert "line 3" in told.stderr
    assert "column 'seed'" in told.stderr
    assert Path(answer["report"]).is_file()
    misspelt = tmp_path / "misspelt.csv"
    misspelt.write_text("titel\nOne\n", encoding="utf-8")
    told = factory(tmp_path / "home", "batch", "plate", "--data", str(misspelt), **setting)
    assert told.returncode == 2
    assert told.stderr.startswith("table-unfit: misspelt.csv: the column 'titel'")
    assert "did you mean 'title'?" in told.stderr
    assert factory(tmp_path / "home", "batch", "plate", **setting).returncode == 2
