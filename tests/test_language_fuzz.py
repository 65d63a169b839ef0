"""Whatever is written into templates, storyboards, inputs and tables: a clear refusal or a valid storyboard."""

from __future__ import annotations

import pytest

from factory.plan.brief import Brief
from factory.plan.facts import Facts
from factory.plan.marked_yaml import load
from factory.render.templates import TemplateFailed, Templates
from tests.language_fuzz import CALCULATION, NASTY, Leak, filled, literal, read_to_the_end, run

HEAD = "{#\ntitle: {zh: a, en: a}\ndescription: {zh: a, en: a}\n#}\n"


@pytest.mark.parametrize(("sort", "cases"), [("templates", 450), ("storyboards", 900), ("inputs", 350), ("rows", 900)])
def test_every_case_ends_in_a_refusal_or_in_a_valid_storyboard(sort: str, cases: int) -> None:
    outcomes = run(sort, cases)
    assert outcomes.total() == cases
    assert "refused without a word" not in outcomes
    assert outcomes["read"] >= cases // 20  # the wounds are not so deep that nothing is looked at
    assert outcomes["read"] < cases


def test_the_leak_detector_sees_a_calculation() -> None:
    storyboard = read_to_the_end(filled("off_road"), "off_road")
    literal(storyboard, [CALCULATION])
    with pytest.raises(Leak):
        literal(storyboard.model_copy(update={"title": str(7 * 191)}), [CALCULATION])


def test_every_nasty_text_comes_out_of_a_storyboard_as_it_went_in() -> None:
    text = HEAD + "a: {{ facts.subject }}\nb: [{{ tr(zh='{x}', en='', x=facts.subject) }}]\n"
    templates = Templates(given={"storyboards/mine.yaml.j2": text})
    for nasty in NASTY:
        if "\x00" in nasty or "\x7f" in nasty:
            continue  # the reader of YAML refuses control characters by name
        read = load(templates.storyboard("mine", {"brief": Brief(template="mine"), "facts": Facts(nasty)})).value
        assert read == {"a": nasty, "b": [nasty]}


@pytest.mark.parametrize(
    "bomb",
    [
        "{% set ns = namespace(a='xx') %}{% for i in range(60) %}{% set ns.a = ns.a ~ ns.a %}{% endfor %}",
        "{% set ns = namespace(a='xx') %}{% for i in range(60) %}{% set ns.a = ns.a + ns.a %}{% endfor %}",
        "{% set ns = namespace(a=[1]) %}{% for i in range(60) %}{% set ns.a = ns.a + ns.a %}{% endfor %}",
        "{% set ns = namespace(a=9) %}{% for i in range(60) %}{% set ns.a = ns.a * ns.a %}{% endfor %}",
        "{% set ns = namespace(a=9) %}{% for i in range(9) %}{% set ns.a = ns.a ** 64 %}{% endfor %}",
        "{% set ns = namespace(a='xx') %}{% for i in range(60) %}{% set ns.a = [ns.a, ns.a] | join %}{% endfor %}",
        "{% set ns = namespace(a='x') %}{% for i in range(60) %}{% set ns.a = ns.a | replace('x', 'xx') %}{% endfor %}",
        "{{ 'x'.ljust(10 ** 10) }}",
        "{{ 'x'.zfill(10 ** 10) }}",
        "{{ '{:>10000000000}'.format('x') }}",
        "{{ '%10000000000d' | format(1) }}",
        "{{ 'x' | indent(10 ** 10) }}",
        "{{ [1] | batch(10 ** 10, 0) | list }}",
    ],
)
def test_what_grows_without_end_is_stopped_where_it_begins(bomb: str) -> None:
    templates = Templates(given={"storyboards/mine.yaml.j2": HEAD + bomb})
    with pytest.raises(TemplateFailed):
        templates.storyboard("mine", {"brief": Brief(template="mine"), "facts": Facts("")})
