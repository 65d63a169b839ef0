"""Files that a person names: read whole, within a bound, or refused in one sentence."""

from __future__ import annotations

from pathlib import Path

from factory.errors import WrongUsage


def read_small(path: Path, most: int, *, unread: str, too_large: str, refusal: type[WrongUsage] = WrongUsage) -> bytes:
    """Return the bytes of a file of up to `most` (whole MiB).

    Raises `refusal`, its next step `unread` or `too_large`.
    """
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise refusal(f"{path} cannot be read: {error.strerror}", next_step=unread) from None
    if len(data) > most:
        raise refusal(f"{path} is larger than {most >> 20} MiB", next_step=too_large)
    return data
