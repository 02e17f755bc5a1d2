"""Episodes and their transitions against what a ledger's robots did, and against their topic. Pure.

In: rows of `anomaly`, the messages of `fleet.anomalies`, the intervals in which joints were hot. Out: what
differs. Called by `deploy/ledger/check.py`.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from deploy.ledger.plan import AHEAD, ROLES, Interval, Plan
from deploy.ledger.verdict import Check
from schemas.anomaly import Anomaly, Transition

EPISODES, TRANSITIONS, TOPIC = (
    "each expected episode once",
    "each transition once, in order",
    "fleet.anomalies is the table",
)
# Of one condition these follow each other; a level that changes in between is `updated`. What people do about it, a
# parent, and leaving the list may come anywhere after the first.
_AFTER: dict[Transition | None, tuple[Transition, ...]] = {
    None: (Transition.OPENED,),
    Transition.OPENED: (Transition.UPDATED, Transition.CLEARED),
    Transition.UPDATED: (Transition.UPDATED, Transition.CLEARED),
    Transition.CLEARED: (Transition.OPENED,),
}
_OF_ITS_RULE = (Transition.OPENED, Transition.UPDATED, Transition.CLEARED)
# A sign may be the start of the window that holds the first hot frame.
_LONGEST_WINDOW_US = 60_000_000


def episodes(plan: Plan, intervals: Sequence[Interval], ahead: set[int], rows: Sequence[Any], check: Check) -> None:
    """Hot joints, and clocks an hour ahead, are one episode each; no other limit or clock has one."""
    found: dict[tuple[str, str, str], dict[str, int]] = defaultdict(dict)
    for row in rows:
        if row["rule"] in ("limit", "clock"):
            found[row["robot_id"], row["rule"], row["component"]][row["episode_id"]] = row["first_us"]
    expected: dict[tuple[str, str, str], list[Interval | None]] = defaultdict(list)
    for interval in intervals:
        expected[plan.codes[interval.robot], "limit", f"joint/{interval.joint}"].append(interval)
    for robot in ahead:
        expected[plan.codes[robot], "clock", "robot"].append(None)
    check.count(sum(map(len, expected.values())))
    for key in expected.keys() | found.keys():
        firsts = sorted(found[key].values())
        pairs = [(i, f) for i, f in zip(expected[key], firsts, strict=False) if i is None or _within(i, f)]
        wrong = max(len(expected[key]), len(firsts)) - len(pairs)
        if wrong:
            check.add(wrong, [f"{' '.join(key)}: {len(firsts)} episodes at {firsts} instead of {expected[key]}"])


def _within(interval: Interval, first_us: int) -> bool:
    return interval.from_us - _LONGEST_WINDOW_US <= first_us <= interval.to_us


def transitions(rows: Sequence[Any], check: Check) -> None:
    """Of each episode the numbers 1, 2, 3… once each, and what may follow what."""
    by_episode: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        by_episode[row["episode_id"]].append(row)
    check.count(len(rows))
    for episode_id, own in by_episode.items():
        own.sort(key=lambda row: row["number"])
        numbers = [row["number"] for row in own]
        if numbers != list(range(1, len(own) + 1)):
            check.add(1, [f"{own[0]['robot_id']} {episode_id}: transitions {numbers}"])
            continue
        before = None
        for row in own:
            kind = Transition(row["transition"])
            if kind not in _OF_ITS_RULE and before is not None:
                continue
            if kind not in _AFTER[before]:
                check.add(1, [f"{row['robot_id']} {episode_id}: {kind} after {before or 'nothing'}"])
                break
            before = kind


def cleared(plan: Plan, intervals: Sequence[Interval], until_us: int, rows: Sequence[Any], check: Check) -> None:
    """What ended long before `until_us` is over: the last transition of its rule says so."""
    last: dict[tuple[str, str, str], tuple[int, int, str]] = {}
    for row in rows:
        if row["transition"] not in _OF_ITS_RULE:
            continue
        key = row["robot_id"], row["component"], row["episode_id"]
        last[key] = max(last.get(key, (0, 0, "")), (row["number"], row["first_us"], row["transition"]))
    for interval in intervals:
        if interval.to_us > until_us:
            continue
        for (robot, component, episode_id), (_, first_us, transition) in last.items():
            own = robot == plan.codes[interval.robot] and component == f"joint/{interval.joint}"
            if own and _within(interval, first_us) and transition != Transition.CLEARED:
                check.add(1, [f"{robot} {component} {episode_id}: {transition} is its last transition"])


def topic(messages: Sequence[Anomaly], rows: Sequence[Any], check: Check) -> None:
    """The same ids with the same content; on the topic a message may be repeated."""
    told: dict[tuple[str, int], Anomaly] = {}
    for message in messages:
        first = told.setdefault((message.episode_id, message.number), message)
        if first != message:
            check.add(1, [f"{message.robot_id} {message.id}: told twice, and not the same"])
    stored = {(row["episode_id"], row["number"]): row for row in rows}
    check.count(len(told))
    for key in told.keys() ^ stored.keys():
        where = "on the topic" if key in told else "in the table"
        check.add(1, [f"{key[0]}/{key[1]} is {where} only"])
    for key in told.keys() & stored.keys():
        message, row = told[key], stored[key]
        pairs = {
            "robot_id": message.robot_id, "transition": message.transition, "rule": message.rule,
            "component": message.component, "signal": message.signal, "status": message.status,
            "value": message.value, "limit_value": message.limit, "first_us": message.first_us,
            "last_us": message.last_us, "count": message.count, "text": message.text, "state": message.state,
            "active": message.active, "parent": message.parent, "actor": message.actor, "note": message.note,
        }  # fmt: skip
        different = [name for name, value in pairs.items() if row[name] != value]
        if different:
            check.add(1, [f"{key[0]}/{key[1]}: {', '.join(different)} differ"])


def robots_ahead(plan: Plan) -> set[int]:
    return {robot for robot in range(plan.robots) if robot % len(ROLES) == AHEAD}
