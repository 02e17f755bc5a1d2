"""Whom the server believes: names, proxies, and whom they have logged in."""

from ipaddress import ip_network

import pytest

from serve.people import Role
from serve.trust import Forwarded, Grant, Headers, Trust, Visitor, forwarded, known_host, visitor

PROXY = Trust(
    proxies=(ip_network("10.0.3.0/24"),),
    user_header="x-forwarded-user",
    groups_header="x-forwarded-groups",
    groups={
        "watch": Grant(Role.VIEWER),
        "berlin": Grant(Role.OPERATOR, ("berlin",)),
        "paris": Grant(Role.OPERATOR, ("paris",)),
        "all": Grant(Role.OPERATOR),
    },
)


def headers(**pairs: str) -> Headers:
    return [(name.replace("_", "-").encode(), value.encode()) for name, value in pairs.items()]


def test_what_is_forwarded_counts_from_a_named_proxy_only():
    said = headers(x_forwarded_for="203.0.113.9", x_forwarded_proto="https")
    assert forwarded(PROXY, "10.0.3.7", "http", said) == Forwarded(True, "203.0.113.9", "https")
    assert forwarded(PROXY, "10.0.4.7", "http", said) == Forwarded(False, "10.0.4.7", "http")
    assert forwarded(PROXY, "::ffff:10.0.3.7", "http", said).by_proxy


def test_a_proxy_with_a_secret_must_send_it():
    trust = Trust(proxies=PROXY.proxies, secret="a long enough secret")
    assert not forwarded(trust, "10.0.3.7", "http", []).by_proxy
    assert not forwarded(trust, "10.0.3.7", "http", headers(x_robovitals_proxy_secret="another")).by_proxy
    sent = headers(x_robovitals_proxy_secret="a long enough secret")
    assert forwarded(trust, "10.0.3.7", "http", sent).by_proxy
    assert not forwarded(trust, "10.0.4.7", "http", sent).by_proxy


@pytest.mark.parametrize(
    ("chain", "client"),
    [
        ("198.51.100.1, 203.0.113.9", "203.0.113.9"),
        ("203.0.113.9, 10.0.3.8", "203.0.113.9"),
        ("10.0.3.9, 10.0.3.8", "10.0.3.7"),
        ("made up", "10.0.3.7"),
        ("", "10.0.3.7"),
    ],
)
def test_the_client_is_the_last_that_is_no_proxy_of_ours(chain: str, client: str):
    assert forwarded(PROXY, "10.0.3.7", "http", headers(x_forwarded_for=chain)).client == client


def test_only_http_and_https_are_schemes():
    assert forwarded(PROXY, "10.0.3.7", "http", headers(x_forwarded_proto="javascript")).scheme == "http"


@pytest.mark.parametrize(
    ("groups", "grant"),
    [
        ("watch", Grant(Role.VIEWER)),
        ("watch, berlin", Grant(Role.OPERATOR, ("berlin",))),
        ("paris,berlin", Grant(Role.OPERATOR, ("berlin", "paris"))),
        ("paris,all", Grant(Role.OPERATOR)),
        ("strangers", None),
        ("", None),
    ],
)
def test_the_strongest_role_counts_with_its_own_fleets(groups: str, grant: Grant | None):
    said = headers(x_forwarded_user="mei", x_forwarded_groups=groups)
    assert visitor(PROXY, said) == Visitor("mei", grant)


def test_a_group_for_everybody_counts_without_any_groups():
    trust = Trust(proxies=PROXY.proxies, user_header="x-forwarded-user", groups={"*": Grant(Role.VIEWER)})
    assert visitor(trust, headers(x_forwarded_user="mei")) == Visitor("mei", Grant(Role.VIEWER))


@pytest.mark.parametrize("twice", ["x-forwarded-user", "x-forwarded-groups"])
def test_a_header_that_is_there_twice_names_nobody(twice: str):
    said = headers(x_forwarded_user="mei", x_forwarded_groups="watch")
    assert visitor(PROXY, [*said, (twice.encode(), b"all")]) is None


def test_without_a_user_nobody_is_named():
    assert visitor(PROXY, headers(x_forwarded_groups="all")) is None
    assert visitor(PROXY, headers(x_forwarded_user=" ", x_forwarded_groups="all")) is None
    assert visitor(Trust(), headers(x_forwarded_user="mei")) is None


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8080", "127.0.0.1:8080", "[::1]:8080", "127.0.0.2"])
def test_this_machines_own_names_are_known(host: str):
    assert known_host(Trust(), host)


@pytest.mark.parametrize(
    "host", ["evil.test", "evil.test:8080", "localhost.evil.test", "192.0.2.1", "", "[::1].x", "[::1"]
)
def test_other_names_are_not(host: str):
    assert not known_host(Trust(), host)


def test_a_server_on_the_network_is_known_by_addresses_and_by_the_names_it_was_given():
    trust = Trust(loopback=False, hosts=("robots.example",))
    assert known_host(trust, "192.0.2.1:8080")
    assert known_host(trust, "[2001:db8::1]:8080")
    assert known_host(trust, "Robots.Example")
    assert not known_host(trust, "evil.test")
