"""The seal: its bytes, its key, and that no bit of what it covers can change."""

import hashlib
import hmac

import pytest

from schemas.seal import HEAD, SEAL_BYTES, TAG_BYTES, derive_key, fingerprint, pads_of, seal, tags_of

MASTER = bytes(range(32))
CODE = "CNRVTSH1MARK00000000000000042"
VALUE = b"a frame's bytes"
SEALED_US = 1_790_000_000_123_456

# Written down once: a seal made today must be readable by whatever comes later.
GOLDEN_KEY = "81f5a7fc1ae9b2e210e376c3099711eac6c1ab1bb70b9336dd8d91f17f43d41b"
GOLDEN_SEAL = "01000300065bfeda27c2407310a0f5034d25e4395f615f2a78e547"


def _is_sealed(sealed: bytes, *, master: bytes = MASTER, code: str = CODE, value: bytes = VALUE) -> bool:
    _, key_version, sealed_us = HEAD.unpack_from(sealed)
    return sealed == seal(derive_key(master, code, key_version), key_version, code, sealed_us, value)


def _sealed(key_version: int = 3) -> bytes:
    return seal(derive_key(MASTER, CODE, key_version), key_version, CODE, SEALED_US, VALUE)


def test_key_and_seal_are_what_they_were() -> None:
    assert derive_key(MASTER, CODE, 3).hex() == GOLDEN_KEY
    assert _sealed().hex() == GOLDEN_SEAL


def test_a_seal_is_what_its_description_says() -> None:
    key = derive_key(MASTER, CODE, 3)
    head = b"\x01" + (3).to_bytes(2, "big") + SEALED_US.to_bytes(8, "big")
    tag = hmac.new(key, CODE.encode() + head + VALUE, hashlib.sha256).digest()[:16]
    assert _sealed() == head + tag
    assert len(_sealed()) == SEAL_BYTES == 27
    assert len(key) == 32


def test_no_bit_of_a_seal_can_change() -> None:
    good = _sealed()
    assert _is_sealed(good)
    for bit in range(8, 8 * SEAL_BYTES):  # the first byte is the seal's version, which tells readers how to go on
        changed = bytearray(good)
        changed[bit // 8] ^= 1 << bit % 8
        assert not _is_sealed(bytes(changed)), bit


def test_no_bit_of_the_value_can_change() -> None:
    for bit in range(8 * len(VALUE)):
        changed = bytearray(VALUE)
        changed[bit // 8] ^= 1 << bit % 8
        assert not _is_sealed(_sealed(), value=bytes(changed)), bit
    assert not _is_sealed(_sealed(), value=VALUE[:-1])
    assert not _is_sealed(_sealed(), value=VALUE + b"\0")


def test_a_seal_is_of_one_robot_one_master_and_one_key_version() -> None:
    assert not _is_sealed(_sealed(), code=CODE[:-1] + "3")
    assert not _is_sealed(_sealed(), master=bytes(32))
    keys = {derive_key(MASTER, CODE, version) for version in range(100)}
    assert len(keys) == 100


def test_a_short_master_key_is_refused_without_being_shown() -> None:
    with pytest.raises(ValueError, match="31 bytes is too short") as caught:
        derive_key(b"secret" + bytes(25), CODE, 1)
    assert "secret" not in str(caught.value)


def test_many_tags_at_once_are_those_of_one_by_one() -> None:
    values = [bytes(length) for length in range(200)]
    keys = [derive_key(MASTER, CODE, version) for version in range(200)]
    seals = [seal(key, 1, CODE, SEALED_US, value) for key, value in zip(keys, values, strict=True)]
    pads = [pads_of(key, CODE.encode()) for key in keys]
    assert tags_of(pads, seals, values) == [one[-TAG_BYTES:] for one in seals]


def test_master_keys_are_told_apart_by_fingerprints_that_are_no_keys_of_robots():
    assert len(fingerprint(MASTER)) == 16
    assert fingerprint(MASTER) != fingerprint(MASTER[::-1] + b"x")
    assert fingerprint(MASTER) not in (derive_key(MASTER, "", 0)[:16], MASTER[:16])
