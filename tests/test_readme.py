"""The README keeps step with the settings, and the notice with the packages that carry weights."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from factory.settings import Settings

ROOT = Path(__file__).parent.parent
WORDS = "whisper|voice|tts|rapidocr|minilm|sentence-encoder|efficientnet|noto|langid|misaki|imageio-ffmpeg"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_stands_in_the_readme(name: str) -> None:
    assert f"| `FACTORY_{name.upper()}` |" in (ROOT / "README.md").read_text("utf-8")


def test_the_readme_names_no_setting_that_is_not_there() -> None:
    named = set(re.findall(r"^\| `FACTORY_(\w+)`", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE))
    assert named == {name.upper() for name in Settings.model_fields}


def test_every_package_that_carries_weights_or_fonts_stands_in_the_notice() -> None:
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    packages = {re.split(r"[\[=<>]", line)[0] for line in wanted}
    carriers = {name for name in packages if re.search(WORDS, name)}
    notice = (ROOT / "NOTICE").read_text("utf-8")
    parts = re.compile(r"-[234]$")  # the further parts of a model, which its first line names
    assert len(carriers) > 10
    assert {name for name in carriers if not parts.search(name) and name not in notice} == set()


def test_every_direct_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    locked = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements.lock").read_text("utf-8"), re.MULTILINE))
    names = {re.split(r"[\[=<>]", line)[0].lower().replace("_", "-") for line in wanted}
    assert names - locked == {"torch"}
