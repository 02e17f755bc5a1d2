"""What docs/privacy.md says to type erases what it says, on a real database."""

import re
from pathlib import Path

import asyncpg

from schemas.topics import ACTIONS, ANOMALIES, DAY_MS, LOGBOOK, REJECTS, VITALS
from support import two_fleets
from support.two_fleets import OURS

PAGE = (Path(__file__).parents[2] / "docs" / "privacy.md").read_text()
SEGMENT_MS = 7 * DAY_MS
"""How long Kafka's own setting (segment.ms) lets a segment grow, which is not ours to change."""
NAME = "Grace Hopper"


async def test_what_somebody_did_about_alarms_and_incidents_stays_without_the_name(database: asyncpg.Connection):
    await two_fleets.add_robot(database, OURS, NAME)
    await database.execute(
        "INSERT INTO report_link (link_id, robot_id, made_by, expires) VALUES ('link', $1, $2, now())", OURS, NAME
    )
    await database.execute("UPDATE delivery SET event = convert_to($1, 'UTF8'), finished = now()", NAME)
    (statements,) = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
    await database.execute(statements.replace("somebody", NAME))
    for table in ("action", "anomaly", "episode"):
        row = await database.fetchrow(f"SELECT actor, note FROM {table}")
        assert tuple(row) == ("erased", ""), table
    assert await database.fetchval("SELECT count(*) FROM delivery") == 0
    frozen = await database.fetch(
        "SELECT coalesce(record->>'actor', record->>'author'), coalesce(record->>'note', record->>'text')"
        " FROM incident_record"
    )
    assert [tuple(row) for row in frozen] == [("erased", "")] * 3
    assert tuple(await database.fetchrow("SELECT opened_by, text FROM incident")) == ("erased", "")
    assert await database.fetchval("SELECT made_by FROM report_link") == "erased"


async def test_it_names_every_column_that_says_who(database: asyncpg.Connection):
    rows = await database.fetch(
        "SELECT table_name, column_name FROM information_schema.columns JOIN information_schema.tables"
        " USING (table_schema, table_name) WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
        " AND (column_name IN ('actor', 'note', 'value') OR column_name LIKE '%\\_by')"
    )
    known = {"impossible_reading", "anomaly"}  # a reading's value, and a limit's
    tables = {row["table_name"] for row in rows} - known
    assert {"action", "logbook_opened", "reject", "logbook_erased"} <= tables
    assert [table for table in sorted(tables) if f"`{table}" not in PAGE] == []


def test_the_times_it_promises_are_those_of_the_topics():
    for topic in (LOGBOOK, REJECTS, ACTIONS, ANOMALIES):
        days = (topic.retention_ms + SEGMENT_MS) // DAY_MS
        assert re.search(rf"`{re.escape(topic.name)}`[^|]*\| {days} days", PAGE), topic.name
    assert VITALS.retention_ms == ACTIONS.retention_ms
    assert LOGBOOK.retention_ms + SEGMENT_MS <= 28 * DAY_MS
