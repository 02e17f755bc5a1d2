"""`robovitals access` on a real database."""

import pytest

from deploy import cli


@pytest.fixture(autouse=True)
def at_the_database(monkeypatch: pytest.MonkeyPatch, database_url: str, tmp_path) -> None:
    monkeypatch.setenv("ROBOVITALS_DATABASE_URL", database_url)
    monkeypatch.setenv("ROBOVITALS_KAFKA_BOOTSTRAP", "127.0.0.1:1")
    monkeypatch.setenv("ROBOVITALS_HOME", str(tmp_path))


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert cli.main(["access", *arguments]) == 0
    return capsys.readouterr().out.strip()


def test_a_token_is_shown_once_listed_without_its_secret_and_taken_away(capsys: pytest.CaptureFixture[str]):
    assert "berlin" in said(capsys, "fleet", "add", "berlin", "ZZ-SIM0", "zzsim1")
    secret = said(capsys, "token", "grafana", "--fleet", "berlin", "--for", "2d")
    assert secret.startswith("rv_")
    listed = said(capsys, "list")
    assert "grafana" in listed
    assert "fleets berlin" in listed
    assert secret not in listed
    assert said(capsys, "revoke", "grafana").startswith("revoked:")
    assert said(capsys, "list") == "nothing opens anything: robovitals access link"


def test_a_link_names_the_page(capsys: pytest.CaptureFixture[str]):
    assert said(capsys, "link", "mei", "--url", "https://robots.example").startswith(
        "https://robots.example/login?link=rv_"
    )


def test_a_fleet_that_lost_its_prefixes_is_gone(capsys: pytest.CaptureFixture[str]):
    said(capsys, "fleet", "add", "berlin", "ZZSIM0")
    assert said(capsys, "fleet", "remove", "berlin").startswith("no fleet")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["token", "x", "--fleet", "nowhere"], "no fleet nowhere"),
        (["token", "x", "--role", "admin", "--fleet", "nowhere"], "an admin sees every robot"),
        (["token", "x", "--for", "0s"], "a token lasts some time"),
        (["token", "a\nb"], "is no name"),
        (["fleet", "add", "berlin", "*"], "is no beginning of a robot code"),
        (["fleet", "add", "berlin", "ZZ,AA"], "is no beginning of a robot code"),
        (["revoke", "nobody"], "nothing belongs to nobody"),
        (["revoke"], "give a name"),
        (["fleet", "remove", "berlin"], "has no such prefix"),
    ],
)
def test_what_is_wrong_is_said(capsys: pytest.CaptureFixture[str], arguments: list[str], text: str):
    assert cli.main(["access", *arguments]) == 2
    assert text in capsys.readouterr().err
