"""The table of Protocol A: every experiment at every hidden share with several seeds, as Markdown and as a picture."""

from __future__ import annotations

import csv
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from understanding.learning.experiment import named_experiment, protocol_names
from understanding.learning.metrics import Calibration, calibration, class_reports
from understanding.learning.protocol_a import ProtocolA, Scores
from understanding.learning.runs import Report, load_student, records_for, run
from understanding.sizes import SIZES, first_branch
from understanding.yt8m.vocabulary import read_vocabulary

SHARES: Final = (0.9, 0.5)
SEEDS: Final = (0, 1, 2)
FIGURES: Final = {
    "gap": "GAP@20",
    "map": "mAP",
    "hit1": "Hit@1",
    "gap_no_picture": "GAP, no picture",
    "gap_no_sound": "GAP, no sound",
}
VOCABULARY: Final = "vocabulary.csv"
BEGIN, END = "<!-- protocol-a: made by factory evaluate -->", "<!-- /protocol-a -->"


@dataclass(frozen=True, slots=True)
class Row:
    """One experiment at one hidden share: the scores of each seed on the reported half."""

    name: str
    share: float
    scores: tuple[Scores, ...]

    def mean(self, figure: str) -> float:
        return statistics.fmean(asdict(score)[figure] for score in self.scores)

    def spread(self, figure: str) -> float:
        """Sample standard deviation over the seeds, 0 for one."""
        values = [asdict(score)[figure] for score in self.scores]
        return statistics.stdev(values) if len(values) > 1 else 0.0


def protocol_rows(
    data: ProtocolA,
    folder: Path,
    *,
    names: Sequence[str] = (),
    shares: Sequence[float] = SHARES,
    seeds: Sequence[int] = SEEDS,
    report: Report = lambda _name, _progress: None,
) -> list[Row]:
    """Run what has not been run yet and return the rows, best GAP first within a share."""
    rows = []
    for share in shares:
        of_share = []
        for name in names or methods():
            heads = (run(named_experiment(name, hidden_share=share, seed=seed), data, folder, report) for seed in seeds)
            of_share.append(Row(name, share, tuple(head.scores(data.report) for head in heads)))
        rows += sorted(of_share, key=lambda row: -row.mean("gap"))
    return rows


def methods() -> tuple[str, ...]:
    """Return the experiments of the table: without teachers, who are told labels of the videos scored."""
    return tuple(name for name in protocol_names() if not first_branch(SIZES[named_experiment(name).size]).told)


def markdown(rows: Sequence[Row]) -> str:
    """Return the table; each figure is mean ± standard deviation over the seeds."""
    lines = [
        f"| experiment | hidden | seeds | {' | '.join(FIGURES.values())} |",
        f"|---|---|---|{'---|' * len(FIGURES)}",
    ]
    for row in rows:
        cells = [f"{row.mean(figure):.4f} ± {row.spread(figure):.4f}" for figure in FIGURES]
        lines.append(f"| {row.name} | {row.share:.0%} | {len(row.scores)} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def write_classes(checkpoint: Path, folder: Path, target: Path) -> Calibration:
    """Write a CSV line for each class of a Protocol A checkpoint, scored on a folder, and return its calibration.

    Names come from `vocabulary.csv` in the folder or above it; a class is its index where there is none.
    """
    head = load_student(checkpoint)
    records = records_for(head, folder)
    listed = next((path for path in (folder / VOCABULARY, folder.parent / VOCABULARY) if path.is_file()), None)
    names = [entry.name for entry in read_vocabulary(listed).classes] if listed else []
    told = [names[index] if index < len(names) else str(index) for index in head.classes]
    probabilities = head.probabilities(records)
    lines = [one.as_dict() for one in class_reports(probabilities, records.fine, told)]
    with target.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, ["index", *lines[0]])
        table.writeheader()
        table.writerows({"index": index, **line} for index, line in zip(head.classes, lines, strict=True))
    return calibration(probabilities, records.fine)


def write_report(rows: Sequence[Row], target: Path) -> None:
    """Put the table between its marks in a Markdown file, at the end where it has none, and a picture beside it."""
    text = target.read_text(encoding="utf-8") if target.is_file() else ""
    picture = target.with_name("protocol-a.png")
    table = f"{BEGIN}\n{markdown(rows)}\n![Protocol A]({picture.name})\n{END}"
    before, mark, rest = text.partition(BEGIN)
    after = rest.partition(END)[2] if mark else "\n"
    target.write_text(f"{before}{table}{after}", encoding="utf-8")
    draw(rows, picture)


def draw(rows: Sequence[Row], target: Path) -> None:
    """Draw GAP with its spread, an axis for each hidden share."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415  matplotlib is wanted only where something is drawn
    from matplotlib.figure import Figure  # noqa: PLC0415  matplotlib is wanted only where something is drawn

    shares = sorted({row.share for row in rows}, reverse=True)
    most = max(sum(row.share == share for row in rows) for share in shares)
    figure = Figure(figsize=(6.5 * len(shares), 1.2 + 0.32 * most), layout="constrained")
    FigureCanvasAgg(figure)
    for axis, share in zip(figure.subplots(1, len(shares), squeeze=False)[0], shares, strict=True):
        shown = [row for row in reversed(rows) if row.share == share]
        for figure_name, offset, color in (("gap", 0.18, "#1f5fa8"), ("map", -0.18, "#e0a100")):
            axis.barh(
                [place + offset for place in range(len(shown))],
                [row.mean(figure_name) for row in shown],
                xerr=[row.spread(figure_name) for row in shown],
                height=0.34,
                color=color,
                label=FIGURES[figure_name],
            )
        axis.set_yticks(range(len(shown)), [row.name for row in shown])
        axis.set_xlim(0, 1)
        axis.grid(axis="x", alpha=0.3)
        axis.set_title(f"{share:.0%} of the fine cells hidden")
    figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    figure.savefig(target, dpi=110)
