"""The limits file that `summarise` and `assess` share."""

from pathlib import Path

import pytest

from deploy.limits_file import limits_from, read_limits_file
from deploy.settings import LIMITS
from processors.detectors.tuning import Tuning, tuning_of
from schemas.errors import SettingError
from schemas.signals import SIGNAL, Limit

MODEL = "CNABCDM00001"


def test_without_a_file_the_signal_tables_limits_hold() -> None:
    assert limits_from({}).limit(MODEL, "joint_temperature_c", "above") == SIGNAL["joint_temperature_c"].above


def test_a_file_overrides_the_limits_of_its_models(tmp_path: Path) -> None:
    path = tmp_path / "limits.toml"
    path.write_text(f'["{MODEL}".joint_temperature_c.above]\nwarn = 55\nalarm = 65\ndeadband = 2\n')
    limits = limits_from({LIMITS: str(path)})
    assert limits.limit(MODEL, "joint_temperature_c", "above") == Limit(55, 65, 2)
    assert limits.limit(MODEL, "joint_wear", "above") == SIGNAL["joint_wear"].above


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"warn = ", "is not TOML"),
        (b"\xff", "is not TOML"),
        (b"[short.joint_wear.above]\nwarn=1", "is not a model"),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, content: bytes, named: str) -> None:
    path = tmp_path / "limits.toml"
    path.write_bytes(content)
    with pytest.raises(SettingError, match=named) as error:
        read_limits_file(path)
    assert str(path) in str(error.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=f"{LIMITS}=.*nowhere.toml: No such file"):
        read_limits_file(tmp_path / "nowhere.toml")


def test_detectors_of_a_model_may_be_tuned(tmp_path: Path) -> None:
    path = tmp_path / "limits.toml"
    path.write_text('["ZZTESTMODEL1".detectors]\ndrift_threshold = 20\n')
    limits = read_limits_file(path)
    assert tuning_of(limits, "ZZTESTMODEL1") == Tuning(drift_threshold=20)
    assert tuning_of(limits, "ZZTESTMODEL2") == Tuning()
    assert limits.limit("ZZTESTMODEL1", "joint_wear", "above") == SIGNAL["joint_wear"].above


@pytest.mark.parametrize(
    ("line", "error"),
    [("drift_treshold = 20", "drift_treshold"), ("release = 2", "release is at most 1"), ("fast = 'slow'", "fast")],
)
def test_what_is_no_parameter_of_the_detectors_is_named_with_its_file_and_model(
    tmp_path: Path, line: str, error: str
) -> None:
    path = tmp_path / "limits.toml"
    path.write_text(f'["ZZTESTMODEL1".detectors]\n{line}\n')
    with pytest.raises(SettingError, match=rf"limits\.toml: \[ZZTESTMODEL1\.detectors\].*{error}"):
        read_limits_file(path)
