"""Faults after which a process must stop, loudly, and go no further: nothing may be jumped over or rerouted.

In: servers. Out: of each what was not as it must be, which is nothing when all is well. Each has a world of its
own. Called by `python -m faults` at its end and by `tests/integration/test_faults.py`.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import asyncpg
import numpy as np
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.structs import TopicPartition

from deploy.ledger import broker
from deploy.ledger.frames import messages
from deploy.ledger.plan import Plan
from deploy.local.servers import Servers
from deploy.topics import ensure
from faults.world import World, a_world
from processors.group import Group
from schemas.topics import FRAMES

REJECT_RUN = 500
INVALID = 4_000
GOOD = 2_000
WITHIN_S = 60.0
READERS = ("land", "summarise")  # of the frames


async def every_frame_invalid(world: World, chance: Random) -> list[str]:
    """A bad deploy: the lander stops before it has moved all of them to `reject`; so does its next start."""
    world.held.add("land")
    await _send(world, [(b"k", chance.randbytes(50)) for _ in range(INVALID)])
    wrong = await _stopped(world, "land")
    before = await _counts(world)
    world.child("land").start()
    wrong += await _stopped(world, "land")
    after = await _counts(world)
    if not after["reject"] < REJECT_RUN:
        wrong.append(f"{before} after the first stop, {after} after the second, with a limit of {REJECT_RUN}")
    return wrong


async def topic_made_anew(world: World, chance: Random) -> list[str]:
    """Deleted and made again: the lander does not go on as if it were the same, however far it has grown.

    Kafka deletes a group's offsets with the topic, so the summariser begins where the new one does.
    """
    await _landed(world, await _good(world, GOOD))
    await _end_readers(world)
    before = await _counts(world)
    async with _administration(world) as admin:
        await admin.delete_topics([FRAMES.name])
        while FRAMES.name in await admin.list_topics():
            await asyncio.sleep(0.05)
    await ensure(world.endpoints.kafka)
    await _good(world, chance.choice([GOOD // 4, 2 * GOOD]), seed=2)
    return await _stay_put(world, before, ("land",))


async def offset_out_of_range(world: World, chance: Random) -> list[str]:
    """Retention deletes what was not landed yet."""
    await _landed(world, await _good(world, GOOD))
    await _end_readers(world)
    before = await _counts(world)
    await _good(world, GOOD, seed=2)
    ends = await broker.ends(world.endpoints.kafka, FRAMES)
    gone = {TopicPartition(*place): RecordsToDelete(before_offset=end) for place, end in ends.items()}
    async with _administration(world) as admin:
        await admin.delete_records(gone)
    return await _stay_put(world, before, READERS)


LOUD: dict[str, Callable[[World, Random], Awaitable[list[str]]]] = {
    "every frame invalid": every_frame_invalid,
    "topic made anew": topic_made_anew,
    "offset out of range": offset_out_of_range,
}


async def is_loud(home: Path, servers: Servers, name: str, seed: int) -> list[str]:
    """What is wrong about how this fault ends."""
    async with a_world(home, servers, ROBOVITALS_REJECT_RUN=f"{REJECT_RUN}") as world:
        return await LOUD[name](world, Random(seed))


async def _stay_put(world: World, before: dict[str, int], readers: Sequence[str]) -> list[str]:
    """Readers are started and stop; the tables stay as they are."""
    for process in readers:
        world.child(process).start()
    wrong = [line for process in readers for line in await _stopped(world, process)]
    after = await _counts(world)
    return wrong if after == before else [*wrong, f"{before} became {after}"]


async def _stopped(world: World, process: str) -> list[str]:
    """It ends by itself, with an exit code and a line that says why."""
    child, until_s = world.child(process), time.monotonic() + WITHIN_S
    while child.is_running:
        if time.monotonic() > until_s:
            return [f"{process} goes on"]
        await asyncio.sleep(0.05)
    assert child.process is not None
    code, said = child.process.returncode, child.log.read_text(errors="replace").splitlines()[-3:]
    return [] if code > 0 and "stopped:" in "".join(said) else [f"{process} ended with {code}, saying {said}"]


async def _end_readers(world: World) -> None:
    for process in READERS:
        world.held.add(process)
        world.child(process).end()


async def _good(world: World, count: int, seed: int = 1) -> int:
    """Send so many frames of robots of their own. Returns how many."""
    plan = Plan(seed, 1_760_000_000_000_000 + seed, rate=count, seconds=1, robots=10)
    sent = [(code.encode(), value) for _, code, value in messages(plan, np.arange(count)) if len(value) < 60_000]
    await _send(world, sent)
    return len(sent)


async def _send(world: World, records: list[tuple[bytes, bytes]]) -> None:
    async with AIOKafkaProducer(**world.endpoints.kafka.client(), linger_ms=5) as producer:
        await asyncio.gather(*[await producer.send(FRAMES.name, value, key=key) for key, value in records])


async def _landed(world: World, records: int) -> None:
    """Until so many have landed, and the summariser has committed that it has read them."""
    until_s = time.monotonic() + WITHIN_S
    while (await _counts(world))["landed"] < records:
        assert time.monotonic() < until_s, f"{records} records do not land"
        await asyncio.sleep(0.1)
    group = Group(world.endpoints.kafka)
    await group.open()
    while sum(resume.read_to for resume in (await group.resumes()).values()) < records:
        assert time.monotonic() < until_s, f"{records} records are not summarised"
        await asyncio.sleep(0.1)
    await group.close()


async def _counts(world: World) -> dict[str, int]:
    """Rows, rejects, and the sum of the stored offsets."""
    connection = await asyncpg.connect(world.database_url)
    try:
        row = await connection.fetchrow(
            "SELECT (SELECT count(*) FROM frame) AS frame, (SELECT count(*) FROM reject) AS reject, "
            "(SELECT coalesce(sum(next_offset), 0)::bigint FROM landed WHERE topic = $1) AS landed",
            FRAMES.name,
        )
        return dict(row)
    finally:
        await connection.close()


@asynccontextmanager
async def _administration(world: World) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(**world.endpoints.kafka.client())
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()
