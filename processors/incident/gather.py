"""What is frozen beside frames: records of an incident, each with the id that evidence cites.

In: a connection and an incident. Out: `Gathered`: records to store, and what of them evidence is drawn from. Called
by `freeze.py`. What a person's name stands behind in the logbook (`opened`) is not gathered.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from processors import maintenance_tables
from processors.incident import tables
from processors.incident.case import Alarm, Before, Service
from processors.incident.rows import us_of
from processors.incident.tables import Connection, Incident
from schemas.entry import Record, readable
from schemas.health import SEVERITY, Status
from schemas.history import History, fold
from schemas.logbook_check import check_logbook
from schemas.logbook_file import write_file
from schemas.maintenance import Counters, Due, due, moments
from schemas.maintenance_plan import Plan, plan_of

ANSWERS = ("acknowledged", "shelved", "out_of_service")
_NOT_THE_MACHINE = ("data", "fleet")


class Frozen(msgspec.Struct, frozen=True):
    """A record. `content` is JSON."""

    record_id: str
    kind: str
    time: Any
    content: str


class Gathered(msgspec.Struct, frozen=True, kw_only=True):
    """`integrity`: whether the logbook holds; None where there is none."""

    records: list[Frozen]
    alarms: list[Alarm]
    before: list[Before]
    services: list[Service]
    integrity: bool | None


async def gather(connection: Connection, incident: Incident, platforms: frozenset[str]) -> Gathered:
    code, start, end = incident.robot_id, incident.start, incident.end
    transitions = await tables.ask(connection, "transitions", code, start, end, incident.at)
    health = await tables.ask(connection, "health", code, incident.at)
    actions = await tables.ask(connection, "actions", code, end)
    logbook = await tables.ask(connection, "logbook", code)
    plain = [
        *(
            _frozen(f"transition/{r['episode_id']}/{r['number']}", "transition", r, "last_time")
            for r in transitions
        ),
        *(_frozen(f"health/{row['which']}", "health", row, "time") for row in health),
        *(_frozen(f"action/{row['action_id']}", "action", row, "time") for row in actions),
    ]
    for kind in ("impossible", "security"):
        found = await tables.ask(connection, kind, code, start, end)
        plain += [_frozen(f"{kind}/{at}", kind, row, None) for at, row in enumerate(found, 1)]
    records, all_are = readable(row["record"] for row in logbook)
    tasks = await _tasks(connection, incident, fold(code, records))
    return Gathered(
        records=[*plain, *_entries(logbook, incident), *(_task(task) for task in tasks)],
        alarms=list(alarms(transitions, incident)),
        before=[one for row in health if row["which"] == "before" for one in _zones(row)],
        services=[
            Service(
                record=_task_id(task),
                task=task.text or task.task,
                component=task.component,
                state=task.state.value,
                overdue_since_us=task.overdue_since_us,
            )
            for task in tasks
        ],
        integrity=_integrity(code, records, platforms) and all_are if logbook else None,
    )  # fmt: skip


def alarms(transitions: Iterable[Any], incident: Incident) -> Iterator[Alarm]:
    """What held in the window by the last transition of each episode."""
    by_episode: dict[str, list[Any]] = {}
    for row in transitions:
        by_episode.setdefault(row["episode_id"], []).append(row)
    for episode_id, rows in by_episode.items():
        last = rows[-1]
        if last["about"] in _NOT_THE_MACHINE or not (last["active"] or last["last_time"] >= incident.start):
            continue
        answered = any(r["transition"] in ANSWERS and r["acted"] and r["acted"] <= incident.at for r in rows)
        yield Alarm(
            record=f"transition/{episode_id}/{last['number']}",
            component=last["component"],
            signal=last["signal"],
            severity=SEVERITY[Status(last["status"])],
            opened_us=us_of(last["first_time"]),
            answered=answered,
        )


async def _tasks(connection: Connection, incident: Incident, history: History) -> list[Due]:
    """As of the moment, by the model's plan and the logbook."""
    plans = [msgspec.json.decode(row["plan"], type=Plan) for row in await tables.ask(connection, "plans")]
    plan, at_us = plan_of(plans, incident.robot_id), us_of(incident.at)
    asked = {incident.robot_id: [*moments(history), at_us]}
    points = (await maintenance_tables.counted(connection, asked)).get(incident.robot_id, [])
    return due(plan.tasks if plan else (), history, Counters(points), at_us)


def _integrity(code: str, records: Sequence[Record], platforms: frozenset[str]) -> bool:
    return check_logbook(write_file(code, records), platforms or None).is_sound


def _entries(rows: Iterable[Any], incident: Incident) -> Iterator[Frozen]:
    for row in rows:
        if row["happened"] <= incident.end:
            line = bytes(row["record"]).decode(errors="replace")
            content = msgspec.json.encode({"number": row["number"], "line": line}).decode()
            yield Frozen(f"logbook/{row['number']}", "logbook", row["happened"], content)


def _zones(row: Any) -> Iterator[Before]:
    components = row["components"]
    for one in msgspec.json.decode(components) if isinstance(components, str) else components:
        yield Before(record="health/before", component=one["component"], zone=one["zone"])


def _task_id(task: Due) -> str:
    return f"task/{task.task}/{task.component}"


def _task(task: Due) -> Frozen:
    return Frozen(_task_id(task), "task", None, msgspec.json.encode(task).decode())


def _frozen(record_id: str, kind: str, row: Any, time: str | None) -> Frozen:
    fields = dict(row)
    if isinstance(fields.get("components"), str):  # a connection that leaves jsonb as text
        fields["components"] = msgspec.Raw(fields["components"].encode())
    return Frozen(record_id, kind, row[time] if time else None, msgspec.json.encode(fields).decode())
