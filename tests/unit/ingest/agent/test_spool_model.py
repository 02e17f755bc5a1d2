"""The spool against a list, over any order of what an agent, a kill and a bad disk do to it."""

import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ingest.agent.record import Spooled
from ingest.agent.spool import SpoolLimits
from support.spooling import BOOT, NOW_US, all_waiting, as_killed, break_disk, opened, seqs, value_of

LIMITS = SpoolLimits(max_bytes=60_000, max_age_s=1e6)
LENGTH = 400


class AgentOnABadDay(RuleBasedStateMachine):
    """The model: numbers of frames that wait on disk and in memory, in order, and of those that are held."""

    def __init__(self) -> None:
        super().__init__()
        self._directory = Path(tempfile.mkdtemp(prefix="spool-"))
        self._kills = 0
        self._path = self._directory / "0" / "spool.db"
        self._spool = opened(self._path, LIMITS)
        self._appended = 0
        self._disk: list[int] = []
        self._memory: list[int] = []
        self._held: dict[int, Spooled] = {}
        self._acknowledged: set[int] = set()  # since the disk last had all of it
        self._dropped = 0
        self._broken = False

    def teardown(self) -> None:
        self._spool.close()
        shutil.rmtree(self._directory)

    def _took_note(self) -> None:
        """What it dropped since: the oldest that nobody holds, of memory while the disk is broken, else of it."""
        assert self._spool.dropped is not None
        queue = self._memory if self._broken else self._disk
        free = [number for number in queue if number not in self._held]
        for number in free[: self._spool.dropped - self._dropped]:
            queue.remove(number)
        self._dropped = self._spool.dropped

    @rule(count=st.integers(1, 60))
    def append(self, count: int) -> None:
        for number in range(self._appended, self._appended + count):
            self._spool.append(value_of(number, LENGTH), number, BOOT, NOW_US + number)
            self._took_note()
            (self._memory if self._broken or self._memory else self._disk).append(number)
        self._appended += count

    @rule()
    def take_the_newest(self) -> None:
        frame = self._spool.newest()
        if frame is not None:
            assert frame.seq == self._appended - 1
            self._hold([frame])

    @rule(count=st.integers(1, 80))
    def take_the_oldest(self, count: int) -> None:
        frames = self._spool.oldest(count)
        free = [number for number in self._disk + self._memory if number not in self._held]
        assert seqs(frames) == free[:count]
        self._hold(frames)

    def _hold(self, frames: list[Spooled]) -> None:
        for frame in frames:
            assert frame.value == value_of(frame.seq, LENGTH)
            self._held[frame.seq] = frame

    def _some(self, data: st.DataObject) -> list[Spooled]:
        chosen = data.draw(st.sets(st.sampled_from(sorted(self._held))))
        return [self._held.pop(number) for number in sorted(chosen)]

    @precondition(lambda self: self._held)
    @rule(data=st.data())
    def acknowledge(self, data: st.DataObject) -> None:
        frames = self._some(data)
        self._spool.acknowledge([frame.id for frame in frames])
        self._forget(seqs(frames))

    def _forget(self, numbers: list[int]) -> None:
        self._acknowledged |= set(numbers) & set(self._disk)
        self._disk = [number for number in self._disk if number not in numbers]
        self._memory = [number for number in self._memory if number not in numbers]

    @precondition(lambda self: self._held)
    @rule(data=st.data())
    def give_back(self, data: st.DataObject) -> None:
        self._spool.give_back([frame.id for frame in self._some(data)])

    @precondition(lambda self: self._held)
    @rule(data=st.data())
    def drop(self, data: st.DataObject) -> None:
        frames = self._some(data)
        self._spool.drop([frame.id for frame in frames])
        self._forget(seqs(frames))
        self._dropped += len(frames)

    @rule()
    def sync(self) -> None:
        self._spool.sync()
        self._took_note()
        if not self._broken:
            self._disk, self._memory = self._disk + self._memory, []
            self._acknowledged = set()

    @rule(broken=st.booleans())
    def disk(self, broken: bool) -> None:
        break_disk(self._spool, broken)
        self._broken = broken
        if not broken:
            self.sync()

    @precondition(lambda self: not self._broken)
    @rule()
    def restart(self) -> None:
        self._spool.close()
        self._disk, self._memory = self._disk + self._memory, []
        self._acknowledged, self._held = set(), {}
        self._spool = opened(self._path, LIMITS)
        assert self._spool.dropped == self._dropped
        assert self._spool.opened.lost_bytes == 0

    @rule()
    def kill(self) -> None:
        """What lies on the disk stays; what was acknowledged or dropped since it was last told may come back."""
        self._kills += 1
        killed = as_killed(self._path, self._directory / str(self._kills))
        self._spool.close()
        self._path = killed
        self._spool = opened(killed, LIMITS)
        assert self._spool.opened.lost_bytes == 0  # it lay there whole: no power cut tore off anything
        self._broken, self._memory, self._held = False, [], {}
        after = seqs(frames := all_waiting(self._spool))
        self._spool.give_back([frame.id for frame in frames])
        assert set(self._disk) <= set(after) <= set(self._disk) | self._acknowledged
        assert after == sorted(set(after))
        assert self._spool.dropped is not None
        assert self._spool.dropped <= self._dropped
        self._disk, self._dropped, self._acknowledged = after, self._spool.dropped, set()

    @invariant()
    def counts_agree(self) -> None:
        assert self._spool.frames == len(self._disk) + len(self._memory)
        assert self._spool.dropped == self._dropped
        assert self._spool.remade is None


AgentOnABadDay.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestAgentOnABadDay = AgentOnABadDay.TestCase
