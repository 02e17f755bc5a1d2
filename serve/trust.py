"""Whom the server believes: by which names it may be called, and a proxy that has logged somebody in already.

In: settings, and of a request its peer's address and its headers. Out: whether they are believed, and what they
say. Pure. Called by `serve/guard.py` before every request, and by `serve/identity.py`; `serve/trust_settings.py`
reads it from the environment.
"""

import hmac
import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TypeAlias

import msgspec

from serve.people import Role

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network
Headers: TypeAlias = list[tuple[bytes, bytes]]
"""As ASGI has them: names in small letters."""

SECRET_HEADER = "x-robovitals-proxy-secret"  # noqa: S105 - the header's name
LOCAL_NAMES = ("localhost",)
_HOST = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^:\[\]]+))(?::\d{1,5})?")
EVERYBODY = "*"
"""A group that everybody is in whom the proxy has logged in."""
BY_PROXY = "by_proxy"
"""In a request's state: whether a proxy that is believed sent it."""


class Grant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a group of the proxy's people may do. `fleets` None: with every robot."""

    role: Role
    fleets: tuple[str, ...] | None = None


class Trust(msgspec.Struct, frozen=True, kw_only=True):
    """`proxies` are believed what they forward; with a `secret` only if they send it too. `user_header` None:
    nobody is logged in by a proxy. `hosts`: further names of this server. `loopback`: it can be reached from this
    machine alone.
    """

    proxies: tuple[Network, ...] = ()
    secret: str | None = None
    user_header: str | None = None
    groups_header: str | None = None
    groups: dict[str, Grant] = {}
    hosts: tuple[str, ...] = ()
    loopback: bool = True


class Forwarded(msgspec.Struct, frozen=True):
    """What is known of a request beyond its peer: `by_proxy`, whether its peer is a proxy that is believed."""

    by_proxy: bool
    client: str
    scheme: str


class Visitor(msgspec.Struct, frozen=True):
    """Somebody whom the proxy has logged in. `grant` None: their groups give them nothing here."""

    name: str
    grant: Grant | None


def forwarded(trust: Trust, peer: str, scheme: str, headers: Headers) -> Forwarded:
    """Where a request came from and how, as far as what it says of that is to be believed."""
    address = _address(peer)
    believed = address is not None and any(address in network for network in trust.proxies)
    if believed and trust.secret is not None:
        sent = "".join(values(headers, SECRET_HEADER))
        believed = hmac.compare_digest(sent.encode(), trust.secret.encode())
    if not believed:
        return Forwarded(False, peer, scheme)
    said = [value.strip() for value in values(headers, "x-forwarded-proto")]
    return Forwarded(
        True, _client(trust, peer, headers), said[-1] if said[-1:] in (["http"], ["https"]) else scheme
    )


def _client(trust: Trust, peer: str, headers: Headers) -> str:
    """The last address in the chain that is no proxy of ours: what is before it, its sender may have made up."""
    for text in reversed(",".join(values(headers, "x-forwarded-for")).split(",")):
        address = _address(text.strip())
        if address is None:
            return peer
        if not any(address in network for network in trust.proxies):
            return str(address)
    return peer


def visitor(trust: Trust, headers: Headers) -> Visitor | None:
    """Whom a proxy that is believed has logged in; None when it says nobody.

    Of several groups those with the strongest role count, with their fleets together: a person who acts on one
    fleet and looks at another acts on the first here. A header that is there twice names nobody: one of them may
    have come from outside.
    """
    if trust.user_header is None:
        return None
    names = values(headers, trust.user_header)
    if len(names) != 1 or not names[0].strip():
        return None
    groups = values(headers, trust.groups_header) if trust.groups_header is not None else []
    if len(groups) > 1:
        return None
    theirs = [group.strip() for group in "".join(groups).split(",")]
    found = [trust.groups[group] for group in (*theirs, EVERYBODY) if group in trust.groups]
    return Visitor(names[0].strip()[:100], _together(found))


def _together(grants: list[Grant]) -> Grant | None:
    if not grants:
        return None
    strongest = max((grant.role for grant in grants), key=list(Role).index)
    fleets = [grant.fleets for grant in grants if grant.role is strongest]
    if None in fleets:
        return Grant(strongest)
    return Grant(strongest, tuple(sorted({name for some in fleets for name in some or ()})))


def known_host(trust: Trust, host: str) -> bool:
    """Whether a request that names this host may be for us.

    A page from elsewhere whose name was made to point at us (DNS rebinding) sends its own name. An address cannot
    be made to point elsewhere; but from this machine alone only its own addresses are right.
    """
    name = _name(host)
    if name in LOCAL_NAMES or name in trust.hosts:
        return True
    address = _address(name)
    return address is not None and (address.is_loopback or not trust.loopback)


def _name(host: str) -> str:
    """Without the port, and an IPv6 address without its brackets."""
    match = _HOST.fullmatch(host)
    return (match[1] or match[2]).lower() if match else ""


def values(headers: Headers, name: str) -> list[str]:
    wanted = name.encode()
    return [value.decode("latin-1") for key, value in headers if key == wanted]


def _address(text: str) -> Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
