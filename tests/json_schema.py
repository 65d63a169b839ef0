"""A JSON Schema checker of the words that a published schema uses (2020-12), written after the specification alone, and
documents drawn from a schema: right ones, and ones with something wrong in them."""

from __future__ import annotations

import random
import re
from typing import Any

Schema = dict[str, Any]
NOTES = {"$schema", "$defs", "title", "description", "default", "discriminator", "examples"}
TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "null": type(None),
    "number": (int, float),
    "integer": (int, float),
}
JUNK: tuple[Any, ...] = (None, True, "", "3", "auto", -1, 0, 3.0, 0.5, 10**17, [], {}, [1], {"a": 1}, "a" * 300, "北风")


def accepts(schema: Schema, value: Any, root: Schema | None = None) -> bool:
    """Tell whether `value` is valid; a keyword that is not known here raises."""
    root = root or schema
    return all(_holds(word, wanted, schema, value, root) for word, wanted in schema.items() if word not in NOTES)


def _holds(word: str, wanted: Any, schema: Schema, value: Any, root: Schema) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    match word:
        case "$ref":
            return accepts(root["$defs"][wanted.removeprefix("#/$defs/")], value, root)
        case "type":
            whole = wanted != "integer" or (number and float(value).is_integer())
            return isinstance(value, TYPES[wanted]) and whole and (wanted == "boolean") == isinstance(value, bool)
        case "const" | "enum":
            options = wanted if word == "enum" else [wanted]
            return any(value == option and isinstance(value, bool) == isinstance(option, bool) for option in options)
        case "anyOf":
            return any(accepts(arm, value, root) for arm in wanted)
        case "oneOf":
            return sum(accepts(arm, value, root) for arm in wanted) == 1
        case "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum":
            sign = -1 if "aximum" in word else 1
            return not number or (sign * value >= sign * wanted if word[0] == "m" else sign * value > sign * wanted)
        case "minLength" | "maxLength" | "minItems" | "maxItems":
            sized = isinstance(value, str if "Length" in word else list)
            return not sized or (len(value) >= wanted if word[:3] == "min" else len(value) <= wanted)
        case "pattern":
            return not isinstance(value, str) or re.search(wanted.replace("$", r"\Z"), value) is not None
        case "required":
            return not isinstance(value, dict) or set(wanted) <= set(value)
        case "properties":
            return not isinstance(value, dict) or all(
                accepts(wanted[key], item, root) for key, item in value.items() if key in wanted
            )
        case "additionalProperties":
            assert isinstance(wanted, bool)
            return wanted or not isinstance(value, dict) or set(value) <= set(schema.get("properties", ()))
        case "items":
            rest = value[len(schema.get("prefixItems", ())) :] if isinstance(value, list) else []
            return all(accepts(wanted, item, root) for item in rest)
        case "prefixItems":
            pairs = zip(wanted, value, strict=False) if isinstance(value, list) else ()
            return all(accepts(part, item, root) for part, item in pairs)
    raise NotImplementedError(f"the schema uses {word!r}")


def drawn(schema: Schema, dice: random.Random, root: Schema, wrong: float) -> Any:
    """Return a document of the schema; with the chance `wrong` at every value and key it is something else."""
    if dice.random() < wrong:
        return dice.choice(JUNK)
    if "$ref" in schema:
        return drawn(root["$defs"][schema["$ref"].removeprefix("#/$defs/")], dice, root, wrong)
    for word in ("anyOf", "oneOf", "enum"):
        if word in schema:
            option = dice.choice(schema[word])
            return option if word == "enum" else drawn(option, dice, root, wrong)
    if "const" in schema:
        return schema["const"]
    match schema.get("type"):
        case "object":
            return _object(schema, dice, root, wrong)
        case "array":
            fixed = schema.get("prefixItems")
            if fixed:
                return [drawn(part, dice, root, wrong) for part in fixed]
            least = schema.get("minItems", 0)
            return [drawn(schema["items"], dice, root, wrong) for _ in range(least + dice.randrange(3))]
        case "string":
            return _text(schema, dice)
        case "boolean":
            return dice.random() < 0.5
        case "number" | "integer" as sort:
            low: Any = schema.get("minimum", schema.get("exclusiveMinimum", -20))
            high: Any = schema.get("maximum", schema.get("exclusiveMaximum", low + 40))
            return dice.randint(int(low), int(high)) if sort == "integer" else round(dice.uniform(low, high), 2)
    return None


def _object(schema: Schema, dice: random.Random, root: Schema, wrong: float) -> dict[str, Any]:
    made = {}
    for key, part in schema.get("properties", {}).items():
        if key in schema.get("required", ()) or dice.random() < 0.4:
            name = key if dice.random() >= wrong else dice.choice([key + "s", key[1:], key.upper()])
            made[name] = drawn(part, dice, root, wrong)
    return made


def _text(schema: Schema, dice: random.Random) -> str:
    pattern = schema.get("pattern", "")
    if "#" in pattern:
        return dice.choice(["#0f1216", "#FFB000"])
    if "png" in pattern:
        return dice.choice(["car.jpg", "a" * 64])
    if pattern:
        return dice.choice(["drive", "rank_card", "plain", "x-5"]) + str(dice.randrange(1000))
    return dice.choice(["北风 X5", "Northwind X5: 560 km", "{{ 7 * 7 }}", "a\nb"])[: schema.get("maxLength", 99)]
