"""The 29-character robot code: country 2, enterprise 4, model 6, serial 17; digits and Latin capitals.

In: text from a robot, a file or a person. Out: its four segments, or an error that names what is wrong.
Called by everything that takes a code from outside. The standard publishes no check character, so a code is
never refused for one; only the codes that we make ourselves (`make_code`) carry an ISO 7064 MOD 37,36 one.
"""

import re
from typing import NewType

import msgspec
from stdnum.iso7064 import mod_37_36

from schemas.errors import SettingError

RobotCode = NewType("RobotCode", str)

CODE_LENGTH = 29
SEGMENTS = {"country": 2, "enterprise": 4, "model": 6, "serial": 17}
_CODE = re.compile(r"[A-Z]{2}[0-9A-Z]{27}\Z")


class RobotCodeParts(msgspec.Struct, frozen=True):
    """The decoded segments. `model` names the maker's model; it is unique only together with `enterprise`."""

    country: str
    enterprise: str
    model: str
    serial: str


def is_code(text: str) -> bool:
    """Whether `text` is a well-formed robot code."""
    return _CODE.match(text) is not None


def parse_code(text: str) -> RobotCodeParts:
    """Split a code into its segments. Raises SettingError naming the first thing that is wrong."""
    if len(text) != CODE_LENGTH:
        raise SettingError(f"robot code {text!r} has {len(text)} characters; a code has {CODE_LENGTH}")
    if not is_code(text):
        wrong = next((i for i, c in enumerate(text) if not re.match(r"[0-9A-Z]", c)), None)
        if wrong is None:
            raise SettingError(f"robot code {text!r} must begin with two letters, the country")
        raise SettingError(
            f"robot code {text!r}: character {wrong + 1} is {text[wrong]!r}; only 0-9 and A-Z are allowed"
        )
    return RobotCodeParts(text[:2], text[2:6], text[6:12], text[12:])


def checked_code(text: str) -> RobotCode:
    """`text` as a RobotCode; spaces and hyphens, as people write them, are left out. Raises SettingError."""
    compact = text.strip().replace("-", "").replace(" ", "")
    parse_code(compact)
    return RobotCode(compact)


def format_code(code: RobotCode) -> str:
    """A code for people to read: its segments with hyphens between them."""
    parts = parse_code(code)
    return f"{parts.country}-{parts.enterprise}-{parts.model}-{parts.serial}"


def make_code(country: str, enterprise: str, model: str, serial: str) -> RobotCode:
    """A code of our own making: `serial` has up to 16 characters, the 17th is a check over the whole code."""
    payload = country + enterprise + model + serial.rjust(16, "0")
    parse_code(payload + "0")  # what is wrong is said here: the check character is computed of a good code only
    return checked_code(payload + mod_37_36.calc_check_digit(payload))


def has_check_character(code: RobotCode) -> bool:
    """Whether the last character is the ISO 7064 MOD 37,36 check of the rest, as in codes of our making."""
    return bool(mod_37_36.is_valid(code))
