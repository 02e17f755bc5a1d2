"""Is this logbook as its authors wrote it and as the platform received it, and is it whole?

In: a logbook's file, the platform's keys, and checkpoints that were kept elsewhere. Out: a `Verdict`, which
names each fault with its entry's number, and says apart what cannot be told from what was given. Called by
`deploy/commands/verify_log.py`; needs no server and no clock.

One change is one fault as far as that can be: where an entry cannot be believed, those after it are judged without
what it said, and are not blamed for it.
"""

from collections.abc import Sequence
from itertools import pairwise

import msgspec

from schemas.chain import FORGED_TEXT, HELD_US, Book, Fault, Found, advance, judge, pass_by
from schemas.checkpoint import Anchor, Checkpoint, Published, faults_of
from schemas.entry import Link, Record
from schemas.logbook import KeyRevoked, Later
from schemas.logbook_file import Broken, LogbookFile, read_file

_ABOUT_TIME = frozenset({Fault.BACK_DATED, Fault.POST_DATED, Fault.WRONG_OPENING})
"""Faults of an entry whose content is its author's all the same."""
_AFTER_A_LOSS = frozenset({Fault.UNREGISTERED, Fault.OUT_OF_PLACE})
"""What an entry that was lost may account for."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """`entries` were read. `unproven`: what could not be told. `late`: numbers of entries written long after
    the fact.

    Up to entry `anchored` the logbook is the one of the checkpoint of `anchored_us`; 0 without one.
    """

    robot_id: str
    entries: int
    faults: tuple[Found, ...]
    unproven: tuple[str, ...]
    late: tuple[int, ...]
    anchored: int
    anchored_us: int

    @property
    def is_sound(self) -> bool:
        """Nothing is wrong, as far as it could be told."""
        return not self.faults

    @property
    def is_proven(self) -> bool:
        """Nothing is wrong, and nothing was left open."""
        return not self.faults and not self.unproven


def check_logbook(
    data: bytes, platforms: frozenset[str] | None = None, published: Sequence[Published] = ()
) -> Verdict:
    """Check a file. Without `platforms` its own word is taken for who the platform is, which is then unproven.

    Raises RejectError for a file of a later version.
    """
    file = read_file(data)
    unproven: list[str] = []
    if platforms is None:
        platforms = _claimed(file)
        unproven.append("that the platform sealed it: its keys were taken from the file itself")
    sealed, faults, lost = _sealed(file, platforms)
    robot_id = _robot(file, sealed, faults)
    walk = _Walk(Book(robot_id=robot_id, platforms=platforms), lost)
    for number in sorted(sealed):
        walk.take(sealed[number])
    anchors = _Anchors(sealed, robot_id, platforms)
    anchors.take(file, published)
    return Verdict(
        robot_id=robot_id,
        entries=len(sealed),
        faults=tuple(sorted({*faults, *walk.faults, *anchors.faults}, key=lambda f: (f.number, f.fault, f.text))),
        unproven=(*unproven, *walk.unproven, *anchors.unproven),
        late=tuple(walk.late),
        anchored=anchors.entries,
        anchored_us=anchors.time_us,
    )


def _claimed(file: LogbookFile) -> frozenset[str]:
    records = {record.link.platform for record in file.records if isinstance(record, Record)}
    return frozenset(
        records | {anchor.checkpoint.platform for anchor in file.anchors if isinstance(anchor, Anchor)}
    )


def _sealed(file: LogbookFile, platforms: frozenset[str]) -> tuple[dict[int, Record], list[Found], set[int]]:
    """The records that the platform sealed, by number; what is wrong with their order; the numbers of the lost.

    A line whose number cannot be believed has the one after its neighbour's.
    """
    sealed: dict[int, Record] = {}
    lost: set[int] = set()
    faults: list[Found] = []
    last = highest = 0
    for record in file.records:
        if isinstance(record, Broken):
            faults.append(Found(last := last + 1, Fault.UNREADABLE, record.text))
            lost.add(last)
        elif record.link.platform not in platforms or not record.is_sealed:
            text = "its number, its time or its place is not what the platform sealed"
            faults.append(Found(last := last + 1, Fault.UNSEALED, text))
            lost.add(last)
        else:
            last = record.link.number
            if last in sealed:
                faults.append(Found(last, Fault.REPEATED, "the file has it twice"))
            elif last < highest:
                faults.append(Found(last, Fault.REORDERED, f"it stands behind entry {highest}"))
            sealed.setdefault(last, record)
            highest = max(highest, last)
    return sealed, faults + _gaps(sorted(sealed.keys() | lost)), lost


def _gaps(numbers: list[int]) -> list[Found]:
    if not numbers:
        return [Found(0, Fault.MISSING, "there is no entry at all")]
    faults = []
    for before, number in pairwise([0, *numbers]):
        if number > before + 1:
            until = f" to {number - 1}" if number > before + 2 else ""
            faults.append(Found(before + 1, Fault.MISSING, f"entry {before + 1}{until} is not there"))
    return faults


def _robot(file: LogbookFile, sealed: dict[int, Record], faults: list[Found]) -> str:
    """Whose logbook it is: the header's robot, unless every entry is about another."""
    named = {record.signed.entry.robot_id for record in sealed.values()}
    if file.robot_id is None:
        faults.append(Found(0, Fault.UNREADABLE, "the first line is not that of a logbook's file"))
    elif file.robot_id in named or not named:
        return file.robot_id
    else:
        faults.append(Found(0, Fault.OTHER_ROBOT, f"the file is said to be about robot {file.robot_id[:60]!r}"))
    return sealed[min(sealed)].signed.entry.robot_id if sealed else ""


class _Walk:
    """Goes along the sealed records in the order of their numbers."""

    def __init__(self, book: Book, lost: set[int]) -> None:
        self.book = book
        self.faults: list[Found] = []
        self.unproven: list[str] = []
        self.late: list[int] = []
        self._is_lost = bool(lost) and min(lost) == 1
        self._taken: list[Record] = []

    def take(self, record: Record) -> None:
        link, signed = record.link, record.signed
        if link.number != self.book.number + 1:
            self._is_lost = True
        elif link.previous != self.book.chain:
            self._fault(link, Fault.UNCHAINED, "it does not follow from the entry before it")
        if link.entry != signed.hash:
            self._fault(link, Fault.ALTERED, "its content is not what the platform received")
            self._is_lost = True
            pass_by(self.book, link)
        elif not signed.is_authentic:
            self._fault(link, Fault.FORGED, FORGED_TEXT)
            pass_by(self.book, link)
        else:
            self._judge(record)

    def _judge(self, record: Record) -> None:
        believed = True
        for found in judge(self.book, record):
            if self._is_lost and found.fault in _AFTER_A_LOSS:
                self.unproven.append(f"entry {found.number}: {found.text}, but not all of those are here")
            else:
                self.faults.append(found)
                believed &= found.fault in _ABOUT_TIME
        if not believed:
            pass_by(self.book, record.link)
            return
        self._note(record)
        self._taken.append(record)
        advance(self.book, record)

    def _note(self, record: Record) -> None:
        entry, link = record.signed.entry, record.link
        if link.received_us - entry.happened_us > HELD_US:
            self.late.append(link.number)
        match entry.what:
            case Later(named=named):
                self.unproven.append(f"entry {link.number} is of a kind that this version does not know: {named}")
            case KeyRevoked(key=key, since_us=since_us) if since_us is not None:
                doubtful = [r.link for r in self._taken if r.signed.entry.author == key]
                self.unproven += [
                    f"entry {old.number}: entry {link.number} puts its author's key in doubt by then"
                    for old in doubtful
                    if old.received_us >= since_us
                ]
            case _:
                pass

    def _fault(self, link: Link, fault: Fault, text: str) -> None:
        self.faults.append(Found(link.number, fault, text))


class _Anchors:
    """Holds the chain against checkpoints."""

    def __init__(self, sealed: dict[int, Record], robot_id: str, platforms: frozenset[str]) -> None:
        self._sealed, self._robot_id, self._platforms = sealed, robot_id, platforms
        self.faults: list[Found] = []
        self.unproven: list[str] = []
        self.entries = 0
        self.time_us = 0

    def take(self, file: LogbookFile, published: Sequence[Published]) -> None:
        good: list[Checkpoint] = []
        for anchor in file.anchors:
            if isinstance(anchor, Broken):
                self._fault(0, Fault.CHECKPOINT, f"an anchor cannot be read: {anchor.text}")
            elif self._is_true(anchor):
                good.append(anchor.checkpoint)
                self._hold(anchor)
        for text in faults_of(published, self._platforms):
            self._fault(0, Fault.CHECKPOINT, text)
        if not published:
            self.unproven.append("that nothing was cut off at the end: no checkpoint was given")
            return
        newest = max((line.checkpoint for line in published), key=lambda c: c.size)
        if newest not in good:
            self._unmet(newest)

    def _unmet(self, newest: Checkpoint) -> None:
        first = self._sealed.get(1)
        if first is not None and first.link.received_us > newest.time_us:
            self.unproven.append("that nothing was cut off at the end: the checkpoint is older than the logbook")
        else:
            self._fault(0, Fault.CHECKPOINT, f"the file has no proof that leads to checkpoint {newest.size}")

    def _is_true(self, anchor: Anchor) -> bool:
        size = anchor.checkpoint.size
        if anchor.checkpoint.platform not in self._platforms or not anchor.is_authentic:
            self._fault(0, Fault.CHECKPOINT, f"checkpoint {size}, in the file, is not the platform's")
        elif anchor.head.robot_id != self._robot_id or not anchor.holds:
            self._fault(0, Fault.CHECKPOINT, f"the proof that leads to checkpoint {size} does not hold")
        else:
            return True
        return False

    def _hold(self, anchor: Anchor) -> None:
        """Against the entry that was the last by then, and the one after it."""
        number, time_us = anchor.head.entries, anchor.checkpoint.time_us
        name = f"checkpoint {anchor.checkpoint.size}"
        if not self._sealed or number > max(self._sealed):
            text = f"{name} has {number} entries; the last ones are not there"
            self._fault(max(self._sealed, default=0) + 1, Fault.TAIL_MISSING, text)
            return
        last, after = self._sealed.get(number), self._sealed.get(number + 1)
        if last is not None and last.link.hash != anchor.head.chain:
            self._fault(number, Fault.REWRITTEN, f"{name} has another entry, or others before it")
        elif last is not None and last.link.received_us > time_us:
            self._fault(number, Fault.POST_DATED, f"it says that it was received after {name}, which has it")
        elif last is not None and number >= self.entries:
            self.entries, self.time_us = number, time_us
        if after is not None and after.link.received_us < time_us:
            self._fault(number + 1, Fault.BACK_DATED, f"it says that it was received before {name}, which lacks it")

    def _fault(self, number: int, fault: Fault, text: str) -> None:
        self.faults.append(Found(number, fault, text))
