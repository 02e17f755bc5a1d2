"""The last weeks of a life, packed and joined to what comes after."""

from dataclasses import fields

import numpy as np

from processors.audit import context
from processors.audit.levels import Levels
from schemas.hours import Hours
from support.robot_lives import hours, levels


def both() -> tuple[Hours, Levels]:
    return Hours(**hours(240)), Levels(**levels(10))


def same(one: tuple[Hours, Levels], other: tuple[Hours, Levels]) -> bool:
    numbers = all(
        np.array_equal(getattr(a, field.name), getattr(b, field.name), equal_nan=True)
        for a, b in zip(one, other, strict=True)
        for field in fields(a)
        if field.name not in ("software", "scenario")
    )
    return numbers and [one[0].software.values[c] for c in one[0].software.codes] == [
        other[0].software.values[c] for c in other[0].software.codes
    ]


def test_what_is_packed_is_what_comes_out() -> None:
    unpacked = context.unpack(context.pack(*both()))
    assert unpacked is not None
    assert same(unpacked, both())


def test_bytes_that_are_none_of_ours_are_nothing() -> None:
    assert context.unpack(b"else") is None


def test_a_packed_beginning_and_what_follows_are_the_whole() -> None:
    whole_hours, whole_levels = both()
    first = whole_hours.at(slice(0, 130)), Levels(*(getattr(whole_levels, f.name)[:6] for f in fields(Levels)))
    rest = whole_hours.at(slice(100, None)), Levels(*(getattr(whole_levels, f.name)[4:] for f in fields(Levels)))
    assert same(context.joined(first, rest), both())


def test_only_the_last_weeks_and_a_day_before_them_are_kept() -> None:
    kept, days = context.recent(Hours(**hours(3000)), Levels(**levels(125)))
    assert len(kept) == context.DAYS * 24 + context.BEFORE + 1
    assert len(days) == context.DAYS + 1
