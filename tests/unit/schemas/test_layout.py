"""Layouts: read, ordered, joined; what they explain and what they refuse."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import RejectError
from schemas.layout import MAX_JOINTS, Layout, parse_layout
from schemas.signals import SIGNALS, Component, Statistic

layouts = st.builds(
    lambda joints, names: Layout(joints, tuple(names)),
    st.integers(1, 8),
    st.lists(st.sampled_from([s.name for s in SIGNALS]), unique=True, min_size=1),
)


def test_a_joint_signal_takes_a_slot_a_joint_and_every_other_one_slot():
    layout = parse_layout("3:joint_wear,battery_soc")
    assert [(slot.signal.name, slot.joint) for slot in layout.slots] == [
        ("joint_wear", 1),
        ("joint_wear", 2),
        ("joint_wear", 3),
        ("battery_soc", 0),
    ]
    assert [slot.component for slot in layout.slots] == ["joint/1", "joint/2", "joint/3", "battery"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "bad_layout"),
        ("x:battery_soc", "bad_layout"),
        ("-1:battery_soc", "bad_layout"),
        ("²:battery_soc", "bad_layout"),
        ("1:battery_soc,battery_soc", "bad_layout"),
        ("0:joint_wear", "bad_layout"),
        ("1:joint_wear,", "unknown_signal"),
        ("1:joint_weaR", "unknown_signal"),
        ("10000:joint_wear", "too_many_joints"),
        (f"{MAX_JOINTS + 1}:joint_wear", "too_many_joints"),
        ("99999999999999999999:joint_wear", "bad_layout"),
    ],
)
def test_a_layout_that_cannot_be_read_is_rejected_with_its_reason(text, reason):
    with pytest.raises(RejectError) as caught:
        parse_layout(text)
    assert caught.value.reason == reason


def test_an_empty_layout_is_a_frame_without_readings():
    assert parse_layout("0:").slots == ()


@given(layouts)
def test_a_layout_reads_back_from_its_text(layout):
    assert parse_layout(layout.text) == layout


@given(layouts)
def test_the_canonical_order_permutes_each_slot_to_its_signal(layout):
    order = layout.canonical_order or range(len(layout.slots))
    assert tuple(layout.slots[at] for at in order) == layout.canonical.slots


@given(layouts, layouts)
def test_a_union_holds_every_slot_of_both_where_slots_into_says(one, other):
    union = one.union(other)
    for layout in (one, other):
        assert [union.slots[at] for at in layout.slots_into(union)] == list(layout.slots)
    assert len(union.slots) <= len(one.slots) + len(other.slots) + MAX_JOINTS * len(SIGNALS)
    assert set(union.signals) == set(one.signals) | set(other.signals)


@given(layouts)
def test_a_statistic_is_kept_by_just_the_slots_whose_signal_keeps_it(layout):
    for statistic in Statistic:
        kept = set(layout.keeping(statistic))
        for at, slot in enumerate(layout.slots):
            assert (at in kept) == (statistic in slot.signal.statistics)
            assert (slot.joint > 0) == (slot.signal.component is Component.JOINT)
