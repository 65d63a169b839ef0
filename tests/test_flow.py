from factory.render.flow import flow

GROUPS = [("Data", ["A table, 2026"]), ("Footage", [f"Clip {i} by a person with quite a long name" for i in range(12)])]


def test_all_entries_are_placed_in_order_without_overlap() -> None:
    placed = flow(GROUPS, 28, 400, 2, 20)
    assert placed.left_out == 0
    assert len({(line.column, line.row) for line in placed.lines}) == len(placed.lines)
    assert [line.words for line in placed.lines if line.sort == "head"] == ["Data", "Footage"]
    assert sorted(placed.lines, key=lambda line: (line.column, line.row)) == list(placed.lines)


def test_columns_are_filled_evenly_and_a_heading_keeps_its_first_entry() -> None:
    placed = flow(GROUPS, 28, 2000, 2, 30)
    heights = [sum(line.column == column for line in placed.lines) for column in (0, 1)]
    assert abs(heights[0] - heights[1]) <= 3
    for line in placed.lines:
        if line.sort == "head":
            assert any(other.column == line.column and other.row == line.row + 1 for other in placed.lines)


def test_what_does_not_fit_is_counted_and_leaves_a_row_free() -> None:
    placed = flow(GROUPS, 28, 400, 1, 8)
    assert placed.left_out > 0
    assert max(line.row for line in placed.lines) <= 6
    assert flow([], 28, 400, 1, 8).lines == ()
