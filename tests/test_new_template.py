"""A template that was just started is good as it is, and nothing that is there is overwritten."""

from __future__ import annotations

from pathlib import Path

import pytest

from factory.checking import check
from factory.errors import WrongUsage
from factory.new_template import TemplateTaken, new_template
from factory.settings import Settings
from factory.wiring import Parts


def test_a_new_template_is_good_and_is_the_users_own(tmp_path: Path) -> None:
    parts = Parts(Settings(home=tmp_path / "home", templates=tmp_path / "mine"))
    file = new_template("spring_drive", parts)
    assert file == tmp_path / "mine" / "storyboards" / "spring_drive.yaml.j2"
    assert check(file, parts).problems == ()
    assert parts.templates.describe("spring_drive").title.en == "Spring Drive"
    assert "@" not in file.read_text("utf-8")


def test_what_is_there_stays(tmp_path: Path) -> None:
    parts = Parts(Settings(home=tmp_path / "home", templates=tmp_path / "mine"))
    file = new_template("drive", parts)
    file.write_text("mine", encoding="utf-8")
    for name in ("drive", "ranking"):
        with pytest.raises(TemplateTaken):
            new_template(name, parts)
    assert file.read_text("utf-8") == "mine"


@pytest.mark.parametrize("name", ["", "Drive", "../x", "9lives", "_parts", "a b", "汽车", "a" * 65])
def test_a_bad_name_is_refused(tmp_path: Path, name: str) -> None:
    parts = Parts(Settings(home=tmp_path / "home", templates=tmp_path / "mine"))
    with pytest.raises(WrongUsage, match="cannot be called"):
        new_template(name, parts)
    assert not (tmp_path / "mine").exists()


def test_without_a_folder_or_with_one_that_takes_no_files_the_setting_is_named(tmp_path: Path) -> None:
    with pytest.raises(WrongUsage) as refusal:
        new_template("drive", Parts(Settings(home=tmp_path / "home", templates=None)))
    assert "FACTORY_TEMPLATES" in refusal.value.next_step
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(WrongUsage, match="cannot be written"):
        new_template("drive", Parts(Settings(home=tmp_path / "home", templates=tmp_path / "file")))
