"""Who was told of what: the delivery log, and what people may ask of it.

In: an asyncpg connection. Out: rows as structs; or rows for the notifier to pick up, which alone sends anything.
Called by `robovitals deliveries` and the server. The statements are in `serve/queries/`.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar

import asyncpg
import msgspec

from schemas.anomaly import ANOMALY_VERSION, FLEET, About, Anomaly, Transition, encode_anomaly
from schemas.errors import SettingError, UnavailableError
from schemas.health import Status

TEST_RULE = "test"
TEST_ENDS_AFTER_S = 60
"""Kinds that know alerts with an end are told of it so long after."""
_WITH_AN_END = ("pagerduty", "alertmanager")

_Row = TypeVar("_Row", bound=msgspec.Struct)


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One event for one receiver. `state`: pending, sending, delivered, dropped (nobody was to be told), failed.

    `message_id`: the message that it went in, the webhook-id there; empty before. `code` and `error`: of the last
    attempt. `detail`: why it was dropped or given up. `disabled`: its receiver is.
    """

    id: int
    delivery_id: str
    message_id: str
    receiver: str
    route: str
    event_id: str
    episode_id: str
    robot_id: str
    transition: str
    status: str
    test: bool
    state: str
    attempts: int
    created: datetime
    ready: datetime
    due: datetime
    finished: datetime | None
    detail: str
    code: int | None
    error: str
    disabled: bool


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One try. Without a duration it is under way, or the notifier was ended in the middle of it."""

    time: datetime
    message_id: str
    duration_ms: int | None
    code: int | None
    answer: str
    error: str


class ReceiverState(msgspec.Struct, frozen=True, kw_only=True):
    """A receiver of the file that the notifier read last, or (not `configured`) of an earlier one."""

    name: str
    kind: str
    configured: bool
    disabled: datetime | None
    reason: str
    paused_until: datetime | None
    last_success: datetime | None
    pending: int
    failed: int


async def deliveries(
    connection: asyncpg.Connection, receiver: str | None = None, episode: str | None = None,
    only_failed: bool = False, with_dropped: bool = False, count: int = 50, before: int | None = None,
) -> list[Delivery]:  # fmt: skip
    """Newest first. `episode`: the beginning of its id will do. `before`: only what is older than this delivery."""
    return await _rows(
        connection, Delivery, "deliveries", receiver, episode, only_failed, with_dropped, count, before
    )


async def attempts(connection: asyncpg.Connection, delivery: int) -> list[Attempt]:
    """Oldest first."""
    return await _rows(connection, Attempt, "delivery_attempts", delivery)


async def receivers(connection: asyncpg.Connection) -> list[ReceiverState]:
    """The file's first."""
    return await _rows(connection, ReceiverState, "receivers")


async def replay(connection: asyncpg.Connection, ids: Sequence[int]) -> int:
    """Have deliveries sent again, with the ids that they had, and all that was told in the same message."""
    return len(await _fetch(connection, "replay_deliveries", list(ids), None, None))


async def message_mates(connection: asyncpg.Connection, ids: Sequence[int]) -> dict[int, set[int]]:
    """By delivery, all that was told in the same message, itself included; those that do not exist are left out."""
    return {row["id"]: set(row["mates"]) for row in await _fetch(connection, "message_mates", list(ids))}


async def visible(connection: asyncpg.Connection, ids: Sequence[int]) -> set[int]:
    """Those that exist for the one as whom the connection asks."""
    return {row["id"] for row in await _fetch(connection, "visible_deliveries", list(ids))}


async def replay_since(connection: asyncpg.Connection, receiver: str, since: datetime) -> int:
    """All of a receiver that was made since then. Raises SettingError where there is no such receiver."""
    await _receiver(connection, receiver)
    return len(await _fetch(connection, "replay_deliveries", [], receiver, since))


async def enable(connection: asyncpg.Connection, receiver: str) -> int:
    """After a 410: how many deliveries go out now. Raises SettingError where there is no such receiver."""
    await _receiver(connection, receiver)
    return len(await _fetch(connection, "enable_receiver", receiver))


async def request_test(connection: asyncpg.Connection, receiver: str, actor: str, now_us: int) -> int:
    """Have a test sent; the id of its delivery. Raises SettingError where that is not possible."""
    found = await _receiver(connection, receiver)
    if not found.configured:
        raise SettingError(f"{receiver} is not in the file that the notifier has read")
    if found.disabled:
        raise SettingError(f"{receiver} is disabled ({found.reason}): `robovitals deliveries enable {receiver}`")
    episode = f"test-{secrets.token_hex(8)}"
    ids = []
    steps = [(Transition.OPENED, 0)]
    if found.kind in _WITH_AN_END:
        steps.append((Transition.CLEARED, TEST_ENDS_AFTER_S))
    for number, (transition, after_s) in enumerate(steps, 1):
        anomaly = _test(receiver, actor, episode, number, transition, now_us)
        rows = await _fetch(
            connection, "add_test_delivery", f"msg_test_{episode}_{number}", receiver, anomaly.id, episode, FLEET,
            transition, anomaly.status, encode_anomaly(anomaly)[0], after_s,
        )  # fmt: skip
        ids.append(int(rows[0]["id"]))
    return ids[0]


def _test(
    receiver: str, actor: str, episode: str, number: int, transition: Transition, now_us: int
) -> Anomaly:  # fmt: skip
    return Anomaly(
        v=ANOMALY_VERSION, robot_id=FLEET, episode_id=episode, episode=0, number=number, transition=transition,
        rule=TEST_RULE, rule_version=1, component=FLEET, signal="", status=Status.MAINTENANCE_REQUIRED, value=None,
        unit="", limit=None, first_us=now_us, last_us=now_us, count=1, live=True, software="", scenario="",
        text=f"a test of the receiver {receiver}, asked for by {actor}. Nothing has happened.", about=About.FLEET,
        active=transition is not Transition.CLEARED,
    )  # fmt: skip


async def _receiver(connection: asyncpg.Connection, name: str) -> ReceiverState:
    known = {receiver.name: receiver for receiver in await receivers(connection)}
    if name not in known:
        there = ", ".join(known) or "none: ROBOVITALS_NOTIFY names a file with some, docs/notify.toml is an example"
        raise SettingError(f"no receiver {name}; there are: {there}")
    return known[name]


@cache
def _sql(name: str) -> str:
    return files("serve").joinpath(f"queries/{name}.sql").read_text(encoding="utf-8")


async def _rows(connection: asyncpg.Connection, kind: type[_Row], question: str, *parameters: Any) -> list[_Row]:
    return [msgspec.convert(dict(row), kind) for row in await _fetch(connection, question, *parameters)]


async def _fetch(connection: asyncpg.Connection, question: str, *parameters: Any) -> list[asyncpg.Record]:
    try:
        return await connection.fetch(_sql(question), *parameters)
    except asyncpg.UndefinedTableError:
        raise UnavailableError("the database has no tables of ours: `robovitals migrate`") from None
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise UnavailableError(f"the database went away ({error}): `robovitals doctor`") from None
