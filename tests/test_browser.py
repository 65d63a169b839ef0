"""The page as an editor meets it: a real server over a small store, and a real browser in front of it."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import imageio_ffmpeg
import pytest
import sqlalchemy as sa
import uvicorn

from factory.plan.brief import Brief
from factory.settings import Settings
from factory.store import job_lookup, jobs
from factory.store.assets import add_clip
from factory.store.columns import utc_now
from factory.store.job import Claim, Output
from factory.store.schema import JobRow
from factory.web import api
from factory.web.app import create_app
from factory.wiring import Parts, parts
from tests.library import TAXONOMY, a_clip, a_shot

playwright = pytest.importorskip(
    "playwright.sync_api", reason="playwright is not installed: `pip install playwright` lets the page be seen"
)
expect = playwright.expect
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
VTT = "WEBVTT\n\n00:00.500 --> 00:02.000\nOff the tarmac.\n\n00:04.000 --> 00:06.000\nInto the mud.\n"

Page = Any  # playwright's, whose types are there only where it is installed


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip(f"no browser: PATH has none of {', '.join(BROWSERS)}")
    own_sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium refuses to sandbox for root
    with playwright.sync_playwright() as driver:
        launched = driver.chromium.launch(executable_path=found, args=own_sandbox)
        yield launched
        launched.close()


@contextlib.contextmanager
def served(folder: Path) -> Iterator[tuple[str, Parts]]:
    """The page over a home of its own, and its address."""
    with socket.create_server(("127.0.0.1", 0)) as bound:
        port = bound.getsockname()[1]
        house = parts(Settings(home=folder, database_url="", web_port=port))
        config = uvicorn.Config(create_app(house), log_level="error", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([bound],))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(api, "LOOK_EVERY", 0.05)
            thread.start()
            try:
                yield f"http://127.0.0.1:{port}", house
            finally:
                server.should_exit = True
                thread.join()
                house.sessions.close()


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight seconds: a red picture, then a blue one."""
    path = tmp_path_factory.mktemp("film") / "Mud & <rock>.mp4"
    source = "color=red:s=320x180:r=25:d=4[a];color=blue:s=320x180:r=25:d=4[b];[a][b]concat"
    ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-filter_complex", source]
    subprocess.run([*ffmpeg, "-pix_fmt", "yuv420p", "-g", "25", str(path)], check=True)
    return path


@pytest.fixture(scope="module")
def desk(film: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Parts]]:
    with served(tmp_path_factory.mktemp("home")) as (address, house):
        kept = house.files.adopt(film)
        tagged = a_clip(a_shot(["off-road", "mud"]), a_shot(["off-road", "rock"]))
        with house.sessions.write() as session:
            add_clip(session, kept, tagged, original=f"clips/{film.name}", taxonomy=TAXONOMY)
        yield address, house


@contextlib.contextmanager
def opened(browser: Any, address: str, *, width: int = 1366, lang: str = "en", refused: int = 0) -> Iterator[Page]:
    """A page that asks nobody else, and has no faults but requests answered with the status `refused`."""
    context = browser.new_context(viewport={"width": width, "height": 900}, has_touch=width < 500)
    page = context.new_page()
    page.set_default_timeout(20_000)
    asked: list[str] = []
    faults: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if said.type in ("error", "warning") else None)
    page.goto(f"{address}/?lang={lang}")
    yield page
    context.close()
    assert [url for url in asked if not url.startswith(address)] == []
    assert [fault for fault in faults if not refused or f"status of {refused}" not in fault] == []


def cards(page: Page) -> Any:
    return page.locator("#shots li")


def job_row(page: Page, job: str) -> Any:
    return page.locator("#jobs li").filter(has_text=job[:8])


def claimed(house: Parts, job: str) -> Claim:
    with house.sessions.write() as session:
        held = jobs.claim(session, job, worker="test")
    assert held is not None
    return held


def until(page: Page, holds: Callable[[], bool]) -> None:
    """Wait for what only the page itself can tell. (Its security policy forbids the driver to wait for a script.)"""
    for _ in range(100):
        if holds():
            return
        page.wait_for_timeout(50)
    raise AssertionError("it did not come to hold")


# --- find ------------------------------------------------------------------------------------------------------------


def test_shots_are_found_and_narrowed_by_their_tags(browser: Any, desk: tuple[str, Parts]) -> None:
    with opened(browser, desk[0]) as page:
        expect(cards(page)).to_have_count(2)
        expect(cards(page).first.locator(".path")).to_have_text("Mud & <rock>.mp4")
        until(page, lambda: bool(page.evaluate("[...document.images].every(i => i.complete && i.naturalWidth > 0)")))
        cards(page).locator(".tags button", has_text="mud").click()
        expect(cards(page)).to_have_count(1)
        cards(page).locator(".tags button", has_text="off-road").click()
        expect(page.get_by_label("Query")).to_have_value("mud & off-road")
        expect(page.locator("#found")).to_contain_text("1 found in")
        page.locator("#switch").click()  # the other language keeps the query
        expect(page.get_by_label("查询")).to_have_value("mud & off-road")
        expect(cards(page)).to_have_count(1)


def test_a_bad_query_says_why_and_shows_no_earlier_answer(browser: Any, desk: tuple[str, Parts]) -> None:
    with opened(browser, desk[0], refused=400) as page:
        expect(cards(page)).to_have_count(2)
        page.get_by_label("Query").fill("mud & (")
        page.keyboard.press("Enter")
        expect(page.locator("#find-problem")).to_contain_text("query column 8")
        expect(cards(page)).to_have_count(0)
        expect(page.locator("#found")).to_be_empty()
        page.get_by_label("Query").fill("snow")
        page.keyboard.press("Enter")
        expect(page.locator("#found")).to_contain_text("No shot matches")
        expect(page.locator("#find-problem")).to_be_hidden()


def test_a_shot_is_looked_through_by_pointer_and_by_keys(browser: Any, desk: tuple[str, Parts]) -> None:
    with opened(browser, desk[0]) as page:
        frame = cards(page).first.locator(".frame")
        box = frame.bounding_box()
        with page.expect_response(lambda answer: answer.url.endswith("/strip")) as told:
            page.mouse.move(box["x"] + box["width"] * 0.95, box["y"] + 20)
        assert told.value.status == 200
        until(page, lambda: bool(frame.locator(".strip").evaluate("strip => strip.naturalWidth === 8 * 320")))
        slider = frame.get_by_label("Look through the shot")
        last = slider.get_attribute("aria-valuetext")
        slider.focus()
        page.keyboard.press("ArrowLeft")
        assert slider.get_attribute("aria-valuetext") < last
        page.mouse.move(0, 0)
        page.get_by_label("Query").focus()
        expect(frame.locator(".strip")).to_have_count(0)


def test_an_empty_library_says_how_to_fill_it(browser: Any, tmp_path: Path) -> None:
    with served(tmp_path) as (address, _), opened(browser, address) as page:
        expect(page.locator("#found")).to_contain_text("factory ingest")
        expect(page.get_by_text("No jobs yet")).to_be_visible()


# --- ordering --------------------------------------------------------------------------------------------------------


def test_an_order_is_followed_as_it_is_worked_on(browser: Any, desk: tuple[str, Parts]) -> None:
    address, house = desk
    with opened(browser, address) as page:
        page.get_by_label("Template").select_option("off_road")
        page.get_by_label("Subject").fill("<b>Dunes</b>")
        page.get_by_label("Draft").check()
        with page.expect_response("**/api/jobs") as answered:
            page.get_by_role("button", name="Submit job").click()
        job = answered.value.json()["job"]
        expect(page.locator("#submitted")).to_contain_text(job[:8])
        row = job_row(page, job)
        expect(row).to_contain_text("<b>Dunes</b>")
        expect(row).to_contain_text("Queued")
        held = claimed(house, job)
        with house.sessions.write() as session:
            jobs.beat(session, held, progress=0.4, step="speaking")
        expect(row).to_contain_text("40% speaking")
        expect(row.get_by_label("Progress of")).to_have_js_property("value", 0.4)
        with house.sessions.write() as session:
            jobs.fail(session, held, code="no-material", text="scene 'hook': 0 candidates", next_step="ingest dunes")
        expect(row.locator(".problem")).to_contain_text("no-material scene 'hook': 0 candidates")
        expect(row.locator(".problem")).to_contain_text("ingest dunes")
        row.get_by_role("button", name="Retry").click()
        expect(row.locator(".state")).to_have_text("Queued")
        row.get_by_role("button", name="Cancel").click()
        expect(row.locator(".state")).to_have_text("Cancelled")


def test_an_order_says_how_urgent_it_is_in_the_time_of_whoever_orders(browser: Any, desk: tuple[str, Parts]) -> None:
    address, house = desk
    with opened(browser, address) as page:
        page.get_by_label("Template").select_option("off_road")
        page.get_by_text("More options").click()
        page.get_by_label("Priority").select_option("Urgent")
        page.get_by_label("Begin by").fill("2126-12-01T09:00")
        page.get_by_label("Embargo until").fill("2126-12-01T10:00")
        zone = page.evaluate("Intl.DateTimeFormat().resolvedOptions().timeZone")
        expect(page.locator("#embargo-note")).to_contain_text(zone)
        with page.expect_response("**/api/jobs") as answered:
            page.get_by_role("button", name="Submit job").click()
        job = answered.value.json()["job"]
        expect(job_row(page, job)).to_contain_text("priority 8")
        expect(job_row(page, job)).to_contain_text("to be begun by 12/1/26")
        with house.sessions.read() as session:
            known = job_lookup.get(session, job)
        local = datetime(2126, 12, 1, 9, tzinfo=ZoneInfo(zone))
        assert (known.priority, known.deadline) == (8, local.astimezone(UTC))
        assert known.embargo is not None
        assert known.embargo.until == local.astimezone(UTC) + timedelta(hours=1)


def test_a_job_that_stands_still_says_so(browser: Any, desk: tuple[str, Parts]) -> None:
    address, house = desk
    with house.sessions.write() as session:
        job = jobs.submit(session, Brief(template="off_road", seed=77)).job
    with opened(browser, address) as page:
        expect(job_row(page, job).locator(".stalled")).to_be_hidden()
        with house.sessions.write() as session:
            old = utc_now() - timedelta(minutes=1)
            session.execute(sa.update(JobRow).where(JobRow.id == job).values(created_at=old))
        expect(job_row(page, job).locator(".stalled")).to_contain_text("No worker is at work")
        claimed(house, job)
        expect(job_row(page, job).locator(".stalled")).to_be_hidden()


def test_what_an_order_lacks_is_said_at_its_field(browser: Any, desk: tuple[str, Parts]) -> None:
    with opened(browser, desk[0]) as page:
        page.get_by_label("Template").select_option("off_road")
        expect(page.get_by_label("Data table")).to_be_hidden()
        page.get_by_label("Template").select_option("ranking")
        page.get_by_role("button", name="Submit job").click()
        missing = page.get_by_label("Subject").evaluate("field => field.validationMessage")
        assert missing == "Needs a data table, or the name of a ranking of the catalog"
        table = {"name": "十月.csv", "mimeType": "text/csv", "buffer": "车型,销量\n北风 X5,1200\n".encode("gb18030")}
        page.get_by_label("Data table").set_input_files(files=[table])
        expect(page.locator("#data-note")).to_have_text("十月.csv: rows 1, columns 2")
        page.get_by_label("16:9").uncheck()
        page.get_by_role("button", name="Submit job").click()
        assert page.get_by_label("16:9").evaluate("box => box.validationMessage") == "Choose at least one aspect"
        page.get_by_label("9:16").check()
        page.get_by_role("button", name="Submit job").click()
        expect(page.locator("#jobs li").filter(has_text="十月.csv")).to_contain_text("9:16")


# --- playing ---------------------------------------------------------------------------------------------------------


def made(house: Parts, film: Path) -> str:
    """Put a finished job into the ledger."""
    data = {"video": film.read_bytes(), "vtt": VTT.encode()}
    outputs = [
        Output("16:9", role, house.files.put_bytes(content).digest, f"{role}.x", len(content), 200, Fraction(25))
        for role, content in data.items()
    ]
    with house.sessions.write() as session:
        job = jobs.submit(session, Brief(template="off_road")).job
    held = claimed(house, job)
    with house.sessions.write() as session:
        jobs.finish(session, held, outputs)
    return job


def test_a_finished_video_plays_seeks_and_is_approved(browser: Any, desk: tuple[str, Parts], film: Path) -> None:
    address, house = desk
    job = made(house, film)
    with opened(browser, address) as page:
        with page.expect_response("**/16:9/video") as answered:
            job_row(page, job).get_by_role("button", name="Play").click()
        assert answered.value.status == 206
        video = page.locator("#video")
        expect(video).to_be_focused()
        until(page, lambda: bool(video.evaluate("v => v.currentTime > 0 && !v.paused")))
        video.evaluate("v => { v.pause(); v.textTracks[0].mode = 'showing'; v.currentTime = 5; }")
        until(page, lambda: bool(video.evaluate("v => !v.seeking && v.textTracks[0].activeCues?.length === 1")))
        assert video.evaluate("v => v.textTracks[0].activeCues[0].text") == "Into the mud."
        page.get_by_role("button", name="Approve").click()
        expect(page.locator("#player-state")).to_have_text("Approved")
        expect(page.get_by_role("button", name="Mark as published")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator("#player")).to_be_hidden()
        expect(job_row(page, job).get_by_role("button", name="Play")).to_be_focused()


def test_a_video_that_is_gone_says_so(browser: Any, desk: tuple[str, Parts], film: Path) -> None:
    address, house = desk
    job = made(house, film)
    with house.sessions.read() as session:
        (video,) = (output for output in job_lookup.get(session, job).outputs if output.role == "video")
    kept = house.files.path(video.digest)
    away = kept.rename(kept.with_suffix(".away"))
    try:
        with opened(browser, address, refused=404) as page:
            job_row(page, job).get_by_role("button", name="Play").click()
            expect(page.locator("#player-problem")).to_contain_text("file-missing")
    finally:
        away.rename(kept)


# --- the whole page --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_it_fits_a_phone_and_every_control_has_a_name(browser: Any, desk: tuple[str, Parts], lang: str) -> None:
    with opened(browser, desk[0], width=390, lang=lang) as page:
        expect(cards(page)).to_have_count(2)
        page.locator("summary").first.click()
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        nameless = """() => [...document.querySelectorAll('input, select, button, a, summary')]
            .filter(e => !(e.labels?.length || e.getAttribute('aria-label') || e.textContent.trim()))
            .map(e => e.outerHTML)"""
        assert page.evaluate(nameless) == []
        page.get_by_role("navigation").get_by_role("link").nth(2).click()
        expect(page.locator("#jobs-title")).to_be_in_viewport()
