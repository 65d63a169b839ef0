"""The columns by which the tables of a desk name cars: slug, make, a name in each language, or model and variant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from factory.plan.brief import Table
from factory.plan.tables import Row, TableUnfit, clean_name, clean_note, find_column

SLUGS = ("slug", "id", "编号")
MAKES = ("make", "brand", "manufacturer", "品牌", "厂商", "制造商")
NAMES_ZH = ("name zh", "中文名", "车型", "车名", "名称", "车型名称")
NAMES_EN = ("name en", "english name", "英文名", "name")
MODELS = ("model", "车系")
VARIANTS = ("variant", "trim", "版本", "款型")


@dataclass(frozen=True, slots=True)
class CarColumns:
    """The headers that a table has of these; at least one of `name_zh`, `name_en` and `model` is there."""

    slug: str | None
    make: str | None
    name_zh: str | None
    name_en: str | None
    model: tuple[str, ...]

    @classmethod
    def of(cls, table: Table, *, names_en: Sequence[str] = NAMES_EN, slugs_are_names: bool = False) -> CarColumns:
        """Return the columns of a table. `slugs_are_names`: where nothing else names a car, its slug does. Raises
        `TableUnfit` where no column names cars."""
        slug, name_zh = find_column(table.columns, SLUGS), find_column(table.columns, NAMES_ZH)
        model = tuple(column for names in (MODELS, VARIANTS) if (column := find_column(table.columns, names)))
        name_en = find_column(table.columns, names_en)
        if slugs_are_names and not (name_zh or name_en or model):
            name_en = slug
        if not (name_zh or name_en or model):
            raise TableUnfit(f"{table.name} has no column of names", next_step="call it name_zh, name_en or model")
        return cls(slug, find_column(table.columns, MAKES), name_zh, name_en, model)

    @property
    def of_names(self) -> str:
        """The column that a refusal of a name points to."""
        return self.name_en or self.name_zh or self.model[0]

    def make_of(self, row: Row) -> str:
        return clean_note(row[self.make]) if self.make else ""

    def names_of(self, row: Row) -> tuple[str, str]:
        """Return the zh and the en name that a row gives; one stands in for the other, and a bare model gets its make
        before it. Raises `RowRefused`."""
        make, bare = self.make_of(row), " ".join(row[column] for column in self.model if row[column])
        if make and bare and not bare.casefold().startswith(make.casefold()):
            bare = f"{make} {bare}"
        english = (row[self.name_en] if self.name_en else "") or bare
        chinese = (row[self.name_zh] if self.name_zh else "") or english
        return clean_name(chinese, self.of_names), clean_name(english or chinese, self.of_names)
