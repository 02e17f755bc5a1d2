"""What is stored of anomalies, in SQL: each transition, and each episode as its latest transition left it.

In: an open transaction and a batch's anomalies. Out: how many of them were there already. Called by
`ingest/statements.py`.

An episode's row is made from the transitions that are stored, so neither the order in which they land nor a repeat
makes a difference to it.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias

import asyncpg

from ingest.parameters import affected, transposed
from schemas.anomaly import Anomaly

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

_ADD_ANOMALIES = """
INSERT INTO anomaly (episode_id, number, robot_id, episode, transition, rule, rule_version, component, signal,
                     status, value, unit, limit_value, first_time, last_time, count, live, software, scenario,
                     text, about, baseline, confidence, state, active, chattering, parent, cause, actor, note,
                     acted, shelved_until)
SELECT episode_id, number, robot_id, episode, transition, rule, rule_version, component, signal, status, value,
    unit, limit_value, to_timestamp(0) + first_us * interval '1 us', to_timestamp(0) + last_us * interval '1 us',
    count, live, software, scenario, text, about, baseline, confidence, state, active, chattering, parent, cause,
    actor, note, to_timestamp(0) + acted_us * interval '1 us', to_timestamp(0) + until_us * interval '1 us'
FROM unnest($1::text[], $2::integer[], $3::text[], $4::integer[], $5::text[], $6::text[], $7::integer[],
            $8::text[], $9::text[], $10::text[], $11::float8[], $12::text[], $13::float8[], $14::bigint[],
            $15::bigint[], $16::bigint[], $17::boolean[], $18::text[], $19::text[], $20::text[], $21::text[],
            $22::float8[], $23::float8[], $24::text[], $25::boolean[], $26::boolean[], $27::text[], $28::text[],
            $29::text[], $30::text[], $31::bigint[], $32::bigint[])
    AS new (episode_id, number, robot_id, episode, transition, rule, rule_version, component, signal, status,
            value, unit, limit_value, first_us, last_us, count, live, software, scenario, text, about, baseline,
            confidence, state, active, chattering, parent, cause, actor, note, acted_us, until_us)
ON CONFLICT DO NOTHING"""

_EPISODE = (
    "episode_id", "robot_id", "episode", "rule", "rule_version", "component", "signal", "about", "status", "state",
    "active", "chattering", "parent", "cause", "opened", "last_sign", "cleared", "shelved_until", "transitions",
    "count", "live", "value", "baseline", "confidence", "unit", "limit_value", "software", "scenario", "text",
    "actor", "note", "acted",
)  # fmt: skip

_SET_EPISODES = """
INSERT INTO episode ({columns})
SELECT last.episode_id, robot_id, episode, rule, rule_version, component, signal, about, status, state, active,
    chattering, parent, cause, first_time, last_time, CASE WHEN NOT active THEN last_time END, shelved_until,
    number, count, live, value, baseline, confidence, unit, limit_value, software, scenario, text,
    coalesce(deed.actor, ''), coalesce(deed.note, ''), deed.acted
FROM (
    SELECT DISTINCT ON (episode_id) * FROM anomaly
    WHERE episode_id = ANY($1::text[])
    ORDER BY episode_id, number DESC
) AS last
LEFT JOIN LATERAL (
    SELECT actor, note, acted FROM anomaly
    WHERE anomaly.episode_id = last.episode_id AND actor <> ''
    ORDER BY number DESC LIMIT 1
) AS deed ON true
ON CONFLICT (episode_id) DO UPDATE SET ({columns}) = ROW ({excluded})
WHERE excluded.transitions >= episode.transitions"""


async def add_anomalies(connection: Connection, anomalies: Sequence[Anomaly]) -> int:
    """Store them; of those that are there already nothing changes."""
    if not anomalies:
        return 0
    status = await connection.execute(_ADD_ANOMALIES, *transposed([_row(anomaly) for anomaly in anomalies]))
    excluded = ", ".join(f"excluded.{name}" for name in _EPISODE)
    set_episodes = _SET_EPISODES.format(columns=", ".join(_EPISODE), excluded=excluded)
    await connection.execute(set_episodes, sorted({anomaly.episode_id for anomaly in anomalies}))
    return len(anomalies) - affected(status)


def _row(a: Anomaly) -> tuple[Any, ...]:
    return (
        a.episode_id, a.number, a.robot_id, a.episode, a.transition, a.rule, a.rule_version, a.component, a.signal,
        a.status, a.value, a.unit, a.limit, a.first_us, a.last_us, a.count, a.live, a.software, a.scenario, a.text,
        a.about, a.baseline, a.confidence, a.state, a.active, a.chattering, a.parent, a.cause, a.actor, a.note,
        None if a.acted_us < 0 else a.acted_us, None if a.until_us < 0 else a.until_us,
    )  # fmt: skip
