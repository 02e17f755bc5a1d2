"""Appending to a logbook: what the platform takes, and what it refuses with which word."""

import msgspec
import pytest

from schemas.chain import CLOCK_US, HELD_US, Book, Fault, append, genesis
from schemas.errors import RejectError
from schemas.logbook import (
    Correction,
    CounterChanged,
    Incident,
    KeyRegistered,
    KeyRevoked,
    Ownership,
    Recalled,
    Role,
    Scrapped,
    Software,
)
from schemas.signing import public_key
from support.logbooks import (
    DAY_US,
    INSPECTOR,
    MAKER,
    OPERATOR,
    OTHER_ROBOT,
    OWNER,
    PLATFORM,
    REGISTERED,
    ROBOT,
    SOLD,
    STRANGER,
    SWAPPED,
    WORKSHOP,
    Writer,
    begun,
    life,
    of_kind,
)


def refused(writer: Writer, signed, *opened) -> str:
    """The word that it is refused with; nothing has changed."""
    before = msgspec.json.encode(writer.book)
    with pytest.raises(RejectError) as caught:
        writer.add(signed, opened)
    assert msgspec.json.encode(writer.book) == before
    return caught.value.reason


def test_numbers_count_from_one_and_each_link_has_the_hash_of_the_one_before():
    records = life(seed=1, entries=5).records
    assert [record.link.number for record in records] == list(range(1, 11))
    assert [record.link.previous for record in records] == [genesis(ROBOT), *(r.link.hash for r in records[:-1])]
    assert all(record.link.entry == record.signed.hash and record.is_sealed for record in records)


def test_a_book_goes_on_from_where_it_was_kept():
    writer = begun()
    kept = msgspec.json.decode(msgspec.json.encode(writer.book), type=Book)
    signed = writer.sign(SWAPPED)
    assert append(kept, signed, writer.now_us, PLATFORM) == writer.add(signed)
    assert kept == writer.book


def test_a_clock_of_the_platform_that_goes_back_does_not_make_the_log_go_back():
    writer = begun()
    last_us = writer.records[-1].link.received_us
    writer.now_us = last_us - 5
    assert writer.write(SWAPPED).link.received_us == last_us


def test_two_who_write_at_once_are_both_taken_in_the_order_in_which_they_come():
    writer = begun()
    one, other = writer.sign(SWAPPED, WORKSHOP), writer.sign(SOLD, OPERATOR)
    assert [writer.add(other).link.number, writer.add(one).link.number] == [6, 7]


def test_an_entry_that_comes_twice_is_refused_as_a_repeat():
    writer = begun()
    signed = writer.sign(SWAPPED)
    writer.add(signed)
    assert refused(writer, signed) == Fault.REPEATED


def test_an_entry_whose_author_did_not_sign_it_is_refused():
    writer = begun()
    signed = writer.sign(SWAPPED)
    assert refused(writer, msgspec.structs.replace(signed, signature="0" * 128)) == Fault.FORGED


def test_an_entry_about_another_robot_is_refused():
    assert refused(begun(), begun(OTHER_ROBOT).sign(SWAPPED)) == Fault.OTHER_ROBOT


def test_an_author_must_be_registered_and_not_revoked():
    writer = begun()
    assert refused(writer, writer.sign(SWAPPED, STRANGER)) == Fault.UNREGISTERED
    writer.write(KeyRevoked(key=public_key(WORKSHOP), reason="stolen"), PLATFORM)
    assert refused(writer, writer.sign(SWAPPED, WORKSHOP)) == Fault.REVOKED
    again = KeyRegistered(key=public_key(WORKSHOP), role=Role.WORKSHOP, holder="again")
    assert refused(writer, writer.sign(again, PLATFORM)) == Fault.OUT_OF_PLACE


@pytest.mark.parametrize(
    ("what", "by"),
    [
        (SWAPPED, INSPECTOR),
        (SWAPPED, PLATFORM),
        (SOLD, WORKSHOP),
        (CounterChanged(counter="runtime_s", before=9, after=0, reason="board"), OPERATOR),
        (Recalled(campaign="R1", reason="gears"), OPERATOR),
        (Scrapped(reason="fire"), WORKSHOP),
        (KeyRegistered(key=public_key(STRANGER), role=Role.MAKER, holder="me"), MAKER),
        (KeyRevoked(key=public_key(OPERATOR), reason="rival"), MAKER),
    ],
)
def test_a_key_writes_only_what_its_role_may(what, by):
    writer = begun()
    assert refused(writer, writer.sign(what, by)) == Fault.WRONG_ROLE


def test_a_late_entry_is_taken_but_a_back_dated_one_is_not():
    writer = begun()
    now_us = writer.now_us
    writer.write(SWAPPED, WORKSHOP, happened_us=now_us - 400 * DAY_US)
    now_us = writer.now_us
    writer.add(writer.sign(SWAPPED, WORKSHOP, written_us=now_us - HELD_US))
    now_us = writer.now_us
    assert refused(writer, writer.sign(SWAPPED, WORKSHOP, written_us=now_us - HELD_US - 1)) == Fault.BACK_DATED


def test_an_authors_clock_may_be_a_little_ahead_and_no_more():
    writer = begun()
    writer.add(writer.sign(SWAPPED, written_us=writer.now_us + CLOCK_US))
    assert refused(writer, writer.sign(SWAPPED, written_us=writer.now_us + CLOCK_US + 1)) == Fault.POST_DATED
    assert refused(writer, writer.sign(SWAPPED, happened_us=writer.now_us + CLOCK_US + 1)) == Fault.POST_DATED


def test_a_robot_is_registered_first_and_once():
    writer = Writer()
    writer.write(KeyRegistered(key=public_key(MAKER), role=Role.MAKER, holder="Test AG"), PLATFORM)
    assert refused(writer, writer.sign(SWAPPED)) == Fault.OUT_OF_PLACE
    writer.write(REGISTERED)
    assert refused(writer, writer.sign(REGISTERED)) == Fault.OUT_OF_PLACE


def test_keys_are_registered_once_revoked_once_and_are_never_the_platforms():
    writer = begun()
    maker, stranger = public_key(MAKER), public_key(STRANGER)
    for what in (
        KeyRegistered(key=maker, role=Role.MAKER, holder="twice"),
        KeyRegistered(key=public_key(PLATFORM), role=Role.MAKER, holder="the platform"),
        KeyRegistered(key=stranger, role=Role.PLATFORM, holder="another platform"),
        KeyRevoked(key=stranger, reason="nobody knows it"),
    ):
        assert refused(writer, writer.sign(what, PLATFORM)) == Fault.OUT_OF_PLACE
    writer.write(KeyRevoked(key=maker, reason="lost"), PLATFORM)
    again = writer.sign(KeyRevoked(key=maker, reason="lost"), PLATFORM)
    assert refused(writer, again) == Fault.OUT_OF_PLACE


def test_after_scrapping_nothing_happens_but_what_had_happened_is_still_taken():
    writer = begun()
    writer.write(Scrapped(reason="fire"))
    scrapped_us = writer.records[-1].signed.entry.happened_us
    assert refused(writer, writer.sign(SOLD, OPERATOR)) == Fault.AFTER_SCRAPPING
    assert refused(writer, writer.sign(Scrapped(reason="again"), happened_us=scrapped_us)) == Fault.OUT_OF_PLACE
    writer.write(SWAPPED, WORKSHOP, happened_us=scrapped_us)
    writer.write(KeyRevoked(key=public_key(MAKER), reason="over"), PLATFORM)


def test_a_correction_names_an_entry_that_its_author_could_have_written():
    writer = begun()
    wrong = writer.write(SWAPPED, WORKSHOP).signed.entry.id
    right = writer.write(msgspec.structs.replace(SWAPPED, serial="S-0043"), WORKSHOP).signed.entry.id
    sold = writer.write(SOLD, OPERATOR, OWNER).signed.entry.id
    for what, by in (
        (Correction(corrects="f" * 32, reason="?"), WORKSHOP),
        (Correction(corrects=wrong, reason="?", instead="f" * 32), WORKSHOP),
        (Correction(corrects=sold, reason="it was not me"), WORKSHOP),
        (Correction(corrects=writer.records[0].signed.entry.id, reason="no key"), PLATFORM),
    ):
        assert refused(writer, writer.sign(what, by)) == Fault.OUT_OF_PLACE
    writer.write(Correction(corrects=wrong, reason="a slip of the pen", instead=right), OPERATOR)


def test_scrapping_is_for_good_and_cannot_be_corrected():
    writer = begun()
    scrapped = writer.write(Scrapped(reason="fire")).signed.entry.id
    correction = writer.sign(Correction(corrects=scrapped, reason="sold after all"))
    assert refused(writer, correction) == Fault.OUT_OF_PLACE


def test_a_value_beside_an_entry_must_be_the_one_that_it_commits_to():
    writer = begun()
    false = msgspec.structs.replace(OWNER, value="Charles Babbage, London")
    assert refused(writer, writer.sign(SOLD, OPERATOR), false) == Fault.WRONG_OPENING
    writer.write(SOLD, OPERATOR, OWNER)


def test_a_platform_notes_what_it_saw_itself():
    writer = begun()
    writer.write(Software(name="firmware", version="2.0"), PLATFORM)
    writer.write(Incident(incident_id="i-1", text="a frame with mode fault"), PLATFORM)
    writer.write(Ownership(owner=OWNER.commitment), PLATFORM)
    assert writer.book.number == 8


def test_a_kind_that_this_platform_does_not_know_is_not_appended():
    writer = begun()
    assert refused(writer, of_kind(writer.sign(SWAPPED), "blessed")) == "future_version"
