"""Where a receiver is: its name resolved once, and every address checked before anything connects.

In: a host and what the receiver is allowed. Out: addresses that may be connected to. Called by
`processors/notify/sending.py` and `processors/notify/smtp.py`, which connect to these addresses and to no other: a
name that resolves differently a moment later (DNS rebinding) gains nothing.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias

from aiohttp.abc import AbstractResolver, ResolveResult

from processors.notify.addresses import refusal
from processors.notify.receivers import Reach
from schemas.errors import RetryError

Lookup: TypeAlias = Callable[[str, int], Awaitable[Sequence[tuple[Any, ...]]]]
"""As `getaddrinfo`: (family, type, protocol, name, address) a result."""


async def system_lookup(host: str, port: int) -> Sequence[tuple[Any, ...]]:
    return await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)


async def checked_addresses(host: str, port: int, reach: Reach, lookup: Lookup) -> list[tuple[int, str]]:
    """Family and address of each. Raises RetryError where one is refused, also if others would do."""
    found: dict[str, int] = {}
    for family, _type, _protocol, _name, address in await lookup(host, port):
        found.setdefault(str(address[0]), int(family))
    if not found:
        raise RetryError(f"{host} has no address")
    for address in found:
        if (why := refusal(address, reach)) is not None:
            raise RetryError(f"{host}: {why}")
    return [(family, address) for address, family in found.items()]


def check_literal(host: str, reach: Reach) -> None:
    """For a host that is an address already, which no resolver sees. Raises RetryError."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return
    if (why := refusal(host, reach)) is not None:
        raise RetryError(why)


class CheckedResolver(AbstractResolver):
    """For aiohttp, which keeps the name for TLS and the Host header."""

    def __init__(self, reach: Reach, lookup: Lookup) -> None:
        self._reach = reach
        self._lookup = lookup

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        addresses = await checked_addresses(host, port, self._reach, self._lookup)
        return [
            ResolveResult(hostname=host, host=address, port=port, family=number, proto=0, flags=0)
            for number, address in addresses
        ]

    async def close(self) -> None:
        """There is nothing to close."""
