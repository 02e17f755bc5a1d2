"""Who is told, and of what: receivers and routes, as the file of `ROBOVITALS_NOTIFY` has them.

Made by `processors/notify/config.py`; used by everything in this folder. Pure.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network
from types import MappingProxyType
from typing import TypeAlias

import msgspec

from processors.notify.quiet import Quiet
from schemas.anomaly import About, Transition
from schemas.health import Status

Network: TypeAlias = IPv4Network | IPv6Network


class Kind(StrEnum):
    """What a receiver speaks."""

    WEBHOOK = "webhook"
    PAGERDUTY = "pagerduty"
    ALERTMANAGER = "alertmanager"
    EMAIL = "email"


BUNDLED = frozenset({Kind.WEBHOOK, Kind.EMAIL})
"""Kinds that can be told of several events in one message. The others know one alert an episode."""


class Secret:
    """A text that nobody may see: it does not print itself, and has to be asked for."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "Secret(***)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """Where a receiver may be, beside public addresses. `allow_http`: without TLS."""

    allow_private: bool = False
    allow_networks: tuple[Network, ...] = ()
    allow_http: bool = False


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """`concurrency`: messages under way at a time. `rate` of them in `rate_s` seconds at most; 0: as they come."""

    concurrency: int = 4
    rate: int = 0
    rate_s: float = 60.0


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """Standard Webhooks. Several secrets: each signs, so that a receiver can go over from one to the next."""

    name: str
    url: Secret
    secrets: tuple[Secret, ...]
    reach: Reach
    pace: Pace
    kind: Kind = Kind.WEBHOOK


class PagerDuty(msgspec.Struct, frozen=True, kw_only=True):
    """Events API v2."""

    name: str
    url: Secret
    routing_key: Secret
    reach: Reach
    pace: Pace
    kind: Kind = Kind.PAGERDUTY


class Alertmanager(msgspec.Struct, frozen=True, kw_only=True):
    """API v2. `url` ends before `/api/v2/alerts`. What is not sent again for `resolve_after_s` is over there.
    `token`: a bearer's; empty without.
    """

    name: str
    url: Secret
    token: Secret
    resolve_after_s: float
    reach: Reach
    pace: Pace
    kind: Kind = Kind.ALERTMANAGER

    @property
    def resend_s(self) -> float:
        """Often enough for some of them to be lost."""
        return self.resolve_after_s / 4


class Security(StrEnum):
    """How a mail server is spoken to."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class Email(msgspec.Struct, frozen=True, kw_only=True):
    """A mailbox. `user` empty: without a login."""

    name: str
    host: str
    port: int
    security: Security
    user: str
    password: Secret
    sender: str
    to: tuple[str, ...]
    reach: Reach
    pace: Pace
    kind: Kind = Kind.EMAIL


Receiver: TypeAlias = Webhook | PagerDuty | Alertmanager | Email


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """What a route is for; what is empty is not asked for. Text is compared whole, with `*` and `?`.

    `status`: at least so severe. `robots`: what codes begin with, or `fleet`. `makers`: characters 3 to 6 of a
    code, `models`: its first 12.
    """

    status: Status = Status.NORMAL
    about: tuple[About, ...] = ()
    robots: tuple[str, ...] = ()
    makers: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    components: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    software: tuple[str, ...] = ()


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """Episodes that match go to these receivers. `transitions`: what is told after the opening.

    `group_by` and `group_wait_s`: what comes so close together goes into one mail, where these fields are equal.
    """

    name: str
    receivers: tuple[str, ...]
    match: Match = Match()
    transitions: frozenset[Transition] = frozenset(Transition)
    quiet: Quiet | None = None
    group_by: tuple[str, ...] = ()
    group_wait_s: float = 0.0


class Config(msgspec.Struct, frozen=True):
    """The file. The first route that matches speaks for a receiver."""

    receivers: Mapping[str, Receiver] = MappingProxyType({})
    routes: tuple[Route, ...] = ()

    def route(self, name: str) -> Route | None:
        return next((route for route in self.routes if route.name == name), None)


def secrets_of(receiver: Receiver) -> Iterator[str]:
    """What may never be in a log, an error or the database. Addresses often hold a token, so they count as well."""
    match receiver:
        case Webhook():
            yield receiver.url.reveal()
            for secret in receiver.secrets:
                yield secret.reveal()
                yield secret.reveal().removeprefix("whsec_")
        case PagerDuty():
            yield receiver.routing_key.reveal()
        case Alertmanager():
            yield receiver.token.reveal()
            yield receiver.url.reveal()
        case Email():
            yield receiver.password.reveal()


def scrubbed(receiver: Receiver, text: str) -> str:
    """`text` without the receiver's secrets."""
    for secret in sorted(secrets_of(receiver), key=len, reverse=True):
        if secret:
            text = text.replace(secret, "***")
    return text
