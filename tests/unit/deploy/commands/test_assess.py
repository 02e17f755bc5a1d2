"""`robovitals assess`: its settings from the environment."""

import pytest

from deploy.commands.assess import DEFAULT_SILENCE_S, SILENCE_S, silence_s
from schemas.errors import SettingError


def test_the_time_to_silence_comes_from_the_environment() -> None:
    assert silence_s({}) == DEFAULT_SILENCE_S
    assert silence_s({SILENCE_S: "2.5"}) == 2.5


@pytest.mark.parametrize("text", ["", "soon", "0", "-1", "nan", "1e9"])
def test_a_wrong_time_is_refused_by_name(text: str) -> None:
    with pytest.raises(SettingError, match=f"{SILENCE_S}='{text}'"):
        silence_s({SILENCE_S: text})
