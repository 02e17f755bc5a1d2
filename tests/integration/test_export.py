"""What people take away, from a real database to files that others read."""

import csv
import io
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
from pyarrow import parquet

from deploy import cli
from schemas.robot_code import make_code
from serve import database, export
from serve.export import Export, Format, Progress, Size, What
from serve.filters import Filter

ONE, OTHER = (make_code("ZZ", "TEST", "MODEL1", str(number)) for number in (1, 2))
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
ROWS = 5


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    opened = await database.connect(database_url)
    for code in (ONE, OTHER):
        await opened.execute("INSERT INTO robot (robot_id, first_time) VALUES ($1, now())", code)
        for at in range(ROWS):
            time = NOON + timedelta(seconds=at)
            await opened.execute(
                "INSERT INTO frame (robot_id, time, seq, boot_id, mono_us, received, mode, backfill, scenario, "
                "software, joint_temperature_c, battery_soc) "
                "VALUES ($1, $2, $3, 1, 0, $2, 1, false, '=1+1', '1.0', '{40.5, NULL}', 0.5)",
                code, time, at,
            )  # fmt: skip
            await opened.execute(
                "INSERT INTO health_history VALUES ($1, $2, 'NORMAL', 'A', '[{\"component\": \"joint/1\"}]')",
                code, time,
            )  # fmt: skip
    yield opened
    await opened.close()


def _asked(form: Format, what: What = What.FRAMES, wanted: Filter | None = None, seconds: int = 60) -> Export:
    return Export(
        what=what, wanted=wanted or Filter(), start=NOON, end=NOON + timedelta(seconds=seconds), format=form
    )  # fmt: skip


async def _bytes(
    connection: asyncpg.Connection, asked: Export, told: Callable[[Progress], None] = lambda progress: None
) -> bytes:
    @asynccontextmanager
    async def reading() -> AsyncIterator[asyncpg.Connection]:
        async with connection.transaction(readonly=True):
            yield connection

    robots = await export.robots_of(connection, asked.wanted)
    return b"".join([piece async for piece in export.export(reading, asked, robots, told)])


async def test_csv_has_a_line_a_frame_robot_by_robot_and_no_formula(connection, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(export, "ROWS_AT_ONCE", 2)
    content = await _bytes(connection, _asked(Format.CSV))
    rows = list(csv.DictReader(io.StringIO(content.decode(), newline="")))
    assert [(row["robot_id"], row["seq"]) for row in rows] == [
        (code, str(at)) for code in sorted((ONE, OTHER)) for at in range(ROWS)
    ]
    assert (
        rows[0] | {"time": "2026-11-24T12:00:00Z", "scenario": "'=1+1", "joint_temperature_c": "[40.5,null]"}
        == rows[0]
    )
    assert rows[0]["joint_wear"] == ""


async def test_parquet_has_the_same_rows_with_their_types(
    connection, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setattr(export, "ROWS_AT_ONCE", 2)
    path = tmp_path / "frames.parquet"
    path.write_bytes(await _bytes(connection, _asked(Format.PARQUET)))
    table = parquet.read_table(path)
    assert table.num_rows == 2 * ROWS
    assert parquet.ParquetFile(path).num_row_groups == 6
    first = table.slice(0, 1).to_pylist()[0]
    assert (first["time"], first["scenario"]) == (NOON, "=1+1")
    assert (first["joint_temperature_c"], first["joint_wear"], first["backfill"]) == ([40.5, None], None, False)


@pytest.mark.parametrize("form", Format)
@pytest.mark.parametrize("what", What)
async def test_every_table_can_be_exported_also_when_nothing_is_in_it(connection, form: Format, what: What):
    content = await _bytes(connection, _asked(form, what, Filter(text="NOBODY")))
    assert content


async def test_health_is_exported_with_its_components(connection):
    content = await _bytes(connection, _asked(Format.CSV, What.HEALTH))
    row = next(csv.DictReader(io.StringIO(content.decode(), newline="")))
    assert row["components"] == '[{"component":"joint/1"}]'


async def test_only_the_robots_and_the_time_that_were_asked_for(connection):
    told: list[Progress] = []
    asked = _asked(Format.CSV, wanted=Filter(prefixes=(ONE,)), seconds=2)
    content = await _bytes(connection, asked, told.append)
    rows = list(csv.DictReader(io.StringIO(content.decode(), newline="")))
    assert {row["robot_id"] for row in rows} == {ONE}
    assert told[-1] == Progress(1, 1, 2, 1.0)
    assert await export.size_of(connection, asked) == Size(robots=1, rows=2)


async def test_how_far_it_is_follows_from_robots_and_the_time_of_the_last_row(
    connection, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(export, "ROWS_AT_ONCE", 3)
    told: list[Progress] = []
    await _bytes(connection, _asked(Format.CSV, seconds=10), told.append)
    assert [(one.done, one.rows, one.share) for one in told] == [
        (0, 0, 0.0), (0, 3, 0.1), (0, 5, 0.2), (1, 5, 0.5), (1, 8, 0.6), (1, 10, 0.7), (2, 10, 1.0),
    ]  # fmt: skip


async def test_what_takes_long_to_count_is_not_counted_and_the_transaction_goes_on(
    connection, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(export, "COUNT_WITHIN_S", 0.000_001)
    async with connection.transaction():
        assert await export.size_of(connection, _asked(Format.CSV)) == Size(robots=2, rows=None)
        assert await connection.fetchval("SELECT count(*) FROM robot") == 2


def test_the_command_writes_a_file_or_none(
    database_url: str,
    connection,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    monkeypatch.setenv("ROBOVITALS_DATABASE_URL", database_url)
    monkeypatch.setenv("ROBOVITALS_KAFKA_BOOTSTRAP", "127.0.0.1:1")
    path = tmp_path / "out.csv"
    range_ = ["--start", "2026-11-24T12:00", "--end", "2026-11-24T13:00Z"]
    assert cli.main(["export", "frames", "--robot", ONE, "--out", str(path), *range_]) == 0
    assert "5 rows" in capsys.readouterr().err
    assert len(path.read_text().splitlines()) == 1 + ROWS
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--start", "yesterday"], "--start 'yesterday': give a time"),
        (["--start", "2026-11-25", "--end", "2026-11-24"], "is not before --end"),
    ],
)
def test_a_wrong_range_is_named(options: list[str], text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert cli.main(["export", "frames", "--out", str(tmp_path / "x.csv"), *options]) != 0
    assert text in capsys.readouterr().err
