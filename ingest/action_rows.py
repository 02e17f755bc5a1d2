"""What is stored of operators' actions, in SQL. What a program does (adopt, release) shows in its episodes alone.

In: an open transaction and a batch's actions. Out: how many of them were there already. Called by
`ingest/statements.py`.
"""

from collections.abc import Sequence
from typing import TypeAlias

import asyncpg

from ingest.parameters import affected, transposed
from schemas.action import Action, Kind

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

_OF_PROGRAMS = (Kind.ADOPT, Kind.RELEASE)

_ADD_ACTIONS = """
INSERT INTO action (action_id, robot_id, kind, episode_id, component, actor, note, time, shelved_until)
SELECT id, robot_id, kind, episode_id, component, actor, note, to_timestamp(0) + time_us * interval '1 us',
    to_timestamp(0) + until_us * interval '1 us'
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[],
            $9::bigint[]) WITH ORDINALITY
    AS new (id, robot_id, kind, episode_id, component, actor, note, time_us, until_us, place)
ORDER BY place
ON CONFLICT DO NOTHING"""


async def add_actions(connection: Connection, actions: Sequence[Action]) -> int:
    """Store them in their order."""
    rows = [
        (a.id, a.robot_id, a.kind, a.episode_id, a.component, a.actor, a.note, max(a.time_us, 0),
         None if a.until_us < 0 else a.until_us)
        for a in actions
        if a.kind not in _OF_PROGRAMS
    ]  # fmt: skip
    if not rows:
        return 0
    return len(rows) - affected(await connection.execute(_ADD_ACTIONS, *transposed(rows)))
