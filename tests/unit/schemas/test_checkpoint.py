"""Checkpoints: signed, each the last of its own log, each log the beginning of the next, and one head a robot."""

import msgspec
import pytest

from schemas.canonical import canonical
from schemas.checkpoint import Published, anchor, decode_published, faults_of, in_order, publish
from schemas.errors import ContractError, RejectError
from schemas.signing import Purpose, public_key, sign
from support.logbooks import OTHER_ROBOT, PLATFORM, PLATFORMS, ROBOT, STRANGER, SWAPPED, Fleet, begun


def three() -> Fleet:
    fleet, writer = Fleet(), begun()
    for _ in range(3):
        fleet.checkpoint(writer)
        writer.write(SWAPPED)
    return fleet


def signed_anew(line: Published, by=PLATFORM, **changes: object) -> Published:
    checkpoint = msgspec.structs.replace(line.checkpoint, platform=public_key(by), **changes)
    signature = sign(by, Purpose.CHECKPOINT, canonical(checkpoint))
    return msgspec.structs.replace(line, checkpoint=checkpoint, signature=signature)


def test_a_file_of_checkpoints_holds_from_wherever_it_begins():
    lines = three().published
    assert [line.checkpoint.size for line in lines] == [1, 2, 3]
    for start in range(3):
        assert faults_of(lines[start:], PLATFORMS) == []
        assert decode_published(canonical(lines[start])) == lines[start]


def test_a_checkpoint_that_is_not_the_platforms_is_named():
    one, two, three_ = three().published
    strange = signed_anew(two, by=STRANGER)
    changed = msgspec.structs.replace(two, checkpoint=msgspec.structs.replace(two.checkpoint, time_us=5))
    for false in (strange, changed):
        assert "checkpoint 2 is not signed by a key of the platform" in faults_of([one, false, three_], PLATFORMS)


def test_a_platform_that_changes_its_past_is_found_by_whoever_kept_one_line():
    kept = three().published[:2]
    other, writer = Fleet(), begun()
    for _ in range(3):
        writer.write(SWAPPED)
        other.checkpoint(writer)
    assert faults_of(other.published, PLATFORMS) == []
    assert faults_of([*kept, other.published[2]], PLATFORMS) == ["checkpoint 3 has another past than checkpoint 2"]


def test_a_checkpoint_that_is_left_out_or_stands_elsewhere_is_named():
    one, two, last = three().published
    assert faults_of([one, last], PLATFORMS) == [
        "checkpoint 3 does not follow checkpoint 1: there are others between, or before"
    ]
    assert faults_of([two, one], PLATFORMS) == [
        "checkpoint 1 does not follow checkpoint 2: there are others between, or before"
    ]


def test_heads_that_the_log_does_not_hold_are_named():
    line = signed_anew(three().published[0], heads=99)
    assert faults_of([line], PLATFORMS) == ["checkpoint 1 is not the last of its own log"]


def test_a_checkpoint_dated_before_the_one_before_it_is_named():
    fleet = three()
    heads = in_order([begun().head])
    back = publish(fleet.log, heads, fleet.published[-1].checkpoint.time_us - 1, PLATFORM)
    assert faults_of([fleet.published[-1], back], PLATFORMS) == [
        "checkpoint 4 says that it was made before checkpoint 3"
    ]


def test_an_anchor_leads_from_a_robots_head_to_the_checkpoint_and_from_no_other():
    fleet, writer = Fleet(), begun()
    for neighbours in range(9):
        proof = fleet.checkpoint(writer, neighbours)
        assert proof.holds
        assert proof.is_authentic
        longer = msgspec.structs.replace(proof.head, entries=proof.head.entries + 1)
        assert not msgspec.structs.replace(proof, head=longer).holds
        assert not msgspec.structs.replace(proof, index=proof.index + 1).holds


def test_a_robot_without_a_logbook_by_then_has_no_anchor():
    heads = in_order([begun().head])
    published = publish([], heads, 5, PLATFORM)
    with pytest.raises(RejectError, match=f"before robot {OTHER_ROBOT} had a logbook"):
        anchor(published, heads, OTHER_ROBOT)


def test_a_robot_has_one_head_in_a_checkpoint():
    head = begun().head
    with pytest.raises(ContractError, match=f"robot {ROBOT} has two logbooks"):
        in_order([head, msgspec.structs.replace(head, entries=1)])


@pytest.mark.parametrize("line", [b"{}", b"[]", b'{"checkpoint":{}}', b"\xff"])
def test_a_line_that_is_no_checkpoint_is_rejected(line):
    with pytest.raises(RejectError):
        decode_published(line)
