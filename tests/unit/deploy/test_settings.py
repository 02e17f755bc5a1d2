"""Settings from the environment, and the endpoints of a running stack."""

import os
import ssl
from pathlib import Path

import pytest

from deploy.settings import (
    Endpoints,
    Settings,
    absolute_environ,
    endpoints,
    kafka_environ,
    read_kafka,
    read_settings,
    stack_file,
)
from schemas.errors import SettingError, UnavailableError
from schemas.kafka import Kafka


@pytest.fixture
def authority() -> str:
    """A certificate as PEM: one that the system trusts."""
    return ssl.DER_cert_to_PEM_cert(ssl.create_default_context().get_ca_certs(binary_form=True)[0])


def settings(home: Path, kafka: str | None = None, database: str | None = None) -> Settings:
    return Settings(home, home / "cache", Kafka(kafka) if kafka else None, database)


def test_home_is_below_the_working_directory_unless_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert read_settings({}).home == tmp_path / ".robovitals"
    assert read_settings({"ROBOVITALS_HOME": "elsewhere"}).home == tmp_path / "elsewhere"


def test_the_cache_is_the_users_and_roots_is_the_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert read_settings({}).cache == Path("/home/ada/.cache/robovitals")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert read_settings({}).cache == Path("/var/cache/robovitals")
    assert read_settings({"XDG_CACHE_HOME": "/x"}).cache == Path("/x/robovitals")
    assert read_settings({"XDG_CACHE_HOME": "/x", "ROBOVITALS_CACHE": "/y"}).cache == Path("/y")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ROBOVITALS_HOME", " "),
        ("ROBOVITALS_HOME", __file__),
        ("ROBOVITALS_CACHE", ""),
        ("ROBOVITALS_KAFKA_BOOTSTRAP", "localhost"),
        ("ROBOVITALS_KAFKA_BOOTSTRAP", "localhost:9092,other"),
        ("ROBOVITALS_KAFKA_BOOTSTRAP", "localhost:99999"),
        ("ROBOVITALS_DATABASE_URL", "mysql://u:secret@h/d"),
        ("ROBOVITALS_DATABASE_URL", "postgresql://u:secret@h:5432"),
        ("ROBOVITALS_DATABASE_URL", "postgresql://u:secret@h:port/d"),
    ],
)
def test_a_wrong_value_names_its_variable_and_no_password(name: str, value: str) -> None:
    with pytest.raises(SettingError, match=name) as caught:
        read_settings({name: value})
    assert "secret" not in str(caught.value)


NAMED = {"ROBOVITALS_KAFKA_BOOTSTRAP": "k:1", "ROBOVITALS_KAFKA_USER": "ada"}
KNOWN = {**NAMED, "ROBOVITALS_KAFKA_PASSWORD": "hunter2"}


def test_a_user_needs_a_password_which_may_be_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("hunter2 \n")
    assert read_kafka({**NAMED, "ROBOVITALS_KAFKA_PASSWORD": "hunter2"}) == Kafka("k:1", "ada", "hunter2")
    assert read_kafka({**NAMED, "ROBOVITALS_KAFKA_PASSWORD_FILE": str(file)}) == Kafka("k:1", "ada", "hunter2 ")


def test_what_a_process_is_started_with_it_reads_again(authority: str) -> None:
    for kafka in (Kafka("k:1,l:2"), Kafka("k:1", "ada", "hunter2"), Kafka("k:1", "ada", "hunter2", authority)):
        assert read_kafka(kafka_environ(kafka)) == kafka


def test_the_authority_is_read_from_its_file(
    authority: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ca.pem").write_text(authority)
    monkeypatch.chdir(tmp_path)
    environ = {**NAMED, "ROBOVITALS_KAFKA_PASSWORD": "x", "ROBOVITALS_KAFKA_CA": "ca.pem"}
    assert read_kafka(environ) == Kafka("k:1", "ada", "x", authority)
    assert absolute_environ(environ)["ROBOVITALS_KAFKA_CA"] == f"{tmp_path}/ca.pem"


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"ROBOVITALS_KAFKA_USER": "ada"}, "ROBOVITALS_KAFKA_BOOTSTRAP"),
        ({"ROBOVITALS_KAFKA_BOOTSTRAP": "k:1", "ROBOVITALS_KAFKA_PASSWORD": "hunter2"}, "ROBOVITALS_KAFKA_USER"),
        ({"ROBOVITALS_KAFKA_BOOTSTRAP": "k:1", "ROBOVITALS_KAFKA_CA": "x"}, "ROBOVITALS_KAFKA_USER"),
        ({**NAMED, "ROBOVITALS_KAFKA_USER": ""}, "ROBOVITALS_KAFKA_USER"),
        (NAMED, "ROBOVITALS_KAFKA_PASSWORD"),
        ({**NAMED, "ROBOVITALS_KAFKA_PASSWORD": ""}, "ROBOVITALS_KAFKA_PASSWORD is empty"),
        (
            {**NAMED, "ROBOVITALS_KAFKA_PASSWORD": "hunter2", "ROBOVITALS_KAFKA_PASSWORD_FILE": __file__},
            "one of them",
        ),
        ({**NAMED, "ROBOVITALS_KAFKA_PASSWORD_FILE": "/nowhere"}, "ROBOVITALS_KAFKA_PASSWORD_FILE=/nowhere"),
        (
            {**NAMED, "ROBOVITALS_KAFKA_PASSWORD": "hunter2", "ROBOVITALS_KAFKA_CA": "/nowhere"},
            "ROBOVITALS_KAFKA_CA",
        ),
        (
            {**NAMED, "ROBOVITALS_KAFKA_PASSWORD": "hunter2", "ROBOVITALS_KAFKA_CA": __file__},
            "names no certificates",
        ),
    ],
)
def test_half_of_what_a_user_needs_is_named_and_no_password(environ: dict[str, str], named: str) -> None:
    with pytest.raises(SettingError, match=named) as caught:
        read_kafka(environ)
    assert "hunter2" not in str(caught.value)


def test_the_environment_goes_before_the_running_stack(tmp_path: Path) -> None:
    stack_file(tmp_path).write_text(
        '{"kafka": {"bootstrap": "own:1"}, "database_url": "postgresql://own/x", "more": 1}'
    )
    assert endpoints(settings(tmp_path)) == Endpoints(Kafka("own:1"), "postgresql://own/x")
    assert endpoints(settings(tmp_path, kafka="other:2")) == Endpoints(Kafka("other:2"), "postgresql://own/x")


def test_endpoints_named_by_the_environment_need_no_stack(tmp_path: Path) -> None:
    assert endpoints(settings(tmp_path, "k:1", "postgresql://h/d")) == Endpoints(Kafka("k:1"), "postgresql://h/d")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "no stack is running"),
        ('{"kafka": null, "database_url": null}', "still starting"),
        ("{", "cannot be read"),
    ],
)
def test_without_a_running_stack_the_next_command_is_named(tmp_path: Path, content: str | None, says: str) -> None:
    if content is not None:
        stack_file(tmp_path).write_text(content)
    with pytest.raises(UnavailableError, match=says) as caught:
        endpoints(settings(tmp_path))
    assert "robovitals " in str(caught.value)


def test_paths_are_made_absolute_for_a_process_that_works_elsewhere(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    environ = absolute_environ({"ROBOVITALS_LIMITS": "limits.toml", "ROBOVITALS_HOME": "/data", "OTHER": "a/b"})
    assert environ == {"ROBOVITALS_LIMITS": f"{tmp_path}/limits.toml", "ROBOVITALS_HOME": "/data", "OTHER": "a/b"}
