"""How American English reads numbers, units, money, dates and Chinese names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from pypinyin import lazy_pinyin

from factory.plan.lexicon import Lexicon
from factory.plan.reading_rules import HAN, NUMBER, TO, Rule, alternatives, sign_rule, word_rule

ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
TENS = ("_", "_", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
SCALES = ((10**12, "trillion"), (10**9, "billion"), (10**6, "million"), (1000, "thousand"))
ORDINALS = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth",
    "twelve": "twelfth",
}  # fmt: skip
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
MONEY = {"¥": "yuan", "￥": "yuan", "$": "dollars", "€": "euros", "£": "pounds"}
POWERS = {"万": 10**4, "亿": 10**8, "千": 1000, "k": 1000, "K": 1000}
POWER = r"(?:\s?(?P<power>万|亿|千|[kK](?![A-Za-z])|thousand|million|billion|trillion))?"


def integer(number: int) -> str:
    """Return a whole number in words: 12345 is twelve thousand three hundred forty-five."""
    if number < 0:
        return "minus " + integer(-number)
    if number >= 10**15:
        return digits(str(number))
    for scale, name in SCALES:
        if number >= scale:
            rest = number % scale
            return f"{integer(number // scale)} {name}" + (f" {integer(rest)}" if rest else "")
    if number >= 100:
        rest = number % 100
        return f"{ONES[number // 100]} hundred" + (f" {integer(rest)}" if rest else "")
    if number < 20:
        return ONES[number]
    return TENS[number // 10] + (f"-{ONES[number % 10]}" if number % 10 else "")


def digits(text: str) -> str:
    return " ".join(ONES[int(digit)] for digit in text)


def ordinal(number: int) -> str:
    """Return 21 as twenty-first."""
    head, cut, last = re.fullmatch(r"(.*?)([ -]?)([a-z]+)", integer(number)).groups()  # type: ignore[union-attr]  # the words of a number always match
    regular = (last[:-1] + "ie" if last.endswith("y") else last) + "th"
    return head + cut + ORDINALS.get(last, regular)


def year(number: int) -> str:
    """Return 2026 as twenty twenty-six, 1905 as nineteen oh five, 2005 as two thousand five."""
    high, low = divmod(number, 100)
    if high % 10 == 0 and low < 10:
        return integer(number)
    return f"{integer(high)} " + ("hundred" if low == 0 else f"oh {ONES[low]}" if low < 10 else integer(low))


def number(text: str, power: str = "") -> str:
    """Return a number as written (`12,345`, `19.98`, `1.2` million, `19.98` 万) in words."""
    plain = text.replace(",", "")
    if power in POWERS:
        plain = format((Decimal(plain) * POWERS[power]).normalize(), "f")
        power = ""
    whole, _, part = plain.partition(".")
    words = digits(whole) if len(whole) > 1 and whole.startswith("0") else integer(int(whole))
    return words + (f" point {digits(part)}" if part else "") + (f" {power}" if power else "")


def rules(lexicon: Lexicon) -> Sequence[Rule]:
    """Return the rules in the order in which they are tried."""
    return (*_number_rules(lexicon), word_rule(lexicon), _han_rule(), sign_rule(lexicon))


def _number_rules(lexicon: Lexicon) -> Sequence[Rule]:
    free = r"(?<![A-Za-z0-9.])"  # not inside a model name: X5, ID.4, A6L are the voice's own
    sign = r"(?P<sign>(?<![A-Za-z0-9)])[-+±])?"
    span = rf"(?P<one>{NUMBER})(?:{TO}(?P<two>{NUMBER}))?"
    unit = (
        rf"(?:(?P<join>[\s-])?(?P<unit>{alternatives(list(lexicon.units))}))?"
        if lexicon.units
        else "(?P<join>(?!))?(?P<unit>(?!))?"
    )
    day = r"(?P<year>(?:19|20)[0-9]{2})[-/](?P<month>0?[1-9]|1[0-2])(?:[-/](?P<day>0?[1-9]|[12][0-9]|3[01]))?"
    return (
        Rule(re.compile(rf"{free}{day}(?![0-9%]|[-.,][0-9])"), _date),
        Rule(re.compile(r"(?<![A-Za-z0-9])[0-9]+(?:\.[0-9]+){2,}"), _version),
        Rule(re.compile(rf"(?:(?P<money>[¥￥$€£])|(?P<code>CNY|RMB|USD|EUR|GBP)\s)\s?{span}{POWER}"), _money),
        Rule(re.compile(rf"{free}([0-9]{{1,3}})(?:st|nd|rd|th)\b"), lambda m: ordinal(int(m[1]))),
        Rule(re.compile(rf"{free}((?:19|20)[0-9]0)s\b"), lambda m: re.sub("y$", "ie", year(int(m[1]))) + "s"),
        Rule(re.compile(rf"{free}(?P<hour>[01]?[0-9]|2[0-3]):(?P<minute>[0-5][0-9])(?![0-9:])"), _time),
        Rule(re.compile(rf"{free}([0-9]{{1,3}}):([0-9]{{1,3}})(?![0-9:])"), lambda m: _two(m, "to")),
        Rule(re.compile(rf"{free}{sign}(?P<one>{NUMBER})%?(?:{TO}(?P<two>{NUMBER}))?\s?(?P<per>%)"), _percent),
        Rule(re.compile(rf"{free}({NUMBER})\s?[x×*]\s?({NUMBER})(?![A-Za-z])"), lambda m: _two(m, "by")),
        Rule(re.compile(rf"{free}{sign}{span}{POWER}{unit}(?![A-Za-z]|\.[0-9])"), lambda m: _amount(m, lexicon)),
        Rule(re.compile(rf"{free}([0-9]+\.[0-9]+)(?=[A-Za-z])"), lambda m: f"{number(m[1])} "),  # 1.5T
    )  # fmt: skip


def _version(match: re.Match[str]) -> str:
    return " point ".join(digits(part) for part in match[0].split("."))


def _two(match: re.Match[str], between: str) -> str:
    return f"{number(match[1])} {between} {number(match[2])}"


def _date(match: re.Match[str]) -> str:
    month, said = MONTHS[int(match["month"]) - 1], year(int(match["year"]))
    return f"{month} {ordinal(int(match['day']))}, {said}" if match["day"] else f"{month} {said}"


def _time(match: re.Match[str]) -> str:
    hour, minute = integer(int(match["hour"])), int(match["minute"])
    return f"{hour} o'clock" if minute == 0 else f"{hour} {'oh ' if minute < 10 else ''}{integer(minute)}"


def _money(match: re.Match[str]) -> str:
    names = {"CNY": "yuan", "RMB": "yuan", "USD": "dollars", "EUR": "euros", "GBP": "pounds"}
    name = MONEY[match["money"]] if match["money"] else names[match["code"]]
    two = f" to {number(match['two'], match['power'] or '')}" if match["two"] else ""
    one = number(match["one"], "" if two else match["power"] or "")
    return f"{one}{two} {name[:-1] if one == 'one' and name != 'yuan' and not two else name}"


def _percent(match: re.Match[str]) -> str:
    two = f" to {number(match['two'])}" if match["two"] else ""
    return f"{_sign(match['sign'])}{number(match['one'])}{two} percent"


def _amount(match: re.Match[str], lexicon: Lexicon) -> str:
    """Say a number with its unit. Four bare digits from 1900 to 2099 are a year."""
    one, two, power = match["one"], match["two"], match["power"] or ""
    unit = lexicon.units.get(match["unit"] or "", "")
    if not unit and not power and all(re.fullmatch("(?:19|20)[0-9]{2}", text) for text in (one, two or one)):
        return year(int(one)) + (f" to {year(int(two))}" if two else "")
    said = number(one, "" if two else power) + (f" to {number(two, power)}" if two else "")
    singular, _, plural = unit.partition("|")
    name = singular if said == "one" or match["join"] == "-" else plural or singular
    return _sign(match["sign"]) + said + (f" {name}" if name else "")


def _sign(sign: str | None) -> str:
    return {"-": "minus ", "+": "plus ", "±": "plus or minus "}.get(sign or "", "")


def _han_rule() -> Rule:
    """Chinese words that the lexicon does not know are said as their pinyin, for the English voice has no other."""
    return Rule(
        re.compile(f"[{HAN}]+"), lambda match: f" {''.join(lazy_pinyin(match[0])).replace('ü', 'u').capitalize()} "
    )
