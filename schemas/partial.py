"""A frame that could not be used, decoded as far as it goes, so that a person sees what is wrong with it.

In: a record's value, whatever it is. Out: the fields that can be read, by name, and where reading ended. Called by
`serve/routes/rejects.py`. Nothing of it reaches the pipeline.

A packed frame is walked field by field: a decoder of the whole would say only that the bytes end too early.
"""

from typing import Any

import msgspec

from schemas.frame import Frame

LONGEST_TEXT_SHOWN = 400
_NAMES = Frame.__struct_fields__
_NEEDED = len(_NAMES) - len(Frame.__struct_defaults__)
# MessagePack: how many bytes of length follow a type's byte.
_LENGTHS = {0xC4: 1, 0xC5: 2, 0xC6: 4, 0xD9: 1, 0xDA: 2, 0xDB: 4}
_FIXED = {0xC0: 0, 0xC2: 0, 0xC3: 0, 0xCA: 4, 0xCB: 8, 0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8} | {
    0xD0: 1, 0xD1: 2, 0xD2: 4, 0xD3: 8,
}  # fmt: skip
_ARRAYS = {0xDC: 2, 0xDD: 4}


class Partial(msgspec.Struct, frozen=True, kw_only=True):
    """`encoding`: json, messagepack or neither. `ended`: why reading ended, empty where all could be read."""

    encoding: str
    fields: dict[str, Any]
    text: str
    ended: str


def decode_partial(value: bytes) -> Partial:
    """Never raises: what is unreadable is said in `ended`."""
    if value.lstrip()[:1] == b"{":
        return _json(value)
    count, at = _array_header(value)
    if count is None:
        return Partial(
            encoding="neither", fields={}, text=_text(value), ended="it begins neither as JSON nor as an array"
        )
    fields: dict[str, Any] = {}
    for number in range(count):
        name = _NAMES[number] if number < len(_NAMES) else f"field {number + 1}"
        try:
            after = _after(value, at)
            fields[name] = _shown(msgspec.msgpack.decode(value[at:after]))
        except (ValueError, UnicodeDecodeError, msgspec.DecodeError) as error:
            return Partial(
                encoding="messagepack", fields=fields, text="", ended=f"in {name}, at byte {at}: {error}"
            )
        at = after
    over = f"{len(value) - at} bytes follow the last field" if at < len(value) else ""
    missing = f"{', '.join(_NAMES[count:_NEEDED])} missing" if count < _NEEDED else ""
    return Partial(encoding="messagepack", fields=fields, text="", ended=over or missing)


def _json(value: bytes) -> Partial:
    try:
        document = msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Partial(encoding="json", fields={}, text=_text(value), ended=str(error))
    fields = {name: _shown(field) for name, field in document.items()}
    return Partial(encoding="json", fields=fields, text="", ended="")


def _array_header(value: bytes) -> tuple[int | None, int]:
    """How many fields, and where the first begins."""
    first = value[0] if value else 0
    if 0x90 <= first <= 0x9F:
        return first & 0x0F, 1
    if first in _ARRAYS and len(value) > _ARRAYS[first]:
        size = _ARRAYS[first]
        return min(int.from_bytes(value[1 : 1 + size], "big"), len(value)), 1 + size
    return None, 0


def _after(value: bytes, at: int) -> int:
    """Where the field that begins at `at` ends. Raises ValueError where the bytes end before, or it is nested."""
    if at >= len(value):
        raise ValueError("the bytes end here")
    first = value[at]
    if first <= 0x7F or first >= 0xE0:
        end = at + 1
    elif 0xA0 <= first <= 0xBF:
        end = at + 1 + (first & 0x1F)
    elif first in _LENGTHS:
        size = _LENGTHS[first]
        end = at + 1 + size + int.from_bytes(value[at + 1 : at + 1 + size], "big")
    elif first in _FIXED:
        end = at + 1 + _FIXED[first]
    else:
        raise ValueError(f"byte 0x{first:02x} begins nothing that a frame holds")
    if end > len(value):
        raise ValueError(f"the bytes end {end - len(value)} too early")
    return end


def _shown(field: Any) -> Any:
    if isinstance(field, bytes):
        return f"{len(field)} bytes: {field[:32].hex()}{'…' if len(field) > 32 else ''}"
    text = field if isinstance(field, str) else msgspec.json.encode(field).decode()
    if len(text) <= LONGEST_TEXT_SHOWN:
        return field
    return f"{text[:LONGEST_TEXT_SHOWN]}… ({len(text)} characters)"


def _text(value: bytes) -> str:
    """Bytes as a person can look at them."""
    return value[:LONGEST_TEXT_SHOWN].decode("utf-8", "backslashreplace")
