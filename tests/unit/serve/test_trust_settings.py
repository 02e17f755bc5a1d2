"""Whom to believe, from the environment."""

from ipaddress import ip_network
from pathlib import Path

import pytest

from schemas.errors import SettingError
from serve.people import Role
from serve.trust import Grant, Trust
from serve.trust_settings import read_trust

GROUPS = """
[groups.robot-operators]
role = "operator"
fleets = ["berlin"]

[groups."*"]
role = "viewer"
"""


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    path = tmp_path / "groups.toml"
    path.write_text(GROUPS)
    return {
        "ROBOVITALS_SERVE_HOSTS": "Robots.example, other.example",
        "ROBOVITALS_SERVE_PROXIES": "10.0.3.0/24",
        "ROBOVITALS_SERVE_PROXY_USER_HEADER": "X-Forwarded-User",
        "ROBOVITALS_SERVE_PROXY_GROUPS_HEADER": "X-Forwarded-Groups",
        "ROBOVITALS_SERVE_PROXY_GROUPS": str(path),
    }


def test_without_settings_nobody_is_believed():
    assert read_trust({}, "127.0.0.1") == Trust()
    assert read_trust({}, "0.0.0.0") == Trust(loopback=False)


def test_everything_is_read(environ: dict[str, str]):
    assert read_trust(environ, "::") == Trust(
        proxies=(ip_network("10.0.3.0/24"),),
        user_header="x-forwarded-user",
        groups_header="x-forwarded-groups",
        groups={"robot-operators": Grant(Role.OPERATOR, ("berlin",)), "*": Grant(Role.VIEWER)},
        hosts=("robots.example", "other.example"),
        loopback=False,
    )


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("PROXIES", "", "ROBOVITALS_SERVE_PROXIES: the addresses whose word"),
        ("PROXIES", "10.0.3.0/33", "give addresses or networks"),
        ("PROXIES", "127.0.0.1", "set ROBOVITALS_SERVE_PROXY_SECRET"),
        ("PROXIES", "::1", "set ROBOVITALS_SERVE_PROXY_SECRET"),
        ("PROXIES", "0.0.0.0/0", "set ROBOVITALS_SERVE_PROXY_SECRET"),
        ("PROXIES", "10.0.0.0/8", "narrow it"),
        ("PROXY_SECRET", "short", "too short"),
        ("PROXY_USER_HEADER", "X Forwarded", "is no header's name"),
        ("PROXY_GROUPS", "/nowhere.toml", "/nowhere.toml"),
    ],
)
def test_what_is_wrong_is_named(environ: dict[str, str], name: str, value: str, text: str):
    with pytest.raises(SettingError) as told:
        read_trust({**environ, f"ROBOVITALS_SERVE_{name}": value}, "127.0.0.1")
    assert text in str(told.value)


@pytest.mark.parametrize(
    "text",
    [
        '[groups.a]\nrole = "boss"\n',
        '[groups.a]\nrole = "admin"\nfleets = ["berlin"]\n',
        '[groups.a]\nrole = "viewer"\nfleet = "berlin"\n',
        "[groups\n",
    ],
)
def test_a_wrong_file_of_groups_is_named(environ: dict[str, str], tmp_path: Path, text: str):
    (tmp_path / "groups.toml").write_text(text)
    with pytest.raises(SettingError, match="ROBOVITALS_SERVE_PROXY_GROUPS"):
        read_trust(environ, "127.0.0.1")


def test_a_user_without_what_they_may_do_is_refused(environ: dict[str, str]):
    del environ["ROBOVITALS_SERVE_PROXY_GROUPS"]
    with pytest.raises(SettingError, match="belong together"):
        read_trust(environ, "127.0.0.1")


def test_a_proxy_on_this_machine_with_a_secret_is_believed(environ: dict[str, str]):
    local = {"ROBOVITALS_SERVE_PROXIES": "127.0.0.1", "ROBOVITALS_SERVE_PROXY_SECRET": "a long enough secret"}
    assert read_trust({**environ, **local}, "127.0.0.1").secret == "a long enough secret"
