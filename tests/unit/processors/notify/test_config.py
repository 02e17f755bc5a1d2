"""The file of receivers and routes: what is right, and what is said of what is wrong."""

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from processors.notify.config import read_config
from processors.notify.receivers import Kind, Reach, Webhook, scrubbed, secrets_of
from schemas.errors import SettingError
from support.anomalies import OTHER_SECRET, SECRET, email, pagerduty, webhook

ROOT = Path(__file__).parents[4]
CANARY = "c4n4ry"
GOOD: dict[str, Any] = {
    "receivers": {"hook": {"kind": "webhook", "url": "https://example.org/h", "secrets": [SECRET]}},
    "routes": [{"name": "all", "receivers": ["hook"]}],
}


def read(tables: Any, lookup: Callable[[str], str] = str) -> Any:
    return read_config(tables, "notify.toml", lookup)


def changed(receiver: dict[str, Any] | None = None, route: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "receivers": {"hook": {**GOOD["receivers"]["hook"], **(receiver or {})}},
        "routes": [{**GOOD["routes"][0], **(route or {})}],
    }


def test_the_example_in_the_documentation_is_right_and_has_every_kind() -> None:
    tables = tomllib.loads((ROOT / "docs/notify.toml").read_text())
    secrets = {"env:PAGERDUTY_KEY": "k" * 32, "file:hook.secret": SECRET, "env:HOOK_SECRET_NEW": OTHER_SECRET}
    config = read(tables, lambda text: secrets.get(text, text))
    assert {receiver.kind for receiver in config.receivers.values()} == set(Kind)


def test_nothing_at_all_is_a_file_in_which_nobody_is_told() -> None:
    config = read({})
    assert (dict(config.receivers), config.routes) == ({}, ())


def test_secrets_are_looked_up() -> None:
    address = "https://x.example/h"
    known = {"env:A": SECRET, "env:B": OTHER_SECRET, "https://example.org/h": address}
    config = read(changed({"secrets": ["env:A", "env:B"]}), known.__getitem__)
    hook = config.receivers["hook"]
    assert isinstance(hook, Webhook)
    assert [secret.reveal() for secret in hook.secrets] == [SECRET, OTHER_SECRET]
    assert hook.url.reveal() == address


@pytest.mark.parametrize(
    ("tables", "words"),
    [
        ({"receivers": 3}, "receivers: Expected `object`"),
        ({"recievers": {}}, "unknown field `recievers`"),
        (changed({"kind": "pager"}), "receivers.hook: kind: give one of webhook, pagerduty, alertmanager, email"),
        (changed({"url": "http://example.org"}), "receivers.hook: url: it is not https"),
        (changed({"url": "ftp://example.org"}), "receivers.hook: url: give https://"),
        (changed({"url": "https://u:p@example.org"}), "receivers.hook: url: give https://"),
        (changed({"url": 3}), "receivers.hook: url: Expected `str`"),
        (changed({"secrets": []}), "receivers.hook: secrets: Expected `array` of length >= 1"),
        (changed({"secrets": ["whsec_c2hvcnQ="]}), "receivers.hook: secrets: give whsec_ and 24 to 64"),
        (changed({"secrets": [SECRET.removeprefix("whsec_")]}), "receivers.hook: secrets: give whsec_"),
        (changed({"allow_networks": ["10.0.0.1/8"]}), "receivers.hook: allow_networks: give networks"),
        (changed({"rate": "fast"}), "receivers.hook: rate: give messages and a time"),
        (changed({"concurrency": 0}), "receivers.hook: concurrency: Expected `int` >= 1"),
        (changed({"retries": 3}), "receivers.hook: Object contains unknown field `retries`"),
        (
            changed(route={"receivers": ["mail"]}),
            "routes, number 1: receivers: there is no 'mail'; there are: hook",
        ),
        (changed(route={"match": {"status": "BAD"}}), "routes, number 1: match.status: this word is not known"),
        (changed(route={"match": {"model": []}}), "routes, number 1: match: Object contains unknown field `model`"),
        (changed(route={"group_by": ["colour"]}), "routes, number 1: group_by: give some of"),
        (changed(route={"group_wait": "30"}), "routes, number 1: group_wait: give a duration"),
        (changed(route={"transitions": ["opend"]}), "routes, number 1: transitions"),
        ({**GOOD, "routes": [*GOOD["routes"], *GOOD["routes"]]}, "routes, number 2: name: another one"),
        ({"receivers": {"a b": GOOD["receivers"]["hook"]}}, "receivers.a b: a name has letters"),
    ],
)
def test_an_error_names_the_file_the_place_and_the_key(tables: Any, words: str) -> None:
    with pytest.raises(SettingError) as raised:
        read(tables)
    assert str(raised.value).startswith("notify.toml: ")
    assert words in str(raised.value)


@pytest.mark.parametrize(
    ("quiet", "words"),
    [
        ({"zone": "Europe/Atlantis"}, "quiet.zone: give a zone's name"),
        ({"zone": "../../etc/passwd"}, "quiet.zone: give a zone's name"),
        ({"days": ["monday"]}, "quiet.days: give some of mon"),
        ({"end": "22:00:00"}, "quiet.end: it is the start too"),
    ],
)
def test_quiet_hours_are_checked(quiet: dict[str, Any], words: str) -> None:
    usual = {"start": "22:00:00", "end": "06:00:00", "zone": "Europe/Berlin"}
    given = {**usual, **quiet}
    text = "\n".join(f"{k} = {v if k in ('start', 'end') else repr(v)}" for k, v in given.items())
    table = tomllib.loads(text)
    with pytest.raises(SettingError, match=words.replace(".", r"\.")):
        read(changed(route={"quiet": table}))


@pytest.mark.parametrize(
    "receiver",
    [
        {"url": f"https://{CANARY}@example.org/"},
        {"url": f"http://example.org/{CANARY}"},
        {"secrets": [f"whsec_{CANARY}"]},
        {"secrets": [[CANARY]]},
        {"secrets": CANARY},
        {"kind": CANARY},
        {"kind": "pagerduty", "routing_key": CANARY, "url": "https://example.org", "secrets": [CANARY]},
        {"kind": "pagerduty", "routing_key": CANARY},
        {"kind": "email", "host": "h", "sender": CANARY, "to": [CANARY], "password": CANARY},
        {"rate": CANARY},
        {"allow_networks": [CANARY]},
    ],
)
def test_no_error_repeats_what_may_be_a_secret(receiver: dict[str, Any]) -> None:
    with pytest.raises(SettingError) as raised:
        read(changed(receiver))
    assert CANARY not in str(raised.value)


def test_receivers_do_not_print_their_secrets_and_texts_are_scrubbed_of_them() -> None:
    found = [webhook(url=f"https://example.org/{CANARY}"), pagerduty(), email(password=webhook().secrets[0])]
    printed = repr(found)
    assert CANARY not in printed
    assert SECRET not in printed
    assert "k" * 32 not in printed
    said = f"https://example.org/{CANARY} {SECRET} {'k' * 32} {SECRET.removeprefix('whsec_')}"
    for receiver in found:
        assert all(secret not in scrubbed(receiver, said) for secret in secrets_of(receiver))
    assert scrubbed(found[0], f"no route to https://example.org/{CANARY}") == "no route to ***"
    assert scrubbed(email(), "nothing secret") == "nothing secret"


def test_a_receiver_is_closed_to_what_is_inside_unless_the_file_says_so() -> None:
    assert read(GOOD).receivers["hook"].reach == Reach()
