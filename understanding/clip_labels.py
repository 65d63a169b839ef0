"""Hand labels of real clips: a CSV of files with a coarse label and fine tags, in the words of whoever wrote it."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from understanding.errors import Refused
from understanding.labels import COARSE, Taxonomy

MAPPING_FILE: Final = Path(__file__).parent / "data" / "label_words.yaml"
COLUMNS: Final = ("file", "coarse", "tags")
BETWEEN: Final = ";"  # fine tags


class LabelsRefused(Refused):
    """A table of labels that cannot be read."""

    code = "labels-refused"


@dataclass(frozen=True, slots=True)
class LabelledClip:
    """A clip and what a person saw in it. `tags` are fine tags of the taxonomy with all that they imply; `seen` is
    all that its row says, the coarse label and fine words that name another coarse label among them."""

    path: Path
    coarse: str
    tags: frozenset[str]
    source: str  # clips of one source are never on both sides of a split
    licence: str = ""
    seen: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class LabelTable:
    """The clips of a table, the rows that could not be used, and the words that mean no tag, with their number."""

    clips: tuple[LabelledClip, ...]
    refused: tuple[str, ...]
    unknown: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class LabelWords:
    """How other people's words map to the taxonomy; a word that is neither here nor one of its names is unknown."""

    meaning: Mapping[str, str]
    without_tag: frozenset[str]

    def tag(self, word: str, taxonomy: Taxonomy) -> str | None:
        return self.meaning.get(word) or taxonomy.resolve(word)


def load_words(taxonomy: Taxonomy, path: Path = MAPPING_FILE) -> LabelWords:
    """Read a mapping, or raise LabelsRefused naming the word that leads nowhere."""
    try:
        written = yaml.safe_load(path.read_text(encoding="utf-8"))
        words = LabelWords(dict(written["meaning"] or {}), frozenset(written["without_tag"] or ()))
    except (OSError, yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError, ValueError) as error:
        raise LabelsRefused(
            f"{path}: not a mapping of label words: {error}", next_step="write `meaning:` and `without_tag:`"
        ) from error
    for word, tag in words.meaning.items():
        if tag not in taxonomy:
            near = ", ".join(taxonomy.nearest(str(tag)))
            raise LabelsRefused(f"{path}: {word!r} means the unknown tag {tag!r}", next_step=f"name a tag: {near}")
    return words


def read_labels(table: Path, folder: Path, taxonomy: Taxonomy, words: LabelWords | None = None) -> LabelTable:
    """Read a table whose files lie in `folder`; rows that name no file or no coarse label are refused by line.

    Columns `file`, `coarse`, `tags` (between semicolons); where there is a `source_repo`, clips of one owner are of one
    source, else each clip is its own. Raises LabelsRefused.
    """
    words = words or load_words(taxonomy)
    clips: list[LabelledClip] = []
    refused: list[str] = []
    unknown: Counter[str] = Counter()
    for line, row in _rows(table):
        path, coarse = folder / row["file"], words.tag(row["coarse"], taxonomy)
        if not path.is_file():
            refused.append(f"{table}:{line}: there is no file {row['file']!r} in {folder}")
            continue
        if coarse not in taxonomy.facet(COARSE):
            refused.append(f"{table}:{line}: {row['coarse']!r} is no coarse label")
            continue
        named = {word: words.tag(word, taxonomy) for word in _split(row["tags"]) if word not in words.without_tag}
        unknown.update(word for word, tag in named.items() if tag is None)
        tags = _implied(filter(None, named.values()), taxonomy)
        source = row.get("source_repo", "").partition("/")[0] or row["file"]
        clips.append(
            LabelledClip(
                path,
                str(coarse),
                tags - set(taxonomy.facet(COARSE)),
                source,
                row.get("licence", ""),
                seen=tags | _implied([str(coarse)], taxonomy),
            )
        )
    if not clips:
        why = refused[0] if refused else f"{table}: it has no rows"
        raise LabelsRefused(why, next_step="write a row for each clip: its file, its coarse label, its tags")
    return LabelTable(tuple(clips), tuple(refused), unknown)


def _implied(tags: Iterable[str], taxonomy: Taxonomy) -> frozenset[str]:
    return frozenset(above for tag in tags for above in (tag, *taxonomy.ancestors(tag)))


def _rows(table: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield (line, row) with every cell a text."""
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise LabelsRefused(
                    f"{table}:1: there is no column {missing[0]!r}", next_step=f"name the columns {', '.join(COLUMNS)}"
                )
            for row in reader:
                yield reader.line_num, {name: (cell or "").strip() for name, cell in row.items() if name}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise LabelsRefused(f"{table}: not a readable CSV: {error}", next_step="save it as CSV in UTF-8") from error


def _split(cell: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word.strip() for word in cell.split(BETWEEN) if word.strip()))
