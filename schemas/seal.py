"""Seal: what a robot puts beside each frame so that nobody else can send in its name.

In: the robot's key and the record's value. Out: the value of the record's header HEADER. The robot's agent seals;
whoever reads frames verifies through `schemas/keyring.py`. Pure, and of the standard library only: it is on robots.

A seal is 27 bytes: its version (1), the key's version (2), when the robot sealed (8, UTC µs by the robot's clock),
all big-endian, then the tag (16): the first half of HMAC-SHA256, by the robot's key, over the code, the 11 bytes
before the tag and the record's value. A frame that is sent again is sealed again: `sealed_us` is of the attempt.

Kafka lets a principal write to a topic, not under a key, and consumers do not see the principal: so the record
itself must say who made it. Half of a SHA-256 tag is what NIST SP 800-107 allows and TLS's CCM uses: 128 bits.
"""

import hmac
import struct
from collections.abc import Sequence
from hashlib import sha256

HEADER = "rv-seal"

SEAL_VERSION = 1
HEAD = struct.Struct(">BHQ")
TAG_BYTES = 16
SEAL_BYTES = HEAD.size + TAG_BYTES
VERSION_AT = slice(1, 3)
"""Where in a seal the key's version stands."""

Pads = tuple[bytes, bytes]

MIN_MASTER_BYTES = 32
MAX_KEY_VERSION = 0xFFFF

# So that a key derived for this purpose is of no use for another, should the master ever have one.
_DOMAIN = b"robovitals seal key\0"
_FINGERPRINT = b"robovitals master fingerprint\0"

_HEAD_BYTES = HEAD.size
_BLOCK_BYTES = 64
_INNER, _OUTER = (bytes(byte ^ pad for byte in range(256)) for pad in (0x36, 0x5C))


def derive_key(master: bytes, code: str, key_version: int) -> bytes:
    """The key of a robot: 32 bytes that say nothing of the master or of any other robot's key."""
    if len(master) < MIN_MASTER_BYTES:
        raise ValueError(f"a master key of {len(master)} bytes is too short: at least {MIN_MASTER_BYTES}")
    return hmac.digest(master, _DOMAIN + key_version.to_bytes(2, "big") + code.encode(), "sha256")


def fingerprint(master: bytes) -> bytes:
    """16 bytes by which two master keys can be told apart, and that say nothing of either."""
    return hmac.digest(master, _FINGERPRINT, "sha256")[:16]


def seal(robot_key: bytes, key_version: int, code: str, sealed_us: int, value: bytes) -> bytes:
    """The header's value for a record of `value`. `sealed_us` is the robot's clock at this attempt."""
    head = HEAD.pack(SEAL_VERSION, key_version, sealed_us)
    return head + hmac.digest(robot_key, code.encode() + head + value, "sha256")[:TAG_BYTES]


def pads_of(robot_key: bytes, code: bytes) -> Pads:
    """What many tags of one key share: HMAC's two blocks (RFC 2104), the inner one with the code behind it."""
    padded = robot_key.ljust(_BLOCK_BYTES, b"\0")
    return padded.translate(_INNER) + code, padded.translate(_OUTER)


def tags_of(pads: Sequence[Pads], seals: Sequence[bytes], values: Sequence[bytes]) -> list[bytes]:
    """What the tags of many records must be. Whoever compares them does so in constant time.

    The same as `seal` does, at half its cost: OpenSSL looks its HMAC up anew each time, and lets others run
    meanwhile, which makes a thread wait for its turn at each record.
    """
    return [
        sha256(outer + sha256(inner + seal[:_HEAD_BYTES] + value).digest()).digest()[:TAG_BYTES]
        for (inner, outer), seal, value in zip(pads, seals, values, strict=True)
    ]
