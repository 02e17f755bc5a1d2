"""A CSV file of anybody's."""

from pathlib import Path

import numpy as np
import pytest

from deploy.evaluate.table import Block, Names, open_table
from schemas.errors import SettingError

NAMES = Names("when", ("motor 1 °C",), "broken")
ROWS = [("2026-03-02 08:00:00", "41.5", "0"), ("2026-03-02 08:00:01", "", "1"), ("2026-03-02 08:00:02", "x", "")]
HEADER = ("when", "motor 1 °C", "broken")


def read(tmp_path: Path, content: bytes | str, names: Names = NAMES) -> list[Block]:
    path = tmp_path / "press.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with open_table(path, names) as table:
        return list(table.blocks())


def lines(separator: str, quote: str = "") -> str:
    return "\n".join(separator.join(f"{quote}{cell}{quote}" for cell in row) for row in (HEADER, *ROWS)) + "\n"


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("quote", ["", '"'])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_separators_quotes_and_encodings_are_found_out(
    tmp_path: Path, separator: str, quote: str, encoding: str
) -> None:
    (block,) = read(tmp_path, lines(separator, quote).encode(encoding))
    assert list(block.times) == [row[0] for row in ROWS]
    assert np.diff(block.time_us).tolist() == [1_000_000, 1_000_000]
    np.testing.assert_array_equal(block.values, [[41.5], [np.nan], [np.nan]])
    assert block.labels is not None
    assert block.labels.tolist() == [0, 1, -1]


def test_a_semicolon_leaves_the_comma_to_the_decimals(tmp_path: Path) -> None:
    (block,) = read(tmp_path, "t;a, b;c\n0,5;1,25;2\n1,5;2,5;3\n", Names("t", ("a, b", "c")))
    assert block.values.tolist() == [[1.25, 2], [2.5, 3]]
    assert block.time_us.tolist() == [500_000, 1_500_000]


def test_columns_are_taken_by_name_in_the_order_asked_for(tmp_path: Path) -> None:
    (block,) = read(tmp_path, "a, t ,b\n1,0,2\n", Names("t", ("b", "a")))
    assert block.values.tolist() == [[2, 1]]


def test_blank_lines_are_no_rows_and_short_rows_end_with_absent_cells(tmp_path: Path) -> None:
    (block,) = read(tmp_path, "\nt,a\n0,1\n\n1\n2,3\n\n", Names("t", ("a",)))
    np.testing.assert_array_equal(block.values, [[1], [np.nan], [3]])
    assert block.time_us.tolist() == [0, 1_000_000, 2_000_000]


def test_a_row_without_a_time_has_that_of_the_row_before(tmp_path: Path) -> None:
    (block,) = read(tmp_path, "t,a\n5,1\n,2\nnan,3\n6,4\n", Names("t", ("a",)))
    assert block.time_us.tolist() == [5_000_000, 5_000_000, 5_000_000, 6_000_000]


def test_quotes_within_a_time_as_real_exports_have_them_do_not_count(tmp_path: Path) -> None:
    (block,) = read(
        tmp_path,
        't,a\n2026-01-01T00:00:00Z,1\n"""2026-01-01T00:00:01Z""",2\n',
        Names("t", ("a",)),
    )
    assert np.diff(block.time_us).tolist() == [1_000_000]
    assert block.times[1] == '"2026-01-01T00:00:01Z"'


def test_blocks_hold_all_rows_of_a_long_file_in_order(tmp_path: Path) -> None:
    rows = 10_000
    blocks = read(tmp_path, "t,a\n" + "".join(f"{n},{n}\n" for n in range(rows)), Names("t", ("a",)))
    assert len(blocks) == 3
    assert np.concatenate([block.values[:, 0] for block in blocks]).tolist() == list(range(rows))


@pytest.mark.parametrize(
    ("content", "names", "message"),
    [
        ("", NAMES, "the file is empty"),
        ("t,temp\n0,1\n", Names("t", ("tmp",)), "no column 'tmp'.*did you mean 'temp'"),
        ("T,a\n0,1\n", Names("t", ("a",)), "no column 't'; the columns are 'T', 'a'; did you mean 'T'"),
        ("t,a\n0,1\n1,2\nnoon,3\n", Names("t", ("a",)), "line 4, column 't': 'noon' is not a time as in the first"),
        ("t,a,l\n0,1,0\n1,2,broken\n", Names("t", ("a",), "l"), "line 3, column 'l': 'broken' is not a label"),
        ('t,a\n0,"' + "x" * 2_000_000, Names("t", ("a",)), "line .*field larger than field limit"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, content: str, names: Names, message: str) -> None:
    with pytest.raises(SettingError, match=f"press.csv: {message}"):
        read(tmp_path, content, names)
