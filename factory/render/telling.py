"""What a catalogue says of cars, told two facts at a time: for the time that a video has left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from factory.plan.facts import Car, Locale, Spec
from factory.render.figures import is_price, said_spec
from factory.render.phrases import Phrases, fill, speaking_seconds

PAUSE = 0.5  # seconds of a scene beside its voice
TOGETHER = 2  # facts of one scene: what a shot of six seconds has room for
_LEADS = (
    ("再看参数，{name}，", "On paper, the {name}. "),
    ("参数上，{name}，", "From the data: the {name}. "),
    ("{name}的参数，", "Figures of the {name}. "),
    ("资料里的{name}，", "In figures: the {name}. "),
)


@dataclass(frozen=True, slots=True)
class ToldFacts:
    """One or two facts of a car, and the sentences that say them. `cost` guesses their seconds."""

    car: Car
    specs: tuple[Spec, ...]
    told: str
    cost: float


def told_facts(
    cars: Sequence[Car], seconds: float, words: Phrases, *, beside: Sequence[str] = (), prices: bool = False
) -> list[ToldFacts]:
    """Return as many facts as `seconds` have room for: the first two of each car in turn, then the next two of each.

    `beside` are keys of facts that the video tells anyway; prices are told only where they are asked for.
    """
    known = {
        car: [spec for spec in car.specs if spec.key not in beside and (prices or not is_price(spec))] for car in cars
    }
    taken, left = list[ToldFacts](), seconds
    for turn in range(max((len(specs) for specs in known.values()), default=0)):
        for number, (car, specs) in enumerate(known.items()):
            some = tuple(specs[TOGETHER * turn : TOGETHER * (turn + 1)])
            if not some:
                continue
            named = len(known) > 1 or turn == 0
            facts = _told(car, some, words, turn + number if named else None)
            if facts.cost > left + PAUSE:
                return taken
            taken.append(facts)
            left -= facts.cost
    return taken


def _told(car: Car, specs: tuple[Spec, ...], words: Phrases, number: int | None) -> ToldFacts:
    lead = ""
    if number is not None:
        turned = _LEADS[number % len(_LEADS) :] + _LEADS[: number % len(_LEADS)]
        chosen = words.vary([pair[0 if words.locale == "zh-CN" else 1] for pair in turned], "facts")
        lead = fill(chosen, {"name": car.name(words.locale)})
    sentences = [fact_sentence(spec, words.locale) for spec in specs]
    told = lead + ("" if words.locale == "zh-CN" else " ").join(sentences)
    return ToldFacts(car, specs, told, speaking_seconds(told, words.locale) + PAUSE)


def fact_sentence(spec: Spec, locale: Locale) -> str:
    """Return one fact as a sentence: `CLTC续航里程560公里。`, `Range: 560 km on the CLTC cycle.`"""
    value = said_spec(spec, locale)
    if locale == "zh-CN":
        return f"{spec.cycle}{spec.name_zh}{value}。"
    return f"{spec.name_en}: {value}{f' on the {spec.cycle} cycle' if spec.cycle else ''}."
