from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Iterator

import pytest

from factory.logs import LogFormat, about, set_up

log = logging.getLogger("factory.test")


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


def logged(form: LogFormat, capsys: pytest.CaptureFixture[str]) -> list[str]:
    set_up(form)
    log.warning("before")
    with about(job="1f3c"):
        log.warning('a "quoted" 词\nof two lines')
        with about(asset="ab" * 32):
            try:
                raise ValueError("fell")
            except ValueError:
                log.exception("broke")
    log.info("below the level")
    return capsys.readouterr().err.splitlines()


def test_json_logs_carry_the_ids_of_what_they_are_about(capsys: pytest.CaptureFixture[str]) -> None:
    before, within, broke = map(json.loads, logged("json", capsys))
    assert "job" not in before
    assert (within["job"], within["message"], within["level"]) == ("1f3c", 'a "quoted" 词\nof two lines', "WARNING")
    assert (broke["job"], broke["asset"], broke["logger"]) == ("1f3c", "ab" * 32, "factory.test")
    assert broke["error"].endswith("ValueError: fell")
    assert before["at"].endswith("+00:00")


def test_text_logs_carry_them_too(capsys: pytest.CaptureFixture[str]) -> None:
    lines = logged("text", capsys)
    assert lines[0].endswith("WARNING factory.test: before")
    assert lines[2] == "of two lines job=1f3c"
    assert any(line.endswith(f"broke job=1f3c asset={'ab' * 32}") for line in lines)


def test_addresses_of_others_are_not_logged(capsys: pytest.CaptureFixture[str]) -> None:
    set_up("json", logging.DEBUG)
    logging.getLogger("urllib3.connectionpool").debug("POST /send?access_token=t0ken")
    assert "t0ken" not in capsys.readouterr().err


def test_a_worker_of_celery_writes_the_same() -> None:
    code = (
        "from workers.app import app; import logging; app.log.setup('WARNING');"
        "logging.getLogger('factory.x').warning('told')"
    )
    environment = {"FACTORY_LOG_FORMAT": "json", "PYTHONPATH": ":".join(sys.path)}
    told = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert json.loads(told.stderr.splitlines()[-1])["message"] == "told"
