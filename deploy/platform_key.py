"""The platform's signing key: a file, and nowhere else; and which public keys are known to be the platform's.

In: ROBOVITALS_PLATFORM_KEY, else `platform_key` in the home if it is there. Out: the key, or its public half.
Called by `land`, which seals links, by `retain` and `robovitals logbook`, which sign checkpoints, and by whatever
else the platform signs. An error names the file, never what is in it.

Beside it stands `platform.keys`: the public halves of it and of those before it, which is what a checker is given.
"""

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deploy.settings import PLATFORM_KEY, Settings
from deploy.signing_key import create_key, read_key
from schemas.errors import SettingError
from schemas.signing import PublicKey, public_key

PUBLIC_KEYS = "platform.keys"


def platform_key_file(settings: Settings, environ: Mapping[str, str] = os.environ) -> Path:
    """Where it is, or would be."""
    named = environ.get(PLATFORM_KEY)
    return Path(named).expanduser() if named else settings.home / "platform_key"


def public_keys_file(settings: Settings, environ: Mapping[str, str] = os.environ) -> Path:
    return platform_key_file(settings, environ).with_name(PUBLIC_KEYS)


def read_platform_key(settings: Settings, environ: Mapping[str, str] = os.environ) -> Ed25519PrivateKey | None:
    """None: there is none, and none was named. Raises SettingError."""
    path = platform_key_file(settings, environ)
    if not environ.get(PLATFORM_KEY) and not path.exists():
        return None
    return read_key(path, "the platform's key", f"`robovitals logbook key`, or name its file in {PLATFORM_KEY}")


def needed_platform_key(settings: Settings, environ: Mapping[str, str] = os.environ) -> Ed25519PrivateKey:
    """For what nobody can do without it. Raises SettingError."""
    key = read_platform_key(settings, environ)
    if key is None:
        raise SettingError(
            f"there is no platform's key: name its file in {PLATFORM_KEY}, or make one: `robovitals logbook key`"
        )
    return key


def create_platform_key(path: Path) -> Ed25519PrivateKey:
    """A new one, for its owner's eyes only; its public half goes behind those in `platform.keys` beside it.

    Raises SettingError where there is one already.
    """
    key = create_key(path, f"move it away first, and keep {PUBLIC_KEYS}, or what it sealed is nobody's")
    with path.with_name(PUBLIC_KEYS).open("a", encoding="ascii") as file:
        file.write(public_key(key) + "\n")
    return key


def read_public_keys(path: Path) -> frozenset[str]:
    """One key a line; what follows a # is for people. Raises SettingError."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingError(f"{path}: {error.strerror}") from None
    lines = [line.partition("#")[0].strip() for line in text.splitlines()]
    try:
        keys = msgspec.convert([line for line in lines if line], list[PublicKey])
    except msgspec.ValidationError:
        raise SettingError(f"{path}: each line is a public key of 64 hexadecimal digits, 0-9a-f") from None
    if not keys:
        raise SettingError(f"{path}: there is no key in it")
    return frozenset(keys)


def known_platforms(settings: Settings, environ: Mapping[str, str] = os.environ) -> frozenset[str]:
    """The public keys that are the platform's here, this one's and those before it. Raises SettingError."""
    path, key = public_keys_file(settings, environ), read_platform_key(settings, environ)
    known = read_public_keys(path) if path.exists() else frozenset()
    return known | ({public_key(key)} if key is not None else set())
