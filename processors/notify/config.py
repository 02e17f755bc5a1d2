"""The file of receivers and routes: TOML tables in, a checked `Config` out.

In: the tables, the file's name for errors, and how a secret is looked up. Out: a Config. Raises SettingError that
names file, receiver or route, and key; a value is never repeated, since it may be a secret. Called by
`deploy/notify_file.py`. Pure. `docs/notify.toml` is an example with every key.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from datetime import time
from ipaddress import ip_network
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import msgspec

from processors.notify.quiet import DAYS, Quiet
from processors.notify.receivers import (
    Alertmanager,
    Config,
    Email,
    Kind,
    Match,
    Network,
    Pace,
    PagerDuty,
    Reach,
    Receiver,
    Route,
    Secret,
    Security,
    Webhook,
)
from processors.notify.routing import GROUP_FIELDS
from schemas.anomaly import About, Transition
from schemas.errors import SettingError
from schemas.health import Status

PAGERDUTY_URL = "https://events.pagerduty.com/v2/enqueue"
LEAST_SECRET_BYTES, MOST_SECRET_BYTES = 24, 64  # Standard Webhooks, "Signature scheme"

Lookup = Callable[[str], str]
"""`env:NAME` and `file:PATH` to what they stand for; any other text stays. Raises SettingError."""

_Table = TypeVar("_Table", bound=msgspec.Struct)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}\Z")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)([smhd])\Z")
_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_RATE = re.compile(r"([1-9]\d{0,5})/(\d*)([smhd])\Z")
_PLACE = re.compile(r" - at `\$\.?([^`]*)`$")
_MAILBOX = re.compile(r"[^\s@<>\"]+@[^\s@<>\"]+\Z")

_Texts = tuple[str, ...]


class _Common(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    kind: Kind
    allow_private: bool = False
    allow_networks: _Texts = ()
    allow_http: bool = False
    concurrency: Annotated[int, msgspec.Meta(ge=1, le=100)] = 4
    rate: str = ""


class _Webhook(_Common, kw_only=True):
    url: str
    secrets: Annotated[list[str], msgspec.Meta(min_length=1, max_length=10)]


class _PagerDuty(_Common, kw_only=True):
    routing_key: str
    url: str = PAGERDUTY_URL


class _Alertmanager(_Common, kw_only=True):
    url: str
    token: str = ""
    resolve_after: str = "5m"


class _Email(_Common, kw_only=True):
    host: str
    sender: str
    to: Annotated[list[str], msgspec.Meta(min_length=1, max_length=100)]
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 0
    security: Security = Security.STARTTLS
    user: str = ""
    password: str = ""


class _Quiet(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    start: time
    end: time
    zone: str
    days: _Texts = DAYS
    unless: Status = Status.FAILURE


class _Match(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    status: Status = Status.NORMAL
    about: tuple[About, ...] = ()
    robots: _Texts = ()
    makers: _Texts = ()
    models: _Texts = ()
    components: _Texts = ()
    rules: _Texts = ()
    software: _Texts = ()


class _Route(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    receivers: Annotated[_Texts, msgspec.Meta(min_length=1)]
    name: str = ""
    match: _Match = msgspec.field(default_factory=_Match)
    transitions: tuple[Transition, ...] = tuple(Transition)
    quiet: _Quiet | None = None
    group_by: _Texts = ()
    group_wait: str = "0s"


class _File(msgspec.Struct, forbid_unknown_fields=True):
    receivers: dict[str, dict[str, Any]] = {}
    routes: list[dict[str, Any]] = []


def read_config(tables: Mapping[str, Any], name: str, lookup: Lookup) -> Config:
    """Raises SettingError."""
    file = _converted(tables, _File, name)
    receivers = {
        key: _receiver(f"{name}: receivers.{key}", key, table, lookup) for key, table in file.receivers.items()
    }
    routes: list[Route] = []
    for number, table in enumerate(file.routes, 1):
        route = _route(f"{name}: routes, number {number}", number, table)
        for key in route.receivers:
            if key not in receivers:
                known = ", ".join(receivers) or "none"
                raise SettingError(
                    f"{name}: routes, number {number}: receivers: there is no {key!r}; there are: {known}"
                )
        if route.name in {earlier.name for earlier in routes}:
            raise SettingError(f"{name}: routes, number {number}: name: another one is called so too")
        routes.append(route)
    return Config(receivers, tuple(routes))


def _converted(table: object, kind: type[_Table], place: str) -> _Table:
    try:
        return msgspec.convert(table, kind, strict=True)
    except msgspec.ValidationError as error:
        text = str(error)
        found = _PLACE.search(text)
        key = f"{found[1]}: " if found and found[1] else ""
        said = _PLACE.sub("", text)
        # An unknown word of a list may be a secret in the wrong place.
        said = re.sub(r"^Invalid enum value .*", "this word is not known", said)
        raise SettingError(f"{place}: {key}{said}") from None


def _receiver(place: str, name: str, table: dict[str, Any], lookup: Lookup) -> Receiver:
    if not _NAME.match(name):
        raise SettingError(f"{place}: a name has letters, digits, - and _, at most 64")
    word = table.get("kind")
    if word not in set(Kind):
        raise SettingError(f"{place}: kind: give one of {', '.join(Kind)}")

    def secret(key: str, text: str) -> Secret:
        try:
            return Secret(lookup(text))
        except SettingError as error:
            raise SettingError(f"{place}: {key}: {error}") from None

    match Kind(word):
        case Kind.WEBHOOK:
            hook = _converted(table, _Webhook, place)
            secrets = tuple(secret("secrets", text) for text in hook.secrets)
            for one in secrets:
                _check_signing(place, one)
            reach = _reach(place, hook)
            url = _url(place, secret("url", hook.url), reach)
            return Webhook(name=name, url=url, secrets=secrets, reach=reach, pace=_pace(place, hook))
        case Kind.PAGERDUTY:
            duty = _converted(table, _PagerDuty, place)
            key, reach = secret("routing_key", duty.routing_key), _reach(place, duty)
            if len(key.reveal()) != 32:
                raise SettingError(f"{place}: routing_key: an integration's key has 32 characters")
            url = _url(place, secret("url", duty.url), reach)
            return PagerDuty(name=name, url=url, routing_key=key, reach=reach, pace=_pace(place, duty))
        case Kind.ALERTMANAGER:
            manager = _converted(table, _Alertmanager, place)
            reach = _reach(place, manager)
            after_s = _seconds(place, "resolve_after", manager.resolve_after)
            if after_s < 20:
                raise SettingError(f"{place}: resolve_after: give 20s or more, or alerts would come and go")
            return Alertmanager(
                name=name, url=_url(place, secret("url", manager.url), reach), token=secret("token", manager.token),
                resolve_after_s=after_s, reach=reach, pace=_pace(place, manager),
            )  # fmt: skip
    return _email(place, name, _converted(table, _Email, place), secret)


def _email(place: str, name: str, mail: _Email, secret: Callable[[str, str], Secret]) -> Email:
    for key, mailboxes in (("sender", [mail.sender]), ("to", mail.to)):
        if not all(_MAILBOX.match(mailbox) for mailbox in mailboxes):
            raise SettingError(f"{place}: {key}: give name@host, without a display name")
    if mail.user and not mail.password:
        raise SettingError(f"{place}: password: it has a user, and needs one")
    if mail.user and mail.security is Security.NONE:
        raise SettingError(f"{place}: security: with none, everybody on the way could read the password")
    ports = {Security.STARTTLS: 587, Security.TLS: 465, Security.NONE: 25}
    return Email(
        name=name, host=mail.host, port=mail.port or ports[mail.security], security=mail.security, user=mail.user,
        password=secret("password", mail.password), sender=mail.sender, to=tuple(mail.to),
        reach=_reach(place, mail), pace=_pace(place, mail),
    )  # fmt: skip


def _check_signing(place: str, secret: Secret) -> None:
    text = secret.reveal()
    try:
        key = base64.b64decode(text.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not text.startswith("whsec_") or not LEAST_SECRET_BYTES <= len(key) <= MOST_SECRET_BYTES:
        size = f"{LEAST_SECRET_BYTES} to {MOST_SECRET_BYTES}"
        raise SettingError(
            f"{place}: secrets: give whsec_ and {size} random bytes in base64 (docs/alerts.md says how)"
        )


def _url(place: str, secret: Secret, reach: Reach) -> Secret:
    try:
        parts = urlsplit(secret.reveal())
        valid = (
            parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and not parts.fragment
        )
        valid = valid and parts.username is None and secret.reveal().isascii() and " " not in secret.reveal()
    except ValueError:
        valid = False
    if not valid:
        raise SettingError(f"{place}: url: give https://HOST/PATH, without user, password and #")
    if parts.scheme == "http" and not reach.allow_http:
        raise SettingError(
            f"{place}: url: it is not https, and everybody on the way could read it: allow_http = true"
        )
    return secret


def _reach(place: str, table: _Common) -> Reach:
    networks: list[Network] = []
    for text in table.allow_networks:
        try:
            networks.append(ip_network(text))
        except ValueError:
            raise SettingError(f"{place}: allow_networks: give networks such as 10.20.0.0/16") from None
    return Reach(allow_private=table.allow_private, allow_networks=tuple(networks), allow_http=table.allow_http)


def _pace(place: str, table: _Common) -> Pace:
    if not table.rate:
        return Pace(concurrency=table.concurrency)
    found = _RATE.match(table.rate)
    if found is None or found[2] == "0":
        raise SettingError(f"{place}: rate: give messages and a time, such as 30/m or 100/1h")
    return Pace(concurrency=table.concurrency, rate=int(found[1]), rate_s=float(found[2] or 1) * _UNITS_S[found[3]])


def _route(place: str, number: int, table: dict[str, Any]) -> Route:
    found = _converted(table, _Route, place)
    if found.name and not _NAME.match(found.name):
        raise SettingError(f"{place}: name: letters, digits, - and _, at most 64")
    for field in found.group_by:
        if field not in GROUP_FIELDS:
            raise SettingError(f"{place}: group_by: give some of {', '.join(GROUP_FIELDS)}")
    return Route(
        name=found.name or f"route-{number}",
        receivers=found.receivers,
        match=Match(**msgspec.structs.asdict(found.match)),
        transitions=frozenset(found.transitions),
        quiet=None if found.quiet is None else _quiet(place, found.quiet),
        group_by=found.group_by,
        group_wait_s=_seconds(place, "group_wait", found.group_wait),
    )


def _quiet(place: str, table: _Quiet) -> Quiet:
    if not set(table.days) <= set(DAYS) or not table.days:
        raise SettingError(f"{place}: quiet.days: give some of {', '.join(DAYS)}")
    if table.start == table.end:
        raise SettingError(f"{place}: quiet.end: it is the start too")
    try:
        zone = ZoneInfo(table.zone)
    except (ValueError, OSError, KeyError):
        raise SettingError(f"{place}: quiet.zone: give a zone's name, such as Europe/Berlin or UTC") from None
    days = frozenset(DAYS.index(day) for day in table.days)
    return Quiet(start=table.start, end=table.end, zone=zone, days=days, unless=table.unless)


def _seconds(place: str, key: str, text: str) -> float:
    found = _DURATION.match(text)
    if found is None:
        raise SettingError(f"{place}: {key}: give a duration such as 30s, 5m or 2h")
    return float(found[1]) * _UNITS_S[found[2]]
