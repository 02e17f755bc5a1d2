"""Times in whatever form a file has them."""

from datetime import UTC, datetime

import pytest

from deploy.evaluate.times import reader_of
from schemas.errors import SettingError

EIGHT = datetime(2026, 3, 2, 8, tzinfo=UTC)
EIGHT_US = int(EIGHT.timestamp()) * 1_000_000


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-02T08:00:00Z",
        "2026-03-02 08:00:00",
        "2026-03-02 08:00",
        "2026-03-02T09:00:00+01:00",
        "2026-03-02 09:00:00 +0100",
        "2026-03-02 08:00:00.000 UTC",
        "2026/03/02 08:00:00",
        "02.03.2026 08:00",
        "2.3.26 8:00:00",
        "20260302T080000",
        str(EIGHT_US // 1_000_000),
        str(EIGHT_US // 1000),
        str(EIGHT_US),
        str(EIGHT_US * 1000),
        f"{EIGHT_US // 1_000_000}.0",
    ],
)
def test_the_same_moment_in_many_forms(text: str) -> None:
    assert reader_of([text], 2, "when")(text) == EIGHT_US


def test_seconds_of_a_clock_keep_their_fraction() -> None:
    read = reader_of(["0.1"], 2, "t")
    assert [read(text) for text in ("0.1", "77198.536372661", "12")] == [100_000, 77_198_536_373, 12_000_000]


@pytest.mark.parametrize(
    ("texts", "moment"),
    [
        (["03/02/2026 08:00", "13/02/2026 08:00"], datetime(2026, 2, 3, 8, tzinfo=UTC)),
        (["02/03/2026 08:00", "02/13/2026 08:00"], datetime(2026, 2, 3, 8, tzinfo=UTC)),
        (["", "02/13/2026 08:00:00 PM"], None),
    ],
)
def test_one_unambiguous_row_decides_for_the_file(texts: list[str], moment: datetime | None) -> None:
    read = reader_of(texts, 2, "when")
    if moment is None:
        assert read(texts[1]) == int(datetime(2026, 2, 13, 20, tzinfo=UTC).timestamp()) * 1_000_000
    else:
        assert read(texts[0]) == int(moment.timestamp()) * 1_000_000


def test_day_or_month_that_no_row_decides_is_refused_with_line_and_column() -> None:
    with pytest.raises(SettingError, match=r"line 7, column 'when': '03/04/2026' may be day/month or month/day"):
        reader_of(["03/04/2026", "05/06/2026"], 7, "when")


def test_a_time_that_is_none_is_refused_with_line_and_column() -> None:
    with pytest.raises(SettingError, match=r"line 3, column 'when': 'yesterday' is not a time"):
        reader_of(["", "yesterday"], 2, "when")
