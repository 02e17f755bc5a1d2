"""Every tampering with a logbook is named with its entry's number; a true one is blamed for nothing."""

import random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.chain import Fault, Found
from schemas.entry import Signed
from schemas.errors import RejectError
from schemas.logbook_check import check_logbook
from schemas.logbook_file import write_file
from schemas.signing import Purpose, sign
from support.logbooks import (
    DAY_US,
    OPERATOR,
    OWNER,
    PLATFORMS,
    ROBOT,
    SOLD,
    STRANGER,
    SWAPPED,
    Fleet,
    begun,
    checked,
    life,
    named,
    relinked,
    seal,
    short,
)

lives = st.builds(life, st.integers(0, 2**32), st.integers(3, 10))
few = settings(max_examples=40, deadline=None)


def forged(signed: Signed, by=STRANGER) -> Signed:
    """Signed by a key that is not the author's."""
    return msgspec.structs.replace(signed, signature=sign(by, Purpose.ENTRY, signed.text))


@few
@given(lives)
def test_a_true_logbook_that_ends_as_its_checkpoint_says_is_proven(writer):
    fleet = Fleet()
    proof = fleet.checkpoint(writer)
    verdict = checked(writer.records, proof, published=fleet.published)
    assert (verdict.faults, verdict.unproven) == ((), ())
    assert verdict.is_proven
    assert (verdict.entries, verdict.anchored) == (len(writer.records), len(writer.records))
    assert verdict.anchored_us == fleet.published[-1].checkpoint.time_us


def faults_of(data: bytes, fleet: Fleet) -> tuple[Found, ...]:
    try:
        return check_logbook(data, PLATFORMS, fleet.published).faults
    except RejectError as error:  # the digit of the file's version
        return (Found(0, Fault.UNREADABLE, error.detail),)


def test_every_byte_of_a_file_that_is_changed_is_found_and_named_with_its_entry():
    writer, fleet = short(), Fleet()
    data = write_file(ROBOT, writer.records, [fleet.checkpoint(writer)])
    assert check_logbook(data, PLATFORMS, fleet.published).is_proven
    chance = random.Random(8)
    line = 0
    for place, byte in enumerate(data):
        changed = bytearray(data)
        changed[place] ^= chance.randrange(1, 256)
        faults = faults_of(bytes(changed), fleet)
        numbers = {found.number for found in faults}
        if 1 <= line <= 3:
            # The end of a line belongs to two entries; a byte that becomes one makes two lines of an entry.
            assert line in numbers, (place, faults)
            assert numbers <= {0, line, line + 1}, (place, faults)
        else:
            assert numbers, (place, faults)
        line += byte == ord("\n")


def test_two_pasts_that_the_platform_sealed_do_not_make_one_logbook():
    one, other = begun(), begun()
    one.write(SWAPPED)
    other.write(SOLD, OPERATOR, OWNER)
    other.write(SWAPPED)
    assert named(checked([*one.records, other.records[-1]])) == {(7, Fault.UNCHAINED)}


@few
@given(lives, st.data())
def test_a_byte_that_is_changed_in_a_random_life_is_named_with_its_entry_and_no_other(writer, data):
    fleet = Fleet()
    lines = write_file(ROBOT, writer.records, [fleet.checkpoint(writer)]).split(b"\n")
    number = data.draw(st.integers(1, len(writer.records)))
    line = bytearray(lines[number])
    line[data.draw(st.integers(0, len(line) - 1))] ^= data.draw(st.integers(1, 255).filter(lambda m: m < 128))
    if b"\n" in line:
        return
    lines[number] = bytes(line)
    verdict = check_logbook(b"\n".join(lines), PLATFORMS, fleet.published)
    assert {found.number for found in verdict.faults} == {number}


@few
@given(lives, st.data())
def test_a_tail_that_was_dropped_is_found_by_the_checkpoint(writer, data):
    fleet = Fleet()
    proof = fleet.checkpoint(writer)
    left = data.draw(st.integers(1, len(writer.records) - 1))
    shortened = writer.records[:left]
    assert named(checked(shortened, proof, published=fleet.published)) == {(left + 1, Fault.TAIL_MISSING)}
    # Without its anchor, or with that of an older checkpoint, the file cannot meet the newest one.
    assert named(checked(shortened, published=fleet.published)) == {(0, Fault.CHECKPOINT)}
    older, kept = Fleet(), begun()
    old = older.checkpoint(kept)
    older.checkpoint(writer)
    assert (0, Fault.CHECKPOINT) in named(checked(writer.records[:5], old, published=older.published))


@few
@given(lives, st.data())
def test_entries_that_changed_places_are_named(writer, data):
    records = list(writer.records)
    one = data.draw(st.integers(0, len(records) - 2))
    other = data.draw(st.integers(one + 1, len(records) - 1))
    records[one], records[other] = records[other], records[one]
    wrong = named(checked(records))
    assert {fault for _, fault in wrong} == {Fault.REORDERED}
    assert (one + 1, Fault.REORDERED) in wrong
    assert all(one < number <= other + 1 for number, _ in wrong)


@few
@given(lives, st.data())
def test_an_entry_that_was_taken_out_or_is_there_twice_is_named(writer, data):
    number = data.draw(st.integers(1, len(writer.records) - 1))
    without = [record for record in writer.records if record.link.number != number]
    assert named(checked(without)) == {(number, Fault.MISSING)}
    twice = [*writer.records[:number], *writer.records[number - 1 :]]
    assert named(checked(twice)) == {(number, Fault.REPEATED)}


@few
@given(lives, st.data())
def test_a_database_rewritten_without_the_platforms_key_is_named_from_the_first_entry_changed(writer, data):
    number = data.draw(st.integers(2, len(writer.records)))
    without = [record for record in writer.records if record.link.number != number - 1]
    mine = writer.records[: number - 2] + relinked(without, by=STRANGER)[number - 2 :]
    wrong = named(checked(mine))
    assert wrong == {(n, Fault.UNSEALED) for n in range(number - 1, len(writer.records))}


@few
@given(lives, st.data())
def test_a_past_that_the_platform_itself_rewrites_is_found_by_the_checkpoint(writer, data):
    fleet = Fleet()
    proof = fleet.checkpoint(writer)
    number = data.draw(st.integers(7, len(writer.records) - 1))
    rewritten = relinked([record for record in writer.records if record.link.number != number])
    wrong = named(checked(rewritten, proof, published=fleet.published))
    assert wrong == {(len(writer.records), Fault.TAIL_MISSING)}
    writer.write(SWAPPED)
    rewritten = relinked([record for record in writer.records if record.link.number != number])
    wrong = named(checked(rewritten, proof, published=fleet.published))
    assert (len(rewritten), Fault.REWRITTEN) in wrong


@few
@given(lives, st.data())
def test_an_entry_with_a_forged_author_is_named(writer, data):
    number = data.draw(st.integers(6, len(writer.records)))
    records = list(writer.records)
    old = records[number - 1]
    records[number - 1] = msgspec.structs.replace(old, signed=forged(old.signed))
    assert named(checked(records)) == {(number, Fault.ALTERED)}
    # A platform that took it, and all that follows, without a look.
    assert named(checked(relinked(records))) == {(number, Fault.FORGED)}


@few
@given(lives, st.data())
def test_a_link_that_is_dated_back_is_named(writer, data):
    number = data.draw(st.integers(7, len(writer.records)))
    records = list(writer.records)
    old, before = records[number - 1], records[number - 2].link
    link = msgspec.structs.replace(old.link, received_us=before.received_us - 1)
    records[number - 1] = msgspec.structs.replace(old, link=link)
    assert named(checked(records)) == {(number, Fault.UNSEALED)}
    records[number - 1] = msgspec.structs.replace(old, link=link, seal=seal(link))
    assert (number, Fault.BACK_DATED) in named(checked(relinked(records)))


def test_an_entry_slipped_in_before_a_checkpoint_that_lacks_it_is_named():
    writer, fleet = begun(), Fleet()
    proof = fleet.checkpoint(writer)
    writer.force(writer.sign(SWAPPED), received_us=writer.now_us - 1)
    assert named(checked(writer.records, proof, published=fleet.published)) == {(6, Fault.BACK_DATED)}


def test_an_entry_that_a_checkpoint_has_before_it_was_received_is_named():
    writer, fleet = begun(), Fleet()
    writer.now_us -= 2 * DAY_US
    proof = fleet.checkpoint(writer)
    assert named(checked(writer.records, proof, published=fleet.published)) == {(5, Fault.POST_DATED)}


cuts = st.tuples(st.integers(0, 2**32), st.integers(0, 300), st.binary(max_size=40))


@few
@given(st.lists(cuts, min_size=1, max_size=4))
def test_whatever_is_done_to_a_file_is_a_verdict_and_no_crash(edits):
    writer, fleet = short(), Fleet()
    true = data = write_file(ROBOT, writer.records, [fleet.checkpoint(writer)])
    for place, length, put in edits:
        start = place % (len(data) + 1)
        data = data[:start] + put + data[start + length :]
    if data != true:
        assert faults_of(data, fleet)


@pytest.mark.parametrize("data", [b"", b"\n", b"\xff\xfe", b"{}\n{}\n", b'{"anchor":'])
def test_bytes_that_are_no_logbook_are_a_verdict_and_no_crash(data):
    verdict = check_logbook(data, PLATFORMS)
    assert (0, Fault.UNREADABLE) in named(verdict)
