"""Files derived once from the wheels: made beside their place, then moved there whole."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path


def made_once(path: Path, make: Callable[[Path], None]) -> Path:
    """Return `path`, a file or a folder; where it is missing, `make` it under a private name first: never half-written.

    Two processes may both make it; the first to finish wins and both see the same content.
    """
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".making-", dir=path.parent) as folder:
        made = Path(folder) / path.name
        make(made)
        try:
            made.replace(path)
        except OSError:
            if not path.exists():  # a folder that another process has put there meanwhile stays
                raise
            shutil.rmtree(made, ignore_errors=True)
    return path
