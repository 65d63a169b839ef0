"""How well a shot fits a slot, part by part, each with the modality that spoke; and whether it fits at all."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from fractions import Fraction

from factory.plan.framing import clear_window
from factory.plan.query import And, HasTag, HasText, Or, Query
from factory.plan.selection import BurntRegion, Candidate, CandidateTag, Reason, Slot
from factory.plan.timeline import Canvas, Fit

NEVER = frozenset({"blocked", "expired", "restricted"})  # rights under which a shot is never shown
SLOWEST = Fraction(4, 5)
EDGE_FRAMES = 2  # of the source, kept clear so that no frame of the next shot flashes up
LEAST_KEPT = Fraction(55, 100)  # of the picture: where covering keeps less, all of it is shown, on a blur
KEPT_WHOLE = Fraction(4, 5)  # of the picture: where covering keeps less, the car is followed so that it is not cut
MOST_ENLARGED = 4  # times that a picture may be enlarged to follow a car in it
WITHOUT_ONE_CAR = frozenset({"accident", "driving-view", "interior", "traffic"})  # coarse kinds about more than one car
SAID = 0.5  # confidence from which a shot is of such a kind
KEPT_ON_BLUR = 0.75  # of each side, since the picture is enlarged a little there
Families = Mapping[str, Collection[str]]  # tag -> the tags that count as it (its children)

TAG_POINTS = 2.0
WORD_POINTS = 0.5  # less than any tag that counts: words that occur never stand before what is seen
PREFER_POINTS = 0.4
CAR_POINTS, OTHER_CAR_POINTS = 0.8, -3.0  # a picture of another car than the one spoken of is worse than a dull one
QUALITY_POINTS = 0.6
SIZE_POINTS = 0.3
CROP_POINTS = 0.4
RIGHTS_POINTS = 0.2
SLOWED_POINTS = -0.6
BURNT_POINTS: Mapping[str, float] = {"subtitle": -0.8, "timestamp": -0.4, "logo": -0.3}
CROPPED_POINTS = -0.1
LEAST_SEEN = 0.2  # share of a region that has to be left in the picture to count


def speed_for(slot: Slot, candidate: Candidate) -> Fraction | None:
    """Return the slot's speed where the shot is long enough, as a last resort down to 0.8 of it, else None."""
    usable = candidate.seconds - Fraction(EDGE_FRAMES) / candidate.fps
    if usable >= slot.seconds * slot.speed:
        return slot.speed
    speed = Fraction(int(usable / slot.seconds * 1000), 1000)
    return speed if speed >= SLOWEST * slot.speed else None


def offset_for(slot: Slot, candidate: Candidate) -> Fraction:
    """Return where in the shot to start reading, in seconds: its middle, clear of both edges.

    It starts at a whole half second of the file where it can, for there a mezzanine's groups begin; else on a frame.
    """
    speed = speed_for(slot, candidate) or SLOWEST * slot.speed
    slack = max(Fraction(0), candidate.seconds - slot.seconds * speed)
    edge = Fraction(EDGE_FRAMES, 2) / candidate.fps
    near = Fraction(round(2 * (candidate.start + slack / 2)), 2) - candidate.start
    return near if edge <= near <= slack - edge else Fraction(int(slack / 2 * candidate.fps)) / candidate.fps


def unfit(slot: Slot, candidate: Candidate) -> str | None:
    """Return why the shot cannot stand in the slot, or None where it can."""
    if candidate.rights in NEVER:
        return f"rights {candidate.rights}"
    if slot.pick.min_height and candidate.height < slot.pick.min_height:
        return f"lower than {slot.pick.min_height} lines"
    if candidate.quality < slot.pick.min_quality:
        return f"quality below {slot.pick.min_quality:g}"
    if speed_for(slot, candidate) is None:
        return f"shorter than {float(slot.seconds * slot.speed * SLOWEST):.1f} s"
    return None


def score(
    slot: Slot, candidate: Candidate, *, shape: Fraction | None = None, families: Families | None = None
) -> tuple[float, tuple[Reason, ...]]:
    """Return how well the shot fits, and the parts of that sum. A tag that hits weighs more than all the rest.

    `shape` is width / height of the canvas (what a crop would cut away then counts); `families` are the tags' children.
    """
    reasons = [
        *_tag_reasons(slot.query, candidate, families or {}),
        *_word_reasons(slot.query, candidate),
        *_preferred(slot.prefer, candidate, families or {}),
        *_car_reasons(slot.car, candidate),
        *_picture_reasons(candidate, shape),
        *_burnt_in_reasons(candidate, shape),
    ]
    if candidate.rights == "ok":
        reasons.append(Reason(RIGHTS_POINTS, "desk", "rights are cleared"))
    if (speed := speed_for(slot, candidate)) is not None and speed < slot.speed:
        reasons.append(
            Reason(SLOWED_POINTS, "picture", f"slowed to {float(speed):.2f} to fill {float(slot.seconds):.2f} s")
        )
    return sum(reason.points for reason in reasons), tuple(reasons)


def hits(query: Query, candidate: Candidate, families: Families | None = None) -> tuple[CandidateTag, ...]:
    """Return the tags of the shot that the query asked for, the best one of each choice (`|`)."""
    match query:
        case HasTag(tag):
            family = {tag, *(families or {}).get(tag, ())}
            carried = [t for t in candidate.tags if t.tag in family]
            return (max(carried, key=lambda t: t.confidence),) if carried else ()
        case And(terms):
            return tuple(dict.fromkeys(hit for term in terms for hit in hits(term, candidate, families)))
        case Or(terms):
            found = [hits(term, candidate, families) for term in terms]
            return max(found, key=lambda hit: sum(t.confidence for t in hit) / max(1, len(hit)))
        case _:
            return ()


def words_of(query: Query) -> tuple[str, ...]:
    """Return the free words that the query asks for."""
    match query:
        case HasText(text):
            return (text,)
        case And(terms) | Or(terms):
            return tuple(dict.fromkeys(word for term in terms for word in words_of(term)))
        case _:
            return ()


def kept_share(width: int, height: int, shape: Fraction) -> Fraction:
    """Return the share of a picture that is left when it is cropped to cover a canvas of `shape` (width / height)."""
    own = Fraction(width, height)
    return min(own / shape, shape / own)


def fit_for(width: int, height: int, canvas: Canvas) -> Fit:
    """Return how a picture of that size is shown: filling the canvas, or whole where too much would be cut away."""
    kept = kept_share(width, height, Fraction(canvas.width, canvas.height))
    return "cover" if kept >= LEAST_KEPT else "contain-blur"


def follows(shot: Candidate, canvas: Canvas) -> bool:
    """Tell whether a shot is worth looking for its one car: much would be cut away, and it is not about many."""
    larger = max(Fraction(canvas.width, shot.width), Fraction(canvas.height, shot.height))
    if (
        kept_share(shot.width, shot.height, Fraction(canvas.width, canvas.height)) >= KEPT_WHOLE
        or larger > MOST_ENLARGED
    ):
        return False
    return not any(tag.tag in WITHOUT_ONE_CAR and tag.confidence >= SAID for tag in shot.tags)


def _tag_reasons(query: Query, candidate: Candidate, families: Families) -> list[Reason]:
    found = hits(query, candidate, families)
    return [
        Reason(TAG_POINTS * t.confidence / len(found), t.modality, f"shows {t.tag} ({t.confidence:.2f})") for t in found
    ]


def _word_reasons(query: Query, candidate: Candidate) -> list[Reason]:
    said = [word for word in words_of(query) if _says(candidate, word)]
    return [Reason(WORD_POINTS, "words", f"names {said[0]!r}")] if said else []


def _preferred(prefer: tuple[str, ...], candidate: Candidate, families: Families) -> list[Reason]:
    reasons = []
    for word in prefer:
        if found := hits(HasTag(word), candidate, families):
            reasons.append(Reason(PREFER_POINTS * found[0].confidence, found[0].modality, f"also shows {found[0].tag}"))
        elif _says(candidate, word):
            reasons.append(Reason(PREFER_POINTS, "words", f"also names {word!r}"))
    return reasons


def _car_reasons(car: str, candidate: Candidate) -> list[Reason]:
    if not car or not candidate.cars:
        return []
    if car in candidate.cars:
        return [Reason(CAR_POINTS / len(candidate.cars), "words", f"names the {car}")]
    return [Reason(OTHER_CAR_POINTS, "words", f"names another car: {', '.join(candidate.cars[:3])}")]


def _picture_reasons(candidate: Candidate, shape: Fraction | None) -> list[Reason]:
    lines = min(1.0, min(candidate.width, candidate.height) / 1080)
    reasons = [
        Reason(QUALITY_POINTS * candidate.quality, "picture", f"quality {candidate.quality:.2f}"),
        Reason(SIZE_POINTS * lines, "picture", f"{candidate.width}x{candidate.height}"),
    ]
    if shape is not None:
        share = float(kept_share(candidate.width, candidate.height, shape))
        reasons.append(Reason(CROP_POINTS * share, "picture", f"{share:.0%} of the picture fits the canvas"))
    return reasons


def _burnt_in_reasons(candidate: Candidate, shape: Fraction | None) -> list[Reason]:
    """Take points for what is burnt in and stays in the picture; what the crop to the canvas cuts away costs nothing.

    Each kind counts once, by the region of which most is seen.
    """
    seen: dict[str, float] = {}
    for region in candidate.regions:
        share = seen_share(region, candidate.width, candidate.height, shape)
        if share >= LEAST_SEEN:
            seen[region.kind] = max(seen.get(region.kind, 0.0), share)
    if seen and shape is not None and clear_window(candidate.regions, candidate.width, candidate.height, shape):
        return [Reason(CROPPED_POINTS, "picture", f"is cropped to leave out a burnt-in {' and '.join(seen)}")]
    return [
        Reason(BURNT_POINTS.get(kind, 0.0) * share, "picture", f"carries a burnt-in {kind}")
        for kind, share in seen.items()
    ]


def seen_share(region: BurntRegion, width: int, height: int, shape: Fraction | None) -> float:
    """Return the share of a region that is left when the picture is cropped around its middle to `shape`."""
    across = down = 1.0
    if shape is not None:
        own = Fraction(width, height)
        across, down = min(1.0, float(shape / own)), min(1.0, float(own / shape))
        if kept_share(width, height, shape) < LEAST_KEPT:
            across, down = max(across, KEPT_ON_BLUR), max(down, KEPT_ON_BLUR)
    return _left(region.left, region.right, across) * _left(region.top, region.bottom, down)


def _left(low: float, high: float, kept: float) -> float:
    """Return the share of [low, high] within the middle `kept` of 0..1."""
    inside = min(high, (1 + kept) / 2) - max(low, (1 - kept) / 2)
    return max(0.0, inside) / max(high - low, 1e-9)


def _says(candidate: Candidate, word: str) -> bool:
    wanted = "".join(word.casefold().split())
    return bool(wanted) and wanted in "".join(f"{candidate.title}\n{candidate.words}".casefold().split())
