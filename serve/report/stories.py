"""What others have judged of a robot, for its report: tasks, findings, incidents, use.

In: a connection that sees what the person may. Out: parts of a `Report`, as they were judged. Called by
`reading.py`.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import asyncpg

from serve import care
from serve.database import ask
from serve.report.model import Confidence, Due, Finding, Incident, Usage
from serve.report.words import DAY_US, count, grouped, hours


async def due(connection: asyncpg.Connection, code: str) -> tuple[Due, ...]:
    """Each task as it stood when it was last judged, worst first; what a logbook planned and is done is left
    out.
    """
    return tuple(
        Due(
            task=row["text"] or row["task"],
            component=row["component"],
            rule=_rule(row),
            state=row["state"],
            done_us=_us(row["done"]),
            overdue_since_us=_us(row["overdue_since"]),
        )
        for row in await ask(connection, "report_due", code)
    )


def _rule(row: asyncpg.Record) -> str:
    """How long it may wait: from where its clock began to where it is due."""
    spans = {name: row[name][1] - row[name][0] for name in ("runtime_s", "cycles", "date_us") if row[name]}
    texts = [
        *([hours(round(spans["runtime_s"]))] if "runtime_s" in spans else []),
        *([f"{grouped(spans['cycles'])} cycles"] if "cycles" in spans else []),
        *([count(round(spans["date_us"] / DAY_US), "day")] if "date_us" in spans else []),
        *([f"wear {row['wear'][1]:.2g}"] if row["wear"] else []),
    ]
    return " or ".join(texts)


async def findings(connection: asyncpg.Connection, code: str) -> tuple[Finding, ...]:
    """Open and closed ones, in the order of what they are about."""
    return tuple(
        Finding(
            finding_id=row["finding_id"],
            rule=row["rule"],
            component=row["component"] or "",
            confidence=Confidence(row["confidence"]),
            first_us=_us(row["first"]) or 0,
            last_us=_us(row["last"]) or 0,
            text=row["text"],
            speaks_for=_lines(row["evidence_for"]),
            against=_lines(row["evidence_against"]),
            closed_us=_us(row["closed"]),
            closed_because=row["closed_because"] or "",
        )
        for row in await ask(connection, "report_findings", code)
    )


def _lines(evidence: Iterable[Any] | None) -> tuple[str, ...]:
    """Evidence as sentences, with the entries that each rests on."""
    return tuple(f"{one['text']}{_cited(one.get('entries', ()))}" for one in evidence or ())


def _cited(entries: Sequence[int]) -> str:
    numbers = ", ".join(str(number) for number in entries)
    return f" ({'entry' if len(entries) == 1 else 'entries'} {numbers})" if numbers else ""


async def incidents(connection: asyncpg.Connection, code: str) -> tuple[Incident, ...]:
    """Those with frozen evidence."""
    return tuple(
        Incident(
            incident_id=row["incident_id"],
            at_us=_us(row["at"]) or 0,
            text=row["text"],
            verdict=row["verdict"].replace("_", " ") or "not judged yet",
        )
        for row in await ask(connection, "report_incidents", code)
    )


async def usage(connection: asyncpg.Connection, code: str) -> tuple[Usage, ...]:
    """As the robot's page has it, without load: that is an estimate, and of ten years takes long."""
    found = await care.used(connection, code, with_load=False)
    return tuple(
        Usage(scenario=one.scenario, from_us=one.from_us, until_us=one.until_us, used_s=one.used_s)
        for one in found.used
    )


def _us(time: datetime | None) -> int | None:
    return None if time is None else round(time.timestamp() * 1e6)
