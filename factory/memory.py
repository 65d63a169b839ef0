"""How much memory this process holds, and whether it is time to end and let a fresh one take its place.

Pretrained nets, voices and decoders leave memory behind that no allocator gives back; a bound on what is resident,
looked at between two jobs, holds whatever the reason.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Final

log = logging.getLogger(__name__)

STATM: Final = Path("/proc/self/statm")  # Linux: sizes in pages, the second is what is resident
MB: Final = 1_000_000


def resident_mb() -> float | None:
    """Return the MB that this process holds in memory now, without its children; None where the system does not say."""
    try:
        pages = int(STATM.read_text("ascii").split()[1])
    except OSError:
        return None
    return pages * os.sysconf("SC_PAGE_SIZE") / MB


def is_over(bound_mb: int) -> bool:
    """Say whether this process holds more than `bound_mb`; 0 is no bound."""
    held = resident_mb() if bound_mb else None
    if held is None or held <= bound_mb:
        return False
    log.warning("this worker holds %.0f MB, more than FACTORY_WORKER_MEMORY=%d: it ends after its job", held, bound_mb)
    return True
