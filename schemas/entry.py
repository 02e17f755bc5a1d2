"""One entry of a robot's logbook: written and signed by its author, then linked and sealed by the platform.

In: what an author has to say, or bytes from a topic, a file or a database. Out: a `Signed` or a `Record`, or
RejectError. Called by `chain.py`, `logbook_file.py`, and whoever writes entries.

An author signs the content alone and knows no number: two who write at the same time never race for one, and
neither can put the other behind. The platform gives the number, with the hash of the link before and the time
of receipt, and seals that. The entry's text is kept as its author signed it, whatever version wrote it.
"""

from collections.abc import Iterable
from typing import Annotated, TypeVar

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schemas.canonical import canonical, digest, parse
from schemas.errors import RejectError
from schemas.frame import MAX_INTEGER
from schemas.logbook import KINDS, AnyWhat, Count, Id, Later, Opened, Time, Word, kind_name
from schemas.robot_code import is_code
from schemas.signing import Hash, PublicKey, Purpose, Signature, is_signed, public_key, sign

ENTRY_VERSION = 1


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """A file that belongs to the entry and is kept elsewhere, known by its SHA-256."""

    name: Word
    media_type: Word
    size_bytes: Count
    sha256: Hash


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`id` is random; it makes a repeat known. `author` is the public key of who signs.

    `happened_us`: when what it says was so; `written_us`: when it was signed, by its author's clock.
    `runtime_s`: the robot's counter at `happened_us`, read off by the author, as a workshop notes a car's
    mileage.
    """

    v: Annotated[int, msgspec.Meta(ge=1)]
    id: Id
    robot_id: str
    author: PublicKey
    happened_us: Time
    written_us: Time
    what: AnyWhat
    runtime_s: Count | None = None
    attachments: Annotated[tuple[Attachment, ...], msgspec.Meta(max_length=64)] = ()


class Signed(msgspec.Struct, frozen=True, kw_only=True):
    """An entry as its author sends it: `text` are the canonical bytes that `signature` is over."""

    text: bytes
    signature: Signature
    entry: Entry

    @property
    def hash(self) -> str:
        """Over the text and the signature, whose length is fixed."""
        return digest(self.text + self.signature.encode())

    @property
    def is_authentic(self) -> bool:
        """Whether the key that it names signed it."""
        return is_signed(self.entry.author, Purpose.ENTRY, self.text, self.signature)


class Link(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where an entry stands. `number` counts from 1 in each robot's logbook.

    `previous` is the hash of the link before, `entry` the hash of the signed entry, `received_us` the
    platform's time of receipt, `platform` its key.
    """

    number: Annotated[int, msgspec.Meta(ge=1, le=MAX_INTEGER)]
    previous: Hash
    entry: Hash
    received_us: Time
    platform: PublicKey

    @property
    def hash(self) -> str:
        return digest(canonical(self))


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """An entry in its logbook. `seal` is the platform's signature of the link; `opened` what may be erased."""

    signed: Signed
    link: Link
    seal: Signature
    opened: tuple[Opened, ...] = ()

    @property
    def is_sealed(self) -> bool:
        """Whether the platform's key that the link names sealed it."""
        return is_signed(self.link.platform, Purpose.LINK, canonical(self.link), self.seal)


class _SignedFields(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A `Signed` as JSON. No unknown fields here or below: no hash would cover them."""

    entry: dict[str, object]
    signature: Signature


class _SubmissionFields(_SignedFields, frozen=True, kw_only=True, forbid_unknown_fields=True):
    opened: tuple[Opened, ...] = ()


class _RecordFields(_SignedFields, frozen=True, kw_only=True, forbid_unknown_fields=True):
    link: Link
    seal: Signature
    opened: tuple[Opened, ...] = ()


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    """What an author sends, on `fleet.logbook`: an entry, and what stands behind its commitments."""

    signed: Signed
    opened: tuple[Opened, ...] = ()


class _Kind(msgspec.Struct, frozen=True):
    kind: Word


class _Basics(msgspec.Struct, frozen=True):
    """What every version's entry has."""

    v: int
    robot_id: str
    what: _Kind


_T = TypeVar("_T")


def write_entry(entry: Entry, private: Ed25519PrivateKey) -> Signed:
    """Sign it. Raises RejectError for what nobody could read again."""
    if entry.author != public_key(private):
        raise RejectError("wrong_type", "an entry's author is the key that signs it")
    if isinstance(entry.what, Later):
        raise RejectError("wrong_type", "an entry says something of a kind that this version knows")
    text = canonical(entry)
    read = _read_entry(parse(text))
    return Signed(text=text, signature=sign(private, Purpose.ENTRY, text), entry=read)


def encode_submission(submission: Submission) -> bytes:
    """Canonical JSON. Raises RejectError where it is too large."""
    fields: dict[str, object] = {
        "entry": parse(submission.signed.text),
        "signature": submission.signed.signature,
    }
    return canonical(fields | ({"opened": submission.opened} if submission.opened else {}))


def decode_submission(data: bytes) -> Submission:
    """Raises RejectError. Whether it is authentic, and may follow what is there, is for `chain.append`."""
    fields = _convert(parse(data), _SubmissionFields)
    return Submission(signed=_signed(fields), opened=fields.opened)


def encode_record(record: Record) -> bytes:
    """One line of a logbook: canonical JSON."""
    fields: dict[str, object] = {
        "entry": parse(record.signed.text),
        "signature": record.signed.signature,
        "link": record.link,
        "seal": record.seal,
    }
    return canonical(fields | ({"opened": record.opened} if record.opened else {}))


def decode_record(data: bytes) -> Record:
    """Raises RejectError for what is no record. Whether it is true is for `logbook_check.py`."""
    fields = _convert(parse(data), _RecordFields)
    return Record(signed=_signed(fields), link=fields.link, seal=fields.seal, opened=fields.opened)


def readable(lines: Iterable[bytes]) -> tuple[list[Record], bool]:
    """The records that can be read, and whether all can: one that somebody has made unreadable must not take the
    others along. Who checks the logbook names it.
    """
    records, all_are = [], True
    for line in lines:
        try:
            records.append(decode_record(line))
        except RejectError:
            all_are = False
    return records, all_are


def _signed(fields: _SignedFields) -> Signed:
    return Signed(text=canonical(fields.entry), signature=fields.signature, entry=_read_entry(fields.entry))


def _read_entry(document: object) -> Entry:
    """An entry of its document. What only a later version knows becomes `Later`. Raises RejectError."""
    basics = _convert(document, _Basics)
    named = basics.what.kind
    if not is_code(basics.robot_id):
        raise RejectError("bad_code", f"an entry about {basics.robot_id[:60]!r}")
    if basics.v == ENTRY_VERSION and named in KINDS:
        return _convert(document, Entry)
    later = {"kind": kind_name(Later), "named": named}
    return _convert({**msgspec.to_builtins(document), "what": later}, Entry)


def _convert(document: object, kind: type[_T]) -> _T:
    try:
        return msgspec.convert(document, kind)
    except (msgspec.ValidationError, RecursionError) as error:
        raise RejectError("wrong_type", str(error)[:200]) from None
