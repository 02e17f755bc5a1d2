"""Whom to believe, from the environment: `ROBOVITALS_SERVE_…`. Called by `robovitals serve`."""

import tomllib
from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from pathlib import Path

import msgspec

from schemas.errors import SettingError
from serve.people import Role
from serve.trust import SECRET_HEADER, Grant, Network, Trust

HOSTS = "ROBOVITALS_SERVE_HOSTS"
PROXIES = "ROBOVITALS_SERVE_PROXIES"
SECRET = "ROBOVITALS_SERVE_PROXY_SECRET"  # noqa: S105 - the setting's name
USER_HEADER = "ROBOVITALS_SERVE_PROXY_USER_HEADER"
GROUPS_HEADER = "ROBOVITALS_SERVE_PROXY_GROUPS_HEADER"
GROUPS = "ROBOVITALS_SERVE_PROXY_GROUPS"
SHORTEST_SECRET = 16


class _GroupsFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    groups: dict[str, Grant]


def read_trust(environ: Mapping[str, str], host: str) -> Trust:
    """For a server that listens on `host`. Raises SettingError, which names the variable."""
    names = _list(environ, HOSTS)
    proxies = tuple(_network(text) for text in _list(environ, PROXIES))
    secret = environ.get(SECRET)
    user, groups = _header(environ, USER_HEADER), _header(environ, GROUPS_HEADER)
    if secret is not None and len(secret) < SHORTEST_SECRET:
        raise SettingError(f"{SECRET} is too short: give {SHORTEST_SECRET} characters or more")
    if user is not None:
        _check_proxies(proxies, secret)
    if (user is None) != (environ.get(GROUPS) is None):
        raise SettingError(f"{USER_HEADER} and {GROUPS} belong together: who somebody is, and what they may do")
    return Trust(
        proxies=proxies,
        secret=secret,
        user_header=user,
        groups_header=groups,
        groups=_groups(Path(environ[GROUPS])) if user is not None else {},
        hosts=tuple(name.lower() for name in names),
        loopback=is_loopback(host),
    )


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a server that listens there."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _check_proxies(proxies: tuple[Network, ...], secret: str | None) -> None:
    if not proxies:
        raise SettingError(f"{USER_HEADER} needs {PROXIES}: the addresses whose word is to be believed")
    if secret is None and any(ip_address(one) in network for one in ("127.0.0.1", "::1") for network in proxies):
        raise SettingError(
            f"{PROXIES} names this machine, from which every program of it calls: set {SECRET}, and let the proxy "
            f"send it as {SECRET_HEADER}"
        )
    if secret is None and any(network.num_addresses > 2**16 for network in proxies):
        raise SettingError(f"{PROXIES} names a network of very many addresses: narrow it, or set {SECRET}")


def _list(environ: Mapping[str, str], name: str) -> list[str]:
    return [text.strip() for text in environ.get(name, "").split(",") if text.strip()]


def _network(text: str) -> Network:
    try:
        return ip_network(text)
    except ValueError as error:
        raise SettingError(
            f"{PROXIES}: {error}: give addresses or networks such as 10.0.3.7, 10.0.3.0/24"
        ) from None


def _header(environ: Mapping[str, str], name: str) -> str | None:
    text = environ.get(name)
    if text is None:
        return None
    if not text or not text.isascii() or not text.replace("-", "").isalnum():
        raise SettingError(f"{name}={text!r} is no header's name: give one such as X-Forwarded-User")
    return text.lower()


def _groups(path: Path) -> dict[str, Grant]:
    try:
        found = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), _GroupsFile)
    except (OSError, UnicodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise SettingError(f"{GROUPS}={path}: {error}") from None
    for name, grant in found.groups.items():
        if grant.role is Role.ADMIN and grant.fleets is not None:
            raise SettingError(f"{GROUPS}={path}: group {name}: an admin sees every robot: leave out fleets")
    return found.groups
