"""A checkpoint may only have heads that follow from those of the one before, link by link."""

import msgspec
import pytest

from processors.pinning import Linked, followed, linked
from schemas.checkpoint import Head
from schemas.errors import ContractError
from support.logbooks import OTHER_ROBOT, PLATFORMS, ROBOT, STRANGER, SWAPPED, WORKSHOP, Writer, begun, seal


def new_of(writer: Writer, after: int) -> list[Linked]:
    return [linked(writer.book.robot_id, record, PLATFORMS) for record in writer.records[after:]]


@pytest.fixture
def grown() -> tuple[Head, Writer]:
    """A head, and its logbook three entries later."""
    writer = begun()
    before = writer.head
    for _ in range(3):
        writer.write(SWAPPED, WORKSHOP)
    return before, writer


def test_a_head_that_stays_and_one_that_goes_on_and_a_new_one_may_be_pinned(grown):
    before, writer = grown
    other = begun(OTHER_ROBOT)
    heads = [writer.head, other.head]
    assert followed([before.leaf], heads, {ROBOT: new_of(writer, 5), OTHER_ROBOT: new_of(other, 0)}) == heads
    assert followed([writer.head.leaf, other.head.leaf], heads, {}) == heads


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda head, new: (head, new[1:]), "entry 6: the checkpoint before has another entry there"),
        (lambda head, new: (head, new[:-1]), "the head stands there, the last entry is 7"),
        (lambda head, new: (head, [new[0], new[2]]), "entry 8: it does not follow"),
        (lambda head, new: (head, [new[1], new[0], new[2]]), "entry 6: it does not follow"),
        (lambda head, new: (head, []), "entry 8: the checkpoint before has another"),
        (lambda head, new: (msgspec.structs.replace(head, entries=9), new), "entry 9: the head stands there"),
    ],
    ids=["one is left out", "the last is left out", "a middle one is", "swapped", "no entry", "the head lies"],
)
def test_a_head_that_does_not_follow_is_named(grown, change, says: str):
    before, writer = grown
    head, new = change(writer.head, new_of(writer, 5))
    with pytest.raises(ContractError, match=f"robot {ROBOT}, .*{says}"):
        followed([before.leaf], [head], {ROBOT: new} if new else {})


def test_a_logbook_that_begins_anew_is_found_out(grown):
    before, _ = grown
    again = begun()
    again.write(SWAPPED, WORKSHOP)
    with pytest.raises(ContractError, match="1 logbooks that the checkpoint before has are not there any more"):
        followed([before.leaf], [again.head], {ROBOT: new_of(again, 0)})


def test_a_logbook_with_entries_and_no_head_is_named(grown):
    _, writer = grown
    with pytest.raises(ContractError, match=f"the logbook of robot {ROBOT} has entries and no head"):
        followed([], [], {ROBOT: new_of(writer, 5)})


def test_a_first_entry_that_begins_nothing_is_named(grown):
    _, writer = grown
    first = msgspec.structs.replace(writer.records[0].link, previous="0" * 64)
    with pytest.raises(ContractError, match="entry 1: it does not begin its logbook"):
        followed([], [writer.head], {ROBOT: [Linked(1, first.previous, first.hash)]})


def test_what_the_platform_did_not_seal_as_it_is_has_no_link(grown):
    _, writer = grown
    record = writer.records[5]
    moved = msgspec.structs.replace(record, link=msgspec.structs.replace(record.link, number=7))
    strange = msgspec.structs.replace(record, seal=seal(record.link, STRANGER))
    other = msgspec.structs.replace(record, signed=writer.records[6].signed)
    for wrong, says in ((moved, "did not seal it"), (strange, "did not seal it"), (other, "its content is not")):
        with pytest.raises(ContractError, match=says):
            linked(ROBOT, wrong, PLATFORMS)
    with pytest.raises(ContractError, match="its content is not"):
        linked(OTHER_ROBOT, record, PLATFORMS)
