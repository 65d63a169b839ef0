"""The server of the page as a process: where it listens, what it refuses to start with, and how it ends."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2 as httpx
import pytest

from factory.errors import FactoryError
from factory.settings import Settings
from factory.store.db import DatabaseNotMigrated, Sessions
from factory.web.app import NotThisMachine, PortTaken, serve
from factory.wiring import Parts

BRIEF = {"template": "off_road", "locale": "en-US"}


def test_the_page_is_not_served_to_others(tmp_path: Path) -> None:
    for host in ("0.0.0.0", "192.168.1.5", "example.com", "::"):
        with pytest.raises(NotThisMachine):
            serve(Parts(Settings(home=tmp_path, web_host=host)))


def test_a_database_without_tables_is_named(tmp_path: Path) -> None:
    with contextlib.closing(Sessions.open(f"sqlite:///{tmp_path / 'factory.db'}")) as bare:
        house = Parts(Settings(home=tmp_path, web_port=free_port()))
        house.sessions = bare
        with pytest.raises(DatabaseNotMigrated, match="none"):
            serve(house)


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken, match=str(port)) as caught:
            serve(Parts(Settings(home=tmp_path, web_port=port)))
        assert isinstance(caught.value, FactoryError)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


@contextlib.contextmanager
def serving(home: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A server in a process of its own, without workers."""
    port = free_port()
    environment = os.environ | {"FACTORY_HOME": str(home), "FACTORY_WEB_PORT": str(port), "FACTORY_WORKERS": "0"}
    command = [sys.executable, "-m", "factory.cli", "serve"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE) as process:
        try:
            yield f"http://127.0.0.1:{port}", process
        finally:
            process.kill()


def wait_for(address: str, within: float = 40.0) -> None:
    give_up = time.monotonic() + within
    while time.monotonic() < give_up:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(address).status_code == 200:
                return
        time.sleep(0.1)
    raise AssertionError(f"{address} does not answer")


def test_a_listener_hears_of_jobs_and_a_signal_ends_the_server(tmp_path: Path) -> None:
    with serving(tmp_path / "home") as (address, process):
        wait_for(f"{address}/api/jobs")
        job = httpx.post(f"{address}/api/jobs", json=BRIEF, headers={"Origin": address}).json()["job"]
        with httpx.stream("GET", f"{address}/api/jobs/events", timeout=20) as stream:
            heard = (json.loads(line[6:]) for line in stream.iter_lines() if line.startswith("data: "))
            assert next(heard)["job"] == job
            httpx.post(f"{address}/api/jobs/{job}/cancel", headers={"Origin": address})
            assert next(heard)["state"] == "cancelled"
            process.send_signal(signal.SIGTERM)  # while a listener is there
            assert process.wait(timeout=20) == 0
        assert process.stderr is not None
        assert f"the page is at {address}/" in process.stderr.read().decode()
