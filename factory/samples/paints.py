"""The looks of the six sample cars and of the nameless ones around them."""

from __future__ import annotations

from dataclasses import replace

from factory.samples.cars import Look

NORTHWIND = Look("suv", "#2b6cb8")
LUMEN = Look("sedan", "#d7dde4")
KESTREL = Look("coupe", "#c61f2b", rim="#3a4048")
TERRA = Look("pickup", "#e06f28", rim="#8d959d")
PICO = Look("hatchback", "#f3c12e")
VOYAGE = Look("wagon", "#454b54")
TRAFFIC = (
    Look("sedan", "#8b2f35"),
    Look("suv", "#5d6a60"),
    Look("hatchback", "#5fa3b8"),
    Look("wagon", "#b9a27e"),
    Look("sedan", "#2d3a55"),
    Look("suv", "#e4e6e8"),
)


def dusk(look: Look, gloom: float = 0.42, colour: str = "#241a3a") -> Look:
    """The same car in poor light, with its lamps on."""
    return replace(look, gloom=gloom, gloom_colour=colour, lights=True)
