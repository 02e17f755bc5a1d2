"""A duration as people type it: `90`, `5s`, `10m`, `2h`, `1d`. Called by commands for their options."""

import re

from schemas.errors import SettingError

_UNITS_S = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}
_FORM = re.compile(r"(\d+(?:\.\d+)?)([smhd]?)")


def seconds(option: str, text: str) -> float:
    """Raises SettingError naming the option."""
    match = _FORM.fullmatch(text.strip())
    if match is None:
        raise SettingError(f"{option} {text}: give a duration such as 90, 5s, 10m, 2h or 1d")
    return float(match[1]) * _UNITS_S[match[2]]
