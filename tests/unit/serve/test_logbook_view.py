"""What a logbook's entries say, for people."""

from datetime import UTC, datetime

import msgspec

from schemas.entry import Record
from schemas.logbook import Correction, Role
from serve.logbook_view import ERASED, PLATFORM, WITHHELD, EntryLine, lines_of
from support.logbooks import (
    DAY_US,
    MAKER,
    OPERATOR,
    OWNER,
    ROBOT,
    SOLD,
    START_US,
    SWAPPED,
    begun,
    every_kind,
    of_kind,
)


def bare(records: list[Record]) -> list[Record]:
    """As the table of entries has them."""
    return [msgspec.structs.replace(record, opened=()) for record in records]


def last(records: list[Record], **more: bool) -> EntryLine:
    return lines_of(ROBOT, bare(records), [OWNER], **more)[-1]


def test_every_kind_is_told_with_its_author_and_in_a_line() -> None:
    lines = lines_of(ROBOT, bare(every_kind().records), [OWNER])
    assert [line.number for line in lines] == list(range(1, len(lines) + 1))
    assert (lines[0].role, lines[0].holder) == (Role.PLATFORM, PLATFORM)
    assert (lines[4].role, lines[4].holder) == (Role.MAKER, "maker")
    assert all(line.text for line in lines)
    registered = lines[4].says
    assert list(registered) == ["maker", "model", "made", "joints", "level"]
    assert registered["made"] == datetime.fromtimestamp(START_US / 1e6, UTC)


def test_a_name_is_told_to_who_may_read_it_while_it_is_there() -> None:
    writer = begun()
    writer.write(SOLD, OPERATOR)
    assert last(writer.records).says == {"owner": OWNER.value, "country": "DE"}
    (erased,) = lines_of(ROBOT, bare(writer.records), [])[-1:]
    (withheld,) = lines_of(ROBOT, bare(writer.records), [], may_read_names=False)[-1:]
    assert (erased.says["owner"], withheld.says["owner"]) == (ERASED, WITHHELD)


def test_what_was_taken_back_names_the_entry_that_did_it() -> None:
    writer = begun()
    wrong = writer.write(SWAPPED, MAKER)
    writer.write(Correction(corrects=wrong.signed.entry.id, reason="no"), MAKER)
    assert [line.corrected_by for line in lines_of(ROBOT, writer.records, [])[-2:]] == [7, None]


def test_an_entry_written_long_after_the_fact_is_late() -> None:
    writer = begun()
    writer.write(SWAPPED, MAKER, happened_us=writer.now_us - 30 * DAY_US)
    assert not last(writer.records).late
    writer.write(SWAPPED, MAKER, happened_us=writer.now_us - 31 * DAY_US)
    assert last(writer.records).late


def test_a_kind_of_a_later_version_is_told_as_it_was_written() -> None:
    writer = begun()
    writer.force(of_kind(writer.sign(SWAPPED), "repainted"))
    line = last(writer.records)
    assert (line.kind, line.says) == ("repainted", {"by": "somebody"})
