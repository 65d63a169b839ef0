"""How text is read aloud: numbers, units, money, dates and model names in two languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import factory.plan
from factory.plan.lexicon import LexiconWrong, read_lexicons
from factory.plan.reading import Reader
from factory.plan.reading_en import integer as english
from factory.plan.reading_en import ordinal, year
from factory.plan.reading_zh import integer as chinese

FILE = Path(factory.plan.__file__).parent / "data" / "lexicon.yaml"
LEXICONS = read_lexicons(FILE.read_text(encoding="utf-8"), "lexicon.yaml")
ZH, EN = Reader(LEXICONS["zh-CN"]), Reader(LEXICONS["en-US"])


def squeezed(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("12,345辆", "一万两千三百四十五辆"),
        ("19.98万元", "十九点九八万元"),
        ("百公里加速4.9秒", "百公里加速四点九秒"),
        ("续航560公里", "续航五百六十公里"),
        ("100km/h", "一百公里每小时"),
        ("0-100km/h", "零到一百公里每小时"),
        ("82kWh", "八十二千瓦时"),
        ("220 kW", "两百二十千瓦"),
        ("430 N·m", "四百三十牛米"),
        ("18.2kWh/100km", "十八点二千瓦时每百公里"),
        ("长4,880mm", "长四千八百八十毫米"),
        ("560㎞", "五百六十公里"),
        ("12.5%", "百分之十二点五"),
        ("-3%", "负百分之三"),
        ("5%-10%", "百分之五到百分之十"),
        ("-5℃", "零下五摄氏度"),
        ("2026年10月", "二零二六年十月"),
        ("2024-2026年", "二零二四到二零二六年"),
        ("2026-10-05", "二零二六年十月五日"),
        ("2026-10", "二零二六年十月"),
        ("10:30", "十点三十分"),
        ("16:9", "十六比九"),
        ("1/3", "三分之一"),
        ("10万-15万元", "十万到十五万元"),
        ("3-5天", "三到五天"),
        ("¥199,800", "十九万九千八百元"),
        ("$29,990", "两万九千九百九十美元"),
        ("第3名", "第三名"),
        ("第2名", "第二名"),
        ("No.3", "第三"),
        ("2辆", "两辆"),
        ("2万元", "两万元"),
        ("2月", "二月"),
        ("2.5万", "二点五万"),
        ("4×4", "四乘四"),
        ("4WD", "四驱"),
        ("１２３辆", "一百二十三辆"),
        ("北风 X5", "北风 /ˈɛks/ 五"),
        ("旷野 Pro", "旷野 /pɹˈO/"),
        ("旷野PRO", "旷野/pɹˈO/"),
        ("Model 3", "Model 三"),
        ("S90", "/ˈɛs/ 九零"),
        ("A6L", "/ˈA/ 六 /ˈɛl/"),
        ("2.0T", "二点零 /tˈi/"),
        ("SUV", "/ˈɛs/ /jˈu/ /vˈi/"),
        ("Northwind", "Northwind"),
        ("0–100 km/h", "零到一百公里每小时"),
        ("17.5 kWh/100 km", "十七点五千瓦时每百公里"),
        ("6.2 L/100 km", "六点二升每百公里"),
        ("17.5度/百公里", "十七点五度每百公里"),
        ("1kWh，每kWh", "一千瓦时，每千瓦时"),
        ("V8", "/vˈi/ 八"),
        ("i4 eDrive40", "/ˈI/ 四 eDrive 四零"),
        ("ID.4", "/ˈI/ /dˈi/ 四"),
        ("Q5 e-tron", "/kjˈu/ 五 /ˈi/ tron"),
        ("秦PLUS DM-i", "秦/plˈʌs/ /dˈi/ /ˈɛm/ /ˈI/"),
        ("1.5T", "一点五 /tˈi/"),
        ("坦克300", "坦克三百"),
        ("极氪001", "极氪零零一"),
        ("小米SU7 Ultra", "小米 /ˈɛs/ /jˈu/ 七 /ˈʌltɹə/"),
        ("XC60 T8", "/ˈɛks/ /sˈi/ 六零 /tˈi/ 八"),
        ("2026款", "二零二六款"),
        ("800V", "八百伏"),
        ("30%-80%", "百分之三十到百分之八十"),
        ("2026年第3季度", "二零二六年第三季度"),
    ],
)
def test_chinese_reads(written: str, spoken: str) -> None:
    assert squeezed(ZH.spoken(written)) == spoken


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("12,345 units", "twelve thousand three hundred forty-five units"),
        ("19.98万元", "one hundred ninety-nine thousand eight hundred yuan"),
        ("¥199,800", "one hundred ninety-nine thousand eight hundred yuan"),
        ("CNY 199,800", "one hundred ninety-nine thousand eight hundred yuan"),
        ("$29,990", "twenty-nine thousand nine hundred ninety dollars"),
        ("$1.2 million", "one point two million dollars"),
        ("$1", "one dollar"),
        ("4.9 seconds", "four point nine seconds"),
        ("19.98", "nineteen point nine eight"),
        ("560 km", "five hundred sixty kilometers"),
        ("1 km", "one kilometer"),
        ("0-100 km/h", "zero to one hundred kilometers per hour"),
        ("an 82-kWh pack", "an eighty-two kilowatt hour pack"),
        ("220 kW", "two hundred twenty kilowatts"),
        ("430 N·m", "four hundred thirty newton meters"),
        ("12.5%", "twelve point five percent"),
        ("5%-10%", "five to ten percent"),
        ("-5 °C", "minus five degrees Celsius"),
        ("in 2026", "in twenty twenty-six"),
        ("2,026 units", "two thousand twenty-six units"),
        ("2024-2026", "twenty twenty-four to twenty twenty-six"),
        ("2026-10-05", "October fifth, twenty twenty-six"),
        ("2026-10", "October twenty twenty-six"),
        ("the 1990s", "the nineteen nineties"),
        ("No. 3", "number three"),
        ("the 21st", "the twenty-first"),
        ("4x4", "four by four"),
        ("10:30", "ten thirty"),
        ("X5, A6L, ID.4, V8", "X5, A6L, ID.4, V8"),
        ("北风 X5", "Northwind X5"),
        ("宝马", "Baoma"),
        ("0–100 km/h", "zero to one hundred kilometers per hour"),
        ("17.5 kWh/100km", "seventeen point five kilowatt hours per hundred kilometers"),
        ("6.2 L/100 km", "six point two liters per hundred kilometers"),
        ("i4 eDrive40", "i4 eDrive40"),
        ("Q5 e-tron", "Q5 e-tron"),
        ("秦PLUS DM-i", "Qin PLUS DM-i"),
        ("a 1.5T engine", "a one point five T engine"),
        ("3.0 V6, 5.9s", "three point zero V6, five point nine seconds"),
        ("Model 3", "Model three"),
        ("极氪001", "Jike zero zero one"),
        ("an 800-V pack", "an eight hundred volt pack"),
        ("30%-80%", "thirty to eighty percent"),
        ("Up 2 places", "Up two places"),
    ],
)
def test_english_reads(written: str, spoken: str) -> None:
    assert squeezed(EN.spoken(written)) == spoken


def test_a_number_and_its_unit_stay_one_stretch() -> None:
    assert [said.written for said in ZH.read("续航560 km，售价19.98万元。") if not said.plain] == [
        "560 km",
        "19.98万元",
    ]
    assert [said.written for said in EN.read("It does 560 km on 82 kWh.") if not said.plain] == ["560 km", "82 kWh"]


@given(st.text(alphabet="0123456789,.-/:%¥$万元公里kmXx北风第 年月()%+~", max_size=40))
def test_no_letter_is_lost_and_slashes_only_hold_phonemes(text: str) -> None:
    for reader in (ZH, EN):
        said = reader.read(text)
        assert "".join(stretch.written for stretch in said) == text
        spoken = "".join(stretch.spoken for stretch in said)
        assert not re.search("[0-9]", spoken) or reader is EN
        assert spoken.count("/") % 2 == 0


@given(st.text(max_size=60))
def test_any_text_is_read(text: str) -> None:
    for reader in (ZH, EN):
        assert "".join(said.written for said in reader.read(text)) == text


@given(st.integers(min_value=0, max_value=10**15 - 1))
def test_chinese_numbers_say_their_value(number: int) -> None:
    cn2an = pytest.importorskip("cn2an")
    assert cn2an.cn2an(chinese(number), "smart") == number


def test_numbers_at_their_edges() -> None:
    assert [chinese(n) for n in (0, 10, 12, 110, 10_005, 100_500, 120_345, 2_0000_0000)] == [
        "零", "十", "十二", "一百一十", "一万零五", "十万零五百", "十二万零三百四十五", "两亿",
    ]  # fmt: skip
    assert chinese(10**16).startswith("一零")
    assert english(1_000_001) == "one million one"
    assert english(10**15).startswith("one zero")
    assert (ordinal(12), ordinal(20), ordinal(100)) == ("twelfth", "twentieth", "one hundredth")
    assert (year(1905), year(2000), year(1900)) == ("nineteen oh five", "two thousand", "nineteen hundred")


def test_an_editor_lays_entries_over_the_packaged_ones() -> None:
    mine = read_lexicons("zh-CN: {words: {ET7: 伊七}, pinyin: {朝阳: chao2 yang2}}", "mine.yaml", base=LEXICONS)
    assert squeezed(Reader(mine["zh-CN"]).spoken("新款et7")) == "新款伊七"
    assert mine["zh-CN"].pinyin["朝阳"] == "chao2 yang2"
    assert mine["zh-CN"].units == LEXICONS["zh-CN"].units
    assert mine["en-US"] == LEXICONS["en-US"]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("zh-CN: {word: {a: b}}", "zh-CN.word"),
        ("de-DE: {}", "de-DE"),
        ("zh-CN: {pinyin: {朝阳: chaoyang}}", "zh-CN.pinyin.朝阳"),
        ("zh-CN: {words: {GT: 5}}", "zh-CN.words.GT"),
        ("zh-CN: [", "mine.yaml:1"),
        ("zh-CN:\n  words:\n    a: b\n    GT: 5", "mine.yaml:4"),
        ("zh-CN:\n  words: {a: b, a: c}", "stands here twice"),
        ("- a", "mine.yaml"),
    ],
)
def test_a_wrong_lexicon_names_the_place(text: str, place: str) -> None:
    with pytest.raises(LexiconWrong, match=re.escape(place)):
        read_lexicons(text, "mine.yaml")
