"""Mutants of modules under the tests that run their code: one warm pytest, and a fork for each mutant.

The tests are collected once, and each is run once to learn how long it takes and which functions it enters. For a
mutant a fork puts the changed function, constant or class attribute into the modules that are loaded already, and runs
the tests that enter it: those that killed its neighbours first, then the short ones. A test that fails kills; one that
is long enough to wait for something must fail twice. Tests that start a fresh Python do not see the mutant there, which
can only lower the score.
"""

from __future__ import annotations

import ast
import contextlib
import gc
import importlib
import inspect
import os
import pickle
import shutil
import signal
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from types import FrameType, FunctionType, ModuleType
from typing import Any, Literal

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from tests.bench.mutants import Mutant, find_mutants

Fate = Literal["killed", "survived", "timed out"]

MOST_HANGING = 2  # tests of a mutant that may hang before it has timed out
HUNG = "it hangs"
WAITS = 0.3  # seconds from which on a test may wait for something: it must fail twice
HOUSE = ("factory", "tests", "workers")
PLAIN = (type(None), bool, int, float, str, tuple, timedelta, Fraction)


# --- putting a mutant into loaded modules ----------------------------------------------------------------------------


def install(mutant: Mutant, source: str) -> None:
    """Put the mutant into its loaded module. Whatever running the module's lines raises is raised."""
    module = importlib.import_module(mutant.module)
    tree = mutant.tree(source)
    made: dict[str, Any] = {"__name__": module.__name__, "__file__": module.__file__}
    exec(compile(tree, str(module.__file__), "exec"), made)
    first = mutant.function.partition(".")[0]
    if not first:
        _change_names(module, made, _assigned(tree.body[mutant.path[0][1] or 0]))
    elif inspect.isclass(made[first]):
        _change_class(getattr(module, first), made[first])
    else:
        _change_function(getattr(module, first), made[first])


def _assigned(statement: ast.stmt) -> set[str]:
    return {node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}


def _change_function(old: Any, new: Any) -> None:
    old, new = inspect.unwrap(old), inspect.unwrap(new)
    old.__code__ = new.__code__
    old.__defaults__ = _defaults(old.__defaults__, new.__defaults__)
    named = new.__kwdefaults__ or {}
    old.__kwdefaults__ = {name: _kept(value, named[name]) for name, value in (old.__kwdefaults__ or {}).items()}


def _defaults(old: tuple[Any, ...] | None, new: tuple[Any, ...] | None) -> tuple[Any, ...] | None:
    return None if old is None or new is None else tuple(map(_kept, old, new))


def _kept(old: Any, new: Any) -> Any:
    """A value that is more than its parts (an event, a logger) is the one that the house already holds."""
    return new if isinstance(new, PLAIN) else old


def _change_class(old: type, new: type) -> None:
    for name, value in vars(new).items():
        before = vars(old).get(name)
        if isinstance(value, property):
            _change_function(before.fget, value.fget)  # type: ignore[union-attr]
        elif isinstance(value, classmethod | staticmethod | FunctionType):
            _change_function(getattr(before, "__func__", before), getattr(value, "__func__", value))
        elif isinstance(value, PLAIN) and value != before and name not in ("__doc__", "__module__"):
            setattr(old, name, value)


def _change_names(module: ModuleType, made: dict[str, Any], assigned: set[str]) -> None:
    """Change constants in place, and wherever the house has imported them or taken them for a default."""
    for name, old in list(vars(module).items()):
        new = made.get(name)
        changed = name in assigned or (isinstance(new, PLAIN) and new != old)
        if name.startswith("__") or name not in made or not changed:
            continue
        if isinstance(old, dict) and isinstance(new, dict):
            old.clear()
            old.update(new)
            continue
        for other in [found for key, found in sys.modules.items() if key.partition(".")[0] in HOUSE]:
            if vars(other).get(name) is old:
                setattr(other, name, new)
            if not isinstance(old, type(None) | bool | int | str):
                _change_defaults(other, old, new)


def _change_defaults(module: ModuleType, old: Any, new: Any) -> None:
    for holder in [module, *(value for value in vars(module).values() if inspect.isclass(value))]:
        for function in [value for value in vars(holder).values() if isinstance(value, FunctionType)]:
            now = function.__kwdefaults__ or {}
            if any(value is old for value in now.values()):
                function.__kwdefaults__ = {key: new if value is old else value for key, value in now.items()}
            if any(value is old for value in function.__defaults__ or ()):
                function.__defaults__ = tuple(new if value is old else value for value in function.__defaults__ or ())


# --- tests in forks --------------------------------------------------------------------------------------------------


@dataclass
class Learnt:
    """What the tests did without a mutant: how long each took, and which functions of the modules it entered."""

    seconds: dict[str, float] = field(default_factory=dict)
    enters: dict[str, set[tuple[str, str]]] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)

    def add(self, more: Learnt) -> None:
        self.seconds |= more.seconds
        self.enters |= more.enters
        self.failed += more.failed


@dataclass(frozen=True, slots=True)
class Found:
    """What became of a mutant, and the test that killed it."""

    mutant: Mutant
    fate: Fate
    by: str = ""


class Hunt:
    """The pytest plugin: it collects, learns, and then runs its own loop over mutants."""

    def __init__(
        self,
        modules: Sequence[str],
        wanted: Callable[[Mutant], bool],
        tell: Callable[[Found], None],
        *,
        longest: float,
        patience: float,
        notes: Path | None = None,
    ) -> None:
        """`longest`: seconds of the longest test that is run. `patience`: seconds after which a mutant has timed out; a
        test that hangs ends by pytest's own limit, and another may still fail. `notes`: the file that keeps what was
        learnt of tests; what has become wrong there can only lower the score.
        """
        self.sources = {name: inspect.getsource(importlib.import_module(name)) for name in modules}
        self.wanted, self.tell = wanted, tell
        self.longest, self.patience, self.notes = longest, patience, notes
        self.items: dict[str, pytest.Item] = {}
        self.learnt = Learnt()
        self.killers: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        self.failed: str | None = None
        self.hung = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed = report.nodeid
            self.hung |= "Timeout (>" in report.longreprtext

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self.items = {item.nodeid: item for item in session.items}
        if self.notes and self.notes.exists():
            self.learnt = pickle.loads(self.notes.read_bytes())
        self._warm(session.items)
        unknown = [item for item in session.items if item.nodeid not in self.learnt.seconds]
        self.learnt.add(_in_fork(lambda: self._learn(unknown), patience=3600))
        if self.notes:
            self.notes.write_bytes(pickle.dumps(self.learnt))
        if unknown:
            self._warm(unknown)
        for failed in self.learnt.failed:
            print(f"left out, for it fails without a mutant: {failed}")
        base = session.config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]
        ours = {path.name for path in base.iterdir()}
        gc.freeze()  # a fork that collects garbage would copy every page
        for module, source in self.sources.items():
            for mutant in find_mutants(module, source):
                if self.wanted(mutant):
                    self.tell(self._try(mutant))
                    _sweep(base, ours)
        self._require_that_no_fault_is_no_kill()
        return True

    def _require_that_no_fault_is_no_kill(self) -> None:
        """At the end the quick tests must still pass: else what has failed may have failed for another reason."""
        quick = [test for test, seconds in self.learnt.seconds.items() if seconds <= WAITS and test in self.items]
        failed = _in_fork(lambda: self._first_to_fail(None, quick), patience=self.patience)
        if failed is not None:
            raise pytest.UsageError(f"{failed} fails without a mutant: these figures are worth nothing")

    def _warm(self, items: Sequence[pytest.Item]) -> None:
        """Run the quick tests once: each fork inherits what the session has set up, and the compiled statements."""
        _share_compiled()
        for item in items:
            if self.learnt.seconds.get(item.nodeid, 1.0) <= WAITS or item is items[0]:
                self._fails(item, None)

    def _learn(self, items: Sequence[pytest.Item]) -> Learnt:
        learnt = Learnt()
        files = {str(importlib.import_module(name).__file__): name for name in self.sources}
        for item in items:
            entered: set[tuple[str, str]] = set()

            def look(frame: FrameType, event: str, _: Any, entered: set[tuple[str, str]] = entered) -> None:
                if event == "call" and (module := files.get(frame.f_code.co_filename)):
                    entered.add((module, frame.f_code.co_qualname.partition(".<locals>")[0]))

            began = time.monotonic()
            with _profiled(look):
                failed = self._fails(item, None)
            if failed and self._fails(item, None):
                learnt.failed.append(item.nodeid)
                continue
            learnt.seconds[item.nodeid] = time.monotonic() - began
            learnt.enters[item.nodeid] = entered
        return learnt

    def _fails(self, item: pytest.Item, following: pytest.Item | None) -> bool:
        """Run a test. Where none is `following`, whatever its file has set up ends with it, the session's stays."""
        self.failed, self.hung = None, False
        other = following or next(far for far in self.items.values() if far.path != item.path)
        try:
            item.ihook.pytest_runtest_protocol(item=item, nextitem=other)
        except BaseException:  # Ctrl-C that a mutant lets through
            return True
        return self.failed is not None

    def _try(self, mutant: Mutant) -> Found:
        chosen = self._chosen(mutant)
        try:
            by = _in_fork(lambda: self._first_to_fail(mutant, chosen), patience=self.patience)
        except TimeoutError:
            return Found(mutant, "timed out")
        if by is None or by == HUNG:
            return Found(mutant, "timed out" if by else "survived")
        if self.learnt.seconds.get(by, 0) > WAITS:
            with contextlib.suppress(TimeoutError):
                if _in_fork(lambda: self._first_to_fail(mutant, [by]), patience=self.patience) is None:
                    rest = chosen[chosen.index(by) + 1 :]
                    by = _in_fork(lambda: self._first_to_fail(mutant, rest), patience=self.patience)
                    fate: Fate = "survived" if by is None else "timed out" if by == HUNG else "killed"
                    return Found(mutant, fate, by or "")
        self.killers[mutant.module, mutant.function][by] += 1
        return Found(mutant, "killed", by)

    def _chosen(self, mutant: Mutant) -> list[str]:
        """The tests that enter the mutant's function, or for lines of the module any of its functions."""
        place = (mutant.module, mutant.function)
        functions = {name for entered in self.learnt.enters.values() for name in entered}

        def enters(test: str) -> bool:
            entered = self.learnt.enters[test]
            return place in entered if place in functions else any(module == mutant.module for module, _ in entered)

        first, seconds = self.killers[place], self.learnt.seconds
        able = [test for test in self.items if seconds.get(test, 1e9) <= self.longest and enters(test)]
        return sorted(able, key=lambda test: (-first[test], seconds[test]))

    def _first_to_fail(self, mutant: Mutant | None, tests: Sequence[str]) -> str | None:
        try:
            if mutant is not None:
                install(mutant, self.sources[mutant.module])
        except Exception as error:
            return f"import: {type(error).__name__}"
        hung = 0
        for test, following in zip(tests, [*tests[1:], None], strict=True):
            if self._fails(self.items[test], self.items[following] if following else None):
                if not self.hung:
                    return test
                hung += 1
                if hung == MOST_HANGING:
                    break
        return HUNG if hung else None


def _share_compiled() -> None:
    """Let all SQLite engines share what SQLAlchemy compiles: that is most of the time that a quick test takes.

    A statement is looked up there by its structure and its dialect, so these must be equal for all engines.
    """
    compiled: Any = sa.util.LRUCache(4000)
    pysqlite: Any = SQLiteDialect_pysqlite
    pysqlite.__eq__ = lambda self, other: type(self) is type(other)
    pysqlite.__hash__ = lambda self: hash(type(self))

    @sa.event.listens_for(sa.Engine, "engine_connect")
    def share(connection: sa.Connection) -> None:
        if connection.dialect.name == "sqlite":
            connection.engine._compiled_cache = compiled


@contextlib.contextmanager
def _profiled(look: Any) -> Iterator[None]:
    threading.setprofile(look)
    sys.setprofile(look)
    try:
        yield
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


def _in_fork(act: Callable[[], Any], *, patience: float) -> Any:
    """Return what `act` returns in a fork of this process. Raises TimeoutError; whatever the fork left goes away."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        _child(act, reader, writer)
    os.close(writer)
    alarm = threading.Timer(patience, _kill, [child])
    alarm.start()
    try:
        with os.fdopen(reader, "rb") as answer:
            return pickle.load(answer)
    except EOFError:
        raise TimeoutError from None
    finally:
        alarm.cancel()
        alarm.join()
        _kill(child)
        os.waitpid(child, 0)


def _child(act: Callable[[], Any], reader: int, writer: int) -> None:
    try:
        os.setsid()
        os.close(reader)
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        with os.fdopen(writer, "wb") as answer:
            pickle.dump(act(), answer)
    finally:
        os._exit(0)


def _kill(child: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)


def _sweep(folder: Path, keep: set[str]) -> None:
    """Remove what forks left in the folder of temporary files."""
    for path in folder.iterdir():
        if path.name not in keep:
            shutil.rmtree(path, ignore_errors=True)
