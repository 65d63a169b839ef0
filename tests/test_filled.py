"""Each line of what a template wrote is known by the template's line that wrote it."""

from __future__ import annotations

import re

from factory.plan.brief import Brief
from factory.plan.facts import Facts
from factory.render.templates import Templates

TEMPLATE = """\
{#
title: {zh: a, en: a}
description: {zh: a, en: a}
#}
{% macro two(word) %}
  - {{ word }}
  - again
{% endmacro %}
version: at 9
{% set aside = 3 %}
title: {{ "at 11" }}
{% for number in range(2) %}
  - id: at 13
    {# a note
       of two lines #}
    deep: [{{ number }},
      at 17]
{% endfor %}
{%- if true %}

  {{ two("at 21") }}
{% endif %}
end: {{ [
  "at 23"] }}
last: at 25
"""


def test_lines_are_kept_through_loops_branches_comments_and_trimmed_space() -> None:
    templates = Templates(given={"storyboards/mine.yaml.j2": TEMPLATE})
    filled = templates.filled("mine", {"brief": Brief(template="mine"), "facts": Facts("")})
    assert templates.storyboard("mine", {"brief": Brief(template="mine"), "facts": Facts("")}) == filled.text
    written = filled.text.split("\n")
    assert len(written) == len(filled.lines)
    marks = [(re.search(r"at (\d+)", line), number) for number, line in enumerate(written, start=1)]
    said = [(int(mark[1]), filled.written_at(number)) for mark, number in marks if mark]
    assert len(said) == 9
    assert [wanted for wanted, _ in said] == [line for _, line in said]
    macro = next(number for number, line in enumerate(written, 1) if "again" in line)
    assert filled.written_at(macro) == 21  # what a macro writes counts where it is called


def test_a_line_beyond_the_text_is_that_of_its_end() -> None:
    filled = Templates().filled("off_road", {"brief": Brief(template="off_road"), "facts": Facts("")})
    assert filled.written_at(0) == filled.lines[0]
    assert filled.written_at(10_000) == filled.lines[-1]
