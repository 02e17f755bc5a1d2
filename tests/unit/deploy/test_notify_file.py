"""The file that ROBOVITALS_NOTIFY names, and where its secrets are."""

from pathlib import Path

import pytest

from deploy.notify_file import config_from, read_file
from deploy.settings import NOTIFY
from processors.notify.receivers import Config, Webhook
from schemas.errors import SettingError
from support.anomalies import OTHER_SECRET, SECRET

HOOK = """
[receivers.hook]
kind = "webhook"
url = "https://example.org/hook"
secrets = ["{}"]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "notify.toml"


def test_without_a_file_nobody_is_told() -> None:
    assert config_from({}) == Config()


@pytest.mark.parametrize(
    ("secret", "environ"), [(SECRET, {}), ("env:HOOK", {"HOOK": SECRET}), ("file:hook.secret", {})]
)
def test_a_secret_is_in_the_file_the_environment_or_a_file_beside_it(
    file: Path, secret: str, environ: dict[str, str]
) -> None:
    (file.parent / "hook.secret").write_text(f"{SECRET}\n")
    file.write_text(HOOK.format(secret))
    hook = config_from({NOTIFY: str(file), **environ}).receivers["hook"]
    assert isinstance(hook, Webhook)
    assert [one.reveal() for one in hook.secrets] == [SECRET]


@pytest.mark.parametrize(
    ("secret", "words"),
    [
        ("env:HOOK", "receivers.hook: secrets: the environment has no HOOK"),
        ("file:nothing", "receivers.hook: secrets: nothing: No such file"),
        ("file:empty", "receivers.hook: secrets: empty: a secret is a line of text"),
        ("file:binary", "receivers.hook: secrets: binary: it is not UTF-8"),
    ],
)
def test_a_secret_that_is_not_there_is_named_with_its_place(file: Path, secret: str, words: str) -> None:
    (file.parent / "empty").write_text("\n")
    (file.parent / "binary").write_bytes(b"\xff\xfe")
    file.write_text(HOOK.format(secret))
    with pytest.raises(SettingError, match=words):
        read_file(file, {"HOOK": ""})


@pytest.mark.parametrize(
    ("content", "words"), [(b"receivers = ", "is not TOML"), (b"\xff", "is not UTF-8"), (None, "No such file")]
)
def test_a_file_that_cannot_be_read_is_named(file: Path, content: bytes | None, words: str) -> None:
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingError, match=words) as error:
        read_file(file, {})
    assert str(file) in str(error.value)


def test_no_error_of_the_file_repeats_a_secret(file: Path) -> None:
    file.write_text(HOOK.format(OTHER_SECRET) + "unknown = 1\n")
    with pytest.raises(SettingError) as error:
        read_file(file, {})
    assert OTHER_SECRET not in str(error.value)
