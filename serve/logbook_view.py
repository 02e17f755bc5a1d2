"""What a logbook's entries say, for people: who wrote what when, what holds and what was taken back. Pure.

In: the records of one robot and what stands behind their commitments. Out: an `EntryLine` each. Called by the API,
the robot's page and `robovitals logbook show`. Which fields a kind has follows from its struct.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from schemas.canonical import parse
from schemas.chain import HELD_US
from schemas.draft import fields_of
from schemas.entry import Attachment, Record
from schemas.history import fold
from schemas.logbook import KINDS, KeyRegistered, Opened, Role

PLATFORM = "the platform"
ERASED = "(erased)"
WITHHELD = "(personal)"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class EntryLine(msgspec.Struct, frozen=True, kw_only=True):
    """One entry. `holder` and `role` are of its author's key; `says` its fields by name, in clear as far as who
    asks may read them. `late`: written long after the fact. `corrected_by`: the number of the entry that takes it
    back.
    """

    number: int
    entry_id: str
    kind: str
    author: str
    role: Role | None
    holder: str
    happened: datetime
    written: datetime
    received: datetime
    late: bool
    corrected_by: int | None
    runtime_s: int | None
    says: dict[str, Any]
    attachments: tuple[Attachment, ...]

    @property
    def text(self) -> str:
        """In a line."""
        return " · ".join(f"{name.replace('_', ' ')} {_shown(value)}" for name, value in self.says.items())


def lines_of(
    robot_id: str, records: Sequence[Record], opened: Iterable[Opened], may_read_names: bool = True
) -> list[EntryLine]:
    """In the order of their numbers. Who may not read names is told that there are, or were, some."""
    names: defaultdict[str, str] = defaultdict(lambda: ERASED if may_read_names else WITHHELD)
    names.update((one.commitment, one.value) for one in opened)
    corrected = fold(robot_id, records).corrected
    holders: dict[str, tuple[Role, str]] = {}
    lines = []
    for record in records:
        what = record.signed.entry.what
        if isinstance(what, KeyRegistered):
            holders.setdefault(what.key, (what.role, what.holder))
        lines.append(_line(record, holders, names, corrected.get(record.link.number)))
    return lines


def _line(
    record: Record, holders: Mapping[str, tuple[Role, str]], names: Mapping[str, str], corrected_by: int | None
) -> EntryLine:
    entry, link = record.signed.entry, record.link
    own = (Role.PLATFORM, PLATFORM) if entry.author == link.platform else (None, "")
    role, holder = holders.get(entry.author, own)
    what = _what(record)
    kind = str(what.pop("kind"))
    return EntryLine(
        number=link.number,
        entry_id=entry.id,
        kind=kind,
        author=entry.author,
        role=role,
        holder=holder,
        happened=_moment(entry.happened_us),
        written=_moment(entry.written_us),
        received=_moment(link.received_us),
        late=link.received_us - entry.happened_us > HELD_US,
        corrected_by=corrected_by,
        runtime_s=entry.runtime_s,
        says=_said(kind, what, names) if kind in KINDS else what,
        attachments=entry.attachments,
    )


def _what(record: Record) -> dict[str, object]:
    """As it was written: a later version's kinds and fields too."""
    return msgspec.convert(parse(record.signed.text), _Entry).what


class _Entry(msgspec.Struct):
    what: dict[str, object]


def _said(kind: str, what: Mapping[str, object], names: Mapping[str, str]) -> dict[str, object]:
    """In the order of the kind's fields; what a later version added comes last."""
    said: dict[str, object] = {}
    for field in fields_of(kind):
        value = what.get(field.key)
        if value is None or value == "":
            continue
        if field.personal:
            said[field.name] = names[str(value)]
        else:
            said[field.name] = _moment(value) if field.is_time and isinstance(value, int) else value
    keys = {field.key for field in fields_of(kind)}
    return said | {key: value for key, value in what.items() if key not in keys}


def _moment(time_us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=time_us)


def _shown(value: object) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, dict):
        return ", ".join(f"{name} {one}" for name, one in value.items())
    return str(value)
