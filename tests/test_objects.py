from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import requests
import sqlalchemy as sa

from factory.doctor import examine
from factory.plan.brief import Brief
from factory.retention import clean
from factory.settings import Settings
from factory.store import job_lookup, jobs
from factory.store.db import Sessions
from factory.store.files import FileMissing, Files
from factory.store.job import Output
from factory.store.lease import Holding, Made, work
from factory.store.object_url import open_objects
from factory.store.objects import (
    Listed,
    ObjectDamaged,
    ObjectMissing,
    Objects,
    ObjectTooLarge,
    StoreOverwrites,
    StoreRefused,
    StoreUnreachable,
    StoreUnusable,
    check,
)
from factory.store.objects_folder import FolderObjects
from factory.store.schema import JobRow
from factory.wiring import parts
from tests.object_stores import writing
from workers import house

NAME = f"media/ab/{'ab' * 32}"


@pytest.fixture
def objects(store_url: str) -> Objects:
    return open_objects(store_url)


def names(objects: Objects) -> list[str]:
    return [found.name for folder in ("media", "cache", "models", "incoming") for found in objects.listed(folder)]


def at_once(count: int, do: Callable[[int], object]) -> list[object]:
    """Do it in so many threads that begin together; return what came of each."""
    gate, came = threading.Barrier(count), list[object]()

    def run(number: int) -> None:
        gate.wait()
        try:
            came.append(do(number))
        except Exception as error:
            came.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return came


# --- one store -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["create", "create_large"])
def test_of_fifty_that_create_one_name_one_stays_whole(objects: Objects, tmp_path: Path, way: str) -> None:
    for number in range(50):
        (tmp_path / f"{number}").write_bytes(b"%03d" % number * 40_000)
    came = at_once(50, lambda number: getattr(objects, way)(NAME, tmp_path / f"{number}"))
    assert Counter(came) == {True: 1, False: 49}
    kept = b"".join(objects.blocks(NAME))
    assert (len(kept), len({kept[at : at + 3] for at in range(0, len(kept), 3)})) == (120_000, 1)
    assert names(objects) == [NAME]


def test_a_file_of_many_parts_comes_back_as_it_was(objects: Objects, tmp_path: Path) -> None:
    (tmp_path / "film").write_bytes(os.urandom((17 << 20) + 1))
    assert objects.create(NAME, tmp_path / "film")
    assert not objects.create(NAME, tmp_path / "film")
    assert b"".join(objects.blocks(NAME)) == (tmp_path / "film").read_bytes()
    assert [(found.name, found.size) for found in objects.listed("media")] == [(NAME, (17 << 20) + 1)]
    assert names(objects) == [NAME]  # what was on its way is gone


def test_what_is_not_there_is_missing_and_can_be_removed(objects: Objects) -> None:
    assert not objects.has(NAME)
    with pytest.raises(ObjectMissing):
        list(objects.blocks(NAME))
    objects.remove(NAME)


def test_names_are_listed_with_their_folder_alone(objects: Objects, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"x")
    for name in (NAME, "cache/aa/1.mp4", "cache/ab/2.png", "cached"):
        objects.create(name, tmp_path / "x")
    found = list(objects.listed("cache"))
    assert [(one.name, one.size) for one in found] == [("cache/aa/1.mp4", 1), ("cache/ab/2.png", 1)]
    assert all(abs(one.created - time.time()) < 3600 for one in found)


UPLOADER = """
import sys
from pathlib import Path
from factory.store import objects_folder
from factory.store.object_url import open_objects

def half(source, target):  # a folder is quick: this one stops in the middle of the copy
    Path(target).write_bytes(Path(source).read_bytes()[: 1 << 20])
    sys.stdin.read()

objects_folder.shutil.copyfile = half
print("begins", flush=True)
open_objects(sys.argv[1]).create(sys.argv[2], Path(sys.argv[3]))
"""


@pytest.mark.fault
@pytest.mark.slow
def test_a_killed_uploader_leaves_nothing_visible(store_url: str, objects: Objects, tmp_path: Path) -> None:
    (tmp_path / "film").write_bytes(os.urandom(96 << 20))
    command = [sys.executable, "-c", UPLOADER, store_url, NAME, str(tmp_path / "film")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"begins\n"
        time.sleep(0.5)
        child.send_signal(signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL  # it was at work
    assert not objects.has(NAME)
    assert list(objects.listed("media")) == []
    assert objects.create(NAME, tmp_path / "film")
    assert sum(map(len, objects.blocks(NAME))) == 96 << 20


def test_a_store_is_tried_with_a_few_bytes_that_do_not_stay(objects: Objects) -> None:
    assert "creates an object once" in check(objects)
    assert names(objects) == []


class Overwriting(FolderObjects):
    """As some services are that speak S3: they know the condition and do not obey it."""

    def create(self, name: str, path: Path) -> bool:
        self.remove(name)
        return super().create(name, path)

    create_large = create


def test_a_store_that_overwrites_is_found_out(tmp_path: Path) -> None:
    with pytest.raises(StoreOverwrites, match="second small object") as refusal:
        check(Overwriting(tmp_path))
    assert "If-None-Match" in refusal.value.next_step


# --- what a person is told -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "/mnt/shared",
        "file://",
        "file:///",
        "file://host/x",
        "s3://",
        "gs://b",
        "s3://key:secret@b/p",
        "s3://b?x=1",
        "x",
    ],
)
def test_an_address_that_is_none_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(StoreUnusable) as refusal:
        open_objects(url)
    assert "secret" not in refusal.value.sentence()
    assert refusal.value.exit_code == 2


def test_a_folder_that_is_not_mounted_is_unreachable_and_never_made(tmp_path: Path) -> None:
    objects = open_objects((tmp_path / "mnt" / "shared").as_uri())
    (tmp_path / "x").write_bytes(b"x")
    asked: list[Callable[[], object]] = [
        lambda: objects.create(NAME, tmp_path / "x"),
        lambda: list(objects.blocks(NAME)),
        lambda: objects.has(NAME),
        lambda: objects.remove(NAME),
        lambda: list(objects.listed("media")),
    ]
    for ask in asked:
        with pytest.raises(StoreUnreachable, match="mnt/shared") as refusal:
            ask()
        assert refusal.value.transient
    assert not (tmp_path / "mnt").exists()


def test_a_folder_without_rights_says_so(tmp_path: Path) -> None:
    store = tmp_path / "store"
    store.mkdir(mode=0o500)
    (tmp_path / "x").write_bytes(b"x")
    tmp_path.chmod(0o755)
    as_root = os.geteuid() == 0
    if as_root:
        for folder in tmp_path.parents[:2]:
            folder.chmod(0o755)
        os.chown(store, 65534, 65534)
        os.seteuid(65534)
    try:
        with pytest.raises(StoreRefused, match="Permission denied") as refusal:
            FolderObjects(store).create(NAME, tmp_path / "x")
    finally:
        if as_root:
            os.seteuid(0)
    assert not refusal.value.transient


@pytest.mark.server
def test_a_bucket_that_is_not_there_says_so(bucket: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"x")
    for way in ("create", "create_large"):
        with pytest.raises(StoreRefused, match="no such bucket") as refusal:
            getattr(open_objects("s3://another/prefix"), way)(NAME, tmp_path / "x")
        assert not refusal.value.transient


@pytest.mark.server
def test_keys_without_rights_are_refused_and_not_tried_again(bucket: str, s3_endpoint: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"x")
    objects = open_objects(bucket)
    asked: list[Callable[[], object]] = [
        lambda: objects.create(NAME, tmp_path / "x"),
        lambda: objects.create_large(NAME, tmp_path / "x"),
        lambda: list(objects.blocks(NAME)),
        lambda: objects.has(NAME),
        lambda: list(objects.listed("media")),
        lambda: objects.remove(NAME),
    ]
    requests.post(f"{s3_endpoint}/moto-api/reset-auth", data=b"0", timeout=30)  # from now on keys are looked at
    try:
        for ask in asked:
            with pytest.raises(StoreRefused, match="refuses these keys") as refusal:
                ask()
            assert "AWS_ACCESS_KEY_ID" in refusal.value.next_step
            assert not refusal.value.transient
    finally:
        requests.post(f"{s3_endpoint}/moto-api/reset-auth", data=b"inf", timeout=30)


@pytest.mark.server
def test_a_service_that_does_not_answer_is_unreachable(
    bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")  # the discard port: nobody listens
    objects = open_objects(bucket, patience=0.5)
    (tmp_path / "x").write_bytes(b"x")
    asked: list[Callable[[], object]] = [
        lambda: objects.create(NAME, tmp_path / "x"),
        lambda: objects.create_large(NAME, tmp_path / "x"),
        lambda: list(objects.blocks(NAME)),
        lambda: objects.has(NAME),
        lambda: list(objects.listed("media")),
    ]
    for ask in asked:
        with pytest.raises(StoreUnreachable, match="does not answer") as refusal:
            ask()
        assert refusal.value.transient
        assert "\n" not in refusal.value.sentence()


@pytest.mark.server
def test_a_file_that_s3_cannot_copy_is_refused_before_a_byte_is_sent(bucket: str, tmp_path: Path) -> None:
    with (tmp_path / "film").open("wb") as file:
        file.truncate((5 << 30) + 1)
    with pytest.raises(ObjectTooLarge, match="5368709121 bytes"):
        open_objects(bucket).create(NAME, tmp_path / "film")


def test_a_full_store_names_the_place_and_the_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from factory.store.durable import DiskFull

    def full(_source: Path, target: Path) -> None:
        target.write_bytes(b"half")
        Path("/dev/full").write_bytes(b"rest")

    (tmp_path / "x").write_bytes(b"12345")
    (tmp_path / "store").mkdir()
    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(DiskFull, match="store has no room for 5 bytes") as refusal:
        FolderObjects(tmp_path / "store").create(NAME, tmp_path / "x")
    assert "move the store" in refusal.value.next_step
    assert [path for path in (tmp_path / "store").rglob("*") if path.is_file()] == []


# --- homes with one store --------------------------------------------------------------------------------------------


@pytest.fixture
def hosts(store_url: str, tmp_path: Path) -> tuple[Files, Files]:
    """Two hosts, each with a home of its own."""
    first, second = (Files(tmp_path / name / "home", open_objects(store_url)) for name in ("one", "two"))
    return first, second


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def test_what_one_host_makes_another_reads(hosts: tuple[Files, Files], tmp_path: Path) -> None:
    here, there = hosts
    clip = here.adopt(write(tmp_path / "clip.mp4", os.urandom(3_000_001)))
    words = here.put_bytes(b"words")
    chunk = here.cached("chunk 1", ".mp4", writing(b"encoded"))
    (tmp_path / "one" / "home" / "models").mkdir(exist_ok=True)
    tagger = here.keep_checkpoint(write(here.partial / "tagger", b"weights"))

    assert there.has(clip.digest)
    assert there.path(clip.digest).read_bytes() == clip.path.read_bytes()
    assert there.path(words.digest).read_bytes() == b"words"
    assert there.in_cache("chunk 1", ".mp4")
    assert there.cached("chunk 1", ".mp4", lambda _: pytest.fail("made twice")).read_bytes() == chunk.read_bytes()
    assert there.checkpoint(tagger).read_bytes() == b"weights"
    assert there.root in there.path(clip.digest).parents
    assert list(there.partial.iterdir()) == []


def test_what_is_nowhere_is_missing(hosts: tuple[Files, Files]) -> None:
    with pytest.raises(FileMissing, match="is not in the store"):
        hosts[0].path("0" * 64)
    assert not hosts[0].has("0" * 64)
    assert not hosts[0].checkpoint("0" * 64).exists()


def test_of_two_hosts_that_make_one_key_at_once_both_get_one_file(hosts: tuple[Files, Files]) -> None:
    together = threading.Barrier(2)

    def make(host: int) -> Path:
        def write_it(path: Path) -> None:
            together.wait()  # neither found it made
            path.write_bytes(b"made by %d" % host)

        return hosts[host].cached("chunk", ".mp4", write_it)

    made = {path.read_bytes() for path in at_once(2, make) if isinstance(path, Path)}
    assert len(made) == 1
    assert made < {b"made by 0", b"made by 1"}


def test_removing_takes_the_object_too(hosts: tuple[Files, Files]) -> None:
    digest = hosts[0].put_bytes(b"draft").digest
    hosts[1].remove(digest)
    assert not hosts[1].has(digest)
    hosts[0].put_bytes(b"draft")  # a host that still has a copy puts it back
    assert hosts[1].path(digest).read_bytes() == b"draft"


class Counted:
    """A store that counts what is fetched."""

    def __init__(self, inner: Objects) -> None:
        self.inner, self.where, self.fetched = inner, inner.where, Counter[str]()

    def blocks(self, name: str) -> Iterator[bytes]:
        self.fetched[name] += 1
        yield from self.inner.blocks(name)

    def create(self, name: str, path: Path) -> bool:
        return self.inner.create(name, path)

    create_large = create

    def has(self, name: str) -> bool:
        return self.inner.has(name)

    def remove(self, name: str) -> None:
        self.inner.remove(name)

    def listed(self, prefix: str) -> Iterator[Listed]:
        return self.inner.listed(prefix)


def test_threads_that_want_one_file_fetch_it_once(store_url: str, hosts: tuple[Files, Files], tmp_path: Path) -> None:
    data = os.urandom(2_000_000)
    digest = hosts[0].put_bytes(data).digest
    counted = Counted(open_objects(store_url))
    third = Files(tmp_path / "three", counted)
    came = at_once(16, lambda _: third.path(digest).read_bytes())
    assert came == [data] * 16
    assert set(counted.fetched.values()) == {1}


def test_an_object_with_other_bytes_than_its_name_says_is_named_and_not_used(
    hosts: tuple[Files, Files], objects: Objects, tmp_path: Path
) -> None:
    objects.create(NAME, write(tmp_path / "x", b"damaged"))
    with pytest.raises(ObjectDamaged, match=NAME) as refusal:
        hosts[0].path("ab" * 32)
    assert "put it back" in refusal.value.next_step
    assert not refusal.value.transient
    assert not (hosts[0].root / NAME).exists()
    assert list(hosts[0].partial.iterdir()) == []


def test_derived_objects_and_broken_uploads_go_after_a_while(
    sqlite: Sessions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "store").mkdir()
    files = Files(tmp_path / "home", FolderObjects(tmp_path / "store"))
    old = files.cached("old", ".mp4", writing(b"old"))
    files.cached("young", ".mp4", writing(b"young"))
    kept = files.put_bytes(b"a clip").path
    (tmp_path / "store" / "incoming" / "broken").write_bytes(b"half")
    (tmp_path / "store" / "incoming" / "on its way").write_bytes(b"half")
    for path, days in ((old, 31), (kept, 400), (tmp_path / "store" / "incoming" / "broken", 2)):
        there = tmp_path / "store" / path.relative_to(files.root if files.root in path.parents else tmp_path / "store")
        os.utime(there, (time.time() - days * 86400,) * 2)
    dry = clean(sqlite, files, dry_run=True)
    assert (dry.objects, dry.object_bytes) == (2, len("old") + len("half"))
    assert clean(sqlite, files) == dry
    left = {path.read_bytes() for path in (tmp_path / "store").rglob("*") if path.is_file()}
    assert left == {b"young", b"a clip", b"half"}
    assert files.cached("old", ".mp4", lambda _: pytest.fail("the copy here is still good")).read_bytes() == b"old"


def test_a_job_outlives_a_store_that_is_away(sqlite: Sessions, tmp_path: Path) -> None:
    files = Files(tmp_path / "home", FolderObjects(tmp_path / "store"))
    with sqlite.write() as session:
        job = jobs.submit(session, Brief(template="off_road")).job

    def make(_: Holding) -> Made:
        kept = files.put_bytes(b"film")
        return Made([Output("16:9", "video", kept.digest, "film.mp4", kept.size)])

    assert work(sqlite, job, make, lease=timedelta(seconds=5)) == "queued"
    with sqlite.read() as session:
        assert session.scalars(sa.select(JobRow.error_code)).one() == "store-unreachable"
    (tmp_path / "store").mkdir()
    assert work(sqlite, job, make, lease=timedelta(seconds=5)) == "review"
    shutil.rmtree(tmp_path / "home")
    with sqlite.read() as session:
        (output,) = job_lookup.get(session, job).outputs
    assert Files(tmp_path / "home", FolderObjects(tmp_path / "store")).path(output.digest).read_bytes() == b"film"


# --- the doors -------------------------------------------------------------------------------------------------------


def test_the_doctor_tries_the_store(store_url: str, tmp_path: Path) -> None:
    def told(store: str) -> dict[str, object]:
        checks = examine(parts(Settings(home=tmp_path / "home", store=store)))["checks"]
        return next(check for check in checks if check["name"] == "store")

    assert told(store_url)["ok"]
    assert told("")["version"] == "none: files lie in FACTORY_HOME"
    away = told((tmp_path / "away").as_uri())
    assert (away["ok"], "mounted" in str(away["remedy"])) == (False, True)


def test_a_worker_does_not_start_on_a_store_that_is_away(tmp_path: Path) -> None:
    house.check_store(Settings(store=""))
    house.check_store(Settings(store=tmp_path.as_uri()))
    with pytest.raises(StoreUnreachable):
        house.check_store(Settings(store=(tmp_path / "away").as_uri()))
