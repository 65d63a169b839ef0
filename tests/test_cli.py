"""The command line as scripts meet it: exit codes, answers on stdout, refusals on stderr."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from factory.cli import main
from factory.plan.brief import Brief
from factory.settings import Settings
from factory.store import jobs
from factory.store.job import Output
from factory.wiring import parts
from tests.library import a_shot, put


def factory(home: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "factory.cli", *arguments],
        env={**os.environ, "FACTORY_HOME": str(home), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


class Here:
    """The same in this process, quicker by the start of Python."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.patch, self.capsys = monkeypatch, capsys
        monkeypatch.setenv("FACTORY_HOME", str(home))

    def __call__(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        self.patch.setattr("sys.argv", ["factory", *arguments])
        for name, value in environment.items():
            self.patch.setenv(name, value)
        with pytest.raises(SystemExit) as ended:
            main()
        told = self.capsys.readouterr()
        code = ended.value.code
        return subprocess.CompletedProcess(arguments, code if isinstance(code, int) else 0, told.out, told.err)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Here:
    return Here(tmp_path, monkeypatch, capsys)


COMMANDS = (
    "ingest",
    "retag",
    "find",
    "brief-set",
    "review-queue",
    "correct",
    "make",
    "batch",
    "jobs",
    "serve",
    "doctor",
    "demo",
    "schema",
    "evaluate",
)
GROUPS = ("samples", "catalog", "db", "model", "train", "report", "schedule", "queue")


@pytest.mark.parametrize("command", [*COMMANDS, *GROUPS])
def test_every_command_helps_with_an_example(command: str, here: Here) -> None:
    told = here(command, "--help")
    assert told.returncode == 0
    assert "Example: factory" in " ".join(told.stdout.replace("│", " ").split())


def test_an_empty_library_answers_in_the_promised_form(tmp_path: Path) -> None:
    told = factory(tmp_path, "find", "off-road & mud & -night duration:>=3", "--json")
    assert told.returncode == 0
    answer = json.loads(told.stdout)
    assert (answer["total"], answer["shots"]) == (0, [])
    assert factory(tmp_path, "find", "--", "-night").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "status", "code"),
    [
        (("find", "(off-road"), 2, "query-syntax"),
        (("make", "rankng", "--subject", "x"), 2, "unknown-template"),
        (("make", "ranking", "--data", "missing.csv"), 2, "wrong-usage"),
        (("make", "ranking", "--set", "top"), 2, "wrong-usage"),
        (("make", "ranking", "--set", "bogus=1", "--subject", "x", "--draft"), 2, "unknown-subject"),
        (("make", "ranking", "--draft"), 2, "wrong-usage"),
        (("make", "off_road", "--subject", "x" * 9999), 2, "wrong-usage"),
        (("make", "off_road", "--out", "/dev/null/out"), 2, "wrong-usage"),
        (("samples", "fetch", "/dev/null/clips"), 1, "file-refused"),
        (("make", "ranking", "--aspect", "4:3"), 2, "wrong-usage"),
        (("brief-set", "--library", "absent", "--out", "absent"), 2, "wrong-usage"),
        (("brief-set", "--library", ".", "--out", "absent", "--only", "nope"), 2, "wrong-usage"),
        (("make", "off_road", "--seconds", "15", "--draft"), 4, "no-material"),
        (("train", "head", "tolld", "--data", "absent"), 2, "experiment-refused"),
        (("train", "head", "told", "--data", "absent", "--hidden-share", "1.5"), 2, "experiment-refused"),
        (("train", "head", "told", "--data", "absent"), 2, "not-a-file"),
        (("train", "head", "frames-small", "--data", "absent"), 2, "no-shards"),
        (("train", "tagger", "--clips", "absent", "--labels", "absent.csv"), 2, "labels-refused"),
        (("correct", "1", "nigt"), 2, "unknown-tag"),
        (("correct", "1", "night"), 1, "unknown-shot"),
        (("correct", "1", "night", "--take-back"), 1, "no-correction"),
        (("train", "tagger"), 2, "wrong-usage"),
        (("train", "tagger", "--library"), 1, "nothing-taught"),
        (("train", "tagger", "--library", "--clips", "absent"), 2, "wrong-usage"),
        (("model", "promote", "abcd"), 1, "unknown-checkpoint"),
        (("model", "rollback"), 1, "nothing-to-roll-back"),
        (("evaluate",), 2, "wrong-usage"),
        (("evaluate", "--clips", "absent"), 2, "wrong-usage"),
        (("evaluate", "--clips", "absent", "--labels", "absent.csv"), 2, "labels-refused"),
    ],
)
def test_refusals_have_a_code_a_cause_and_a_next_step(
    arguments: tuple[str, ...], status: int, code: str, here: Here
) -> None:
    told = here(*arguments, FACTORY_VOICE="silent")
    assert told.returncode == status, told.stderr
    (line,) = told.stderr.splitlines()
    assert line.startswith(f"{code}: ")
    assert "Next: " in line
    assert len(line) < 500
    assert told.stdout == ""


def test_the_shipped_tagger_speaks_where_none_was_trained(here: Here) -> None:
    assert json.loads(here("model", "list", "--json").stdout) == [{"checkpoint": "shipped", "state": "present"}]
    told = here("model", "promote", "shipped")
    assert told.stdout == "the shipped tagger speaks\n"
    assert "factory retag" in told.stderr


def test_the_review_queue_is_read_line_by_line(tmp_path: Path, here: Here) -> None:
    house = parts(Settings(home=tmp_path))
    with house.sessions.write() as session:
        put(session, "a.mp4", a_shot({"night": 0.98, "mud": 0.31}))
    told = here("review-queue")
    line = told.stdout.split()
    assert line[:5] == ["1", "0.00-", "4.00", "'clips/a.mp4'", "mud:0.31?"]
    assert line[5].startswith("(unsure")
    assert here("correct", "1", "mud", "--absent").stdout == "shot 1 does not show mud\n"
    assert here("review-queue").stdout == ""


def test_a_database_that_does_not_answer_is_named_without_its_password(tmp_path: Path) -> None:
    told = factory(tmp_path, "find", "mud", FACTORY_DATABASE_URL="postgresql://u:secret@127.0.0.1:1/x")
    assert told.returncode == 1
    (line,) = told.stderr.splitlines()
    assert line.startswith("database-unreachable: ")
    assert "Next: " in line
    assert "secret" not in line


def test_a_named_file_that_is_no_media_is_refused(tmp_path: Path) -> None:
    note = tmp_path / "notes.mp4"
    note.write_text("not a video", encoding="utf-8")
    told = factory(tmp_path / "home", "ingest", str(note), "--json")
    assert told.returncode == 3
    record = json.loads(told.stdout)
    assert record["status"] == "refused"
    assert record["code"]
    assert record["message"].startswith("'notes.mp4' was refused: ")
    assert "Next:" in record["message"]


def test_an_embargo_is_checked_before_any_work(tmp_path: Path, here: Here) -> None:
    for arguments in (("make", "off_road"), ("ingest", str(tmp_path))):
        told = here(*arguments, "--embargo", "2026-12-01T09:00 Asia/Shangai")
        assert told.returncode == 2
        assert told.stderr.startswith(
            "embargo-unclear: 'Asia/Shangai' is no time zone. Next: did you mean Asia/Shanghai?"
        )


def test_a_job_is_held_and_let_go(tmp_path: Path, here: Here) -> None:
    house = parts(Settings(home=tmp_path))
    with house.sessions.write() as session:
        job = jobs.submit(session, Brief(template="off_road")).job
        held = jobs.claim(session, job, worker="test")
        assert held is not None
        jobs.finish(session, held, [Output("16:9", "video", "a" * 64, "a.mp4", 1)])
    told = here("jobs", "--approve", job, "--hold", f"{job}=2126-12-01T09:00 Asia/Shanghai")
    assert "until 2126-12-01 09:00 Asia/Shanghai (2126-12-01 01:00 UTC), by the order itself" in told.stdout
    (record,) = json.loads(here("jobs", "--json").stdout)
    assert record["embargo"] == {"until": "2126-12-01T09:00+08:00[Asia/Shanghai]", "of": "order itself"}
    told = here("jobs", "--publish", job)
    assert told.returncode == 1
    assert told.stderr.startswith(f"under-embargo: job {job} is under embargo until 2126-12-01 09:00 Asia/Shanghai")
    assert here("jobs", "--hold", f"{job}=none").returncode == 0
    assert here("jobs", "--publish", job).stderr == f"{job}: published\n"


def test_the_catalogue_takes_good_rows_and_names_bad_ones(tmp_path: Path) -> None:
    table = tmp_path / "sales.csv"
    table.write_text("name,sales,unit\nA One,120,units\nB Two,0,units\nC Three,80,units\nD Four,70,units\n", "utf-8")
    told = factory(tmp_path / "home", "catalog", "load", str(table))
    assert told.returncode == 3
    assert "line 3, column 'sales'" in told.stderr
    assert "ranking 'sales'" in told.stdout


def test_the_doctor_names_every_library(tmp_path: Path) -> None:
    told = factory(tmp_path, "doctor", "--json")
    report = json.loads(told.stdout)
    names = {check["name"] for check in report["checks"]}
    assert {"torch", "ffmpeg", "font", "database", "disk"} <= names
    assert told.returncode == (0 if report["ok"] else 1)


def test_a_home_that_cannot_be_made_is_named_and_the_doctor_still_answers(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    told = factory(tmp_path / "file" / "home", "find", "mud")
    assert told.returncode == 1
    (line,) = told.stderr.splitlines()
    assert line.startswith("home-unusable: FACTORY_HOME ")

    told = factory(tmp_path / "file" / "home", "doctor", "--json")
    assert told.returncode == 1
    report = json.loads(told.stdout)
    assert {check["name"] for check in report["checks"] if not check["ok"]} >= {"home", "database"}


@pytest.mark.parametrize(("setting", "value"), [("LOG_LEVEL", "LOUD"), ("WEB_PORT", "99999"), ("VOICE", "parrot")])
def test_a_setting_that_cannot_be_is_named(setting: str, value: str, here: Here) -> None:
    told = here("jobs", **{f"FACTORY_{setting}": value})
    assert told.returncode == 2
    assert told.stderr.startswith(f"setting-refused: FACTORY_{setting}: ")
