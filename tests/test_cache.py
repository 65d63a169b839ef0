"""What is derived once is whole or absent."""

from __future__ import annotations

from pathlib import Path

import pytest

from understanding.cache import made_once


def test_files_and_folders_are_made_once(tmp_path: Path) -> None:
    made = []

    def make(path: Path) -> None:
        made.append(path)
        path.write_text("a")

    for _ in range(2):
        assert made_once(tmp_path / "deep" / "file", make).read_text() == "a"
    assert len(made) == 1
    assert made_once(tmp_path / "folder", lambda path: path.mkdir()).is_dir()


def test_a_failure_leaves_nothing(tmp_path: Path) -> None:
    def fail(path: Path) -> None:
        path.write_text("half")
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        made_once(tmp_path / "file", fail)
    assert not list(tmp_path.iterdir())


def test_the_first_of_two_makers_wins(tmp_path: Path) -> None:
    def slow(path: Path) -> None:
        path.mkdir()
        (path / "part").write_text("second")
        (tmp_path / "folder").mkdir()
        (tmp_path / "folder" / "part").write_text("first")

    assert (made_once(tmp_path / "folder", slow) / "part").read_text() == "first"
    assert [entry.name for entry in tmp_path.iterdir()] == ["folder"]
