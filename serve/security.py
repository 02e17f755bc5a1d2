"""Security events for people: frames that claimed to be a robot's and were not sealed by it.

In: a connection that sees what the person may. Out: structs. Called by `serve/routes/pipeline.py` and the page.
"""

from datetime import date, datetime

import asyncpg
import msgspec

from serve.database import rows

LISTED = 100


class SecurityEvent(msgspec.Struct, frozen=True, kw_only=True):
    """All records of a day that claimed to be `robot_id`'s from one partition, with one fault. `refused` false:
    they landed, since the policy was warn. Robot `unknown`: a code that no robot has.
    """

    day: date
    robot_id: str
    reason: str
    refused: bool
    partition: int
    records: int
    first: datetime
    last: datetime
    first_offset: int
    last_offset: int
    detail: str


async def security_events(connection: asyncpg.Connection, since: date) -> list[SecurityEvent]:
    """The latest LISTED."""
    return await rows(connection, SecurityEvent, "security_events", since, LISTED)
