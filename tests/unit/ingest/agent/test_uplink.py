"""Which frames go when, over a link that does what the test says: live first, backlog after, the unfit out."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ingest.agent.clocks import mono_us, wall_us
from ingest.agent.config import Config, Sending
from ingest.agent.config_file import Setup
from ingest.agent.link import Acknowledgement, Failure, Kind
from ingest.agent.spool import Spool, SpoolLimits
from ingest.agent.uplink import State, Uplink
from ingest.throttle import Throttle
from schemas.frame import FLAG_BACKFILL, decode_frame, encode_frame
from schemas.kafka import Kafka
from schemas.robot_code import RobotCode
from support.frames import CODE
from support.frames import frame as good_frame

WITHIN_S = 20.0


class Broker:
    """What all links of a test have in common: what arrived, and what it does not take."""

    def __init__(self) -> None:
        self.arrived: list[tuple[int, bool]] = []  # seq, backfill
        self.unfit: set[int] = set()
        self.refuses = 0  # so many attempts to connect
        self.batch = 1  # so many are answered together
        self.attempts = 0
        self.opening: Callable[[], None] = lambda: None  # what happens meanwhile
        self.most_under_way = 0  # of the last link


class FakeLink:
    """Answers a batch as a whole, as Kafka does."""

    def __init__(
        self,
        setup: Setup,
        acknowledged: Callable[[Acknowledgement], None],
        happened: Callable[[], None],
        throttle: Throttle,
        broker: Broker,
    ) -> None:
        self._acknowledged, self._happened, self._broker = acknowledged, happened, broker
        self._sent: dict[int, bytes] = {}
        self.failure: Failure | None = None

    @property
    def under_way(self) -> int:
        return len(self._sent)

    def ids_under_way(self) -> set[int]:
        return set(self._sent)

    def waits_since_us(self) -> int | None:
        return None

    async def open(self) -> None:
        self._broker.attempts += 1
        self._broker.most_under_way = 0
        self._broker.opening()
        if self._broker.refuses:
            self._broker.refuses -= 1
            raise Failure(Kind.UNREACHABLE, "nobody is there")

    async def send(self, id: int, value: bytes) -> None:
        self._sent[id] = value
        self._broker.most_under_way = max(self._broker.most_under_way, len(self._sent))
        asyncio.get_running_loop().call_soon(self._answer)

    async def close(self) -> None:
        self._sent.clear()

    def _answer(self) -> None:
        frames = {id: decode_frame(value) for id, value in self._sent.items()}
        if any(frame.seq in self._broker.unfit for frame in frames.values()):
            self.failure = Failure(Kind.UNFIT, "too large")
            self._happened()
            return
        for id, frame in frames.items():
            self._broker.arrived.append((frame.seq, bool(frame.flags & FLAG_BACKFILL)))
            del self._sent[id]
            self._acknowledged(Acknowledgement(id, mono_us(), mono_us(), wall_us()))


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    spool = Spool.open(tmp_path / "spool.db", SpoolLimits(10**8, 10**8), wall_us())
    yield spool
    spool.close()


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
def uplink(spool: Spool, broker: Broker, tmp_path: Path) -> Uplink:
    sending = Sending(backlog_within_s=0.0, backlog_frames_per_s=1e6)
    setup = Setup(Config(send=sending), RobotCode(CODE), Kafka("x:1"), b"", 0, tmp_path / "spool.db", None)
    return Uplink(
        setup, spool, lambda told: None, chance=lambda: 0.0,
        make_link=lambda *given: FakeLink(*given, broker),  # type: ignore[arg-type, return-value]
    )  # fmt: skip


def keep(spool: Spool, seq: int) -> None:
    spool.append(encode_frame(good_frame(seq=seq)), seq, 7, wall_us())


def make(spool: Spool, uplink: Uplink, seq: int) -> None:
    keep(spool, seq)
    frame = spool.newest()
    assert frame is not None
    uplink.offer(frame)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not holds():
            await asyncio.sleep(0.01)


async def ended(uplink: Uplink, running: "asyncio.Task[None]") -> None:
    uplink.finish(WITHIN_S)
    await asyncio.wait_for(running, WITHIN_S)
    assert uplink.state is State.STOPPED


async def test_live_goes_first_and_what_waited_goes_after_it_marked(
    spool: Spool, uplink: Uplink, broker: Broker
) -> None:
    for seq in range(5):
        keep(spool, seq)
    spool.newest()  # somebody else's
    make(spool, uplink, 5)
    running = asyncio.create_task(uplink.run())
    await until(lambda: spool.frames == 1)
    await ended(uplink, running)
    assert broker.arrived == [(5, False), *((seq, True) for seq in range(4))]


async def test_a_short_interruption_makes_no_backlog(spool: Spool, uplink: Uplink, broker: Broker) -> None:
    broker.refuses = 3
    running = asyncio.create_task(uplink.run())
    make(spool, uplink, 0)
    await until(lambda: uplink.state is State.ONLINE)
    make(spool, uplink, 1)
    await until(lambda: len(broker.arrived) == 2)
    await ended(uplink, running)
    assert broker.arrived == [(0, False), (1, False)]
    assert (broker.attempts, uplink.reconnects) == (4, 0)


async def test_of_several_frames_the_one_that_does_not_fit_is_found_dropped_and_counted(
    spool: Spool, uplink: Uplink, broker: Broker
) -> None:
    broker.unfit = {3}
    for seq in range(6):
        keep(spool, seq)
    running = asyncio.create_task(uplink.run())
    await until(lambda: spool.frames == 0)
    await ended(uplink, running)
    assert sorted(seq for seq, _ in broker.arrived) == [0, 1, 2, 4, 5]
    assert spool.dropped == 1


async def test_suspects_that_the_spool_drops_keep_nobody_else_waiting(
    spool: Spool, uplink: Uplink, broker: Broker
) -> None:
    broker.unfit = {3}
    for seq in range(6):
        keep(spool, seq)

    def others_come_instead() -> None:
        if broker.attempts == 2:
            spool.expire(wall_us() + 2 * 10**14)
            for seq in range(6, 12):
                keep(spool, seq)

    broker.opening = others_come_instead
    running = asyncio.create_task(uplink.run())
    await until(lambda: len(broker.arrived) == 6)
    await ended(uplink, running)
    assert (spool.dropped, broker.attempts) == (6, 2)
    assert broker.most_under_way > 1


async def test_a_fault_of_ours_ends_the_agent_and_is_not_waited_out(uplink: Uplink, broker: Broker) -> None:
    def fail() -> None:
        raise TypeError("ours")

    broker.opening = fail
    with pytest.raises(TypeError, match="ours"):
        await uplink.run()
    assert broker.attempts == 1


async def test_what_is_offered_just_before_the_end_still_goes(spool: Spool, uplink: Uplink, broker: Broker) -> None:
    running = asyncio.create_task(uplink.run())
    make(spool, uplink, 0)
    await ended(uplink, running)
    assert broker.arrived == [(0, False)]


async def test_where_nobody_answers_the_end_does_not_wait(spool: Spool, uplink: Uplink, broker: Broker) -> None:
    broker.refuses = 10**9
    running = asyncio.create_task(uplink.run())
    await until(lambda: uplink.state is State.OFFLINE)
    make(spool, uplink, 0)
    await ended(uplink, running)
    assert (broker.arrived, spool.frames) == ([], 1)
