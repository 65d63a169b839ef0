"""Sentences end where they end, and no break parts a word, a number with its unit, or a name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factory.plan.facts import Locale
from factory.plan.sentences import pieces, sentences


@pytest.mark.parametrize(
    ("text", "locale", "parts"),
    [
        ("北风X5来了。售价12.98万元！真的？", "zh-CN", ["北风X5来了。", "售价12.98万元！", "真的？"]),
        ("他说：“走吧。”然后走了。", "zh-CN", ["他说：“走吧。”", "然后走了。"]),
        (
            "It is 3.5 s. Version 2.0 is out. No. 3 follows.",
            "en-US",
            ["It is 3.5 s.", "Version 2.0 is out.", "No. 3 follows."],
        ),
        (
            "The U.S. market grew. Mr. Lee left at 5 p.m. on Monday.",
            "en-US",
            ["The U.S. market grew.", "Mr. Lee left at 5 p.m. on Monday."],
        ),
        (
            "Say by J. D. Power. The Lumen S. It won. No. Dec. 3.",
            "en-US",
            ["Say by J. D. Power.", "The Lumen S.", "It won.", "No.", "Dec. 3."],
        ),
        ("Fast! Is it? “Yes.” Done", "en-US", ["Fast!", "Is it?", "“Yes.”", "Done"]),
        ("Wait... what? See a.b.com now.", "en-US", ["Wait...", "what?", "See a.b.com now."]),
        ("第一行\n第二行", "zh-CN", ["第一行", "第二行"]),
        ("好……", "zh-CN", ["好……"]),
        ("……", "zh-CN", []),
        ("  ", "en-US", []),
        ("新款Model 3 Pro.续航602km。", "zh-CN", ["新款Model 3 Pro.", "续航602km。"]),
    ],
)
def test_sentences(text: str, locale: Locale, parts: list[str]) -> None:
    assert list(sentences(text, locale)) == parts


@given(st.text(alphabet='ab1 .!?。！”"\n…Mr万', max_size=40), st.sampled_from(["zh-CN", "en-US"]))
def test_no_letter_is_lost(text: str, locale: Locale) -> None:
    joined = "".join("".join(sentences(text, locale)).split())
    if joined:
        assert joined == "".join(text.split())
    else:
        assert not any(c.isalnum() for c in text)


@pytest.mark.parametrize(
    ("text", "keep", "whole"),
    [
        ("续航560公里，售价12.98万元起。", [], ["560公里，", "12.98万元"]),
        ("The range is 560 km, about 1.2 million units sold.", [], ["560 km,", "1.2 million units"]),
        ("北风 X5 比流明 S 长。", ["北风 X5", "流明 S"], ["北风 X5", "流明 S"]),
        (
            "It takes the Kestrel GT (red) 3.5 s to 100 km/h.",
            ["Kestrel GT"],
            ["Kestrel GT", "(red)", "3.5 s", "100 km/h."],
        ),
        ("第3位上升2位", [], ["第3位", "2位"]),
        ("Price: $45,000", [], ["Price:", "$45,000"]),
    ],
)
def test_what_belongs_together_stays_together(text: str, keep: list[str], whole: list[str]) -> None:
    found = [piece.text for piece in pieces(text, keep=keep)]
    for part in whole:
        assert part in found


def test_chinese_words_stay_whole_where_they_are_known() -> None:
    words = {"旗舰轿车今天上市": ["旗舰", "轿车", "今天", "上市"]}
    assert [p.text for p in pieces("旗舰轿车今天上市", segment=words.__getitem__)] == ["旗舰", "轿车", "今天", "上市"]


@given(st.text(alphabet="ab X5北风，。 12.3万元km“”()-", max_size=40))
def test_pieces_are_the_text(text: str) -> None:
    found = pieces(text, keep=["北风 X5"])
    assert "".join("".join(piece.text.split()) for piece in found) == "".join(text.split())
    visible = 0
    for piece in found:
        assert piece.start == visible
        visible += len("".join(piece.text.split()))
