"""Canonical JSON: the RFC's own example, one form for each document, and every other form refused."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.canonical import MAX_BYTES, canonical, digest, parse
from schemas.errors import RejectError
from schemas.frame import MAX_INTEGER

# RFC 8785, 3.2.2 and 3.2.4.
GIVEN = """{
  "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
  "string": "\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\"\\/",
  "literals": [null, true, false]
}"""
WANTED = (
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
    '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
).encode()
documents = st.recursive(
    st.none() | st.booleans() | st.integers(-MAX_INTEGER, MAX_INTEGER) | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=4)
    ),
)


def test_the_example_of_the_rfc_comes_out_as_the_rfc_has_it():
    assert canonical(msgspec.json.decode(GIVEN)) == WANTED


@given(documents)
def test_a_document_has_one_form_and_reads_back(document):
    data = canonical(document)
    assert parse(data) == document
    assert canonical(parse(data)) == data


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":1, "b":2}',
        b'{"b":2,"a":1}',
        b'{"a":1,"a":1}',
        b'{"a":1.0}',
        b'{"a":-0}',
        b'{"a":1e2}',
        b'"\\u0041"',
        b'"\\/"',
        b"1\n",
        b" 1",
        b"9007199254740993",
        b"NaN",
        b"1e999",
        b'"\\ud800"',
        b"\xff",
        b"",
        b"[" * 5000 + b"]" * 5000,
    ],
)
def test_any_other_form_is_refused(data):
    with pytest.raises(RejectError) as caught:
        parse(data)
    assert caught.value.reason == "undecodable"


def test_a_line_has_a_largest_size():
    with pytest.raises(RejectError) as caught:
        canonical("x" * MAX_BYTES)
    assert caught.value.reason == "too_large"


@pytest.mark.parametrize("document", [float("nan"), float("inf"), MAX_INTEGER + 1, {"a": "\ud800"}])
def test_what_json_cannot_hold_is_refused_before_it_is_signed(document):
    with pytest.raises(RejectError) as caught:
        canonical(document)
    assert caught.value.reason == "wrong_type"


def test_a_hash_is_sha_256_in_hexadecimal_digits():
    assert digest(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
