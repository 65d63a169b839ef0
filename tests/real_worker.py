"""The real Celery app over the real factory, with crash points in it: `celery -A tests.real_worker worker`."""

from __future__ import annotations

import os
from pathlib import Path

from tests.real_crashing import RealSite, place_crashes

place_crashes(RealSite(Path(os.environ["CRASH_SITE"])))

from workers.app import app  # noqa: E402  (after the points are in place)

__all__ = ["app"]
