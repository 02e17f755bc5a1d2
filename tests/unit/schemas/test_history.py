"""What a logbook says: intervals of parts and owners, corrections, and the status that follows."""

import msgspec
import pytest

from schemas.history import Part, Status, fold
from schemas.logbook import (
    Correction,
    MaintenanceDone,
    Ownership,
    PartInstalled,
    PartRemoved,
    RecallDone,
    Recalled,
    Role,
    Scrapped,
    What,
    conceal,
)
from support.logbooks import (
    DAY_US,
    MAKER,
    OPERATOR,
    OWNER,
    REGISTERED,
    ROBOT,
    SOLD,
    SWAPPED,
    WORKSHOP,
    Writer,
    begun,
    every_kind,
)


def history(writer: Writer):
    return fold(ROBOT, writer.records)


def entry_id(record) -> str:
    return record.signed.entry.id


def test_every_kind_is_found_by_its_type_with_its_author():
    told = history(every_kind())
    (service,) = told.of(MaintenanceDone)
    assert (service.what.task, service.role, service.holder) == ("grease", Role.WORKSHOP, "workshop")
    assert {type(stated.what) for stated in told.of(What)} == {type(stated.what) for stated in told.stated}


def test_an_empty_logbook_is_of_a_robot_that_nobody_registered():
    told = fold(ROBOT, [])
    assert (told.status, told.registered, told.parts, told.owners) == (Status.UNREGISTERED, None, [], [])


def test_a_late_entry_stands_where_it_happened():
    writer = begun()
    late_us = writer.now_us
    writer.write(MaintenanceDone(task="second", component="robot"), WORKSHOP)
    writer.write(MaintenanceDone(task="first", component="robot"), WORKSHOP, happened_us=late_us - DAY_US)
    assert [stated.what.task for stated in history(writer).of(MaintenanceDone)] == ["first", "second"]


def test_what_was_corrected_does_not_hold_and_is_told_apart():
    writer = begun()
    wrong = writer.write(MaintenanceDone(task="grease", component="joint/1"), WORKSHOP)
    right = writer.write(MaintenanceDone(task="grease", component="joint/2"), WORKSHOP)
    said = writer.write(
        Correction(corrects=entry_id(wrong), reason="the other joint", instead=entry_id(right)), WORKSHOP
    )
    told = history(writer)
    assert [stated.what.component for stated in told.of(MaintenanceDone)] == ["joint/2"]
    assert told.corrected == {wrong.link.number: said.link.number}


def test_a_correction_that_is_corrected_lets_the_first_entry_hold_again():
    writer = begun()
    done = writer.write(MaintenanceDone(task="grease", component="joint/1"), WORKSHOP)
    wrong = writer.write(Correction(corrects=entry_id(done), reason="never done"), WORKSHOP)
    writer.write(Correction(corrects=entry_id(wrong), reason="it was"), WORKSHOP)
    told = history(writer)
    assert len(told.of(MaintenanceDone)) == 1
    assert set(told.corrected) == {wrong.link.number}


def test_a_robot_that_was_registered_wrongly_is_registered_again():
    writer = begun()
    wrong = writer.records[-1]
    writer.write(Correction(corrects=entry_id(wrong), reason="another model"), MAKER)
    assert history(writer).status is Status.UNREGISTERED
    writer.write(msgspec.structs.replace(REGISTERED, model="MODEL2"), MAKER)
    told = history(writer)
    assert told.registered is not None
    assert (told.registered.what.model, told.status) == ("MODEL2", Status.ACTIVE)


def test_a_part_is_in_its_place_until_it_is_removed():
    writer = begun()
    came = writer.write(SWAPPED, WORKSHOP)
    went = writer.write(PartRemoved(component="joint/3", serial="S-0042"), WORKSHOP)
    assert history(writer).parts == [
        Part(
            component="joint/3",
            serial="S-0042",
            part="A-17",
            installed_us=came.signed.entry.happened_us,
            installed=came.link.number,
            removed_us=went.signed.entry.happened_us,
            removed=went.link.number,
        )
    ]


def test_a_part_that_another_took_the_place_of_went_without_an_entry():
    writer = begun()
    writer.write(SWAPPED, WORKSHOP)
    after = writer.write(PartInstalled(component="joint/3", part="A-17", serial="S-0043"), WORKSHOP)
    before, now = history(writer).parts
    assert (before.removed_us, before.removed) == (after.signed.entry.happened_us, None)
    assert (now.serial, now.removed_us) == ("S-0043", None)


def test_a_removed_part_that_nobody_installed_was_there_from_before():
    writer = begun()
    writer.write(SWAPPED, WORKSHOP)
    writer.write(PartRemoved(component="joint/3", serial="S-0001"), WORKSHOP)
    stays, unknown = history(writer).parts
    assert (stays.serial, stays.removed_us) == ("S-0042", None)
    assert (unknown.serial, unknown.installed_us, unknown.removed is None) == ("S-0001", None, False)


def test_owners_follow_one_another_and_an_erased_one_has_no_name():
    writer = begun()
    writer.write(SOLD, MAKER, OWNER)
    second = conceal("Grace Hopper, Arlington")
    bought = writer.write(Ownership(owner=second.commitment, country="US"), OPERATOR)
    first, last = history(writer).owners
    assert (first.name, first.country, first.until_us) == (OWNER.value, "DE", bought.signed.entry.happened_us)
    assert (last.name, last.commitment, last.until_us) == ("", second.commitment, None)
    assert fold(ROBOT, writer.records, [second]).owners[1].name == second.value


@pytest.mark.parametrize(
    ("whats", "status"),
    [
        ([], Status.ACTIVE),
        ([Recalled(campaign="R1", reason="gears")], Status.RECALLED),
        ([Recalled(campaign="R1", reason="gears"), RecallDone(campaign="R2")], Status.RECALLED),
        ([Recalled(campaign="R1", reason="gears"), RecallDone(campaign="R1")], Status.ACTIVE),
        (
            [Recalled(campaign="R1", reason="a"), RecallDone(campaign="R1"), Recalled(campaign="R1", reason="b")],
            Status.RECALLED,
        ),
        ([Recalled(campaign="R1", reason="gears"), Scrapped(reason="fire")], Status.SCRAPPED),
    ],
)
def test_the_status_follows_from_the_entries(whats, status):
    writer = begun()
    for what in whats:
        writer.write(what, MAKER)
    assert history(writer).status is status
