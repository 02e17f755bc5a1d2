"""Entries that authors sent, appended to their robots' logbooks or refused. Pure.

In: what was sent, where the logbooks stand, and which of the ids are there already. Out: records, or refusals by
their places. Called by `ingest/logbook_rows.py`, in the transaction that holds those logbooks.

An entry that is there already is a repeat: it changes nothing, and what it opens is not taken either, for it may
have been erased since. Another entry under an id that is taken is refused.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ingest.sealed import Place
from schemas.chain import CLOCK_US, Book, append
from schemas.entry import Record, Submission, encode_record
from schemas.errors import RejectError
from schemas.signing import Hash

EntryPlace = tuple[str, str]
"""A robot's code, and the id of an entry of it."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One record of the topic. `received_us`: when the broker had it."""

    place: Place
    received_us: int
    submission: Submission

    @property
    def robot_id(self) -> str:
        return self.submission.signed.entry.robot_id


@dataclass(slots=True)
class Appended:
    """Where something is refused nothing of the rest may be kept: it is judged again without that."""

    records: list[Record] = field(default_factory=list)
    duplicates: int = 0
    refused: dict[Place, RejectError] = field(default_factory=dict)


def append_all(
    sent: Iterable[Sent],
    books: Mapping[str, Book],
    known: Mapping[EntryPlace, Hash],
    floor_us: int,
    now_us: int,
    private: Ed25519PrivateKey,
) -> Appended:
    """In the order in which they were sent; the `books` go on with them.

    `known`: the hashes of signed entries that are there. `floor_us`: no entry was received before it. A checkpoint
    says of each entry that it lacks that it came later; one that waited while the checkpoint was made came later.
    `now_us` counts for a broker's clock that is far ahead: no entry could follow one received in the future.
    """
    hashes, done = dict(known), Appended()
    for one in sent:
        signed = one.submission.signed
        place = one.robot_id, signed.entry.id
        if hashes.get(place) == signed.hash:
            done.duplicates += 1
            continue
        at_us = one.received_us if one.received_us <= now_us + CLOCK_US else now_us
        received_us = max(at_us, floor_us)
        try:
            record = append(books[one.robot_id], signed, received_us, private, one.submission.opened)
            encode_record(record)  # with its link it must still fit into a line
        except RejectError as error:
            done.refused[one.place] = error
            continue
        hashes[place] = signed.hash
        done.records.append(record)
    return done
