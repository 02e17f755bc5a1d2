"""A robot's logbook as a chain: an entry is judged, then linked to the one before, by rules that hold for ever.

In: a signed entry and when it was received, or a record that is there already. Out: a record, or what is wrong
with it. Called by whoever appends (`append`) and by `logbook_check.py` (`judge`, `advance`); both hold a
`Book`, which is changed in place.

Times. The platform's `received_us` never goes back along a chain. An author's `written_us` is at most
`CLOCK_US` after it, and at most `HELD_US` before: an entry dated further back is back-dated, or was held back,
and nobody could tell which. What happened long before it was written is a late entry, which is honest: it says
itself that it is one.
"""

from enum import StrEnum

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schemas.canonical import canonical, digest
from schemas.entry import Entry, Link, Record, Signed
from schemas.errors import RejectError
from schemas.logbook import (
    WRITERS,
    Correction,
    KeyRegistered,
    KeyRevoked,
    Later,
    Opened,
    Registered,
    Role,
    Scrapped,
    What,
    kind_name,
)
from schemas.signing import Purpose, public_key, sign

CLOCK_US = 10 * 60 * 1_000_000
"""Ours: how far ahead an author's clock may be."""
HELD_US = 30 * 24 * 3_600_000_000
"""Ours: how long an entry may wait for a connection after it was signed."""


class Fault(StrEnum):
    """What is wrong with an entry, or with a logbook as a whole. Stable words."""

    UNREADABLE = "unreadable"  # no record at all: bytes were changed
    UNSEALED = "unsealed"  # its number, time or place was changed, or the platform never gave them
    ALTERED = "altered"  # not the content that the platform linked
    FORGED = "forged"  # not signed by the author it names
    MISSING = "missing"
    REPEATED = "repeated"
    REORDERED = "reordered"
    UNCHAINED = "unchained"  # does not follow from the entry before
    BACK_DATED = "back_dated"
    POST_DATED = "post_dated"
    OTHER_ROBOT = "other_robot"
    UNREGISTERED = "unregistered"  # its author's key is not registered by then
    REVOKED = "revoked"
    WRONG_ROLE = "wrong_role"
    OUT_OF_PLACE = "out_of_place"  # nothing before it that it could follow
    AFTER_SCRAPPING = "after_scrapping"
    WRONG_OPENING = "wrong_opening"  # what is said to stand behind a commitment does not
    TAIL_MISSING = "tail_missing"  # a checkpoint has more entries
    REWRITTEN = "rewritten"  # a checkpoint has other entries
    CHECKPOINT = "checkpoint"  # the checkpoint itself, or the proof that leads to it, does not hold


class Found(msgspec.Struct, frozen=True):
    """`number` is the entry's; 0 where it is about the logbook as a whole."""

    number: int
    fault: Fault
    text: str


class Key(msgspec.Struct, frozen=True):
    """A registered key. `revoked`: the number of the entry that did it, 0 for a good one."""

    role: Role
    holder: str
    revoked: int = 0


class Book(msgspec.Struct, kw_only=True):
    """All that the next entry is judged by. `platforms`: the platform's keys; `kinds`: each entry's, by its id."""

    robot_id: str
    platforms: frozenset[str]
    number: int = 0
    chain: str = ""
    received_us: int = 0
    keys: dict[str, Key] = {}
    kinds: dict[str, str] = {}
    registered: bool = False
    scrapped_us: int = -1

    def __post_init__(self) -> None:
        self.chain = self.chain or genesis(self.robot_id)

    def role_of(self, key: str) -> Role | None:
        if key in self.platforms:
            return Role.PLATFORM
        return self.keys[key].role if key in self.keys else None


def genesis(robot_id: str) -> str:
    """What the first link has for the one before: another for each robot, so no chain can pass for another's."""
    return digest(canonical({"logbook": robot_id}))


def append(
    book: Book, signed: Signed, received_us: int, private: Ed25519PrivateKey, opened: tuple[Opened, ...] = ()
) -> Record:
    """Link and seal an entry; `book` is then one further. Raises RejectError with the first `Fault`: no change.

    A clock that went back does not make the log go back: the time of receipt is then that of the entry before. A
    kind of a later version is refused, for nobody here could say who may write it; what is there already is kept.
    """
    link = _link(book, signed, received_us, public_key(private))
    record = Record(signed=signed, link=link, seal=sign(private, Purpose.LINK, canonical(link)), opened=opened)
    _take(book, record)
    return record


def try_on(book: Book, signed: Signed, received_us: int, opened: tuple[Opened, ...] = ()) -> None:
    """As `append`, without a seal: for who wants to know before it is sent. Raises RejectError as that does."""
    _take(book, Record(signed=signed, link=_link(book, signed, received_us, ""), seal="", opened=opened))


def _link(book: Book, signed: Signed, received_us: int, platform: str) -> Link:
    return Link(
        number=book.number + 1,
        previous=book.chain,
        entry=signed.hash,
        received_us=max(received_us, book.received_us),
        platform=platform,
    )


def _take(book: Book, record: Record) -> None:
    signed = record.signed
    if isinstance(signed.entry.what, Later):
        raise RejectError(
            "future_version", f"an entry of kind {signed.entry.what.named!r}, which is not known here"
        )
    if not signed.is_authentic:
        raise RejectError(Fault.FORGED, FORGED_TEXT)
    for found in judge(book, record):
        raise RejectError(found.fault, found.text)
    advance(book, record)


FORGED_TEXT = "its signature is not one of the key that it names as its author"


def judge(book: Book, record: Record) -> list[Found]:
    """What is wrong with a record as the next of `book`, beside its hashes and signatures."""
    entry, link = record.signed.entry, record.link
    if entry.robot_id != book.robot_id:
        return [Found(link.number, Fault.OTHER_ROBOT, f"it is about robot {entry.robot_id}")]
    wrong = [*_times(book, entry, link), *_author(book, entry), *_place(book, entry), *_opened(record)]
    return [Found(link.number, fault, text) for fault, text in wrong]


def pass_by(book: Book, link: Link) -> None:
    """The record stands there, but nothing that it says is believed."""
    book.number, book.chain, book.received_us = link.number, link.hash, max(book.received_us, link.received_us)


def advance(book: Book, record: Record) -> None:
    """Take a record for good. What it says holds for those that follow."""
    entry, link = record.signed.entry, record.link
    pass_by(book, link)
    book.kinds[entry.id] = kind_name(type(entry.what))
    match entry.what:
        case Registered():
            book.registered = True
        case Scrapped():
            book.scrapped_us = entry.happened_us
        case Correction(corrects=corrects) if book.kinds.get(corrects) == kind_name(Registered):
            book.registered = False  # it may be registered again, as it should have been
        case KeyRegistered(key=key, role=role, holder=holder) if key not in book.keys:
            book.keys[key] = Key(role, holder)
        case KeyRevoked(key=key) if key in book.keys:
            book.keys[key] = msgspec.structs.replace(book.keys[key], revoked=link.number)
        case _:
            pass


_Wrong = list[tuple[Fault, str]]


def _times(book: Book, entry: Entry, link: Link) -> _Wrong:
    wrong: _Wrong = []
    if link.received_us < book.received_us:
        wrong.append((Fault.BACK_DATED, "it says that it was received before the entry before it"))
    if entry.written_us > link.received_us + CLOCK_US:
        wrong.append((Fault.POST_DATED, "it says that it was written after it was received"))
    if entry.happened_us > entry.written_us + CLOCK_US:
        wrong.append((Fault.POST_DATED, "it says that it was written before what it tells of had happened"))
    held_us = link.received_us - entry.written_us
    if held_us > HELD_US:
        days = held_us // (24 * 3_600_000_000)
        wrong.append((Fault.BACK_DATED, f"it says that it was written {days} days before it was received"))
    return wrong


def _author(book: Book, entry: Entry) -> _Wrong:
    role = book.role_of(entry.author)
    if role is None:
        return [(Fault.UNREGISTERED, f"no entry before it registers its author's key {entry.author[:16]}…")]
    key = book.keys.get(entry.author)
    if key is not None and key.revoked:
        return [(Fault.REVOKED, f"entry {key.revoked} revokes its author's key {entry.author[:16]}…")]
    kind = type(entry.what)
    if kind is not Later and role not in WRITERS[kind]:
        return [(Fault.WRONG_ROLE, f"a key of role {role} may not write {kind_name(kind)}")]
    return []


def _place(book: Book, entry: Entry) -> _Wrong:
    if entry.id in book.kinds:
        return [(Fault.REPEATED, f"an entry before it has its id {entry.id}")]
    what = entry.what
    about_keys = isinstance(what, KeyRegistered | KeyRevoked)
    wrong = [(Fault.OUT_OF_PLACE, text) for text in (_misplaced(book, entry, about_keys),) if text]
    is_after = 0 <= book.scrapped_us < entry.happened_us
    if is_after and not (about_keys or isinstance(what, Correction)):
        wrong.append((Fault.AFTER_SCRAPPING, "it happened after the robot was scrapped"))
    return wrong


def _misplaced(book: Book, entry: Entry, about_keys: bool) -> str:
    what = entry.what
    if isinstance(what, Registered) and book.registered:
        return "the robot is registered already"
    if not (book.registered or about_keys or isinstance(what, Registered | Later)):
        return "no entry before it registers the robot"
    match what:
        case Scrapped() if book.scrapped_us >= 0:
            return "the robot is scrapped already"
        case KeyRegistered(key=key) if key in book.keys or key in book.platforms:
            return "the key is registered already"
        case KeyRegistered(role=Role.PLATFORM):
            return "a platform's key is not registered in a logbook"
        case KeyRevoked(key=key) if key not in book.keys or book.keys[key].revoked:
            return "there is no such key to revoke"
        case Correction():
            return _not_corrected(book, entry.author, what)
        case _:
            return ""


_FINAL: tuple[type[What], ...] = (Scrapped, KeyRegistered, KeyRevoked)


def _not_corrected(book: Book, author: str, what: Correction) -> str:
    name = book.kinds.get(what.corrects)
    if name is None:
        return "no entry before it has the id that it corrects"
    if name in map(kind_name, _FINAL):
        return f"{name} cannot be corrected"
    if not any(kind_name(kind) == name and book.role_of(author) in roles for kind, roles in WRITERS.items()):
        return f"its author may not write {name}, nor correct it"
    if what.instead is not None and what.instead not in book.kinds:
        return "no entry before it has the id of what holds instead"
    return ""


def _opened(record: Record) -> _Wrong:
    strange = [opened for opened in record.opened if f'"{opened.commitment}"'.encode() not in record.signed.text]
    return [(Fault.WRONG_OPENING, "a value beside it is not the one that it commits to") for _ in strange]
