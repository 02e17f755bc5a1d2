"""Brings a database to the present schema: numbered .sql files, one transaction each, under an advisory lock.

In: a database and the directory of migrations. Out: the names of what was applied now. Called by `robovitals
migrate`, `robovitals up` and the tests. What was applied is remembered in the table `migration`; a file that
changed or vanished after that is refused, since the database would no longer be what the files say.
"""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import psycopg
from psycopg.conninfo import conninfo_to_dict

from schemas.errors import ContractError, UnavailableError

DIRECTORY = Path(__file__).parent / "migrations"
CONNECT_TIMEOUT_S = 10

_LOCK = 0x726F626F76697461  # any number that nobody else uses: "robovita"
_NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.sql\Z")

_CREATE_TABLE = """
CREATE TABLE IF NOT EXISTS migration (
    number  integer PRIMARY KEY,
    name    text NOT NULL,
    sha256  text NOT NULL,
    applied timestamptz NOT NULL DEFAULT now()
)"""


class Migration(msgspec.Struct, frozen=True):
    """One file. `sha256` is of its bytes."""

    number: int
    name: str
    sql: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.sql).hexdigest()


def migrate(database_url: str, directory: Path = DIRECTORY) -> list[str]:
    """Apply what is missing, in order; returns the names. Running it again applies nothing.

    Raises UnavailableError when the server or TimescaleDB is not there, ContractError when an applied file has
    changed or vanished, or when one fails (it is then rolled back, and those before it stay).
    """
    migrations = read_migrations(directory)
    _create_extension(database_url)
    with _connected(database_url) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
        connection.execute(_CREATE_TABLE)
        applied = connection.execute("SELECT number, name, sha256 FROM migration ORDER BY number").fetchall()
        _check_applied(applied, {m.number: m for m in migrations})
        missing = migrations[len(applied) :]
        for migration in missing:
            _apply(connection, migration)
    return [migration.name for migration in missing]


def read_migrations(directory: Path) -> list[Migration]:
    """The files in order. Raises ContractError unless they are numbered 0001, 0002, … without a gap."""
    found: list[Migration] = []
    for path in sorted(directory.glob("*.sql")):
        match = _NAME.match(path.name)
        if not match or int(match[1]) != len(found) + 1:
            raise ContractError(f"{path}: the next migration must be named {len(found) + 1:04}_WORDS.sql")
        found.append(Migration(int(match[1]), path.name, path.read_bytes()))
    if not found:
        raise ContractError(f"{directory} holds no migrations")
    return found


def _check_applied(applied: list[tuple[int, str, str]], known: dict[int, Migration]) -> None:
    for number, name, sha256 in applied:
        migration = known.get(number)
        if migration is None:
            raise ContractError(f"migration {name} was applied to this database and is missing here")
        if (migration.name, migration.sha256) != (name, sha256):
            raise ContractError(
                f"migration {migration.name} is not the {name} that was applied: put the old file back, "
                "and write the change as a new one"
            )


def _apply(connection: psycopg.Connection, migration: Migration) -> None:
    try:
        with connection.transaction():
            connection.execute(migration.sql)
            connection.execute(
                "INSERT INTO migration (number, name, sha256) VALUES (%s, %s, %s)",
                (migration.number, migration.name, migration.sha256),
            )
    except psycopg.Error as error:
        raise ContractError(f"migration {migration.name} failed: {_one_line(error)}") from None


def _create_extension(database_url: str) -> None:
    """In a session of its own, since TimescaleDB wants to be created by a session's first command."""
    with _connected(database_url) as connection:
        try:
            connection.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
        except psycopg.errors.UniqueViolation:
            pass  # another migration created it in this very moment
        except psycopg.Error as error:
            raise UnavailableError(
                f"TimescaleDB cannot be created in the database at {_address(database_url)} ({_one_line(error)}): "
                "install its package for this server, add timescaledb to shared_preload_libraries, restart"
            ) from None


@contextmanager
def _connected(database_url: str) -> Iterator[psycopg.Connection]:
    try:
        with psycopg.connect(database_url, autocommit=True, connect_timeout=CONNECT_TIMEOUT_S) as connection:
            yield connection
    except psycopg.OperationalError as error:
        raise UnavailableError(
            f"the database at {_address(database_url)} cannot be used ({_one_line(error)}): `robovitals doctor`"
        ) from None


def _address(database_url: str) -> str:
    """Host and port, never the password."""
    parts = conninfo_to_dict(database_url)
    return f"{parts.get('host', 'localhost')}:{parts.get('port', 5432)}"


def _one_line(error: psycopg.Error) -> str:
    return " ".join(str(error).split())
