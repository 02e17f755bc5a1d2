"""Addresses that receivers may not have, and names that resolve to them."""

import ipaddress
import socket
from collections.abc import Sequence
from typing import Any

import pytest

from processors.notify.addresses import refusal
from processors.notify.receivers import Reach
from processors.notify.resolver import CheckedResolver, check_literal, checked_addresses
from schemas.errors import RetryError

CLOSED = Reach()

INSIDE = [
    "127.0.0.1", "127.8.9.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.1.2.3",
    "192.0.2.1", "198.18.0.1", "240.0.0.1", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12:3456::1",
    "2001:db8::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1",
    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2002:a00:1::", "2001:0:7f00:1::",
]  # fmt: skip
NEVER = ["0.0.0.0", "::", "224.0.0.1", "239.1.2.3", "255.255.255.255", "ff02::1", "::ffff:224.0.0.1"]
PUBLIC = ["1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "::ffff:1.1.1.1"]


@pytest.mark.parametrize("address", [*INSIDE, *NEVER])
def test_what_is_not_public_is_refused(address: str) -> None:
    assert refusal(address, CLOSED) is not None


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_public_is_not(address: str) -> None:
    assert refusal(address, CLOSED) is None


@pytest.mark.parametrize("address", INSIDE)
def test_a_receiver_may_be_allowed_to_be_inside(address: str) -> None:
    assert refusal(address, Reach(allow_private=True)) is None


@pytest.mark.parametrize("address", [a for a in NEVER if a != "255.255.255.255"])
def test_no_receiver_may_be_many_or_none(address: str) -> None:
    assert refusal(address, Reach(allow_private=True)) is not None


@pytest.mark.parametrize("address", ["10.20.3.4", "::ffff:10.20.3.4"])
def test_a_network_may_be_allowed_and_only_that(address: str) -> None:
    reach = Reach(allow_networks=(ipaddress.ip_network("10.20.0.0/16"),))
    assert refusal(address, reach) is None
    assert refusal("10.21.0.1", reach) is not None
    assert refusal("::1", reach) is not None


@pytest.mark.parametrize("text", ["", "localhost", "2130706433", "127.1", "0x7f.1"])
def test_what_is_no_address_is_refused(text: str) -> None:
    assert refusal(text, Reach(allow_private=True)) is not None


def answering(*answers: Sequence[str]) -> Any:
    """A resolver that answers each time with the next."""
    left = list(answers)

    async def lookup(host: str, port: int) -> Sequence[tuple[Any, ...]]:
        return [
            (socket.AF_INET6 if ":" in a else socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, port))
            for a in left.pop(0)
        ]

    return lookup


async def test_a_name_that_has_one_address_inside_is_refused_as_a_whole() -> None:
    with pytest.raises(RetryError, match=r"10\.0\.0\.1 is not public"):
        await checked_addresses("two.example", 443, CLOSED, answering(["1.1.1.1", "10.0.0.1"]))


async def test_a_name_is_resolved_once_so_that_what_it_says_later_makes_no_difference() -> None:
    resolver = CheckedResolver(CLOSED, answering(["1.1.1.1"], ["127.0.0.1"]))
    first = await resolver.resolve("rebinding.example", 443)
    assert [(one["hostname"], one["host"]) for one in first] == [("rebinding.example", "1.1.1.1")]
    with pytest.raises(RetryError):
        await resolver.resolve("rebinding.example", 443)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_a_host_that_is_an_address_is_checked_too(host: str) -> None:
    with pytest.raises(RetryError):
        check_literal(host, CLOSED)
    check_literal(host, Reach(allow_private=True))
    check_literal("example.org", CLOSED)
