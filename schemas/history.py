"""What a robot's logbook says, once corrections are taken into account: who, what, from when until when.

In: the records of one robot's logbook, in the order of their numbers. Out: a `History`. Called by whoever reads a
logbook for its content: registry, maintenance, findings, reports, incidents. Whether the records are true is for
`logbook_check.py`; here each is taken at its word.

Order is that of `happened_us`, since a late entry tells of its time and not of its receipt; of two of the same time
the one with the lower number comes first.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Generic, TypeVar, cast

import msgspec

from schemas.entry import Entry, Record
from schemas.logbook import (
    Correction,
    KeyRegistered,
    Opened,
    Operation,
    Ownership,
    PartInstalled,
    PartRemoved,
    RecallDone,
    Recalled,
    Registered,
    Role,
    Scrapped,
    What,
)

W = TypeVar("W", bound=What)


class Status(StrEnum):
    """Of a robot as a whole. Scrapped is final; recalled lasts until every campaign is done."""

    UNREGISTERED = "unregistered"
    ACTIVE = "active"
    RECALLED = "recalled"
    SCRAPPED = "scrapped"


class Stated(msgspec.Struct, Generic[W], frozen=True, kw_only=True):
    """An entry that holds, and who wrote it. `holder` is what the platform called the author's key."""

    number: int
    entry: Entry
    what: W
    role: Role | None
    holder: str
    received_us: int

    @property
    def happened_us(self) -> int:
        return self.entry.happened_us


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A part in its place, from `installed_us` (None: before the first entry) until `removed_us` (None: still).

    `installed` and `removed` are numbers of entries. One that another took the place of, without an entry that
    removes it, has a `removed_us` and no `removed`. `part_runtime_s` is what it had run when it came.
    """

    component: str
    serial: str
    part: str = ""
    part_runtime_s: int = 0
    installed_us: int | None = None
    installed: int | None = None
    removed_us: int | None = None
    removed: int | None = None


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """An owner or operator, from `from_us` until `until_us` (None: still). `name` is empty where it was erased."""

    commitment: str
    name: str
    country: str
    from_us: int
    until_us: int | None
    number: int


class History(msgspec.Struct, frozen=True, kw_only=True):
    """`stated`: what holds, in order; `corrected`: numbers of what does not, and of the entry that says so."""

    robot_id: str
    stated: tuple[Stated[What], ...]
    corrected: dict[int, int]
    names: dict[str, str]

    def of(self, kind: type[W]) -> list[Stated[W]]:
        """The entries of one kind."""
        return [cast("Stated[W]", stated) for stated in self.stated if isinstance(stated.what, kind)]

    def name(self, commitment: str | None) -> str:
        """What a commitment stands for; empty where nobody may know any more."""
        return self.names.get(commitment or "", "")

    @property
    def registered(self) -> Stated[Registered] | None:
        return next(iter(self.of(Registered)), None)

    @property
    def scrapped(self) -> Stated[Scrapped] | None:
        return next(iter(self.of(Scrapped)), None)

    @property
    def open_recalls(self) -> list[Stated[Recalled]]:
        """Campaigns that nobody has reported as done since they were last called."""
        done = {stated.what.campaign: stated.happened_us for stated in self.of(RecallDone)}
        return [r for r in self.of(Recalled) if done.get(r.what.campaign, -1) < r.happened_us]

    @property
    def status(self) -> Status:
        if self.scrapped is not None:
            return Status.SCRAPPED
        if self.open_recalls:
            return Status.RECALLED
        return Status.UNREGISTERED if self.registered is None else Status.ACTIVE

    @property
    def parts(self) -> list[Part]:
        """Every part that an entry names, in the order in which they came."""
        return _parts(self.stated)

    @property
    def owners(self) -> list[Holding]:
        whats = [(stated, stated.what.owner, stated.what.country) for stated in self.of(Ownership)]
        return _holdings(whats, self.names)

    @property
    def operators(self) -> list[Holding]:
        whats = [(stated, stated.what.operator, "") for stated in self.of(Operation)]
        return _holdings(whats, self.names)


def fold(robot_id: str, records: Iterable[Record], opened: Iterable[Opened] = ()) -> History:
    """`opened`: values behind commitments that do not lie in the records themselves."""
    records = sorted(records, key=lambda record: record.link.number)
    corrected = _corrected(records)
    beside = [*opened, *(one for record in records for one in record.opened)]
    stated = sorted(
        (one for one in _stated(records) if one.number not in corrected),
        key=lambda one: (one.happened_us, one.number),
    )
    return History(
        robot_id=robot_id,
        stated=tuple(stated),
        corrected=corrected,
        names={one.commitment: one.value for one in beside},
    )


def _corrected(records: Sequence[Record]) -> dict[int, int]:
    """From the end, since a correction may itself be corrected by a later one."""
    numbers = {record.signed.entry.id: record.link.number for record in records}
    corrected: dict[int, int] = {}
    for record in reversed(records):
        number, what = record.link.number, record.signed.entry.what
        if isinstance(what, Correction) and number not in corrected and what.corrects in numbers:
            corrected.setdefault(numbers[what.corrects], number)
    return corrected


def _stated(records: Sequence[Record]) -> Iterable[Stated[What]]:
    keys: dict[str, tuple[Role, str]] = {}
    for record in records:
        entry, link = record.signed.entry, record.link
        if isinstance(entry.what, KeyRegistered):
            keys.setdefault(entry.what.key, (entry.what.role, entry.what.holder))
        own = (Role.PLATFORM, "") if entry.author == link.platform else (None, "")
        role, holder = keys.get(entry.author, own)
        yield Stated(
            number=link.number,
            entry=entry,
            what=entry.what,
            role=role,
            holder=holder,
            received_us=link.received_us,
        )


def _parts(stated: Iterable[Stated[What]]) -> list[Part]:
    parts: list[Part] = []
    in_place: dict[str, int] = {}
    for one in stated:
        match one.what:
            case PartInstalled(component=component):
                if component in in_place:
                    _end(parts, in_place.pop(component), one.happened_us, None)
                in_place[component] = len(parts)
                parts.append(_installed(one, one.what))
            case PartRemoved(component=component, serial=serial):
                place = in_place.get(component)
                if place is None or parts[place].serial != serial:
                    place = len(parts)
                    parts.append(Part(component=component, serial=serial))
                else:
                    del in_place[component]
                _end(parts, place, one.happened_us, one.number)
            case _:
                pass
    return parts


def _installed(stated: Stated[What], what: PartInstalled) -> Part:
    return Part(
        component=what.component,
        serial=what.serial,
        part=what.part,
        part_runtime_s=what.part_runtime_s,
        installed_us=stated.happened_us,
        installed=stated.number,
    )


def _end(parts: list[Part], place: int, removed_us: int, removed: int | None) -> None:
    parts[place] = msgspec.structs.replace(parts[place], removed_us=removed_us, removed=removed)


def _holdings(
    whats: Sequence[tuple[Stated[W], str, str]],
    names: dict[str, str],
) -> list[Holding]:
    ends: list[int | None] = [stated.happened_us for stated, _, _ in whats[1:]]
    return [
        Holding(
            commitment=commitment,
            name=names.get(commitment, ""),
            country=country,
            from_us=stated.happened_us,
            until_us=until_us,
            number=stated.number,
        )
        for (stated, commitment, country), until_us in zip(whats, [*ends, None], strict=False)
    ]
