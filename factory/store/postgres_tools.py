"""PostgreSQL's own programs, `pg_dump`, `pg_restore`, `psql`: found, checked for their version, run without a shell."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy.engine import URL

from factory.errors import FactoryError

INSTALLED = Path("/usr/lib/postgresql")  # Debian and Ubuntu keep one folder for each version here


class ToolMissing(FactoryError):
    code = "postgres-tool-missing"


class ToolFailed(FactoryError):
    code = "postgres-tool-failed"


def dump(url: URL, target: Path, *, snapshot: str, server: int) -> None:
    """Write the database as of an exported snapshot, in pg_dump's own form. `server` is its major version."""
    wanted = ["--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}", f"--file={target}"]
    _run(_tool("pg_dump", server), [*wanted, f"--dbname={_address(url)}"], url)


def put_back(url: URL, copy: Path, going: Sequence[str], *, server: int) -> None:
    """Drop the tables `going` and write the dump, both in one transaction: on any error the database is as before."""
    with tempfile.TemporaryDirectory(prefix="autoreel-restore-") as folder:
        drop, script = Path(folder) / "drop.sql", Path(folder) / "dump.sql"
        drop.write_text("".join(f'DROP TABLE IF EXISTS "{_plain(table)}" CASCADE;\n' for table in going), "utf-8")
        _run(_tool("pg_restore", server), ["--no-owner", "--no-privileges", f"--file={script}", str(copy)], url)
        steps = ["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--single-transaction", "--output=/dev/null"]
        files = [f"--file={drop}", f"--file={script}"]
        _run(_tool("psql", server), [*steps, *files, f"--dbname={_address(url)}"], url)


def _tool(name: str, server: int) -> Path:
    """Return the program, of the server's version or a newer one: an older one refuses to dump."""
    on_path = shutil.which(name)
    found = [Path(on_path)] if on_path else []
    found += [folder / name for folder in sorted(INSTALLED.glob("*/bin"), reverse=True) if (folder / name).exists()]
    versions = {path: _version(path) for path in found}
    fitting = next((path for path, version in versions.items() if version >= server), None)
    if fitting is None:
        here = f"only of version {max(versions.values())}" if versions else "not here"
        raise ToolMissing(
            f"the server is PostgreSQL {server}, and {name} is {here}",
            next_step=f"install its client programs (package postgresql-client-{server}) and have them on PATH",
        )
    return fitting


def _version(program: Path) -> int:
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=False, timeout=30).stdout
    number = re.search(r"(\d+)(?:\.\d+)*", told)
    return int(number[1]) if number else 0


def _run(program: Path, arguments: list[str], url: URL) -> None:
    """Run a program with the password in its environment, where a list of processes does not show it."""
    environment = {**os.environ, "PGCONNECT_TIMEOUT": "10", "LC_ALL": "C"}
    if url.password is not None:
        environment["PGPASSWORD"] = str(url.password)
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        said = " ".join(done.stderr.split())[-1000:]
        raise ToolFailed(f"{program.name}: {said}", next_step="mend what it names; the database is as it was before")


def _address(url: URL) -> str:
    """Return the address without its password. (`URL.set(password=None)` would leave it in.)"""
    bare = URL.create("postgresql", url.username, None, url.host, url.port, url.database, url.query)
    return bare.render_as_string(hide_password=False)


def _plain(table: str) -> str:
    """Names come from a manifest, which is a file: nothing but a table's name is taken from it."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", table):
        raise ToolFailed(f"{table[:80]!r} is no name of a table", next_step="take an undamaged backup")
    return table
