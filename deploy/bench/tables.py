"""What the benchmarks ask of the database, and what they make it forget between two rounds.

In: its URL. Out: how far has landed, sizes; emptied tables. Called by the benchmarks. It destroys what is there;
`stand.py` has made sure that it is nobody's.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress

import psycopg

from schemas.errors import UnavailableError

TABLES = (
    "frame", "robot", "impossible_reading", "reject", "landed", "vitals", "late_window", "repair_again", "health",
    "health_history", "anomaly", "episode", "vitals_hourly", "hourly_due", "robot_site", "delivery",
    "delivery_attempt", "told", "notified", "receiver", "seal_policy", "security_event",
)  # fmt: skip
_CONNECT_TIMEOUT_S = 10


def connected(database_url: str) -> psycopg.Connection:
    """Each statement a transaction of its own. Raises UnavailableError."""
    try:
        return psycopg.connect(database_url, autocommit=True, connect_timeout=_CONNECT_TIMEOUT_S)
    except psycopg.OperationalError as error:
        raise UnavailableError(f"the database does not answer ({error}): `robovitals doctor`") from None


def empty_tables(connection: psycopg.Connection) -> None:
    """And nothing of it is left to be written: a checkpoint of one round's rows would fall into the next."""
    connection.execute(f"TRUNCATE {', '.join(TABLES)}")
    with suppress(psycopg.errors.InsufficientPrivilege):  # on somebody's server it takes a right that few have
        connection.execute("CHECKPOINT")


@contextmanager
def landing_held(database_url: str) -> Iterator[None]:
    """No lander can begin meanwhile: each first asks the locked table where to."""
    with connected(database_url) as connection, connection.transaction():
        connection.execute("LOCK TABLE landed IN ACCESS EXCLUSIVE MODE")
        yield


def landed(connection: psycopg.Connection, topic: str, first: int) -> Callable[[], int]:
    """Asks how many records of `topic` have landed; `first` is the sum of its partitions' first offsets."""
    query = "SELECT coalesce(sum(next_offset), 0)::bigint FROM landed WHERE topic = %s"

    def ask() -> int:
        return max(0, one_number(connection, query, topic) - first)

    return ask


def require_seals(connection: psycopg.Connection) -> None:
    """Of every maker, from the beginning."""
    connection.execute("INSERT INTO seal_policy VALUES ('*', to_timestamp(0), 'require', 'bench')")


def pass_over(connection: psycopg.Connection, topic: str, ends: Mapping[int, int]) -> None:
    """Landers begin after what the topic holds by now: it counts as landed."""
    with connection.cursor() as cursor:
        values = [(topic, partition, end) for partition, end in ends.items()]
        cursor.executemany("INSERT INTO landed (topic, partition, next_offset) VALUES (%s, %s, %s)", values)


def rows(connection: psycopg.Connection, table: str) -> int:
    return one_number(connection, f"SELECT count(*) FROM {table}")  # noqa: S608 - a name of ours


def size_bytes(connection: psycopg.Connection, hypertable: str) -> int:
    """With its indexes."""
    return one_number(connection, "SELECT hypertable_size(%s::regclass)", hypertable)


def one_number(connection: psycopg.Connection, query: str, *parameters: str) -> int:
    row = connection.execute(query.encode(), parameters).fetchone()
    assert row is not None
    return int(row[0])
