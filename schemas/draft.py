"""What an author has to say as people and files say it, and the entry that becomes of it.

In: a kind's name and its fields by name, as text or as JSON has them. Out: a `Submission`, or SettingError that
names the field. Called by whoever writes entries: `robovitals logbook write|import|recall`, `robovitals robot
import`. Pure. All of it follows from the structs of `logbook.py`: a new kind or field needs nothing here.

Names differ from an entry's in one thing: a time has no unit, for people write times as ISO 8601 (`due`, not
`due_us`). A value that a commitment stands for is given in clear.

An entry that comes from a file is written so that the same line gives the same entry: its id and its salts follow
from what it says and from its author's private key. Without the key nobody can try names against them.
"""

import hmac
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import inspect

from schemas.canonical import canonical
from schemas.entry import ENTRY_VERSION, Attachment, Entry, Submission, write_entry
from schemas.errors import RejectError, SettingError
from schemas.logbook import ENTRY_ID, KINDS, PERSONAL, SALT_BYTES, Opened, What, conceal
from schemas.signing import public_key

ID_BYTES = 16
TIME_FORM = "2026-11-24 or 2026-11-24T08:00Z"
ENTRY = "entry, by its number or id"
UNKNOWN = ", or null where it is not known"
NAME = "name, kept beside the entry"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIME = "_us"
_NO_SALT = "00" * SALT_BYTES
_FORMS: dict[type, str] = {
    inspect.IntType: "whole number",
    inspect.FloatType: "number",
    inspect.BoolType: "true or false",
    inspect.DictType: "JSON object",
    inspect.EnumType: "word",
    inspect.StrType: "text",
}

Hide = Callable[[str, str], Opened]
"""From a field's name and its value in clear."""


class Field(msgspec.Struct, frozen=True):
    """One field of a kind. `key` is its name in an entry, `form` what it is given as."""

    name: str
    key: str
    form: str
    required: bool
    personal: bool

    @property
    def is_time(self) -> bool:
        return self.name != self.key


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be written. `happened_us` None: when it is written."""

    robot_id: str
    kind: str
    values: Mapping[str, object]
    happened_us: int | None = None
    runtime_s: int | None = None
    attachments: tuple[Attachment, ...] = ()


class Pen:
    """An author's key."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self._secret = hmac.digest(private.private_bytes_raw(), b"robovitals.draft.1", "sha256")
        self.public = public_key(private)

    def write(self, draft: Draft, now_us: int, entry_id: str) -> Submission:
        """With this id, and salts that nothing follows from. Raises SettingError."""
        what, opened = said(draft.kind, draft.values, lambda _, value: conceal(value))
        return self._sign(draft, what, opened, now_us, entry_id)

    def write_again(self, draft: Draft, now_us: int) -> Submission:
        """With the id and the salts that it had if it was written before. Raises SettingError."""
        bare, _ = said(draft.kind, draft.values, lambda _, value: Opened(salt=_NO_SALT, value=value))
        content = [draft.robot_id, bare, draft.happened_us, draft.runtime_s, list(draft.attachments)]
        entry_id = self._follows("id", _canonical(content))

        def hide(field: str, value: str) -> Opened:
            return Opened(salt=self._follows("salt", f"{entry_id}/{field}".encode()), value=value)

        what, opened = said(draft.kind, draft.values, hide)
        return self._sign(draft, what, opened, now_us, entry_id)

    def _follows(self, use: str, text: bytes) -> str:
        return hmac.digest(self._secret, use.encode() + b"\0" + text, "sha256")[:ID_BYTES].hex()

    def _sign(self, draft: Draft, what: What, opened: tuple[Opened, ...], now_us: int, entry_id: str) -> Submission:
        entry = Entry(
            v=ENTRY_VERSION,
            id=entry_id,
            robot_id=draft.robot_id,
            author=self.public,
            happened_us=now_us if draft.happened_us is None else draft.happened_us,
            written_us=now_us,
            what=what,  # type: ignore[arg-type]  # it is one of KINDS
            runtime_s=draft.runtime_s,
            attachments=draft.attachments,
        )
        try:
            return Submission(signed=write_entry(entry, self._private), opened=opened)
        except RejectError as error:
            raise SettingError(f"{draft.kind}: {error.detail}") from None


def said(kind: str, values: Mapping[str, object], hide: Hide) -> tuple[What, tuple[Opened, ...]]:
    """What an entry of this kind says, and what stands behind its commitments. Raises SettingError."""
    fields = {field.name: field for field in fields_of(kind)}
    if unknown := [name for name in values if name not in fields]:
        raise SettingError(f"{kind} has no field {unknown[0]!r}; it has {', '.join(fields) or 'none'}")
    if missing := [name for name, field in fields.items() if field.required and name not in values]:
        raise SettingError(f"{kind} needs {', '.join(missing)}")
    document: dict[str, object] = {"kind": kind}
    opened = []
    for name, value in values.items():
        field = fields[name]
        if field.personal:
            opened.append(_hidden(hide, name, value))
            document[field.key] = opened[-1].commitment
        else:
            document[field.key] = _value(field, value)
    try:
        return msgspec.convert(document, KINDS[kind], strict=False), tuple(opened)
    except msgspec.ValidationError as error:
        raise SettingError(f"{kind}: {error}") from None


@cache
def fields_of(kind: str) -> tuple[Field, ...]:
    """Those that are required first. Raises SettingError."""
    if kind not in KINDS:
        raise SettingError(f"no kind {kind[:40]!r}: one of {', '.join(KINDS)}")
    struct = inspect.type_info(KINDS[kind])
    assert isinstance(struct, inspect.StructType)
    return tuple(sorted(map(_field, struct.fields), key=lambda field: not field.required))


def time_us(name: str, text: str) -> int:
    """ISO 8601; without a zone it is UTC. Raises SettingError."""
    try:
        time = datetime.fromisoformat(text.strip())
    except ValueError:
        raise SettingError(f"{name} {text[:40]!r}: give a time as {TIME_FORM}") from None
    return ((time if time.tzinfo else time.replace(tzinfo=UTC)) - _EPOCH) // timedelta(microseconds=1)


def _field(field: inspect.Field) -> Field:
    kind, may_be_unknown = field.type, False
    if isinstance(kind, inspect.UnionType):
        kind = next(one for one in kind.types if not isinstance(one, inspect.NoneType))
        may_be_unknown = field.required
    marks = (kind.extra or {}) if isinstance(kind, inspect.Metadata) else {}
    is_time = field.encode_name.endswith(_TIME)
    name = field.encode_name.removesuffix(_TIME)
    form = _form(kind, marks, is_time) + may_be_unknown * UNKNOWN
    return Field(name, field.encode_name, form, field.required, PERSONAL in marks)


def _form(kind: inspect.Type, marks: Mapping[str, object], is_time: bool) -> str:
    if PERSONAL in marks:
        return NAME
    if ENTRY_ID in marks:
        return ENTRY
    return "time" if is_time else _FORMS[type(kind)]


def _hidden(hide: Hide, name: str, value: object) -> Opened:
    if not isinstance(value, str) or not value.strip():
        raise SettingError(f"{name}: give a text")
    try:
        return msgspec.convert(msgspec.to_builtins(hide(name, value)), Opened)
    except msgspec.ValidationError as error:
        raise SettingError(f"{name}: {error}") from None


def _value(field: Field, value: object) -> object:
    if not isinstance(value, str):
        return value
    if field.is_time:
        return time_us(field.name, value)
    if field.form == _FORMS[inspect.DictType]:
        try:
            return msgspec.json.decode(value)
        except msgspec.DecodeError as error:
            raise SettingError(f"{field.name}: give a JSON object: {error}") from None
    return value


def _canonical(content: object) -> bytes:
    try:
        return canonical(content)
    except RejectError as error:
        raise SettingError(error.detail) from None
