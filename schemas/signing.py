"""Ed25519 signatures (RFC 8032) over canonical bytes, and what they are for.

In: a key and bytes. Out: a signature, or whether one is good. Called by `entry.py`, `chain.py` and `checkpoint.py`.
A key is known by its public half itself, 64 hexadecimal digits: there is no second name for it to be confused with.
"""

from enum import StrEnum
from typing import Annotated

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

PublicKey = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$", max_length=64)]
Signature = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{128}$", max_length=128)]
Hash = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$", max_length=64)]


class Purpose(StrEnum):
    """What a signature says. It is signed too, so that none can be taken for one of another purpose."""

    ENTRY = "robovitals.entry.1"
    LINK = "robovitals.link.1"
    CHECKPOINT = "robovitals.checkpoint.1"
    REPORT = "robovitals.report.1"
    REPORT_LINK = "robovitals.report_link.1"
    BUNDLE = "robovitals.bundle.1"


def public_key(private: Ed25519PrivateKey) -> str:
    """The name of a key."""
    return private.public_key().public_bytes_raw().hex()


def sign(private: Ed25519PrivateKey, purpose: Purpose, data: bytes) -> str:
    return private.sign(_message(purpose, data)).hex()


def is_signed(public: str, purpose: Purpose, data: bytes, signature: str) -> bool:
    """Whether `public` signed `data` for `purpose`. False too where either is not what it should be."""
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(
            bytes.fromhex(signature), _message(purpose, data)
        )
    except (InvalidSignature, ValueError):
        return False
    return True


def _message(purpose: Purpose, data: bytes) -> bytes:
    return purpose.encode() + b"\0" + data
