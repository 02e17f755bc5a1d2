"""The watermark: it never goes back, leaves out clocks that are ahead, and survives a commit's metadata."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from schemas.watermark import NO_WATERMARK, Resume, ahead_of_broker, from_metadata, running_watermark, to_metadata

TOLERANCE_US = 5_000_000
KAFKA_METADATA_BYTES = 4096


def watermarks(before_us, *times_us, trusted=None):
    flags = np.ones(len(times_us), bool) if trusted is None else np.array(trusted, bool)
    return running_watermark(before_us, np.array(times_us, np.int64), flags).tolist()


def test_watermark_does_not_reverse_in_batch():
    assert watermarks(NO_WATERMARK, 5, 3, 7, 1) == [5, 5, 7, 7]


def test_watermark_does_not_reverse_between_batches():
    assert watermarks(10, 3, 12, 4) == [10, 12, 12]


def test_an_untrusted_time_does_not_move_it():
    assert watermarks(1, 2, 900, 3, trusted=[True, False, True]) == [2, 2, 3]


def test_an_empty_batch_has_no_watermarks():
    assert watermarks(7) == []


def test_a_clock_is_ahead_when_it_is_more_than_the_tolerance_after_the_broker():
    times = np.array([TOLERANCE_US, TOLERANCE_US + 1, 0], np.int64)
    assert ahead_of_broker(times, np.zeros(3, np.int64), TOLERANCE_US).tolist() == [False, True, False]


@given(st.lists(st.tuples(st.integers(0, 2**53), st.booleans())), st.integers(0, 20))
def test_batches_change_nothing(records, cut):
    times, trusted = [t for t, _ in records], [b for _, b in records]
    whole = watermarks(NO_WATERMARK, *times, trusted=trusted)
    first = watermarks(NO_WATERMARK, *times[:cut], trusted=trusted[:cut])
    before_us = first[-1] if first else NO_WATERMARK
    assert first + watermarks(before_us, *times[cut:], trusted=trusted[cut:]) == whole


@given(st.builds(Resume, *[st.integers(-1, 2**63 - 1)] * 6))
def test_what_resumes_survives_the_metadata_of_a_commit(resume):
    assert from_metadata(to_metadata(resume)) == resume
    assert len(to_metadata(resume)) < KAFKA_METADATA_BYTES


def test_metadata_that_is_not_ours_resumes_nothing():
    for text in ("", "42", "watermark_us=5", '{"before_us": 1}', "{", "\x00"):
        assert from_metadata(text) is None
