"""Migrations against a real TimescaleDB: what they make, and when they refuse."""

import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from deploy.local import ports
from deploy.migrate import DIRECTORY, migrate
from deploy.settings import Endpoints
from schemas.errors import ContractError, UnavailableError
from schemas.signals import SIGNALS, Component

COLUMNS = """
SELECT column_name, CASE data_type WHEN 'ARRAY' THEN udt_name ELSE data_type END
FROM information_schema.columns WHERE table_schema = 'public' AND table_name = %s"""
PLAN = """
EXPLAIN SELECT * FROM reading
WHERE robot_id = 'ZZTESTMODEL10000000000000001B' AND time >= '2026-03-02' AND time < '2026-03-03'"""
FRAME = """
INSERT INTO frame (robot_id, time, seq, boot_id, mono_us, received, mode, backfill, scenario, software, joint_wear,
                   battery_soc)
VALUES ('ZZTESTMODEL10000000000000001B', %s, 0, 1, 0, now(), 1, false, '', '', ARRAY[0.5, NULL, 0.75]::real[],
        0.25)"""


@pytest.fixture
def empty_url(stack: Endpoints) -> Iterator[str]:
    """A database of its own without any table."""
    with psycopg.connect(stack.database_url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE unmigrated")
        yield urlsplit(stack.database_url)._replace(path="/unmigrated").geturl()
        connection.execute("DROP DATABASE unmigrated WITH (FORCE)")


def _fetch(url: str, query: str, *arguments: object) -> list[tuple]:
    with psycopg.connect(url) as connection:
        return connection.execute(query, arguments).fetchall()


def test_every_signal_is_a_column_of_its_type_and_nothing_else_is_one(database_url: str):
    kinds = {s.name: "_float4" if s.component is Component.JOINT else "real" for s in SIGNALS}
    frame = dict(_fetch(database_url, COLUMNS, "frame"))
    extremes = {"lowest": "_float4", "highest": "_float4"}
    assert {name: kind for name, kind in frame.items() if kind in ("_float4", "real")} == kinds | extremes
    vitals = dict(_fetch(database_url, COLUMNS, "vitals"))
    expected = {f"{s.name}_{statistic}": kinds[s.name] for s in SIGNALS for statistic in s.statistics}
    assert {name: kind for name, kind in vitals.items() if kind in ("_float4", "real")} == expected


def test_the_view_of_readings_has_every_signal_with_its_component_and_unit(database_url: str):
    names = sql.SQL(", ").join(sql.Identifier(s.name) for s in SIGNALS)
    values = sql.SQL(", ").join(
        sql.SQL("ARRAY[0.5]::real[]" if s.component is Component.JOINT else "0.5") for s in SIGNALS
    )
    with psycopg.connect(database_url) as connection:
        connection.execute(
            sql.SQL(
                "INSERT INTO frame (robot_id, time, seq, boot_id, mono_us, received, mode, backfill, scenario,"
                " software, {}) VALUES ('Z', now(), 0, 1, 0, now(), 1, false, '', '', {})"
            ).format(names, values)
        )
        found = connection.execute("SELECT component, joint, signal, unit, value FROM reading").fetchall()
    expected = {
        ("joint/1", 1, s.name, s.unit, 0.5)
        if s.component is Component.JOINT
        else (s.component.value, 0, s.name, s.unit, 0.5)
        for s in SIGNALS
    }
    assert set(found) == expected


def test_the_view_of_readings_is_one_row_a_reading(database_url: str):
    with psycopg.connect(database_url) as connection:
        connection.execute(FRAME, ["2026-03-02 10:00+00"])
        rows = connection.execute("SELECT component, joint, signal, value FROM reading ORDER BY 1").fetchall()
    assert rows == [
        ("battery", 0, "battery_soc", 0.25),
        ("joint/1", 1, "joint_wear", 0.5),
        ("joint/3", 3, "joint_wear", 0.75),
    ]


def test_readings_of_one_robot_and_a_range_of_time_are_found_by_the_index(database_url: str):
    with psycopg.connect(database_url) as connection:
        for day in range(1, 6):
            connection.execute(FRAME, [f"2026-03-0{day} 10:00+00"])
        connection.execute("SET enable_seqscan = off")
        plan = "\n".join(row[0] for row in connection.execute(PLAN).fetchall())
    assert plan.count("Scan using") == 1, plan  # the other days' chunks are left out
    assert "frame_key" in plan
    assert "Index Cond: ((robot_id = " in plan
    assert '"time" >= ' in plan


def test_impossible_readings_that_are_there_already_learn_their_boot(empty_url: str, tmp_path: Path):
    for path in DIRECTORY.glob("000[1-6]_*.sql"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    migrate(empty_url, tmp_path)
    with psycopg.connect(empty_url) as connection:
        connection.execute(FRAME, ["2026-03-02 10:00+00"])
        connection.execute(
            "INSERT INTO impossible_reading SELECT robot_id, time, seq, 'joint_wear', 2, 9 FROM frame"
        )
    migrate(empty_url)
    assert _fetch(empty_url, "SELECT boot_id, joint, value FROM impossible_reading") == [(1, 2, 9.0)]


def test_migrating_again_applies_nothing(empty_url: str):
    assert migrate(empty_url) == sorted(path.name for path in DIRECTORY.glob("*.sql"))
    assert migrate(empty_url) == []


def test_two_at_once_apply_each_file_once(empty_url: str):
    applied: list[list[str]] = []
    threads = [threading.Thread(target=lambda: applied.append(migrate(empty_url))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(applied) == [[], sorted(path.name for path in DIRECTORY.glob("*.sql"))]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Two migrations."""
    (tmp_path / "0001_first.sql").write_text("CREATE TABLE first (n integer); INSERT INTO first VALUES (1);")
    (tmp_path / "0002_second.sql").write_text("CREATE TABLE second (n integer);")
    return tmp_path


def test_a_new_file_is_applied_behind_the_others(empty_url: str, files: Path):
    migrate(empty_url, files)
    (files / "0003_third.sql").write_text("INSERT INTO second VALUES (3);")
    assert migrate(empty_url, files) == ["0003_third.sql"]
    assert _fetch(empty_url, "SELECT first.n, second.n FROM first, second") == [(1, 3)]


def test_an_applied_file_that_changed_is_refused(empty_url: str, files: Path):
    migrate(empty_url, files)
    (files / "0001_first.sql").write_text("CREATE TABLE first (n bigint);")
    with pytest.raises(ContractError, match=r"0001_first.sql is not the 0001_first.sql that was applied"):
        migrate(empty_url, files)


def test_an_applied_file_that_vanished_is_refused(empty_url: str, files: Path):
    migrate(empty_url, files)
    (files / "0002_second.sql").unlink()
    with pytest.raises(ContractError, match=r"0002_second.sql was applied to this database and is missing here"):
        migrate(empty_url, files)


def test_a_file_that_fails_leaves_nothing_and_those_before_it_stay(empty_url: str, files: Path):
    (files / "0002_second.sql").write_text("CREATE TABLE second (n integer); INSERT INTO nowhere VALUES (1);")
    with pytest.raises(ContractError, match=r"0002_second.sql failed: relation .nowhere. does not exist"):
        migrate(empty_url, files)
    assert _fetch(empty_url, "SELECT name FROM migration") == [("0001_first.sql",)]
    assert _fetch(empty_url, "SELECT to_regclass('second')") == [(None,)]


def test_a_server_that_is_not_there_is_named_without_its_password():
    port = ports.choose()
    with pytest.raises(UnavailableError, match=f"127.0.0.1:{port}") as caught:
        migrate(f"postgresql://robovitals:secret@127.0.0.1:{port}/robovitals")
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_user_who_may_not_create_the_extension_is_told_so(empty_url: str):
    with psycopg.connect(empty_url, autocommit=True) as connection:
        connection.execute("CREATE ROLE nobody_much LOGIN PASSWORD 'x'")
    poor = urlsplit(empty_url)
    try:
        with pytest.raises(UnavailableError, match="TimescaleDB cannot be created"):
            migrate(poor._replace(netloc=f"nobody_much:x@{poor.netloc.rsplit('@')[-1]}").geturl())
    finally:
        with psycopg.connect(empty_url, autocommit=True) as connection:
            connection.execute("DROP ROLE nobody_much")
