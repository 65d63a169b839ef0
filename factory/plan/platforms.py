"""What each platform takes of a video's words: lengths, the form of hashtags, chapters. The packaged rules are
`factory/plan/data/platforms.yaml`."""

from __future__ import annotations

from collections.abc import Mapping

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from factory.errors import FactoryError


class PlatformsWrong(FactoryError):
    """The rules of the platforms cannot be read."""

    code = "platforms-wrong"
    exit_code = 2


class _Rule(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Name(_Rule):
    zh: str
    en: str


class TitleRule(_Rule):
    """`allowed` are the signs a title may hold beside letters, digits and spaces; None: all that are not refused."""

    least: int = Field(ge=1)
    most: int = Field(ge=1)
    allowed: str | None = None


class DescriptionRule(_Rule):
    most: int = Field(ge=100)


class HashtagRule(_Rule):
    """How a tag is written (`{}` is the word), how many and how long; `counted`: they stand in the description."""

    form: str = Field(pattern=r"^[^{}]*\{\}[^{}]*$")
    most: int = Field(ge=0)
    longest: int = Field(ge=1)
    counted: bool


class ChapterRule(_Rule):
    seconds: float = Field(gt=0)
    fewest: int = Field(ge=1)


class Platform(_Rule):
    """The rules of one platform. `refused` are signs that no text may hold."""

    name: Name
    title: TitleRule
    description: DescriptionRule
    hashtags: HashtagRule
    chapters: ChapterRule | None
    refused: str = ""


def read_platforms(text: str, source_name: str) -> Mapping[str, Platform]:
    """Parse the rules of all platforms. Raises PlatformsWrong naming the file and the place."""
    try:
        pages = yaml.safe_load(text) or {}
        return {str(name): Platform.model_validate(rules) for name, rules in pages.items()}
    except (yaml.YAMLError, AttributeError) as error:
        raise PlatformsWrong(f"{source_name} is no list of platforms: {error}", next_step="mend the file") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise PlatformsWrong(f"{source_name}: {place}: {first['msg']}", next_step=f"mend {place}") from error
