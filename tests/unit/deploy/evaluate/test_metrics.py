"""Flags against labels, by hand."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.evaluate.metrics import Counts, Tally

#         0  1  2  3  4  5  6  7  8  9 10 11
LABELS = [0, 0, 1, 1, 1, 0, 0, 1, 1, 0, 0, 0]
FLAGS_ = [1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 1]


def tally(labels: list[int], flags: list[int], cuts: tuple[int, ...] = ()) -> Counts:
    told = Tally()
    edges = [0, *cuts, len(labels)]
    for first, end in pairwise(edges):
        told.take(
            np.array(labels[first:end], np.int8),
            np.array(flags[first:end], bool),
            np.arange(first, end, dtype=np.int64) * 500_000,
        )
    return told.end()


def test_point_wise_every_row_counts() -> None:
    counts = tally(LABELS, FLAGS_)
    assert (counts.true_positive, counts.false_positive) == (1, 4)
    assert (counts.false_negative, counts.true_negative) == (4, 3)
    assert counts.precision == pytest.approx(1 / 5)
    assert counts.recall == pytest.approx(1 / 5)
    assert counts.f1 == pytest.approx(1 / 5)
    assert counts.false_alarm_rate == pytest.approx(4 / 7)
    assert counts.missed_rate == pytest.approx(4 / 5)


def test_event_wise_an_episode_is_found_by_its_first_flagged_row() -> None:
    counts = tally(LABELS, FLAGS_)
    assert [(e.first_row, e.rows, e.delay_rows, e.delay_s) for e in counts.episodes] == [
        (2, 3, 2, 1.0),
        (7, 2, None, None),
    ]
    assert counts.event_recall == 0.5
    assert (counts.flagged_episodes, counts.false_episodes) == (3, 2)
    assert counts.event_precision == pytest.approx(1 / 3)
    assert (counts.median_delay_rows, counts.median_delay_s) == (2, 1.0)


def test_what_is_flagged_already_at_the_onset_has_no_delay() -> None:
    assert tally([0, 0, 1, 1], [0, 1, 1, 0]).episodes[0].delay_rows == 0


def test_rows_without_a_label_count_in_nothing() -> None:
    counts = tally([0, -1, 1, -1, 1, -1, 0], [0, 1, 0, 1, 1, 1, 0])
    assert counts.rows == 4
    assert counts.unlabelled == 3
    assert len(counts.episodes) == 1
    assert (counts.episodes[0].delay_rows, counts.false_episodes) == (2, 0)


def test_where_there_is_nothing_to_judge_there_is_no_figure() -> None:
    counts = tally([0, 0], [0, 0])
    assert (counts.precision, counts.recall, counts.f1, counts.event_recall) == (None, None, None, None)
    assert counts.false_alarm_rate == 0


rows = st.lists(st.tuples(st.sampled_from([-1, 0, 1]), st.sampled_from([0, 1])), min_size=1, max_size=40)


@given(rows, st.data())
def test_figures_do_not_depend_on_how_rows_fall_into_blocks(
    pairs: list[tuple[int, int]], data: st.DataObject
) -> None:
    labels, flags = [label for label, _ in pairs], [flag for _, flag in pairs]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(pairs)), max_size=4)))
    assert tally(labels, flags, tuple(cuts)) == tally(labels, flags)


def test_two_series_add_up() -> None:
    both = tally(LABELS, FLAGS_)
    both.add(tally([1, 0], [1, 0]))
    assert (both.true_positive, both.true_negative, len(both.episodes)) == (2, 4, 3)
