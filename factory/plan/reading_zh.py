"""How Mandarin reads numbers, units, money, dates and Latin letters."""

from __future__ import annotations

import re
from collections.abc import Sequence

from factory.plan.lexicon import Lexicon
from factory.plan.reading_rules import LATIN, NUMBER, TO, Rule, alternatives, sign_rule, word_rule

DIGITS = "零一二三四五六七八九"
TENS = "万|亿|万亿|千万|百万|千|百"
MONEY = {"¥": "元", "￥": "元", "$": "美元", "€": "欧元", "£": "英镑"}
PLAIN_ORDER = ("月", "日", "号", "级", "线", "代", "期")
"""Counted like an order, not an amount: 2 before them stays 二."""


def integer(number: int) -> str:
    """Return a whole number in words: 12345 is 一万两千三百四十五; from 17 digits on, digit by digit."""
    if number < 0:
        return "负" + integer(-number)
    if number >= 10**16:
        return digits(str(number))
    for power, name in ((10**8, "亿"), (10**4, "万")):
        if number >= power:
            high, low = divmod(number, power)
            gap = "零" if 0 < low < power // 10 else ""
            return ("两" if high == 2 else integer(high)) + name + gap + (_inner(low) if low else "")
    return _group(number).removeprefix("一" if 10 <= number < 20 else " ") or "零"


def _inner(number: int) -> str:
    """Words of what follows 亿 or 万, where 十 keeps its 一."""
    return _group(number) if number < 10_000 else ("一" if 10 <= number // 10_000 < 20 else "") + integer(number)


def _group(group: int) -> str:
    """Words of 1 to 9999."""
    words, gap = "", False
    for power, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = group // power % 10
        if digit == 0:
            gap = bool(words)
            continue
        words += "零" if gap else ""
        words += ("两" if digit == 2 and (power == 1000 or (power == 100 and not words)) else DIGITS[digit]) + name
        gap = False
    return words


def digits(text: str) -> str:
    """Return the digits one by one: 2026 is 二零二六."""
    return "".join(DIGITS[int(digit)] for digit in text)


def number(text: str) -> str:
    """Return a number as written (`12,345`, `19.98`, `007`) in words."""
    whole, _, part = text.replace(",", "").partition(".")
    words = digits(whole) if len(whole) > 1 and whole.startswith("0") else integer(int(whole))
    return words + ("点" + digits(part) if part else "")


def rules(lexicon: Lexicon) -> Sequence[Rule]:
    """Return the rules in the order in which they are tried."""
    return (word_rule(lexicon), *_date_rules(), *_number_rules(lexicon), _latin_rule(lexicon), sign_rule(lexicon))


def _date_rules() -> Sequence[Rule]:
    day = r"(?P<year>(?:19|20)[0-9]{2})[-/.](?P<month>0?[1-9]|1[0-2])(?:[-/.](?P<day>0?[1-9]|[12][0-9]|3[01]))?"
    return (
        Rule(re.compile(rf"(?<![0-9.]){day}(?![0-9%年]|[-.,][0-9])"), _date),
        Rule(
            re.compile(rf"(?<![0-9])(?P<one>[0-9]{{4}})(?:年?{TO}(?P<two>[0-9]{{4}}))?(?=[年款])"),
            lambda m: digits(m["one"]) + (f"到{digits(m['two'])}" if m["two"] else ""),
        ),
        Rule(re.compile(r"(?<![0-9:])(?P<hour>[01]?[0-9]|2[0-3]):(?P<minute>[0-5][0-9])(?![0-9:])"), _time),
        Rule(
            re.compile(r"(?<![0-9:])([0-9]{1,3}):([0-9]{1,3})(?![0-9:])"),
            lambda m: f"{number(m[1])}比{number(m[2])}",
        ),
    )


def _date(match: re.Match[str]) -> str:
    words = f"{digits(match['year'])}年{integer(int(match['month']))}月"
    return words + (f"{integer(int(match['day']))}日" if match["day"] else "")


def _time(match: re.Match[str]) -> str:
    hour, minute = int(match["hour"]), int(match["minute"])
    said = f"{'两' if hour == 2 else integer(hour)}点"
    if minute == 0:
        return said + "整"
    return said + ("零" if minute < 10 else "") + integer(minute) + "分"


def _number_rules(lexicon: Lexicon) -> Sequence[Rule]:
    sign = r"(?P<sign>(?<![A-Za-z0-9)])[-+±])?"
    span = rf"(?P<one>{NUMBER})(?P<tens1>{TENS})?(?:{TO}(?P<two>{NUMBER}))?(?P<tens>{TENS})?"
    unit = rf"(?:\s?(?P<unit>{alternatives(list(lexicon.units))}))?" if lexicon.units else "(?P<unit>(?!))?"

    def amount(match: re.Match[str]) -> str:
        return _amount(match, lexicon)

    return (
        Rule(re.compile(r"[0-9]+(?:\.[0-9]+){2,}"), lambda m: "点".join(digits(part) for part in m[0].split("."))),
        Rule(re.compile(rf"(?P<money>[¥￥$€£])\s?{span}"), _money),
        Rule(re.compile(r"第\s?(?P<n>[0-9]+)(?P<of>[名位款代届期排季])?"), _ordinal),
        Rule(re.compile(rf"{sign}(?P<one>{NUMBER})%?(?:{TO}(?P<two>{NUMBER}))?(?P<per>[%‰])"), _percent),
        Rule(re.compile(r"([1-9][0-9]?)/([1-9][0-9]{0,2})(?![0-9/])"), lambda m: f"{number(m[2])}分之{number(m[1])}"),
        Rule(re.compile(rf"({NUMBER})\s?[x×*]\s?({NUMBER})"), lambda m: f"{number(m[1])}乘{number(m[2])}"),
        Rule(re.compile(sign + span + unit), amount),
    )


def _ordinal(match: re.Match[str]) -> str:
    return f"第{integer(int(match['n']))}{match['of'] or ''}"


def _money(match: re.Match[str]) -> str:
    two = f"到{number(match['two'])}" if match["two"] else ""
    return number(match["one"]) + (match["tens1"] or "") + two + (match["tens"] or "") + MONEY[match["money"]]


def _percent(match: re.Match[str]) -> str:
    of = "百分之" if match["per"] == "%" else "千分之"
    two = f"到{of}{number(match['two'])}" if match["two"] else ""
    return {"-": "负", "+": "正", "±": "正负"}.get(match["sign"] or "", "") + of + number(match["one"]) + two


def _amount(match: re.Match[str], lexicon: Lexicon) -> str:
    """Say a number with what follows it. The unit is part of the stretch, so that no caption parts them."""
    unit = lexicon.units.get(match["unit"] or "", "")
    counted = bool(unit and unit not in PLAIN_ORDER)
    words = [_counted(match["one"], (counted and not match["two"]) or bool(match["tens1"] or match["tens"]))]
    words.append(match["tens1"] or "")
    if match["two"]:
        words += ["到", _counted(match["two"], counted or bool(match["tens"]))]
    return _sign(match["sign"], unit) + "".join(words) + (match["tens"] or "") + unit


def _counted(text: str, counted: bool) -> str:
    return "两" if counted and text == "2" else number(text)


def _sign(sign: str | None, unit: str) -> str:
    if sign == "-" and unit == "摄氏度":
        return "零下"
    return {"-": "负", "+": "正", "±": "正负"}.get(sign or "", "")


def _latin_rule(lexicon: Lexicon) -> Rule:
    """Model names (`X5`, `ID.4`, `A6L`) letter by letter and digit by digit; other Latin words as they are."""

    def say(match: re.Match[str]) -> str:
        parts = re.findall(rf"[{LATIN}]+(?:['’][{LATIN}]+)*|[0-9]+|\.[0-9]+", match[0])
        plus = [lexicon.signs.get("+", "")] if match[0].endswith("+") else []
        return " " + " ".join([*(_latin(part, lexicon, alone=len(parts) == 1) for part in parts), *plus]) + " "

    return Rule(re.compile(rf"[{LATIN}][{LATIN}0-9]*(?:['’.·-][{LATIN}0-9]+)*\+?"), say)


def _latin(part: str, lexicon: Lexicon, *, alone: bool) -> str:
    if part[0] in ".0123456789":
        return ("点" if part.startswith(".") and alone else "") + digits(part.lstrip("."))
    known = lexicon.words.get(part.casefold())
    if known:
        return known
    if _spelled(part, alone):
        return " ".join(lexicon.letters.get(letter, letter) for letter in part.upper())
    return part.lower() if part.isupper() else part


def _spelled(part: str, alone: bool) -> bool:
    """Say whether a Latin word is read letter by letter: single letters, abbreviations, the letters of a model code."""
    if len(part) == 1 or (not alone and len(part) <= 2):
        return True
    return part.isupper() and (len(part) <= 4 or not re.search("[AEIOUY]", part))
