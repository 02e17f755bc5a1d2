"""The migrations are numbered without a gap, and name every signal of the table in every place it belongs."""

from pathlib import Path

import pytest

from deploy.migrate import DIRECTORY, read_migrations
from schemas.errors import ContractError
from schemas.signals import SIGNALS, Component

SQL = "\n".join(migration.sql.decode() for migration in read_migrations(DIRECTORY))


@pytest.mark.parametrize("signal", SIGNALS, ids=lambda signal: signal.name)
def test_every_signal_has_its_columns_and_its_line_in_the_readings(signal):
    kind = "real[]" if signal.component is Component.JOINT else "real"
    lines = {" ".join(line.rstrip(",;").split()).removeprefix("ADD COLUMN ") for line in SQL.splitlines()}
    assert f"{signal.name} {kind}" in lines
    for statistic in signal.statistics:
        assert f"{signal.name}_{statistic} {kind}" in lines
    component = "" if signal.component is Component.JOINT else f"'{signal.component}', "
    assert f"({component}'{signal.name}', '{signal.unit}', frame.{signal.name})" in lines


def _directory(path: Path, *names: str) -> Path:
    for name in names:
        (path / name).write_text("SELECT 1;")
    return path


def test_files_come_in_the_order_of_their_numbers(tmp_path: Path):
    found = read_migrations(_directory(tmp_path, "0002_b.sql", "0001_a.sql", "README.md"))
    assert [(m.number, m.name) for m in found] == [(1, "0001_a.sql"), (2, "0002_b.sql")]


@pytest.mark.parametrize(
    "names",
    [("0002_a.sql",), ("0001_a.sql", "0003_b.sql"), ("0001_a.sql", "0001_b.sql"), ("first.sql",), ("0001.sql",)],
)
def test_a_gap_a_number_twice_and_another_name_are_refused(tmp_path: Path, names: tuple[str, ...]):
    with pytest.raises(ContractError, match=r"the next migration must be named 000\d_WORDS.sql"):
        read_migrations(_directory(tmp_path, *names))


def test_an_empty_directory_is_refused(tmp_path: Path):
    with pytest.raises(ContractError, match="holds no migrations"):
        read_migrations(tmp_path)
