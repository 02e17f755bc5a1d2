"""Silences at an Alertmanager, API v2: what is shelved here calls nobody there.

In: a `Silence` that is to be, and what is there already. Out: the requests that bring it about. Called by
`processors/notify/sending.py`. Pure.

The API gives a silence its id, so a repeat can be told only by what is there: ours are those of this matcher that
`robovitals` has made. Changing when a silence ends keeps its id; it cannot be asked for twice.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from processors.notify.wire import Silence, rfc3339

OURS = "robovitals"
_LABEL = "episode"


class Request(NamedTuple):
    """Its body is JSON; None without one."""

    method: str
    url: str
    body: bytes | None


class Known(msgspec.Struct, frozen=True):
    """A silence that is there, as far as it matters here."""

    class Status(msgspec.Struct, frozen=True):
        state: str

    class Matcher(msgspec.Struct, frozen=True):
        name: str
        value: str

    id: str
    status: Status
    matchers: list[Matcher]
    createdBy: str  # noqa: N815 - the API's name


_known = msgspec.json.Decoder(list[Known])


def asked(silence: Silence) -> tuple[str, dict[str, str]]:
    """Address and query of those that are there."""
    return f"{silence.url}/silences", {"filter": f'{_LABEL}="{silence.episode}"'}


def read(body: bytes) -> list[Known]:
    """Raises msgspec.DecodeError."""
    return _known.decode(body)


def requests(silence: Silence, there: Sequence[Known], now_us: int) -> list[Request]:
    """From what is there to what is to be."""
    ours = [
        known.id for known in there
        if known.status.state != "expired" and known.createdBy.startswith(OURS)
        and [(matcher.name, matcher.value) for matcher in known.matchers] == [(_LABEL, silence.episode)]
    ]  # fmt: skip
    if silence.until_us is None:
        return [Request("DELETE", f"{silence.url}/silence/{id}", None) for id in ours]
    wanted: dict[str, Any] = {
        "matchers": [{"name": _LABEL, "value": silence.episode, "isRegex": False, "isEqual": True}],
        "startsAt": rfc3339(now_us),
        "endsAt": rfc3339(silence.until_us),
        "createdBy": f"{OURS}: {silence.by}" if silence.by else OURS,
        "comment": silence.why or "shelved",
    }
    if ours:
        wanted["id"] = ours[0]
    return [Request("POST", f"{silence.url}/silences", msgspec.json.encode(wanted))]
