"""What the address of a page asks for: filters, a sort, where a list begins. Pure.

In: the query of an address. Out: an `Asked`, and addresses that differ from this one in something. Called by the
pages that list robots and alarms. A form sends its empty fields too: an empty value asks for nothing.
"""

from collections.abc import Iterable, Mapping
from urllib.parse import urlencode

import msgspec

from schemas.errors import SettingError
from schemas.health import Status
from serve.filters import Filter

FILTERS = ("status", "model", "maker", "site", "registry", "software", "scenario", "component", "text")
REGISTRY = ("active", "recalled", "scrapped")
COMPONENTS = ("joint", "battery", "accuracy", "robot")


class Asked(msgspec.Struct, frozen=True):
    """`path` and its query, in order, without empty values."""

    path: str
    parts: tuple[tuple[str, str], ...]

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of a name."""
        return tuple(value for key, value in self.parts if key == name)

    def one(self, name: str, default: str = "") -> str:
        """The last value of a name."""
        return (self.all(name) or (default,))[-1]

    def choice(self, name: str, choices: Iterable[str], default: str) -> str:
        """One of `choices`. Raises SettingError for another."""
        known = list(choices)
        if (value := self.one(name, default)) not in known:
            raise SettingError(f"{name} {value[:40]!r}: one of {', '.join(known)}")
        return value

    def but(self, **changes: str | None) -> str:
        """The same address with other values; None takes a name away. Where a list begins is not kept."""
        changes.setdefault("cursor", None)
        kept = [(key, value) for key, value in self.parts if key not in changes]
        kept += [(key, value) for key, value in changes.items() if value]
        return f"{self.path}?{urlencode(kept)}" if kept else self.path

    def toggled(self, name: str, value: str) -> str:
        """The same address, where this value of the name is asked for if it was not, and not if it was."""
        kept = [part for part in self.parts if part[0] != "cursor" and part != (name, value)]
        if (name, value) not in self.parts:
            kept.append((name, value))
        return f"{self.path}?{urlencode(kept)}" if kept else self.path

    @property
    def filters(self) -> list[tuple[str, str]]:
        """What narrows the list."""
        return [(key, value) for key, value in self.parts if key in FILTERS]

    @property
    def without_filters(self) -> str:
        """The same address for everything."""
        return self.but(**dict.fromkeys(FILTERS))

    @property
    def wanted(self) -> Filter:
        """Raises SettingError for a status that is none."""
        for status in self.all("status"):
            if status not in list(Status):
                raise SettingError(f"status {status[:40]!r}: one of {', '.join(Status)}")
        return Filter(
            models=self.all("model"),
            makers=self.all("maker"),
            sites=self.all("site"),
            registry=self.all("registry"),
            statuses=self.all("status"),
            component=self.one("component"),
            scenario=self.one("scenario") or None,
            software=self.one("software") or None,
            text=self.one("text").strip().upper().replace("-", ""),
        )


def asked_of(path: str, query: Iterable[tuple[str, str]]) -> Asked:
    """From a request's path and the items of its query."""
    parts = tuple((key, value.strip()) for key, value in query if value.strip())
    return Asked(path, parts)


def options(facets: Iterable[tuple[str, int]], chosen: str) -> Mapping[str, int]:
    """What a selection offers: what there is, and what is chosen although there is none of it."""
    found = dict(facets)
    return found if not chosen or chosen in found else {chosen: 0, **found}
