"""Fetching public clips: from a real server on this machine, with all that goes wrong, and from a folder."""

from __future__ import annotations

import csv
import hashlib
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from factory.samples import PUBLIC_MANIFEST, fetch, read_manifest
from factory.samples.fetch import ManifestUnreadable, is_whole

GOOD = b"a clip " * 9000
ASKED: list[str] = []


class _Server(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        ASKED.append(self.path)
        if self.path == "/missing.mp4":
            self.send_error(404)
            return
        body = {"/good.mp4": GOOD, "/altered.mp4": GOOD[:-1] + b"!", "/half.mp4": GOOD, "/endless.mp4": GOOD * 3}[
            self.path
        ]
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if self.path == "/half.mp4" else body)

    def log_message(self, *_args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    ASKED.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), _Server) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


def _manifest(path: Path, names: list[str], address: str) -> Path:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["file", "address", "sha256", "bytes", "licence", "credit", "coarse", "tags"])
        for name in names:
            digest = hashlib.sha256(GOOD).hexdigest()
            writer.writerow([name, f"{address}/{name}", digest, len(GOOD), "CC0-1.0", "a friend", "traffic", "car;bus"])
    return path


def test_a_good_file_is_kept_and_not_asked_for_again(tmp_path: Path, server: str) -> None:
    manifest = _manifest(tmp_path / "m.csv", ["good.mp4"], server)
    told: list[tuple[int, int, str]] = []
    got = fetch(tmp_path / "in", manifest=manifest, retries=0, on_progress=lambda *now: told.append(now))
    assert got.brought == (tmp_path / "in" / "good.mp4",)
    assert got.brought[0].read_bytes() == GOOD
    again = fetch(tmp_path / "in", manifest=manifest, retries=0)
    assert again.present == got.brought == again.paths
    assert (again.brought, again.failed) == ((), ())
    assert ASKED == ["/good.mp4"]
    assert told == [(1, 1, "good.mp4")]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("altered.mp4", "another SHA-256"),
        ("missing.mp4", "404"),
        ("half.mp4", "IncompleteRead|incomplete|Connection broken"),
        ("endless.mp4", "more than the 63000 bytes"),
    ],
)
def test_what_is_not_the_clip_is_refused_and_removed_and_the_rest_goes_on(
    tmp_path: Path, server: str, name: str, why: str
) -> None:
    manifest = _manifest(tmp_path / "m.csv", [name, "good.mp4"], server)
    got = fetch(tmp_path / "in", manifest=manifest, retries=0)
    (error,) = got.failed
    assert re.search(why, error.cause)
    assert name in error.cause
    assert error.next_step
    assert [p.name for p in (tmp_path / "in").iterdir()] == ["good.mp4"]


def test_a_fault_is_tried_again(tmp_path: Path, server: str) -> None:
    manifest = _manifest(tmp_path / "m.csv", ["missing.mp4"], server)
    assert fetch(tmp_path / "in", manifest=manifest, retries=1).failed
    assert ASKED == ["/missing.mp4"] * 2


def test_a_damaged_file_is_brought_anew(tmp_path: Path, server: str) -> None:
    manifest = _manifest(tmp_path / "m.csv", ["good.mp4"], server)
    (tmp_path / "good.mp4").write_bytes(GOOD[:99])
    got = fetch(tmp_path, manifest=manifest, retries=0)
    assert got.brought[0].read_bytes() == GOOD


def test_without_a_network_each_file_says_what_to_do(tmp_path: Path) -> None:
    manifest = _manifest(tmp_path / "m.csv", ["good.mp4", "half.mp4"], "http://127.0.0.1:9")
    got = fetch(tmp_path / "in", manifest=manifest, retries=0)
    assert [error.cause.split()[0] for error in got.failed] == ["good.mp4", "half.mp4"]
    assert all("FACTORY_SAMPLES" in error.next_step for error in got.failed)
    assert got.failed[0].sentence().startswith("clip-not-fetched: good.mp4")


def test_a_local_folder_serves_without_network(tmp_path: Path) -> None:
    local = tmp_path / "local"
    local.mkdir()
    (local / "good.mp4").write_bytes(GOOD)
    (local / "altered.mp4").write_bytes(GOOD[:-1] + b"!")
    manifest = _manifest(tmp_path / "m.csv", ["good.mp4", "altered.mp4", "missing.mp4"], "http://127.0.0.1:9")
    got = fetch(tmp_path / "in", manifest=manifest, local=local)
    assert [p.name for p in got.brought] == ["good.mp4"]
    assert "its SHA-256 differs" in got.failed[0].cause
    assert "No such file" in got.failed[1].cause
    assert [p.name for p in (tmp_path / "in").iterdir()] == ["good.mp4"]


@pytest.mark.parametrize(
    ("file", "address", "digest", "why"),
    [
        ("../out.mp4", "https://example.org/a", "0" * 64, "no plain file name"),
        ("..\\out.mp4", "https://example.org/a", "0" * 64, "no plain file name"),
        (".hidden", "https://example.org/a", "0" * 64, "no plain file name"),
        ("a.mp4", "file:///etc/passwd", "0" * 64, "no https address"),
        ("a.mp4", "https://example.org/a", "0" * 63, "no SHA-256"),
    ],
)
def test_a_manifest_cannot_reach_outside(tmp_path: Path, file: str, address: str, digest: str, why: str) -> None:
    path = tmp_path / "m.csv"
    path.write_text(f"file,address,sha256,bytes,licence,credit\n{file},{address},{digest},1,x,y\n")
    with pytest.raises(ManifestUnreadable, match=f"line 2: .*{why}"):
        read_manifest(path)


def test_the_public_manifest_pins_commits_and_names_licences() -> None:
    clips = read_manifest()
    assert len(clips) == len({clip.name for clip in clips}) >= 10
    for clip in clips:
        assert clip.address.startswith("https://raw.githubusercontent.com/")
        assert any(len(part) == 40 for part in clip.address.split("/")), "a commit, not a branch"
        assert clip.licence
        assert clip.credit
        assert 0 < clip.bytes < 50_000_000
    assert PUBLIC_MANIFEST.is_file()


@pytest.mark.media
def test_the_public_manifest_equals_the_local_originals(media: Path, tmp_path: Path) -> None:
    got = fetch(tmp_path, local=media / "public")
    assert got.failed == ()
    for clip in read_manifest():
        assert is_whole(tmp_path / clip.name, clip)
        assert (tmp_path / clip.name).stat().st_size == clip.bytes
