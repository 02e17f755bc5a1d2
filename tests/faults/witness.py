"""A witness in the database: whether a stored offset ever went back, however it ended.

In: a database. Out: a `Check`. A zombie without a fence does no harm that lasts, for the unique key and a second
landing mend it; that it did it, only a trigger sees. Called by `faults/world.py` (laid) and `faults/rounds.py`.
"""

import asyncpg
import psycopg

from deploy.ledger.verdict import Check

NAME = "stored offsets never go back"

_LAY = """
CREATE TABLE rewound (topic text, partition integer, before bigint, after bigint);
CREATE FUNCTION note_rewound() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO rewound VALUES (OLD.topic, OLD.partition, OLD.next_offset, NEW.next_offset);
    RETURN NULL;
END $$;
CREATE TRIGGER note_rewound AFTER UPDATE ON landed FOR EACH ROW
    WHEN (NEW.next_offset < OLD.next_offset) EXECUTE FUNCTION note_rewound()"""


def lay(connection: "psycopg.Connection[tuple[object, ...]]") -> None:
    connection.execute(_LAY)


async def witnessed(database_url: str) -> Check:
    """What it has seen so far."""
    connection = await asyncpg.connect(database_url)
    try:
        rows = await connection.fetch("SELECT * FROM rewound")
    finally:
        await connection.close()
    check = Check(NAME, counted=1)
    check.add(len(rows), [f"{r['topic']}/{r['partition']} from {r['before']} to {r['after']}" for r in rows])
    return check
