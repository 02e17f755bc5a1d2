"""Canonical JSON (RFC 8785): the one form in which what is signed and hashed is written, kept and read.

In: a document, or bytes from anywhere. Out: its canonical bytes, or the document, or RejectError. Called by
everything of the logbook. Bytes in another form are refused, never brought into form: what is hashed is always
what is kept, so nothing depends on a reader that would write them as the writer did, and no byte is outside of
a hash.
"""

import hashlib

import msgspec
import rfc8785

from schemas.errors import RejectError

MAX_BYTES = 64 * 1024
"""Of one line. An entry is below 1 kB; attachments are elsewhere, by hash. As much as a frame may have."""


def canonical(document: object, most: int = MAX_BYTES) -> bytes:
    """A document of builtins, or a Struct, as its canonical bytes. Raises RejectError where it has none."""
    try:
        data = rfc8785.dumps(msgspec.to_builtins(document))
    except (ValueError, RecursionError) as error:
        raise RejectError("wrong_type", f"no canonical JSON: {error}"[:200]) from None
    parse(data, most)
    return data


def parse(data: bytes, most: int = MAX_BYTES) -> object:
    """The document of canonical bytes. Raises RejectError for any other bytes."""
    if len(data) > most:
        raise RejectError("too_large", f"{len(data)} bytes; {most} are the most")
    try:
        document: object = msgspec.json.decode(data)
        again = rfc8785.dumps(document)  # type: ignore[arg-type]  # what JSON decodes to is what it takes
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise RejectError("undecodable", f"no canonical JSON: {error}"[:200]) from None
    if again != data:
        raise RejectError("undecodable", "JSON, but not in its canonical form (RFC 8785)")
    return document


def digest(data: bytes) -> str:
    """SHA-256, as hexadecimal digits: how every hash is written in a logbook."""
    return hashlib.sha256(data).hexdigest()
