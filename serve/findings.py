"""What an audit found about a robot, with what speaks for and against it.

In: an asyncpg connection and a robot's code. Out: structs. Called by the API, the page and the command line.
"""

from datetime import datetime

import asyncpg
import msgspec

from serve.database import ask

SHOWN = 200


class EvidenceLine(msgspec.Struct, frozen=True, kw_only=True):
    """`entries`: numbers in the robot's logbook; `at_us`: when; `values`: what was measured, units in names."""

    text: str
    entries: list[int] = []
    at_us: int | None = None
    values: dict[str, float | int | str] = {}


class FindingLine(msgspec.Struct, frozen=True, kw_only=True):
    """`confidence`: established or suspected. It happened between `first` and `last`. `closed`: since when it holds
    no more, null where it does.
    """

    finding_id: str
    robot_id: str
    rule: str
    component: str
    confidence: str
    first: datetime
    last: datetime
    found: datetime
    closed: datetime | None
    closed_because: str
    evidence_for: list[EvidenceLine]
    evidence_against: list[EvidenceLine]
    text: str


async def of_robot(connection: asyncpg.Connection, robot_id: str) -> list[FindingLine]:
    """What stands first, established before suspected; then what was closed."""
    return [
        FindingLine(
            **{
                **row,
                **{
                    side: msgspec.json.decode(row[side], type=list[EvidenceLine])
                    for side in ("evidence_for", "evidence_against")
                },
            }
        )
        for row in await ask(connection, "robot_findings", robot_id, SHOWN)
    ]
