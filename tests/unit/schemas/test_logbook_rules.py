"""What a platform should not have taken into a logbook is named with its entry; what cannot be told, apart."""

import msgspec
import pytest

from schemas.chain import Fault
from schemas.errors import RejectError
from schemas.logbook import KeyRevoked, MaintenanceDone, Ownership, Scrapped
from schemas.logbook_check import check_logbook
from schemas.logbook_file import write_file
from schemas.signing import public_key
from support.logbooks import (
    DAY_US,
    INSPECTOR,
    MAKER,
    OPERATOR,
    OTHER_ROBOT,
    OWNER,
    PLATFORM,
    PLATFORMS,
    ROBOT,
    SOLD,
    START_US,
    STRANGER,
    SWAPPED,
    WORKSHOP,
    Fleet,
    Writer,
    begun,
    checked,
    named,
    of_kind,
    relinked,
    seal,
)


@pytest.mark.parametrize(
    ("what", "by", "fault"),
    [
        (SWAPPED, STRANGER, Fault.UNREGISTERED),
        (SWAPPED, INSPECTOR, Fault.WRONG_ROLE),
        (Scrapped(reason="fire"), WORKSHOP, Fault.WRONG_ROLE),
    ],
)
def test_an_author_whom_the_platform_should_not_have_taken_is_named(what, by, fault):
    writer = begun()
    writer.force(writer.sign(what, by))
    writer.write(SOLD, OPERATOR, OWNER)
    assert named(checked(writer.records)) == {(6, fault)}


def test_an_author_whose_key_was_revoked_is_named_and_what_he_wrote_before_is_not():
    writer = begun()
    writer.write(SWAPPED, WORKSHOP)
    writer.write(KeyRevoked(key=public_key(WORKSHOP), reason="closed down"), PLATFORM)
    writer.force(writer.sign(SWAPPED, WORKSHOP))
    verdict = checked(writer.records)
    assert named(verdict) == {(8, Fault.REVOKED)}
    assert not any("doubt" in text for text in verdict.unproven)


def test_what_a_stolen_key_may_have_written_is_in_doubt_and_no_fault():
    writer = begun()
    writer.write(SWAPPED, WORKSHOP)
    since_us = writer.now_us
    writer.write(SWAPPED, WORKSHOP)
    writer.write(KeyRevoked(key=public_key(WORKSHOP), reason="stolen", since_us=since_us), PLATFORM)
    verdict = checked(writer.records)
    assert verdict.is_sound
    assert [text for text in verdict.unproven if "doubt" in text] == [
        "entry 7: entry 8 puts its author's key in doubt by then"
    ]


def test_what_happened_after_scrapping_is_named():
    writer = begun()
    writer.write(Scrapped(reason="fire"))
    writer.force(writer.sign(SOLD, OPERATOR))
    assert named(checked(writer.records)) == {(7, Fault.AFTER_SCRAPPING)}


def test_an_entry_of_another_robots_logbook_is_named():
    writer = begun()
    writer.force(writer.sign(SWAPPED, robot_id=OTHER_ROBOT))
    writer.write(SOLD, OPERATOR, OWNER)
    assert named(checked(writer.records)) == {(6, Fault.OTHER_ROBOT)}


def test_a_file_that_says_it_is_about_another_robot_is_named():
    data = write_file(OTHER_ROBOT, begun().records)
    assert named(check_logbook(data, PLATFORMS)) == {(0, Fault.OTHER_ROBOT)}


def test_another_robots_anchor_proves_nothing():
    writer, fleet = begun(), Fleet()
    other = begun(OTHER_ROBOT)
    proof = fleet.checkpoint(other)
    assert named(checked(writer.records, proof, published=fleet.published)) == {(0, Fault.CHECKPOINT)}


def test_an_owner_who_was_erased_leaves_the_proof_whole_and_a_false_one_is_named():
    writer, fleet = begun(), Fleet()
    writer.write(SOLD, OPERATOR, OWNER)
    proof = fleet.checkpoint(writer)
    *rest, last = writer.records
    erased = msgspec.structs.replace(last, opened=())
    assert checked([*rest, erased], proof, published=fleet.published).is_proven
    false = msgspec.structs.replace(last, opened=(msgspec.structs.replace(OWNER, value="Charles Babbage"),))
    assert named(checked([*rest, false], proof, published=fleet.published)) == {(6, Fault.WRONG_OPENING)}


def test_one_lost_entry_does_not_make_those_that_rest_on_it_guilty():
    writer = begun()
    writer.write(SWAPPED, WORKSHOP)
    verdict = checked([record for record in writer.records if record.link.number != 3])
    assert named(verdict) == {(3, Fault.MISSING)}
    assert any(text.startswith("entry 6: no entry before it registers") for text in verdict.unproven)


def test_without_the_platforms_keys_and_a_checkpoint_a_true_logbook_is_sound_but_not_proven():
    verdict = check_logbook(write_file(ROBOT, begun().records))
    assert verdict.is_sound
    assert not verdict.is_proven
    assert len(verdict.unproven) == 2


def test_a_whole_logbook_of_another_platform_is_found_by_the_platforms_keys():
    mine = relinked(begun().records, by=STRANGER)
    assert {fault for _, fault in named(checked(mine))} == {Fault.UNSEALED}


def test_a_checkpoint_older_than_the_logbook_says_nothing_about_its_end():
    fleet = Fleet()
    early = Writer(OTHER_ROBOT)
    early.force(early.sign(SWAPPED))
    early.now_us = START_US - 1
    fleet.checkpoint(early)
    verdict = checked(begun().records, published=fleet.published)
    assert verdict.is_sound
    assert [text for text in verdict.unproven if "older than the logbook" in text]


def test_late_entries_are_numbered_and_no_fault():
    writer = begun()
    writer.write(
        MaintenanceDone(task="grease", component="joint/3"), WORKSHOP, happened_us=writer.now_us - 90 * DAY_US
    )
    verdict = checked(writer.records)
    assert (verdict.late, verdict.is_sound) == ((6,), True)


def test_a_kind_of_a_later_version_stays_in_the_chain_and_is_said_to_be_unknown():
    writer = begun()
    writer.force(of_kind(writer.sign(SWAPPED), "blessed"))
    writer.write(SOLD, OPERATOR, OWNER)
    verdict = checked(writer.records)
    assert (verdict.faults, verdict.entries) == ((), 7)
    assert "entry 6 is of a kind that this version does not know: blessed" in verdict.unproven


def test_a_file_of_a_later_version_is_not_judged():
    data = write_file(ROBOT, begun().records).replace(b'"v":1}', b'"v":2}', 1)
    with pytest.raises(RejectError, match="a logbook file of version 2"):
        check_logbook(data, PLATFORMS)


def test_an_owner_is_a_commitment_and_never_a_name():
    with pytest.raises(RejectError):
        begun().sign(Ownership(owner="Ada Lovelace"))


def test_the_platform_alone_seals():
    records = begun().records
    mine = msgspec.structs.replace(records[4], seal=seal(records[4].link, by=MAKER))
    assert named(checked([*records[:4], mine])) == {(5, Fault.UNSEALED)}
    assert public_key(PLATFORM) in PLATFORMS
