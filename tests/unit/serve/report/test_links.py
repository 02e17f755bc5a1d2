import pytest

from schemas.canonical import canonical
from schemas.signing import Purpose, sign
from serve.report.links import Token, _written, read_token, write_token
from serve.report.qr import qr_text, seal_of
from support.logbooks import MAKER, PLATFORM, PLATFORMS, ROBOT, START_US
from support.reports import clean_facts, signed_of

TOKEN = Token(id="0123456789abcdef", robot_id=ROBOT, until_us=START_US)


def test_a_token_reads_back_as_it_was():
    assert read_token(write_token(TOKEN, PLATFORM), PLATFORMS) == TOKEN


@pytest.mark.parametrize("text", ["", ".", "a.b", "none", "x" * 600, "é.é", "=.=", "e30.e30"])
def test_what_is_no_token_is_none(text):
    assert read_token(text, PLATFORMS) is None


def test_a_token_that_was_changed_or_signed_by_somebody_else_is_none():
    good = write_token(TOKEN, PLATFORM)
    for place in range(len(good)):
        changed = good[:place] + ("A" if good[place] != "A" else "B") + good[place + 1 :]
        assert read_token(changed, PLATFORMS) is None, place
    assert read_token(write_token(TOKEN, MAKER), PLATFORMS) is None


def test_a_signature_for_another_purpose_opens_nothing():
    data = canonical(TOKEN)
    assert read_token(_written(data, sign(PLATFORM, Purpose.REPORT, data)), PLATFORMS) is None


def test_the_square_code_says_what_the_signature_is_over():
    signed = signed_of(clean_facts())
    address, _, query = qr_text(signed).partition("?")
    assert address == "https://passport.test/verify"
    found = seal_of(query)
    assert found is not None
    seal, signature = found
    assert (seal.robot_id, seal.made_us, seal.digest) == (ROBOT, signed.report.made_us, signed.digest)
    assert signature == signed.signature


@pytest.mark.parametrize("query", ["", "robot=1", "robot=a&made=x&digest=A&platform=A&signature=A"])
def test_a_code_that_is_not_whole_says_nothing(query):
    assert seal_of(query) is None
