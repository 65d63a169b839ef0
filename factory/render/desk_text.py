"""Files that a desk lays over the packaged ones: read from the folder of its templates, whatever they hold."""

from __future__ import annotations

from pathlib import Path

from factory.errors import WrongUsage

MOST_BYTES = 1 << 20


class DeskFileUnreadable(WrongUsage):
    """A file of the desk is there and cannot be read as text."""

    code = "desk-file-unreadable"


def desk_text(path: Path) -> str:
    """Return the text of a file in UTF-8, up to 1 MiB. Raises DeskFileUnreadable."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise DeskFileUnreadable(f"{path} is larger than 1 MiB", next_step="write fewer entries")
        return data.decode("utf-8-sig")
    except OSError as error:
        cause = f"{path} cannot be read: {error.strerror}"
        raise DeskFileUnreadable(cause, next_step="let it be read, or take it away") from error
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise DeskFileUnreadable(f"{path}:{line}: it is not UTF-8", next_step="save it as UTF-8") from error
