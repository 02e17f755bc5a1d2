"""`robot.toml` and the credentials file: what they may say, and how a wrong one is named."""

import tomllib
from pathlib import Path

import pytest

from ingest.agent.config import read_config, read_credentials
from ingest.agent.config_file import load_setup
from schemas.errors import SettingError
from schemas.kafka import Kafka
from support.frames import CODE

KAFKA = Kafka("somewhere:9092")
OTHER = "ZZDEMOAGENT100000000000000001"
CREDENTIALS = f'robot_id = "{CODE}"\nbootstrap = "own:9093"\nseal_key = "{"ab" * 32}"\nseal_key_version = 3\n'


def written(directory: Path, text: str, credentials: str | None = None) -> Path:
    path = directory / "robot.toml"
    path.write_text(text, "utf-8")
    if credentials is not None:
        (directory / "credentials.toml").write_text(credentials, "utf-8")
        (directory / "credentials.toml").chmod(0o600)
    return path


def test_the_example_file_says_what_its_documentation_says(tmp_path: Path) -> None:
    example = Path(__file__).parents[4] / "deploy" / "agent" / "robot.toml"
    setup = load_setup(written(tmp_path, example.read_text("utf-8")), kafka=KAFKA)
    assert setup.robot_id == OTHER
    assert setup.spool == tmp_path / "spool.db"
    assert setup.config.readings["battery_percent"].scale == 0.01


def test_an_empty_file_has_a_default_for_everything_but_the_robot(tmp_path: Path) -> None:
    setup = load_setup(written(tmp_path, ""), robot=CODE, kafka=KAFKA)
    assert (setup.robot_id, setup.kafka, setup.seal_key) == (CODE, KAFKA, b"")
    with pytest.raises(SettingError, match="robot is missing"):
        load_setup(written(tmp_path, ""), kafka=KAFKA)
    with pytest.raises(SettingError, match="bootstrap is missing"):
        load_setup(written(tmp_path, ""), robot=CODE)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("rate_hz = 0.0", "rate_hz: Expected"),
        ("rate_hz = 1e7", "rate_hz: Expected"),
        ('rate_hz = "fast"', "rate_hz: Expected"),
        ("rate = 1.0", "unknown field `rate`"),
        ('robot = "ZZ1"', "robot: robot code 'ZZ1' has 3 characters"),
        ('[source]\nkind = "pipe"', "source.kind: Invalid enum value"),
        ('[source]\nkind = "socket"', "source.path: a socket needs one"),
        ('[source]\npath = "x"', "source.path: standard input has none"),
        ("[spool]\nmost_mb = -1.0", "spool.most_mb: Expected"),
        ("[send]\nbacklog = 1", "send: Object contains unknown field `backlog`"),
        ('[readings.t]\nsignal = "heat"', "readings.t: signal 'heat' is not in the signal table"),
        ("[readings.t]", "readings.t: give one of signal, counter and mode"),
        ('[readings.t]\nsignal = "battery_soc"\njoint = 1', "readings.t: joint is for a joint's signal"),
        ('[readings.t]\nmode = { A = "asleep" }', "readings.t: mode.A: 'asleep' is none of"),
        ("[joints]\na = 1\nb = 1", "joints: number 1 is given twice"),
        ("[joints]\na = 0", "joints"),
        ("x =", "not TOML"),
    ],
)
def test_a_wrong_value_is_named_with_file_table_and_key(tmp_path: Path, text: str, told: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(SettingError) as caught:
        load_setup(path, robot=CODE, kafka=KAFKA)
    assert str(path) in str(caught.value)
    assert told in str(caught.value)


def test_credentials_say_who_the_robot_is_and_where_its_kafka_is(tmp_path: Path) -> None:
    setup = load_setup(written(tmp_path, 'credentials = "credentials.toml"', CREDENTIALS), kafka=KAFKA)
    assert (setup.robot_id, str(setup.kafka), setup.seal_key_version) == (CODE, "own:9093", 3)
    assert setup.seal_key == bytes.fromhex("ab" * 32)


def test_credentials_of_another_robot_are_told(tmp_path: Path) -> None:
    path = written(tmp_path, f'robot = "{OTHER}"\ncredentials = "credentials.toml"', CREDENTIALS)
    with pytest.raises(SettingError, match="name different robots"):
        load_setup(path)


def test_credentials_that_others_may_read_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path, 'credentials = "credentials.toml"', CREDENTIALS)
    (tmp_path / "credentials.toml").chmod(0o640)
    with pytest.raises(SettingError, match="chmod 600"):
        load_setup(path)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"seal_key": "canary"}, "seal_key is not hexadecimal"),
        ({"seal_key_version": 0}, "seal_key and seal_key_version go together"),
        ({"user": "canary"}, "user and password go together"),
        ({"password": 7}, "password: Expected"),
        ({"robot_id": "X"}, "robot_id: robot code"),
    ],
)
def test_a_wrong_credential_is_named_and_never_shown(changed: dict[str, object], told: str) -> None:
    with pytest.raises(SettingError) as caught:
        read_credentials({**tomllib.loads(CREDENTIALS), **changed}, "c.toml")
    assert told in str(caught.value)
    assert "canary" not in str(caught.value)
    assert "abab" not in repr(read_credentials(tomllib.loads(CREDENTIALS), "c.toml"))


def test_a_name_that_is_mapped_is_not_ignored_as_well() -> None:
    with pytest.raises(SettingError, match="ignore: t is in readings too"):
        read_config({"readings": {"t": {"signal": "battery_soc"}}, "ignore": ["t"]}, "robot.toml")


@pytest.mark.parametrize(("mode", "is_taken"), [(0o440, True), (0o460, False), (0o444, False)])
def test_credentials_that_systemd_hands_over_are_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int, is_taken: bool
) -> None:
    path = written(tmp_path, 'credentials = "credentials.toml"', CREDENTIALS)
    file = tmp_path / "credentials.toml"
    file.chmod(mode)
    uid = file.stat().st_uid + 1
    monkeypatch.setattr("os.geteuid", lambda: uid)
    if is_taken:
        assert load_setup(path).robot_id == CODE
    else:
        with pytest.raises(SettingError, match="chmod 600"):
            load_setup(path)


def test_a_setup_that_is_printed_shows_no_secret(tmp_path: Path) -> None:
    setup = load_setup(written(tmp_path, 'credentials = "credentials.toml"', CREDENTIALS))
    assert repr(setup) == f"Setup(robot_id={CODE!r}, …)"
