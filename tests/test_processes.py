"""How the product starts processes of its own: never by forking, for a fork of a process that has met CUDA hangs."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CAREFUL = ("spawn", "forkserver")
STARTERS = ("Process", "Pool", "Manager", "Queue", "Value", "Array", "set_start_method")  # take the platform's way
FILES = sorted(path for room in ("factory", "understanding", "workers") for path in (ROOT / room).rglob("*.py"))
MAY_FORK = {"understanding/sandbox_server.py"}  # a small warm process that has neither torch nor a thread


def forks(source: str) -> Iterator[str]:
    """Yield each place that starts a process in a way that forks, or in whatever way the platform has."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        if name in ("os.fork", "os.forkpty") or name in {f"multiprocessing.{starter}" for starter in STARTERS}:
            yield f"{node.lineno}: {name}"
        if name.endswith("get_context") and not (
            node.args and isinstance(node.args[0], ast.Constant) and node.args[0].value in CAREFUL
        ):
            yield f"{node.lineno}: {ast.unparse(node)}"
        if name.endswith("ProcessPoolExecutor") and "mp_context" not in {word.arg for word in node.keywords}:
            yield f"{node.lineno}: {ast.unparse(node)}"
        if name.endswith("DataLoader"):
            words = {word.arg: ast.unparse(word.value) for word in node.keywords}
            if words.get("num_workers", "0") != "0" and "multiprocessing_context" not in words:
                yield f"{node.lineno}: {ast.unparse(node)}"


def test_no_process_is_forked() -> None:
    assert len(FILES) > 100
    found = {str(path.relative_to(ROOT)): list(forks(path.read_text(encoding="utf-8"))) for path in FILES}
    assert {name for name, places in found.items() if places} == MAY_FORK


@pytest.mark.parametrize(
    "line",
    [
        "os.fork()",
        "multiprocessing.Process(target=f)",
        "multiprocessing.get_context()",
        'multiprocessing.get_context("fork")',
        "ProcessPoolExecutor(2)",
        "DataLoader(rows, num_workers=2)",
    ],
)
def test_a_way_that_forks_is_seen(line: str) -> None:
    assert list(forks(line))


def test_the_one_that_may_has_no_torch_to_fork() -> None:
    from understanding.sandbox import WARM_MODULES

    imports = ", ".join((*WARM_MODULES, "understanding.sandbox_server"))
    asked = f"import {imports}, sys; print('torch' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True, cwd=ROOT)
    assert told.stdout == "False\n"
