"""Which addresses a receiver may have: none inside, unless the file says so.

In: an address as a resolver gave it, and what the receiver is allowed. Out: why it is refused, or nothing. Called
by `processors/notify/resolver.py` for each address before it is connected to. Pure.

What an address embeds counts: `::ffff:127.0.0.1`, NAT64, 6to4 and Teredo lead to an IPv4 address.
"""

import ipaddress
from ipaddress import IPv4Address, IPv6Address

from processors.notify.receivers import Reach

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_COMPATIBLE = ipaddress.IPv6Network("::/96")


def refusal(address: str, reach: Reach) -> str | None:
    """None: it may be connected to."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return f"{address!r} is no address"
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped  # the same machine, written another way
    every = {ip, *_embedded(ip)}
    if ip.is_multicast or ip.is_unspecified or any(one.is_multicast for one in every):
        return f"{ip} is no single machine's address"
    if any(one in network for one in every for network in reach.allow_networks if one.version == network.version):
        return None
    if reach.allow_private:
        return None
    for one in every:
        if not one.is_global or one.is_reserved or one.is_loopback or one.is_link_local or one.is_private:
            return f"{ip} is not public: allow it in the file (allow_networks, or allow_private = true)"
    return None


def _embedded(ip: IPv4Address | IPv6Address) -> list[IPv4Address]:
    if isinstance(ip, IPv4Address):
        return []
    found = [ip.sixtofour, *(ip.teredo or ())]
    if ip in _NAT64 or (ip in _COMPATIBLE and int(ip) > 1):
        found.append(IPv4Address(int(ip) & 0xFFFFFFFF))
    return [one for one in found if one is not None]
