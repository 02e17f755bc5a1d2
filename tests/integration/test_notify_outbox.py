"""What goes into the outbox, and what must not stay in it, under a clock that the test sets, on a real database."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import pytest
from aiohttp import web

from processors.notify import outbox
from processors.notify.outbox import Span
from processors.notify.planning import Arrived
from processors.notify.quiet import Quiet
from processors.notify.receivers import Config, Pace, Route
from processors.notify.schedule import Answer
from schemas.anomaly import Transition
from schemas.health import Status
from support.anomalies import adopted, changed, email
from support.notifying import config_of, episode, hook, listening
from support.simulated import AT, SECOND_US, states


async def test_a_batch_that_another_notifier_has_taken_is_not_taken_twice(
    simulated: Callable[..., Any], pool: asyncpg.Pool
) -> None:
    async with listening() as at:
        world = await simulated(config_of(hook(at)))
        await world.take(episode(1))
        async with pool.acquire() as connection:
            with pytest.raises(outbox.FencedError):
                await outbox.take(
                    connection, world.config, {AT: Span(0, 1)}, [Arrived(0, episode(2))], world.now_us
                )
    assert [row["episode_id"] for row in await pool.fetch("SELECT episode_id FROM delivery")] == ["ep-1"]


async def test_an_opening_is_not_sent_before_all_that_could_take_it_back_was_read(
    simulated: Callable[..., Any], pool: asyncpg.Pool
) -> None:
    """A notifier that was away for long reads the opening, and the adoption of long ago a while later."""
    async with listening() as at:
        world = await simulated(config_of(hook(at)))
        deliverer = world.deliverer("hook")
        await world.take(episode(1))
        world.now_us += 60 * SECOND_US
        assert await world.deliver(deliverer) == 0
        await world.take(adopted(2, episode_id="ep-1"))
        await world.pass_time(60)
        assert await world.deliver(deliverer) == 0
        await deliverer.stop(0)
    assert await states(pool) == [("dropped", 0)]


async def test_what_quiet_hours_kept_back_is_one_summary_which_stays_what_it_is_when_it_is_tried_again(
    simulated: Callable[..., Any], pool: asyncpg.Pool
) -> None:
    """They end now, or a receiver that verifies would call the time stamp wrong."""
    now = datetime.now(UTC).replace(microsecond=0)
    quiet = Quiet(start=(now - timedelta(hours=8)).time(), end=now.time(), zone=ZoneInfo("UTC"))
    mild = {"status": Status.OFF_SPEC}
    async with listening() as at:
        world = await simulated(config_of(hook(at), quiet=quiet))
        world.now_us = round(now.timestamp() * SECOND_US) - 7200 * SECOND_US
        deliverer = world.deliverer("hook")
        await world.take(episode(1, **mild), episode(2, **mild), episode(3))
        await world.pass_time(60)
        at.always(500)
        await world.deliver(deliverer)
        assert at.requests == 1, "what is severe passes"
        await world.take(changed(episode(1, **mild), number=2, transition=Transition.CLEARED, active=False))
        await world.pass_time(7140)
        await world.deliver(deliverer)
        assert at.requests == 3, "the severe one again, and the summary"
        at.answer = at.ok
        await world.take(episode(4, status=Status.OFF_SPEC))
        await world.pass_time(5)
        await world.deliver(deliverer)
        await deliverer.stop(0)
    (summary,) = [one.data["data"] for one in at.seen if one.data["type"].endswith("digest")]
    told = [(event["episode_id"], event["type"].rpartition(".")[2]) for event in summary["events"]]
    assert told == [("ep-1", "opened"), ("ep-2", "opened"), ("ep-1", "cleared")]


async def test_an_event_that_cannot_be_told_keeps_no_other_from_being_told(
    simulated: Callable[..., Any], pool: asyncpg.Pool
) -> None:
    async with listening() as at:
        world = await simulated(config_of(hook(at)))
        deliverer = world.deliverer("hook")
        await world.take(episode(1, last_us=2**62), episode(2))
        await world.pass_time(10)
        await world.deliver(deliverer)
        await deliverer.stop(0)
    assert [one.data["data"]["episode_id"] for one in at.seen] == ["ep-2"]
    assert await states(pool) == [("failed", 1), ("delivered", 1)]


async def test_a_success_does_not_end_the_rest_that_another_answer_asked_for(
    simulated: Callable[..., Any], pool: asyncpg.Pool
) -> None:
    async with listening() as at:
        at.always(429, {"retry-after": "120"})
        world = await simulated(config_of(hook(at)))
        deliverer = world.deliverer("hook")
        await world.take(episode(1), episode(2))
        await world.pass_time(10)
        _, second = await world.queue.heads("hook", world.now_us, 2)
        claimed = await world.queue.claim([second.id], second.delivery_id, world.now_us)
        await deliverer.look()
        await deliverer.settle()
        await world.queue.delivered(claimed, "hook", Answer(code=200), world.now_us)
        assert await world.queue.is_silent("hook", world.now_us + 119 * SECOND_US)
        await deliverer.stop(0)


async def test_what_was_being_claimed_in_an_outage_is_found_again_however_much_is_under_way(
    simulated: Callable[..., Any], pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database has claimed the first, and its answer is lost. A stream of others must not leave it behind."""
    async with listening() as at:
        world = await simulated(config_of(hook(at, pace=Pace(concurrency=2))))
        deliverer, claim, go_on = world.deliverer("hook"), world.queue.claim, asyncio.Event()

        async def lost(*asked: Any) -> Any:
            monkeypatch.setattr(world.queue, "claim", claim)
            await claim(*asked)
            raise ConnectionResetError

        async def slow() -> web.Response:
            await go_on.wait()
            return web.Response()

        monkeypatch.setattr(world.queue, "claim", lost)
        at.answer = slow
        await world.take(*(episode(n) for n in range(6)))
        await world.pass_time(10)
        assert await deliverer.look() == 2
        await deliverer.is_due.wait()  # the lost one has ended, the other is under way
        assert await deliverer.look() == 0, "nothing new while the lost one is not found"
        go_on.set()
        await deliverer.settle()
        await world.deliver(deliverer)
        await deliverer.stop(0)
    assert {one.data["data"]["episode_id"] for one in at.seen} == {f"ep-{n}" for n in range(6)}


async def test_where_a_route_groups_by_site_the_robots_place_is_looked_up(
    simulated: Callable[..., Any], pool: asyncpg.Pool
) -> None:
    await pool.execute("INSERT INTO robot_site VALUES ($1, 'Plant Graz')", episode(1).robot_id)
    receiver = email()
    route = Route(name="all", receivers=(receiver.name,), group_by=("site", "rule"))
    world = await simulated(Config({receiver.name: receiver}, (route,)))
    await world.take(episode(1))
    assert await pool.fetchval("SELECT bundle FROM delivery") == "group/all/Plant Graz|limit"
