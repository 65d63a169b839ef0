"""Looks at finished videos as a delivery check does: `python -m tests.finished FOLDER`, one line a video."""

from __future__ import annotations

import sys
from pathlib import Path

from factory.brief_set.delivery import faults
from factory.settings import Settings
from factory.wiring import parts


def main() -> None:
    built = parts(Settings())
    bad = 0
    for video in sorted(Path(sys.argv[1]).glob("*.mp4")):
        found = faults(video, built.files.path)
        bad += bool(found)
        print(f"{video.name}: {'; '.join(found) or 'in order'}")
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
