"""Files that a desk lays over the packaged ones: read from the folder of its templates, whatever they hold."""

from __future__ import annotations

from pathlib import Path

from factory.errors import WrongUsage
from factory.small_files import read_small

MOST_BYTES = 1 << 20


class DeskFileUnreadable(WrongUsage):
    """A file of the desk is there and cannot be read as text."""

    code = "desk-file-unreadable"


def desk_text(path: Path) -> str:
    """Return the text of a file in UTF-8, up to 1 MiB. Raises DeskFileUnreadable."""
    data = read_small(
        path,
        MOST_BYTES,
        unread="let it be read, or take it away",
        too_large="write fewer entries",
        refusal=DeskFileUnreadable,
    )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise DeskFileUnreadable(f"{path}:{line}: it is not UTF-8", next_step="save it as UTF-8") from error
