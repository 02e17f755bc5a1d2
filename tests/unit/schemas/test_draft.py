"""What people and files say becomes entries: every kind by its fields, names kept apart, and the same line the
same entry."""

import pytest

from schemas.draft import Draft, Pen, fields_of, said, time_us
from schemas.errors import SettingError
from schemas.logbook import (
    KINDS,
    Commissioned,
    Correction,
    CounterChanged,
    Inspection,
    MaintenanceDone,
    MaintenancePlanned,
    Opened,
    Ownership,
)
from schemas.signing import public_key
from support.logbooks import MAKER, ROBOT, WORKSHOP

NOW_US = 1_760_000_000_000_000
GREASED = {"task": "greased", "component": "joint/3", "by": "Ada"}


def hide(name: str, value: str) -> Opened:
    return Opened(salt="5a" * 16, value=value)


def draft(kind: str = "maintenance_done", happened_us: int | None = NOW_US, **values: object) -> Draft:
    return Draft(robot_id=ROBOT, kind=kind, values=values or GREASED, happened_us=happened_us)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_fields_that_can_be_told_to_people(kind: str):
    fields = fields_of(kind)
    assert {field.key for field in fields} == set(KINDS[kind].__struct_fields__)
    assert [field.required for field in fields] == sorted((field.required for field in fields), reverse=True)


def test_texts_become_what_the_fields_are_of():
    what, opened = said(
        "maintenance_planned",
        {"plan": "P", "task": "grease", "component": "joint/1", "due": "2026-12-01", "due_cycles": "5000"},
        hide,
    )
    assert what == MaintenancePlanned(
        plan="P", task="grease", component="joint/1", due_us=1_796_083_200_000_000, due_cycles=5000
    )
    assert opened == ()
    assert said("inspection", {"passed": "true", "text": "fine"}, hide)[0] == Inspection(passed=True, text="fine")
    baselines = said("commissioned", {"baselines": '{"joint_backlash_arcmin":0.5}', "samples": "30"}, hide)[0]
    assert baselines == Commissioned(baselines={"joint_backlash_arcmin": 0.5}, samples=30)
    unknown = said("counter_changed", {"counter": "cycles", "before": "null", "after": "0", "reason": "x"}, hide)[0]
    assert unknown == CounterChanged(counter="cycles", before=None, after=0, reason="x")
    assert said("correction", {"corrects": "a" * 32, "reason": "typo"}, hide)[0] == Correction(
        corrects="a" * 32, reason="typo"
    )


def test_a_name_that_is_given_in_clear_stands_beside_the_entry_and_not_in_it():
    what, opened = said("ownership", {"owner": "Ada", "country": "DE"}, hide)
    assert opened == (Opened(salt="5a" * 16, value="Ada"),)
    assert what == Ownership(owner=opened[0].commitment, country="DE")
    written = Pen(MAKER).write(draft(), NOW_US, "a" * 32)
    assert b"Ada" not in written.signed.text
    assert isinstance(written.signed.entry.what, MaintenanceDone)
    assert written.signed.entry.what.by == written.opened[0].commitment


@pytest.mark.parametrize(
    ("kind", "values", "text"),
    [
        ("sold", {}, "no kind 'sold': one of registered,"),
        ("scrapped", {}, "scrapped needs reason"),
        ("scrapped", {"reason": "fire", "colour": "red"}, "scrapped has no field 'colour'; it has reason"),
        ("maintenance_done", {"task": "x", "component": "elbow"}, "$.component"),
        ("maintenance_done", {"task": "x", "component": "joint/1", "by": " "}, "by: give a text"),
        ("maintenance_done", {"task": "x", "component": "joint/1", "by": "A" * 2001}, "by: "),
        ("part_installed", {"component": "joint/1", "part": "A", "serial": "S", "part_runtime_s": "-1"},
         "$.part_runtime_s"),
        ("scenario", {"scenario": "s", "until": "yesterday", "used_s": 1}, "until 'yesterday': give a time as"),
        ("commissioned", {"baselines": "{"}, "baselines: give a JSON object"),
        ("inspection", {"passed": "perhaps", "text": "x"}, "$.passed"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_named(kind: str, values: dict[str, object], text: str):
    with pytest.raises(SettingError) as caught:
        said(kind, values, hide)
    assert text in str(caught.value)


def test_a_line_that_is_written_again_is_the_same_entry():
    first, again = (Pen(WORKSHOP).write_again(draft(), NOW_US + later) for later in (0, 7_000_000))
    assert first.signed.entry.id == again.signed.entry.id
    assert first.opened == again.opened
    assert first.signed.entry.written_us != again.signed.entry.written_us
    undated = [Pen(WORKSHOP).write_again(draft(happened_us=None), NOW_US + later) for later in (0, 7_000_000)]
    assert undated[0].signed.entry.id == undated[1].signed.entry.id


@pytest.mark.parametrize(
    "other",
    [
        draft(task="greased", component="joint/4", by="Ada"),
        draft(task="greased", component="joint/3", by="Bob"),
        draft(happened_us=NOW_US + 1),
        draft(happened_us=None),
        Draft(robot_id=ROBOT[:-1] + "2", kind="maintenance_done", values=GREASED, happened_us=NOW_US),
        Draft(robot_id=ROBOT, kind="maintenance_done", values=GREASED, happened_us=NOW_US, runtime_s=5),
    ],
)
def test_a_line_that_says_something_else_is_another_entry(other: Draft):
    pen = Pen(WORKSHOP)
    assert pen.write_again(draft(), NOW_US).signed.entry.id != pen.write_again(other, NOW_US).signed.entry.id


def test_only_the_author_can_make_the_id_and_the_salt_that_follow_from_a_name():
    ours, theirs = (Pen(key).write_again(draft(), NOW_US) for key in (WORKSHOP, MAKER))
    assert ours.signed.entry.id != theirs.signed.entry.id
    assert ours.opened[0].salt != theirs.opened[0].salt


def test_two_entries_of_the_same_words_are_two_where_somebody_writes_them():
    one, two = (Pen(WORKSHOP).write(draft(), NOW_US, entry_id * 32) for entry_id in "ab")
    assert one.opened[0].salt != two.opened[0].salt


def test_an_entry_is_signed_by_the_pen_and_carries_what_the_draft_has():
    written = Pen(WORKSHOP).write(draft(happened_us=None), NOW_US, "a" * 32)
    assert written.signed.is_authentic
    assert written.signed.entry.author == public_key(WORKSHOP)
    assert (written.signed.entry.happened_us, written.signed.entry.written_us) == (NOW_US, NOW_US)


def test_a_time_without_a_zone_is_utc():
    assert time_us("due", "1970-01-01T00:00:01") == 1_000_000
    assert time_us("due", "1970-01-01T02:00:01+02:00") == 1_000_000
