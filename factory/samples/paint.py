"""Colours: mixing, lightening, darkening."""

from __future__ import annotations


def mix(first: str, second: str, share: float) -> str:
    """`share` of the second colour over the first, both #rrggbb."""
    a, b = channels(first), channels(second)
    return "#" + "".join(f"{round(x + (y - x) * share):02x}" for x, y in zip(a, b, strict=True))


def light(colour: str, share: float) -> str:
    return mix(colour, "#ffffff", share)


def dark(colour: str, share: float) -> str:
    return mix(colour, "#05070c", share)


def channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
