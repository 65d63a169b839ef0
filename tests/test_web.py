from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any, get_args

import httpx2 as httpx
import imageio_ffmpeg
import pytest
import sqlalchemy as sa
import yaml
from fastapi.testclient import TestClient
from PIL import Image

from factory import traces
from factory.plan.brief import Brief
from factory.plan.embargo import read_embargo
from factory.settings import Settings
from factory.store import jobs
from factory.store.assets import add_clip
from factory.store.columns import utc_now
from factory.store.job import Output, State
from factory.store.schema import JobRow
from factory.web.app import PAGES, STATIC, create_app
from factory.web.thumbs import CELL, MOMENTS
from factory.wiring import Parts, parts
from tests.collector import collecting
from tests.library import TAXONOMY, a_clip, a_shot, put

HERE = "http://127.0.0.1:8787"
FROM_HERE = {"Origin": HERE}
HOSTILE = '"><img src=x onerror=alert(1)>.mp4'
BRIEF = {"template": "off_road", "locale": "en-US"}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Parts]:
    """Real parts over a home of their own."""
    own = tmp_path / "templates"
    (own / "storyboards").mkdir(parents=True)
    built = parts(Settings(home=tmp_path / "home", database_url="", templates=own, web_port=8787))
    yield built
    built.sessions.close()


@pytest.fixture
def page(house: Parts) -> Iterator[TestClient]:
    with TestClient(create_app(house), base_url=HERE, headers=FROM_HERE, raise_server_exceptions=False) as client:
        yield client


def refused(answer: httpx.Response, status: int, code: str) -> dict[str, str]:
    assert answer.status_code == status, answer.text
    body: dict[str, str] = answer.json()
    assert body["code"] == code
    assert body["cause"]
    assert body["next_step"]
    assert set(body) == {"code", "cause", "next_step"}
    return body


def order(page: TestClient, key: str | None = None, **changed: Any) -> httpx.Response:
    headers = {"Idempotency-Key": key} if key else {}
    return page.post("/api/jobs", json=BRIEF | changed, headers=headers)


def finished(house: Parts, files: dict[str, bytes], name: str = "off road.mp4") -> str:
    """Put a job into the ledger that has made these files, by role."""
    outputs = [
        Output("16:9", role, house.files.put_bytes(data).digest, name, len(data), 50, Fraction(25))
        for role, data in files.items()
    ]
    with house.sessions.write() as session:
        job = jobs.submit(session, Brief(template="off_road")).job
        held = jobs.claim(session, job, worker="test")
        assert held is not None
        jobs.finish(session, held, outputs)
    return job


# --- find ------------------------------------------------------------------------------------------------------------


def test_an_order_goes_on_with_the_trace_of_its_sender(page: TestClient, house: Parts) -> None:
    sender = f"00-{'ab' * 16}-{'cd' * 8}-01"
    with collecting() as collector:
        traces.turn_on(collector.url)
        try:
            made = page.post("/api/jobs", json=BRIEF, headers={"traceparent": sender}).json()["job"]
            alone = page.post("/api/jobs", json=BRIEF, headers={"traceparent": "none of this form"}).json()["job"]
            page.get(f"/api/jobs/{made}")
        finally:
            traces.turn_off()
    requests = sorted(collector.of("POST /api/jobs"), key=lambda span: span.start)
    assert [(span.trace == "ab" * 16, span.parent) for span in requests] == [(True, "cd" * 8), (False, "")]
    orders = sorted(collector.of("order"), key=lambda span: span.start)
    assert [span.parent for span in orders] == [span.id for span in requests]
    with house.sessions.read() as session:
        kept = {job: str(told)[:-3] for job, told in session.execute(sa.select(JobRow.id, JobRow.traceparent))}
    assert kept == {job: f"00-{span.trace}-{span.id}" for job, span in zip((made, alone), orders, strict=True)}
    assert len(collector.spans) == 4  # reading is not traced


def test_find_answers_as_the_command_does(page: TestClient, house: Parts) -> None:
    with house.sessions.write() as session:
        put(session, "dunes.mp4", a_shot(["off-road", "dune"]), a_shot(["interior"]))
    found = page.get("/api/find", params={"q": "越野 & 沙丘", "limit": 5}).json()
    assert found["total"] == 1
    (shot,) = found["shots"]
    assert set(shot) == {"shot", "asset", "path", "start", "end", "score", "tags"}
    assert {tag["tag"] for tag in shot["tags"]} == {"off-road", "dune"}
    assert page.get("/api/find").json()["total"] == 2


def test_a_malformed_query_is_refused_by_its_column(page: TestClient) -> None:
    body = refused(page.get("/api/find", params={"q": "mud & ("}), 400, "query-syntax")
    assert "column 8" in body["cause"]


@pytest.mark.parametrize("limit", ["0", "-1", "201", "many"])
def test_a_limit_out_of_bounds_is_wrong_usage(page: TestClient, limit: str) -> None:
    assert "limit" in refused(page.get("/api/find", params={"limit": limit}), 400, "wrong-usage")["cause"]


def test_a_thumbnail_is_the_middle_of_the_shot_and_is_made_once(page: TestClient, house: Parts, tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"  # red for two seconds, then blue for two
    source = "color=red:s=320x180:r=10:d=2[a];color=blue:s=320x180:r=10:d=2[b];[a][b]concat"
    ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-filter_complex", source, str(clip)]
    subprocess.run(ffmpeg, check=True)
    kept = house.files.adopt(clip)
    tagged = a_clip(a_shot(["mud"], seconds=Fraction(2)), a_shot(["rock"], seconds=Fraction(2)))
    with house.sessions.write() as session:
        add_clip(session, kept, tagged, original="clip.mp4", taxonomy=TAXONOMY)
    for query, strongest in (("mud", 0), ("rock", 2)):
        shot = page.get("/api/find", params={"q": query}).json()["shots"][0]["shot"]
        answer = page.get(f"/api/shots/{shot}/thumb")
        assert answer.headers["content-type"] == "image/jpeg"
        picture = tmp_path / "thumb.jpg"
        picture.write_bytes(answer.content)
        with Image.open(picture) as image:
            assert image.size == (480, 270)
            middle = image.convert("RGB").getpixel((240, 135))
        assert isinstance(middle, tuple)
        assert middle.index(max(middle)) == strongest
    strip = tmp_path / "strip.jpg"
    strip.write_bytes(page.get(f"/api/shots/{shot}/strip").content)
    with Image.open(strip) as image:
        assert image.size == (MOMENTS * CELL[0], CELL[1])
    kept.path.unlink()
    refused(page.get(f"/api/shots/{shot}/thumb"), 404, "file-missing")


def test_the_thumbnail_of_no_shot_is_404(page: TestClient) -> None:
    refused(page.get("/api/shots/999/thumb"), 404, "unknown-shot")
    refused(page.get("/api/shots/999/strip"), 404, "unknown-shot")
    refused(page.get("/api/shots/..%2f1/thumb"), 404, "not-found")
    refused(page.get("/api/shots/1e9/thumb"), 400, "wrong-usage")


# --- ordering --------------------------------------------------------------------------------------------------------


def test_an_order_is_accepted_and_shown(page: TestClient) -> None:
    answer = order(page, subject="沙丘")
    assert answer.status_code == 202
    made = answer.json()
    assert made["state"] == "queued"
    shown = page.get(f"/api/jobs/{made['job']}").json()
    assert (shown["job"], shown["progress"], shown["error"], shown["outputs"]) == (made["job"], 0.0, None, [])
    assert shown["order"]["subject"] == "沙丘"
    assert [job["job"] for job in page.get("/api/jobs").json()["jobs"]] == [made["job"]]
    assert page.get("/api/jobs", params={"state": "review"}).json() == {"jobs": []}


def test_the_same_key_gives_the_same_job(page: TestClient) -> None:
    first, again = order(page, "k1").json(), order(page, "k1").json()
    assert (again["job"], first["new"], again["new"]) == (first["job"], True, False)
    assert order(page, "k2").json()["job"] != first["job"]
    refused(order(page, "k1", seed=7), 409, "idempotency-conflict")
    assert len(page.get("/api/jobs").json()["jobs"]) == 2


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"template": "of_road"}, "unknown-template"),
        ({"template": "../../etc/passwd"}, "wrong-usage"),
        ({"brand": "nobody"}, "unknown-template"),
        ({"set": {"colour": "red"}}, "input-refused"),
        ({"seconds": 9}, "wrong-usage"),
        ({"aspects": []}, "wrong-usage"),
        ({"colour": "red"}, "wrong-usage"),
    ],
)
def test_a_bad_order_is_refused_and_leaves_no_job(page: TestClient, changed: dict[str, Any], code: str) -> None:
    refused(order(page, **changed), 400, code)
    assert page.get("/api/jobs").json() == {"jobs": []}


def test_a_table_is_read_as_it_was_saved_and_ordered(page: TestClient) -> None:
    saved = "车型,销量\n北风 X5,1200\n红隼 GT,900\n".encode("gb18030")
    read = page.post("/api/tables", params={"name": "十月.csv"}, content=saved, headers={"Content-Type": "text/csv"})
    assert read.json() == {
        "name": "十月.csv",
        "columns": ["车型", "销量"],
        "rows": [["北风 X5", "1200"], ["红隼 GT", "900"]],
        "counted": "line",
    }
    made = order(page, template="ranking", data=read.json()).json()
    assert page.get(f"/api/jobs/{made['job']}").json()["order"]["table"] == "十月.csv"


def test_bytes_that_are_no_table_are_refused(page: TestClient) -> None:
    refused(page.post("/api/tables?name=x.csv", content=b"\0\1\2\0"), 400, "table-unreadable")


def test_what_can_be_ordered_is_told_and_a_broken_template_hides_no_other(page: TestClient, house: Parts) -> None:
    (house.templates.folders[0] / "storyboards" / "broken.yaml.j2").write_text("scenes: []\n")
    offer = page.get("/api/templates").json()
    names = {kind["name"]: kind for kind in offer["templates"]}
    assert set(names) == set(house.templates.names()) - {"broken"}
    assert [names[kind]["needs"] for kind in ("comparison", "price_change")] == ["cars", "prices"]
    assert names["ranking"]["inputs"]["order"]["choices"] == ["asc", "desc"]
    assert "autoreel" in offer["brands"]
    assert [(broken["name"], broken["code"]) for broken in offer["unusable"]] == [("broken", "template-undescribed")]


# --- moving a job ----------------------------------------------------------------------------------------------------


def test_a_job_is_approved_then_published(page: TestClient, house: Parts) -> None:
    job = finished(house, {"video": b"film"})
    refused(page.post(f"/api/jobs/{job}/publish"), 409, "wrong-state")
    assert page.post(f"/api/jobs/{job}/approve").json() == {"job": job, "state": "approved"}
    assert page.post(f"/api/jobs/{job}/publish").json() == {"job": job, "state": "published"}
    refused(page.post(f"/api/jobs/{job}/cancel"), 409, "wrong-state")
    assert page.post(f"/api/jobs/{job}/withdraw").json() == {"job": job, "state": "withdrawn"}


def test_a_job_under_embargo_is_approved_and_not_published(page: TestClient, house: Parts) -> None:
    until = "2126-12-01T09:00+08:00[Asia/Shanghai]"
    refused(order(page, embargo="2126-12-01T09:00"), 400, "embargo-unclear")
    job = order(page, embargo="2126-12-01T09:00 Asia/Shanghai").json()["job"]
    assert page.get(f"/api/jobs/{job}").json()["embargo"] == {"until": until, "of": "order itself"}
    other = finished(house, {"video": b"film"})
    with house.sessions.write() as session:
        jobs.hold(session, other, read_embargo(until))
    assert page.post(f"/api/jobs/{other}/approve").json()["state"] == "approved"
    told = refused(page.post(f"/api/jobs/{other}/publish"), 409, "under-embargo")
    assert "2126-12-01 09:00 Asia/Shanghai" in told["cause"]


def test_a_job_that_stands_still_says_why(page: TestClient, house: Parts) -> None:
    job = order(page).json()["job"]
    assert page.get(f"/api/jobs/{job}").json()["stalled"] is None
    with house.sessions.write() as session:
        session.execute(sa.update(JobRow).values(created_at=utc_now() - timedelta(minutes=1)))
    assert page.get(f"/api/jobs/{job}").json()["stalled"] == "no-worker"
    assert [told["stalled"] for told in page.get("/api/jobs").json()["jobs"]] == ["no-worker"]


def test_a_job_is_cancelled_and_tried_again(page: TestClient) -> None:
    job = order(page).json()["job"]
    assert page.post(f"/api/jobs/{job}/cancel").json()["state"] == "cancelled"
    assert page.post(f"/api/jobs/{job}/retry").json()["state"] == "queued"
    refused(page.post(f"/api/jobs/{job}/delete"), 400, "wrong-usage")


@pytest.mark.parametrize("job", ["0123456789abcdef", "nope", "%25", "a%00b", "x" * 64])
def test_an_unknown_job_is_404(page: TestClient, job: str) -> None:
    order(page)
    for address in (f"/api/jobs/{job}", f"/api/jobs/{job}/events", f"/media/{job}/1:1/srt"):
        answer = page.get(address)
        assert refused(answer, 404, answer.json()["code"])["code"] in ("unknown-job", "not-found")
    assert page.post(f"/api/jobs/{job}/cancel").status_code == 404


def test_an_error_is_told_with_its_way_out(page: TestClient, house: Parts) -> None:
    job = order(page).json()["job"]
    with house.sessions.write() as session:
        held = jobs.claim(session, job, worker="w")
        assert held is not None
        jobs.fail(session, held, code="no-shot", text="scene 2 wants <b>mud</b>", next_step="ingest more")
    wanted = {"code": "no-shot", "cause": "scene 2 wants <b>mud</b>", "next_step": "ingest more"}
    assert page.get(f"/api/jobs/{job}").json()["error"] == wanted


def test_the_events_of_a_job_end_with_it(page: TestClient, house: Parts) -> None:
    job = finished(house, {"video": b"film"})
    answer = page.get(f"/api/jobs/{job}/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    (told,) = [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: ")]
    assert (told["job"], told["state"], told["progress"]) == (job, "review", 1.0)


# --- playing ---------------------------------------------------------------------------------------------------------


def test_files_of_a_job_come_by_what_they_are(page: TestClient, house: Parts) -> None:
    job = finished(house, {"video": bytes(range(100)), "vtt": b"WEBVTT\n"})
    for output in page.get(f"/api/jobs/{job}").json()["outputs"]:
        assert page.get(output["url"]).status_code == 200
    assert page.get(f"/media/{job}/16:9/vtt").headers["content-type"].startswith("text/vtt")
    part = page.get(f"/media/{job}/16:9/video", headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, bytes(range(10, 20)))
    assert part.headers["content-range"] == "bytes 10-19/100"
    assert page.get(f"/media/{job}/16:9/video", headers={"Range": "bytes=200-"}).status_code == 416


def test_a_hostile_name_stays_inside_its_header(page: TestClient, house: Parts) -> None:
    job = finished(house, {"video": b"film"}, name='../../a"\r\nSet-Cookie: x=1\r\n越野.mp4')
    answer = page.get(f"/media/{job}/16:9/video", params={"download": True})
    assert "set-cookie" not in answer.headers
    assert re.fullmatch(r"attachment; filename\*=utf-8''[A-Za-z0-9%._-]+", answer.headers["content-disposition"])


@pytest.mark.parametrize(
    "address",
    [
        "16:9/srt",
        "9:16/video",
        "16:9/..%2f..%2ffactory.db",
        "16:9/%2fetc%2fpasswd",
        "..%2f..%2f/video",
        "16:9/video/../../../../factory.db",
        "16:9/mix",
    ],
)
def test_a_path_is_never_accepted(page: TestClient, house: Parts, address: str) -> None:
    job = finished(house, {"video": b"film", "mix": b"not for the page"})
    answer = page.get(f"/media/{job}/{address}")
    assert refused(answer, 404, answer.json()["code"])["code"] in ("unknown-output", "not-found")


@pytest.mark.parametrize(
    "path", ["/static/../app.py", "/static/..%2fapp.py", "/static/%2e%2e/app.py", "/../factory.db"]
)
def test_static_files_stay_in_their_folder(page: TestClient, path: str) -> None:
    refused(page.get(path), 404, "not-found")


# --- who may ask -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1:8787", "localhost:8787", "LOCALHOST:8787", "[::1]:8787"])
def test_names_of_this_machine_are_accepted(page: TestClient, host: str) -> None:
    assert page.get("/api/jobs", headers={"Host": host, "Origin": f"http://{host}"}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8787", "127.0.0.1", "127.0.0.1:80", "127.0.0.1:8787.evil.example", ""]
)
def test_a_foreign_host_is_refused(page: TestClient, host: str) -> None:
    for path in ("/", "/api/find", "/static/page.js"):
        answer = page.get(path, headers={"Host": host})
        refused(answer, 403, "request-refused")
        assert answer.headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "https://127.0.0.1:8787", "http://127.0.0.1:9999", "http://localhost:8787"],
)
def test_a_foreign_origin_is_refused(page: TestClient, origin: str) -> None:
    refused(page.post("/api/jobs", json=BRIEF, headers={"Origin": origin}), 403, "request-refused")
    refused(page.get("/api/jobs", headers={"Origin": origin}), 403, "request-refused")
    assert page.get("/api/jobs").json() == {"jobs": []}


def test_reading_needs_no_origin_but_writing_does(house: Parts) -> None:
    with TestClient(create_app(house), base_url=HERE) as bare:
        assert bare.get("/api/jobs").status_code == 200
        refused(bare.post("/api/jobs", json=BRIEF), 403, "request-refused")


def test_a_body_says_its_size_and_is_not_endless(page: TestClient) -> None:
    refused(page.post("/api/jobs", content=iter([b"{", b"}"])), 413, "body-too-large")
    refused(page.post("/api/tables?name=x", content=b"a", headers={"Content-Length": "9" * 12}), 413, "body-too-large")


def test_every_answer_carries_the_security_headers(page: TestClient) -> None:
    for path in ("/", "/api/jobs", "/static/page.js", "/nowhere"):
        headers = page.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


# --- the page --------------------------------------------------------------------------------------------------------


def test_the_page_speaks_both_languages(page: TestClient) -> None:
    chinese, english = page.get("/?lang=zh").text, page.get("/?lang=en").text
    assert '<html lang="zh-CN">' in chinese
    assert "查找镜头" in chinese
    assert "Find shots" in english
    assert "查找镜头" in page.get("/", headers={"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.8"}).text
    assert "Find shots" in page.get("/", headers={"Accept-Language": "fr"}).text
    refused(page.get("/?lang=fr"), 400, "wrong-usage")


def test_the_page_runs_nothing_inline_and_fetches_nothing_foreign(page: TestClient) -> None:
    text = page.get("/").text
    scripts = re.findall(r"<script[^>]*>", text)
    assert all('type="application/json"' in tag or 'src="/static/' in tag for tag in scripts)
    assert not re.search(r"\son\w+=|style=|<style|https?://", text)
    for address in re.findall(r'(?:src|href)="(/static/[^"]+)"', text):
        assert page.get(address).status_code == 200
    script = (STATIC / "page.js").read_text(encoding="utf-8")
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", script)


def test_every_field_of_the_page_has_a_label(page: TestClient) -> None:
    text = page.get("/").text
    fields = re.findall(r"<(?:input|select)[^>]*\sid=\"([^\"]+)\"", text)
    assert len(fields) >= 9
    for field in fields:
        assert f'for="{field}"' in text or re.search(rf'<label[^>]*><input[^>]*id="{field}"', text)


def test_the_script_finds_what_it_asks_of_the_page(page: TestClient) -> None:
    text, script = page.get("/").text, (STATIC / "page.js").read_text(encoding="utf-8")
    ids = set(re.findall(r'\sid="([^"]+)"', text))
    assert set(re.findall(r'byId\("([^"]+)"\)', script)) <= ids
    assert set(re.findall(r'say\("(\w+)"', script)) <= set(json.loads(_data_block(text, "words")))


def test_hostile_names_are_escaped(page: TestClient, house: Parts) -> None:
    hostile = "</script><script>alert(1)</script>"
    about = {"title": {"zh": hostile, "en": hostile}, "description": {"zh": "a", "en": "b"}}
    (house.templates.folders[0] / "storyboards" / "mine.yaml.j2").write_text(f"{{# {json.dumps(about)} #}}\n")
    (house.templates.folders[0] / "storyboards" / "bad.yaml.j2").write_text("{# title: <img src=x> #}\n")
    text = page.get("/?lang=en").text
    assert "<script>alert" not in text
    assert "<img" not in text
    assert hostile in [kind["title"]["en"] for kind in json.loads(_data_block(text, "offer"))["templates"]]
    with house.sessions.write() as session:
        put(session, HOSTILE, a_shot(["mud"]))
    found = page.get("/api/find", params={"q": "mud"})
    assert found.headers["content-type"] == "application/json"
    assert found.json()["shots"][0]["path"].endswith(HOSTILE)


def _data_block(text: str, name: str) -> str:
    found = re.search(rf'<script type="application/json" id="{name}">(.*?)</script>', text)
    assert found is not None
    return found[1]


def test_every_word_is_there_in_both_languages(page: TestClient) -> None:
    words = {lang: json.loads(_data_block(page.get(f"/?lang={lang}").text, "words")) for lang in ("zh", "en")}
    assert words["zh"].keys() == words["en"].keys()
    assert all(text.strip() for said in words.values() for text in said.values())
    kept = yaml.safe_load((PAGES / "words.yaml").read_text(encoding="utf-8"))
    assert all(set(said) == {"zh", "en"} for said in kept.values())  # an unquoted comma would cut a sentence
    assert {f"state_{state}" for state in get_args(State)} <= words["zh"].keys()
