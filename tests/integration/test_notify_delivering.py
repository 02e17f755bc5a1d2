"""Receivers that answer wrongly, late or not at all, under a clock that the test sets, on a real database."""

from collections.abc import Callable
from typing import Any

import asyncpg
from aiohttp import web

from processors.notify.receivers import Pace, Receiver
from schemas.anomaly import Transition
from serve import deliveries as log
from support.anomalies import alertmanager, changed, webhook
from support.notifying import config_of, episode, hook, listening
from support.simulated import SECOND_US, a_number, refused, states


async def test_a_receiver_that_was_down_for_an_hour_loses_nothing_and_gets_each_episode_in_order(
    simulated: Callable[..., Any], pool: asyncpg.Pool
) -> None:
    """At 5 s, 5 min and 30 min it is still down; the next attempt, 2 h later, finds it up."""
    schedule_s = (0.0, 5.0, 300.0, 1800.0, 7200.0)
    async with listening() as at:
        at.answer = refused
        world = await simulated(config_of(hook(at)), round((sum(schedule_s) + 10) * SECOND_US))
        deliverer = world.deliverer("hook")
        first = [episode(n) for n in range(20)]
        await world.take(*first)
        await world.pass_time(10)
        for wait_s in schedule_s[:-1]:
            await world.pass_time(wait_s)
            # The signature's time is the attempt's; the receiver that is down does not look at it.
            await world.deliver(deliverer)
            await world.take(
                *(changed(a, number=a_number(world), transition=Transition.UPDATED) for a in first[:5])
            )
        assert at.seen == []
        at.answer = at.ok
        await world.take(*(changed(a, number=99, transition=Transition.CLEARED, active=False) for a in first))
        await world.pass_time(schedule_s[-1])
        await world.deliver(deliverer)
        await deliverer.stop(0)
    told: dict[str, list[int]] = {}
    for one in at.seen:
        told.setdefault(one.data["data"]["episode_id"], []).append(one.data["data"]["number"])
    assert len(told) == 20
    assert all(numbers == sorted(numbers) and numbers[-1] == 99 for numbers in told.values())
    assert sum(map(len, told.values())) == 20 + 5 * 4 + 20
    assert {state for state, _ in await states(pool)} == {"delivered"}


async def test_after_the_whole_schedule_it_is_given_up_with_every_attempt_in_the_log(
    simulated: Callable[..., Any], pool: asyncpg.Pool
) -> None:
    world = await simulated(config_of(webhook(url="http://127.0.0.1:1/hook")))
    deliverer = world.deliverer("hook")
    await world.take(episode(1))
    await world.pass_time(10)
    for wait_s in (0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400, 86_400):
        await world.pass_time(wait_s)
        await world.deliver(deliverer)
    await deliverer.stop(0)
    assert await states(pool) == [("failed", 10)]
    errors = [row["error"] for row in await pool.fetch("SELECT error FROM delivery_attempt ORDER BY id")]
    assert len(errors) == 10
    assert set(errors) == {"cannot connect: Connection refused"}
    assert await pool.fetchval("SELECT detail FROM delivery") == "10 attempts"


async def test_410_disables_a_receiver_until_somebody_enables_it_and_nothing_is_lost(
    simulated: Callable[..., Any], pool: asyncpg.Pool
) -> None:
    async with listening() as at:
        at.always(410)
        world = await simulated(config_of(hook(at)))
        deliverer = world.deliverer("hook")
        await world.take(episode(1))
        await world.pass_time(10)
        await world.deliver(deliverer)
        await world.take(episode(2))
        await world.pass_time(10)
        assert await world.deliver(deliverer) == 0
        assert at.requests == 1
        async with pool.acquire() as connection:
            (state,) = await log.receivers(connection)
            assert state.disabled is not None
            assert state.reason == "it answered 410 Gone"
            at.answer = at.ok
            assert await log.enable(connection, "hook") == 2
        await world.pass_time(10)
        await world.deliver(deliverer)
        await deliverer.stop(0)
    assert [one.data["data"]["episode_id"] for one in at.seen] == ["ep-1", "ep-2"]


async def test_retry_after_leaves_the_whole_receiver_alone_for_so_long(
    simulated: Callable[..., Any], pool: asyncpg.Pool
) -> None:
    async with listening() as at:
        at.always(429, {"retry-after": "120"})
        world = await simulated(config_of(hook(at, pace=Pace(concurrency=1))), 140 * SECOND_US)
        deliverer = world.deliverer("hook")
        await world.take(episode(1), episode(2))
        await world.pass_time(10)
        await world.deliver(deliverer)
        assert at.requests == 1, "the second is not tried meanwhile"
        at.answer = at.ok
        await world.pass_time(119)
        assert await world.deliver(deliverer) == 0
        await world.pass_time(1)
        await world.deliver(deliverer)
        await deliverer.stop(0)
    assert len(at.seen) == 2


async def test_more_than_the_rate_is_told_as_one_digest_and_none_is_missing(
    simulated: Callable[..., Any], pool: asyncpg.Pool
) -> None:
    async with listening() as at:
        world = await simulated(config_of(hook(at, pace=Pace(rate=3, rate_s=3600))))
        deliverer = world.deliverer("hook")
        await world.take(*(episode(n) for n in range(30)))
        await world.pass_time(10)
        assert await world.deliver(deliverer) == 3
        await deliverer.stop(0)
    assert [one.data["type"].rpartition(".")[2] for one in at.seen].count("digest") == 1
    episodes = set()
    for one in at.seen:
        events = one.data["data"].get("events", [one.data["data"]])
        episodes |= {event["episode_id"] for event in events}
    assert episodes == {f"ep-{n}" for n in range(30)}
    assert {state for state, _ in await states(pool)} == {"delivered"}


async def test_a_digest_that_failed_goes_out_again_with_the_same_content_and_id(
    simulated: Callable[..., Any], pool: asyncpg.Pool
) -> None:
    async with listening() as at:
        bodies: list[str] = []
        at.answer = refused
        world = await simulated(config_of(hook(at, pace=Pace(rate=1, rate_s=60))), 80 * SECOND_US)
        deliverer = world.deliverer("hook")
        await world.take(*(episode(n) for n in range(4)))
        await world.pass_time(10)
        await world.deliver(deliverer)
        before = await pool.fetch("SELECT DISTINCT message_id FROM delivery")
        await world.take(episode(9))
        at.answer = at.ok
        await world.pass_time(60)
        await world.deliver(deliverer)
        await deliverer.stop(0)
        bodies = [one.id for one in at.seen]
    assert bodies == [before[0]["message_id"]]
    assert at.seen[0].data["data"]["count"] == 4


async def test_an_alertmanager_is_sent_again_what_is_active_until_it_is_over(
    simulated: Callable[..., Any], pool: asyncpg.Pool
) -> None:
    posts: list[Any] = []

    async def handle(request: web.Request) -> web.Response:
        posts.append(await request.json())
        return web.Response()

    application = web.Application()
    application.router.add_post("/api/v2/alerts", handle)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        receiver: Receiver = alertmanager(url=f"http://127.0.0.1:{runner.addresses[0][1]}", resolve_after_s=100)
        world = await simulated(config_of(receiver))
        deliverer = world.deliverer("manager")
        await world.take(episode(1), episode(2))
        await world.pass_time(10)
        await world.deliver(deliverer)
        assert [len(post) for post in posts] == [1, 1]
        await world.pass_time(25)
        await world.deliver(deliverer)
        assert len(posts[-1]) == 2
        await world.take(changed(episode(1), number=2, transition=Transition.CLEARED, active=False))
        await world.deliver(deliverer)
        await world.pass_time(25)
        await world.deliver(deliverer)
        assert [alert["labels"]["episode"] for alert in posts[-1]] == ["ep-2"]
        await deliverer.stop(0)
    finally:
        await runner.cleanup()
