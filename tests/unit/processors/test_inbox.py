"""What is handled next, and what may be acknowledged."""

import random
from collections import defaultdict
from typing import Any

import pytest

from processors import inbox as inbox_file
from processors.assessor import Outcome
from processors.inbox import Arrival, Inbox, Job


def nothing(*_: Any, **__: Any) -> Outcome:
    return Outcome()


def came(inbox: Inbox, offset: int, *keys: str, ahead: bool = False, partition: int = 0, size: int = 1) -> None:
    arrival = Arrival(partition, offset, size, written_s=float(offset), came_s=0.0, event=None)
    inbox.add(arrival, [(key.encode(), nothing) for key in keys], goes_ahead=ahead)


def taken(inbox: Inbox, jobs: int = 100, size: int = 10**9) -> list[Job]:
    return inbox.take(jobs, size)


def named(jobs: list[Job]) -> list[tuple[int, str]]:
    return [(job.arrival.offset, job.key.decode()) for job in jobs]


def offsets(arrivals: list[Arrival]) -> list[int]:
    return [arrival.offset for arrival in arrivals]


def test_windows_come_in_the_order_of_their_messages() -> None:
    inbox = Inbox()
    for offset, key in enumerate("abac"):
        came(inbox, offset, key)
    assert named(taken(inbox)) == [(0, "a"), (1, "b"), (2, "a"), (3, "c")]
    assert taken(inbox) == []


def test_a_crossing_goes_ahead_of_other_shards_and_never_of_its_own() -> None:
    inbox = Inbox()
    for offset, key in enumerate("abcabc"):
        came(inbox, offset, key)
    came(inbox, 6, "b", ahead=True)
    came(inbox, 7, "b")
    assert named(taken(inbox, jobs=4)) == [(1, "b"), (4, "b"), (6, "b"), (0, "a")]


def test_crossings_keep_their_order() -> None:
    inbox = Inbox()
    came(inbox, 0, "a")
    came(inbox, 1, "b", ahead=True)
    came(inbox, 2, "a", ahead=True)
    came(inbox, 3, "b", ahead=True)
    assert named(taken(inbox)) == [(1, "b"), (0, "a"), (2, "a"), (3, "b")]


def test_a_message_of_many_shards_waits_in_each_of_them() -> None:
    inbox = Inbox()
    came(inbox, 0, "a", "b")
    came(inbox, 1, "b", ahead=True)
    first = taken(inbox, jobs=2)
    assert named(first) == [(0, "b"), (1, "b")]
    assert offsets(inbox.finish(first)) == []
    assert offsets(inbox.finish(taken(inbox))) == [0, 1]


def test_what_went_ahead_is_acknowledged_when_all_before_it_is_done() -> None:
    inbox = Inbox()
    came(inbox, 0, "a")
    came(inbox, 1, "b", ahead=True)
    came(inbox, 0, "c", partition=1)
    first = taken(inbox, jobs=1)
    assert (named(first), offsets(inbox.finish(first)), inbox.waiting) == ([(1, "b")], [], 3)
    assert [(a.partition, a.offset) for a in inbox.finish(taken(inbox))] == [(0, 0), (0, 1), (1, 0)]
    assert (inbox.waiting, inbox.waiting_bytes) == (0, 0)


def test_what_cannot_be_read_is_acknowledged_in_its_turn() -> None:
    inbox = Inbox()
    came(inbox, 0, "a")
    came(inbox, 1)
    assert offsets(inbox.finish([])) == []
    assert offsets(inbox.finish(taken(inbox))) == [0, 1]
    came(inbox, 2)
    assert (taken(inbox), offsets(inbox.finish([]))) == ([], [2])


def test_a_batch_ends_at_its_limit_of_bytes_and_holds_one_job_at_least() -> None:
    inbox = Inbox()
    for offset, size in enumerate([50, 30, 20, 10]):
        came(inbox, offset, "a", size=size)
    assert [len(taken(inbox, size=limit)) for limit in (40, 50, 50)] == [1, 2, 1]


def test_it_is_full_by_bytes_and_by_messages_until_they_are_acknowledged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox_file, "MAX_WAITING_BYTES", 100)
    monkeypatch.setattr(inbox_file, "MAX_WAITING", 3)
    inbox = Inbox()
    came(inbox, 0, "a", size=99)
    assert not inbox.full
    came(inbox, 1, "a", size=1)
    assert inbox.full
    jobs = taken(inbox)
    assert inbox.full, "what is being handled still takes room"
    inbox.finish(jobs)
    assert not inbox.full
    for offset in (2, 3, 4):
        came(inbox, offset, "a", size=0)
    assert inbox.full


def test_the_oldest_that_waits_is_known() -> None:
    inbox = Inbox()
    assert inbox.oldest_s() is None
    came(inbox, 5, "a", partition=1)
    came(inbox, 3, "b")
    assert inbox.oldest_s() == 3.0
    inbox.finish(taken(inbox))
    assert inbox.oldest_s() is None


@pytest.mark.parametrize("seed", range(5))
def test_whatever_comes_each_shard_is_in_order_and_so_is_what_is_acknowledged(seed: int) -> None:
    chance = random.Random(seed)
    inbox, counts = Inbox(), [0, 0]
    done: dict[str, list[int]] = defaultdict(list)
    acknowledged: dict[int, list[int]] = defaultdict(list)
    for _ in range(300):
        for _ in range(chance.randrange(6)):
            partition = chance.randrange(2)
            keys = [f"{partition}/{n}" for n in chance.sample(range(4), chance.choice([0, 1, 1, 1, 4]))]
            came(
                inbox, counts[partition], *keys, ahead=len(keys) == 1 and chance.random() < 0.3, partition=partition
            )
            counts[partition] += 1
        jobs = taken(inbox, jobs=chance.randrange(1, 6))
        for offset, key in named(jobs):
            done[key].append(offset)
        for arrival in inbox.finish(jobs):
            acknowledged[arrival.partition].append(arrival.offset)
    while inbox.waiting:
        for arrival in inbox.finish(taken(inbox)):
            acknowledged[arrival.partition].append(arrival.offset)
    assert all(found == sorted(found) for found in done.values())
    assert [acknowledged[p] for p in (0, 1)] == [list(range(count)) for count in counts]
