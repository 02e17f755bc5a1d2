"""What is to be told goes into the outbox, with how far the topic was read, in one transaction.

In: anomalies and adoptions of a batch, and where in their partitions it lies. Out: deliveries in the database,
exactly once. Called by `processors/notify/inlet.py`.

As with the lander, the stored offset is the fence: where it is not at the batch's beginning, another notifier has
the partition, and nothing of the batch is kept. What is taken back is locked first, so that it is not sent
meanwhile. An unclear COMMIT is settled by reading on from the stored offsets.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

import msgspec

from processors.notify.decide import Phase, Told
from processors.notify.planning import Arrived, Asked, Key, Plan, plan
from processors.notify.receivers import Config
from processors.notify.routing import SITE
from processors.notify.sql import Connection, at, sql
from schemas.errors import RetryError

_encode = msgspec.json.Encoder().encode


class FencedError(RetryError):
    """Another notifier has the partition now: begin again at the stored offsets."""


Place: TypeAlias = tuple[str, int]
"""A topic and a partition of it."""


class Span(NamedTuple):
    """Of a partition the offsets that a batch has, up to before `next`."""

    first: int
    next: int


async def offsets(connection: Connection, beginnings: Mapping[Place, int]) -> dict[Place, int]:
    """Where each partition of `beginnings` stands, which is where one that is new begins."""
    await connection.execute(sql("begin_offsets"), *_columns(beginnings), [*beginnings.values()])
    rows = await connection.fetch(sql("read_offsets"))
    found = {(row["topic"], row["partition"]): row["next_offset"] for row in rows}
    return {place: found[place] for place in beginnings}


async def take(
    connection: Connection,
    config: Config,
    spans: Mapping[Place, Span],
    arrived: Sequence[Arrived | Asked],
    now_us: int,
) -> Plan:
    """Raises FencedError where somebody else has moved the offsets: nothing was kept then."""
    async with connection.transaction():
        # First of all: whoever is fenced changes nothing, and a batch is taken by one at a time.
        if await _moved(connection, spans) != len(spans):
            raise FencedError("another notifier has moved the offsets")
        made = Plan()
        if config.receivers and arrived:
            known = await _known(connection, {_episode(one) for one in arrived})
            held = [told.held for told in known.values() if told.held]
            rows = await connection.fetch(sql("lock_held"), held) if held else []
            sites = await _sites(connection, config, arrived)
            made = plan(config, arrived, known, {row["delivery_id"] for row in rows}, sites, now_us)
            await _store(connection, made, now_us)
    return made


async def caught_up(connection: Connection, positions: Mapping[Place, int], now_us: int) -> None:
    """All of these partitions has been read, up to these offsets."""
    await connection.execute(sql("caught_up"), *_columns(positions), [*positions.values()], at(now_us))


def _columns(places: Iterable[Place]) -> tuple[list[str], list[int]]:
    return [topic for topic, _ in places], [partition for _, partition in places]


def _episode(one: Arrived | Asked) -> str:
    return one.episode_id if isinstance(one, Asked) else one.anomaly.episode_id


async def _moved(connection: Connection, spans: Mapping[Place, Span]) -> int:
    firsts, nexts = [span.first for span in spans.values()], [span.next for span in spans.values()]
    status = await connection.execute(sql("move_offsets"), *_columns(spans), firsts, nexts)
    return int(status.rpartition(" ")[2])


async def _known(connection: Connection, episodes: set[str]) -> dict[Key, Told]:
    rows = await connection.fetch(sql("told_of"), sorted(episodes))
    return {
        (row["receiver"], row["episode_id"]): Told(
            phase=Phase(row["phase"]), number=row["number"], route=row["route"], held=row["held"],
            hold_us=row["hold_us"] or 0, returned=row["returned"], parent=row["parent"],
            asked_us=row["asked_us"] or 0,
        )
        for row in rows
    }  # fmt: skip


async def _sites(connection: Connection, config: Config, arrived: Sequence[Arrived | Asked]) -> dict[str, str]:
    """By robot, where a route groups by it."""
    if not any(SITE in route.group_by for route in config.routes):
        return {}
    robots = {one.anomaly.robot_id for one in arrived if isinstance(one, Arrived)}
    return {row["robot_id"]: row["site"] for row in await connection.fetch(sql("sites_of"), sorted(robots))}


async def _store(connection: Connection, made: Plan, now_us: int) -> None:
    if made.taken_back:
        await connection.execute(
            sql("take_back"), [*made.taken_back], [*made.taken_back.values()], at(now_us)
        )  # fmt: skip
    if made.added:
        rows = [
            (
                e.id, e.receiver, e.route, e.bundle, e.anomaly.id, e.anomaly.episode_id, e.anomaly.robot_id,
                e.anomaly.transition, e.anomaly.status, _encode(e.anomaly), partition if e.held else None,
                e.ready_us, e.due_us, "dropped" if dropped else "pending", dropped, False,
            )
            for partition, e, dropped in made.added.values()
        ]  # fmt: skip
        await connection.execute(sql("add_deliveries"), *map(list, zip(*rows, strict=True)), at(now_us))
    if made.told:
        known = [
            (receiver, episode, t.phase, t.number, t.route, t.held, t.hold_us, t.returned, t.parent, t.asked_us)
            for (receiver, episode), t in made.told.items()
        ]
        await connection.execute(sql("put_told"), *map(list, zip(*known, strict=True)), at(now_us))
