"""A message of `telemetry.vitals` as steps: one for each shard that it touches.

In: a partition and its messages in order, already decoded. Out: for each the shards' keys and what to do with them,
as functions of a shard's state and the episodes of its robots. Called by `processors/assess_work.py`. What a step
does is in `processors/assessor.py`. No step knows of another shard, so the steps of one shard have to be in order,
and those of two shards need not be: that is what `processors/inbox.py` goes by.
"""

from collections.abc import Iterator
from functools import partial
from typing import Protocol, assert_never

from processors import assessor, attending
from processors.assessor import Outcome, Records
from processors.detectors import silence
from processors.shard import Shard
from schemas.limits import Limits
from schemas.topics import SHARDS_PER_PARTITION, shard_key, shard_of
from schemas.vitals import Acted, Crossing, Late, Message, Pulse, Vitals


class Step(Protocol):
    """What one message does to one shard."""

    def __call__(self, shard: Shard, *, records: Records) -> Outcome: ...


class Steps:
    """Those of all partitions of one worker. `forget` when partitions come or go."""

    def __init__(self, limits: Limits, silence_us: int) -> None:
        self._limits = limits
        self._silence_us = silence_us
        self._listening_us: dict[int, tuple[int, int]] = {}

    def forget(self) -> None:
        """Somebody else may have read a partition meanwhile, or nobody."""
        self._listening_us.clear()

    def of(self, partition: int, message: Message) -> Iterator[tuple[bytes, Step]]:
        """The keys of the shards, and what to do with each."""
        match message:
            case Vitals():
                step = partial(assessor.on_window, vitals=message, limits=self._limits)
                yield shard_key(partition, message.shard), step
            case Crossing():
                key = shard_key(partition, shard_of(message.robot_id))
                yield key, partial(assessor.on_crossing, crossing=message)
            case Late():
                for number, seen in assessor.sightings(message).items():
                    step = partial(assessor.on_late, seen=seen, silence_us=self._silence_us)
                    yield shard_key(partition, number), step
            case Pulse():
                since_us = self._listening_since_us(partition, message.now_us)
                for number in range(SHARDS_PER_PARTITION):
                    step = partial(_on_pulse, pulse=message, since_us=since_us, silence_us=self._silence_us)
                    yield shard_key(partition, number), step
            case Acted():
                key = shard_key(partition, shard_of(message.action.robot_id))
                yield key, partial(attending.on_action, acted=message)
            case _:
                assert_never(message)

    def _listening_since_us(self, partition: int, now_us: int) -> int:
        """Since when the pulses of a partition have come without a gap."""
        since_us, last_us = self._listening_us.get(partition, (now_us, now_us))
        if now_us - last_us > silence.GAP_US:
            since_us = now_us
        self._listening_us[partition] = since_us, now_us
        return since_us


def _on_pulse(shard: Shard, *, pulse: Pulse, since_us: int, silence_us: int, records: Records) -> Outcome:
    """Most pulses have nothing to do: what is due by the clock, then who is silent."""
    due = attending.on_pulse(shard, pulse.now_us, records)
    shard = shard if due.shard is None else due.shard
    silent_us = silence.due_us(shard, silence_us, since_us)
    if silent_us is None or pulse.now_us <= silent_us:
        return due
    found = assessor.on_pulse(shard, pulse.now_us, silence_us, attending.reading(due, records))
    return attending.both(due, found)
