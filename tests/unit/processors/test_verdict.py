"""Batches against one message at a time: the same anomalies, healths and state, wherever a worker is killed."""

import random
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import msgspec
import pytest

from processors import episodes
from processors.episodes import Record
from processors.findings import SILENCE
from processors.inbox import Arrival, Inbox
from processors.partition import Partition
from processors.shard import Shard, empty_shard, restore, snapshot
from processors.steps import Steps
from processors.verdict import Verdict, verdicts
from schemas.action import Action, Kind
from schemas.anomaly import Anomaly, Transition, encode_anomaly
from schemas.health import Health
from schemas.limits import Limits
from schemas.vitals import Acted, Crossing, Message, Pulse
from support.wandering import wandering
from support.windows import RULE, START_US, S, Sent

SECONDS, ROBOTS = 300, 5
SILENT_FROM_S, SILENT_TO_S = 100, 220
QUIET, LOUD = (0, 2), (1, 3, 4)
KINDS = [kind for kind in Kind if kind not in (Kind.ADOPT, Kind.RELEASE)]
PARTS = ["joint/1", "joint/2"]
SILENCED = {Sent(robot=number).code for number in QUIET}


class KilledError(Exception):
    """As by SIGKILL: what was done is done, what was not is not."""


@cache
def log_of(seed: int, acting_on: tuple[int, ...] = LOUD) -> list[Message]:
    """A partition's messages: hot joints, robots that are silent for a while, pulses, and somebody who acts, on
    each robot less often than is remembered, since a kill may go back to the beginning.
    """
    partition = Partition(RULE, Limits(), 0, 0, None)
    log: list[Message] = []
    chance = random.Random(seed)
    frames = [record for record in wandering(seed, SECONDS, ROBOTS) if not _is_silenced(record)]
    for second in range(0, SECONDS, 5):
        until_ms = (START_US + second * S) // 1000
        now = [frame for frame in frames if until_ms <= frame.timestamp < until_ms + 5000]
        log += partition.take(now).messages
        log.append(Pulse(v=1, partition=0, now_us=START_US + second * S, watermark_us=0))
        log += [_acted(chance, second, kind, chance.choice(acting_on)) for kind in chance.sample(KINDS, 2)]
    return log


def _acted(chance: random.Random, second: int, kind: Kind, robot: int) -> Acted:
    """Something or other about some robot: much of it is about nothing."""
    now_us = START_US + second * S
    parts = PARTS if kind is Kind.REPLACED else ["", "robot", *PARTS]
    action = Action(
        v=1, id=f"{kind}-{second}", kind=kind, robot_id=Sent(robot=robot).code, actor="Ada", time_us=now_us,
        note="seen", component=chance.choice(parts), until_us=now_us + 30 * S,
    )  # fmt: skip
    return Acted(v=1, action=action, taken_us=now_us)


def _is_silenced(record: Any) -> bool:
    at_s = (record.timestamp * 1000 - START_US) / S
    return SILENT_FROM_S < at_s < SILENT_TO_S and record.key.decode() in SILENCED


@dataclass
class Worker:
    """What outlives a kill. `committed` is where reading begins again: behind what was acknowledged."""

    chance: random.Random
    batch: int = 1
    kills: float = 0.0
    shards: dict[tuple[int, bytes], bytes] = field(default_factory=dict)
    records: dict[tuple[int, str], bytes] = field(default_factory=dict)
    anomalies: list[Anomaly] = field(default_factory=list)
    healths: list[Health] = field(default_factory=list)
    committed: int = 0
    killed: int = 0

    def shard(self, partition: int, key: bytes) -> Shard:
        packed = self.shards.get((partition, key))
        return empty_shard() if packed is None else restore(packed)

    def record(self, partition: int, code: str) -> Record:
        return episodes.restore(self.records.get((partition, code)))

    def work(self, log: list[Message]) -> "Worker":
        while self.committed < len(log):
            try:
                self._from_the_committed(log)
            except KilledError:
                self.killed += 1
        return self

    def _from_the_committed(self, log: list[Message]) -> None:
        steps, inbox = Steps(Limits(), 30 * S), Inbox()
        at = self.committed
        while at < len(log) or inbox.waiting:
            for message in log[at : at + self.chance.randrange(1, 2 * self.batch + 1)]:
                inbox.add(Arrival(0, at, 1, 0.0, 0.0, None), steps.of(0, message), isinstance(message, Crossing))
                at += 1
            jobs = inbox.take(self.batch, 10**9)
            for verdict in verdicts(jobs, self):
                self._settle(verdict)
            self._may_be_killed()
            acknowledged = inbox.finish(jobs)
            if acknowledged and (at == len(log) or self.chance.random() < 0.5):
                self.committed = acknowledged[-1].offset + 1

    def _settle(self, verdict: Verdict) -> None:
        """As the loop does, and killed between any two writes."""
        self._may_be_killed()
        self.anomalies += verdict.anomalies
        self.healths += verdict.healths
        for robot, record in verdict.records.items():
            self._may_be_killed()
            self.records[robot] = episodes.snapshot(record)
        for key, shard in verdict.shards.items():
            self._may_be_killed()
            self.shards[key] = snapshot(shard)

    def _may_be_killed(self) -> None:
        if self.chance.random() < self.kills:
            raise KilledError

    def told(self) -> tuple[dict[str, Anomaly], dict[str, Health]]:
        """Anomalies by id, and the last health of each robot. After a restart silence takes its time anew: when it
        was noticed is left out.
        """
        anomalies = [msgspec.structs.replace(a, last_us=0) if a.rule == SILENCE else a for a in self.anomalies]
        return {a.id: a for a in anomalies}, {h.robot_id: h for h in self.healths}


@cache
def straight(seed: int) -> Worker:
    """One message at a time, never killed."""
    return Worker(random.Random(0)).work(log_of(seed))


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("batch", [3, 30, 1000])
def test_batches_tell_what_messages_one_by_one_tell(seed: int, batch: int) -> None:
    worker, expected = Worker(random.Random(seed), batch).work(log_of(seed)), straight(seed)
    assert sorted(a.id for a in worker.anomalies) == sorted(a.id for a in expected.anomalies)
    assert len(expected.anomalies) > 20
    assert {a.rule for a in expected.anomalies} == {"limit", "silence"}
    assert {a.transition for a in expected.anomalies} >= set(Transition) - {Transition.RETIRED}
    assert worker.told() == expected.told()
    assert {(h.robot_id, h.time_us): h for h in worker.healths} == {
        (h.robot_id, h.time_us): h for h in expected.healths
    }
    assert (worker.shards, worker.records) == (expected.shards, expected.records)


@pytest.mark.parametrize("seed", range(8))
def test_killed_between_any_two_writes_it_tells_the_same(seed: int) -> None:
    expected = straight(seed % 3)
    worker = Worker(random.Random(seed), batch=random.Random(seed).choice([3, 30, 200]), kills=0.01)
    worker.work(log_of(seed % 3))
    assert worker.killed > 1
    assert worker.told() == expected.told()
    assert (worker.shards, worker.records) == (expected.shards, expected.records)


@pytest.mark.parametrize("seed", range(8))
def test_killed_while_people_act_on_silent_robots_it_tells_no_two_things_by_one_id(seed: int) -> None:
    """A silence may be noticed later after a kill, and then what people did meanwhile has other numbers; but what
    was told stays true.
    """
    log = log_of(seed % 3, acting_on=QUIET)
    worker = Worker(random.Random(seed), batch=random.Random(seed).choice([3, 30, 200]), kills=0.01).work(log)
    told: dict[str, set[bytes]] = {}
    for anomaly in worker.anomalies:
        if (anomaly.rule, anomaly.transition) != (SILENCE, Transition.OPENED):
            told.setdefault(anomaly.id, set()).add(encode_anomaly(anomaly)[0])
    assert worker.killed > 1
    assert len(told) > 20
    assert [contents for contents in told.values() if len(contents) > 1] == []
