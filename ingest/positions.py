"""Where to begin: the offsets that the database holds, checked against what Kafka still has.

In: assigned partitions, then their first records. Out: where to read each from, and of what is read what is new.
Called by `ingest/land.py` after every assignment and whenever it was fenced. An offset that the log does not have
is never jumped over silently, and neither is a topic that was made anew and has grown past it: the record that was
landed last is read once more, and must be the same.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from aiokafka import TopicPartition

from ingest.batch import Record
from ingest.landing import Landing, Stored
from ingest.reject_limit import RejectLimit
from ingest.source import Source
from schemas.errors import ContractError


@dataclass(frozen=True, slots=True)
class Position:
    """Of one partition: the next offset to land, where its log begins, and what is known of the record before."""

    next: int
    beginning: int
    last_ms: int | None

    @property
    def read_from(self) -> int:
        """One record early, if there is one to compare."""
        return self.next if self.last_ms is None else max(self.beginning, self.next - 1)


async def stored_positions(
    source: Source, landing: Landing, limit: RejectLimit, partitions: Collection[TopicPartition]
) -> dict[TopicPartition, Position]:
    """Where each partition stands; one that is new begins where its log does.

    Raises ContractError where the log does not have that offset, RetryError while a server does not answer.
    """
    beginnings = await source.beginnings(partitions)
    stored: dict[TopicPartition, Stored] = {}
    run = limit.policy.run
    for topic in {tp.topic for tp in partitions}:
        found = await landing.offsets(
            topic, {tp.partition: beginnings[tp] for tp in partitions if tp.topic == topic}
        )
        stored |= {TopicPartition(topic, partition): at for partition, at in found.items()}
        rejected = {p: await landing.rejected_since(topic, p, at.next - run) for p, at in found.items()}
        limit.seed(topic, {p: (at.next, rejected[p]) for p, at in found.items()})
    # Asked last: another lander may be landing newer records, and what it has stored is never beyond a later end.
    ends = await source.ends(partitions)
    for tp, at in stored.items():
        check_log(tp, at.next, beginnings[tp], ends[tp])
    return {tp: Position(at.next, beginnings[tp], at.last_ms) for tp, at in stored.items()}


def check_log(tp: TopicPartition, stored: int, beginning: int, end: int) -> None:
    """Raises ContractError when the log from `beginning` to `end` does not have the `stored` offset."""
    if stored < beginning:
        raise _not_ours(
            tp,
            stored,
            f"the log begins at {beginning}: {beginning - stored} records were deleted before they were landed",
            beginning,
        )
    if stored > end:
        raise _not_ours(tp, stored, f"the log ends at {end}: {_ANEW}", beginning)


def unlanded(tp: TopicPartition, position: Position, records: Sequence[Record]) -> Sequence[Record]:
    """Of the first records read from `position` those that are to be landed.

    Raises ContractError when the record before them is not the one that was landed.
    """
    first = records[0]
    if first.offset >= position.next:
        return records  # compaction has taken the one before
    if first.timestamp != position.last_ms:
        raise _not_ours(
            tp, position.next, f"the record before it is not the one that was landed: {_ANEW}", position.beginning
        )
    return records[1:]


_ANEW = "the topic was made anew, or the database belongs to another Kafka"


def _not_ours(tp: TopicPartition, stored: int, what: str, beginning: int) -> ContractError:
    return ContractError(
        f"{tp.topic} partition {tp.partition}: offset {stored} is to be landed next, and {what}; to go on all the "
        f"same, set its next_offset in the table landed to {beginning}, and its last_received to null"
    )
