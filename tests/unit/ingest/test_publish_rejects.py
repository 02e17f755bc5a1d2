"""A reject always fits its topic, however large the record was."""

import msgspec

from ingest.publish_rejects import fitting
from schemas.reject import encode_reject
from schemas.topics import MAX_RECORD_BYTES, REJECTS
from support.messages import REJECT


def test_an_ordinary_reject_goes_as_it_is():
    assert fitting(REJECT) is REJECT


def test_the_largest_record_is_cut_and_says_so():
    large = msgspec.structs.replace(REJECT, value=b"v" * MAX_RECORD_BYTES, key=b"k" * MAX_RECORD_BYTES)
    cut = fitting(large)
    assert len(encode_reject(cut)) + len(cut.key) < REJECTS.max_message_bytes - 1024
    assert cut.value == large.value[: len(cut.value)]
    assert f"the value has {MAX_RECORD_BYTES} bytes" in cut.detail


def test_a_reject_without_a_key_can_be_cut():
    assert fitting(msgspec.structs.replace(REJECT, value=b"v" * MAX_RECORD_BYTES, key=None)).key is None
