"""Reject: a record that could not be used, on `telemetry.rejects`, with its original bytes and where they were.

Written by the lander beside the row in `reject`; read by whoever watches what a fleet sends wrong.
"""

import msgspec

REJECT_VERSION = 1


class Reject(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`reason` is a word of `frame.REJECT_REASONS`; `key` and `value` are the record's own bytes, `seal` is the
    value of its header `seal.HEADER`, where it had one.
    """

    v: int
    topic: str
    partition: int
    offset: int
    received_us: int
    reason: str
    detail: str
    key: bytes | None
    value: bytes
    seal: bytes | None = None


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Reject)


def encode_reject(reject: Reject) -> bytes:
    """MessagePack with named fields."""
    return _encoder.encode(reject)


def decode_reject(value: bytes) -> Reject:
    """Read one; raises msgspec.DecodeError."""
    return _decoder.decode(value)
