"""The platform's key is a file for its owner only, and no error shows what is in it."""

from pathlib import Path

import pytest

from deploy import cli
from deploy.platform_key import (
    create_platform_key,
    known_platforms,
    needed_platform_key,
    platform_key_file,
    read_platform_key,
)
from deploy.settings import HOME, PLATFORM_KEY, Settings, read_settings
from schemas.errors import SettingError
from schemas.signing import public_key


@pytest.fixture
def chosen(tmp_path: Path) -> Settings:
    return read_settings({HOME: str(tmp_path)})


def test_without_one_there_is_none_and_who_needs_it_is_told_what_to_type(chosen: Settings):
    assert read_platform_key(chosen, {}) is None
    assert known_platforms(chosen, {}) == frozenset()
    with pytest.raises(SettingError, match="robovitals logbook key"):
        needed_platform_key(chosen, {})


def test_a_new_one_is_read_again_and_never_written_over(chosen: Settings):
    path = platform_key_file(chosen, {})
    made = create_platform_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    read = read_platform_key(chosen, {})
    assert read is not None
    assert public_key(read) == public_key(made)
    with pytest.raises(SettingError, match="is there already"):
        create_platform_key(path)


def test_the_one_before_is_still_known_when_there_is_another(chosen: Settings):
    path = platform_key_file(chosen, {})
    first = create_platform_key(path)
    path.rename(path.with_name("old"))
    second = create_platform_key(path)
    assert known_platforms(chosen, {}) == {public_key(first), public_key(second)}


def test_one_that_is_open_or_no_key_or_away_is_refused_without_showing_it(chosen: Settings, tmp_path: Path):
    path = platform_key_file(chosen, {})
    create_platform_key(path)
    secret = path.read_text().strip()
    path.chmod(0o640)
    with pytest.raises(SettingError, match=f"chmod 600 {path}"):
        read_platform_key(chosen, {})
    path.chmod(0o600)
    path.write_text(secret[:-2])
    with pytest.raises(SettingError, match="is not 32 bytes") as refused:
        read_platform_key(chosen, {})
    assert secret[:-2] not in str(refused.value)
    with pytest.raises(SettingError, match=PLATFORM_KEY):
        read_platform_key(chosen, {PLATFORM_KEY: str(tmp_path / "nowhere")})


def test_the_command_makes_it_once_and_shows_the_public_half(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv(HOME, str(tmp_path))
    monkeypatch.delenv(PLATFORM_KEY, raising=False)
    assert cli.main(["logbook", "key"]) == 0
    shown = capsys.readouterr().out
    assert cli.main(["logbook", "key"]) == 0
    assert capsys.readouterr().out == shown
    assert (tmp_path / "platform.keys").read_text().strip() == shown.split()[0]
    assert (tmp_path / "platform_key").read_text().strip() not in shown
