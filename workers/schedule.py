"""Beat is only a clock: it asks to look, and the rows of the database say what is due."""

from __future__ import annotations

from typing import Any

TICK = 60.0  # seconds between two looks at the schedules; a look that nobody heard by the next one expires


def beat_entries() -> dict[str, dict[str, Any]]:
    """Return what beat rings for. A beat that was late or away is made up for by the next look."""
    return {"look": {"task": "look", "schedule": TICK, "args": [], "options": {"expires": TICK}}}
