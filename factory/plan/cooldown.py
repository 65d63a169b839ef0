"""How long a shot rests in a series once it was shown, and which orders make one and the same video."""

from __future__ import annotations

import hashlib
import json
from typing import Final

from factory.plan.brief import Brief
from factory.plan.facts import Facts

REST_DAYS: Final = 14  # where an order has a series, and neither it nor the layer says otherwise
HOW_IT_IS_MADE: Final = frozenset({"draft", "codec", "aspects", "cooldown_days"})  # what leaves a video the same


def rest_days(layer: int | None, brief: Brief) -> int:
    """Return for how many days a shot rests: what the layer says, else the order, else REST_DAYS; 0 without a series.

    `layer` is `pick.cooldown_days` of a storyboard's layer, None where it says nothing.
    """
    if brief.series is None:
        return 0
    said = (days for days in (layer, brief.cooldown_days) if days is not None)
    return next(said, REST_DAYS)


def video_key(brief: Brief, facts: Facts) -> str:
    """Return a digest that is the same for orders of one video: a draft of it, another codec or aspect, a rerun.

    A ranking of another period is another video, though its order may read the same.
    """
    said = {key: value for key, value in brief.model_dump(mode="json").items() if key not in HOW_IT_IS_MADE}
    period = facts.ranking.period if facts.ranking else ""
    text = json.dumps([said, period], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
