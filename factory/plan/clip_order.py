"""What a person orders who has clips brought in by workers: one file, and what is known of it."""

from __future__ import annotations

from pathlib import PurePath
from typing import ClassVar

from factory.plan.spec import Spec


class ClipOrder(Spec):
    """One file to bring in. `path` is absolute and must lead to the file on the host whose worker takes the job."""

    kind: ClassVar[str] = "ingest"
    series: ClassVar[str | None] = None

    path: str
    credit: str = ""
    licence: str = ""
    name: str = ""  # stands for the file's own name
    embargo: str = ""  # as `Embargo` writes it; empty: none is said
    lift: bool = False  # the embargo of a clip that is known already

    @property
    def file_name(self) -> str:
        return PurePath(self.name or self.path).name
