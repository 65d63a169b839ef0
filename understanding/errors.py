"""Refusals of a file, each with a code, the cause and a way out."""

from __future__ import annotations


class Refused(Exception):
    """What cannot be used or done as asked. `str()` is the cause; a kind of refusal sets its `code`, kebab-case."""

    code = "refused"

    def __init__(self, cause: str, *, next_step: str) -> None:
        super().__init__(cause)
        self.cause = cause
        self.next_step = next_step


class MediaRefused(Refused):
    """A file that cannot be used. `str()` is the cause, `code` is kebab-case: `empty-file`, `not-media`, `no-video`,
    `no-index`, `no-frames`, `forbidden-format`, `too-large`, `too-slow`, `decoder-crashed`, `not-a-file` or
    `link-refused`."""

    def __init__(self, code: str, cause: str, *, next_step: str) -> None:
        super().__init__(cause, next_step=next_step)
        self.code = code

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return _rebuild, (self.code, self.cause, self.next_step)


def _rebuild(code: str, cause: str, next_step: str) -> MediaRefused:
    return MediaRefused(code, cause, next_step=next_step)


class DetectorMissing(Refused):
    """A detector was asked for by name that is not installed."""

    code = "detector-missing"
