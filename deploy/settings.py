"""Settings from the environment, read once at the entry point; and where the servers are.

In: environment variables, and the state file that a running stack keeps in its home. Out: `Settings`, and
`Endpoints` for whoever needs Kafka or the database. Called by `deploy.cli` for every command; needs only what
a robot's installation has.
"""

import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from schemas.errors import SettingError, UnavailableError
from schemas.kafka import Kafka

HOME = "ROBOVITALS_HOME"
CACHE = "ROBOVITALS_CACHE"
KAFKA_BOOTSTRAP = "ROBOVITALS_KAFKA_BOOTSTRAP"
KAFKA_USER = "ROBOVITALS_KAFKA_USER"
KAFKA_PASSWORD = "ROBOVITALS_KAFKA_PASSWORD"  # noqa: S105 - the name of it
KAFKA_PASSWORD_FILE = "ROBOVITALS_KAFKA_PASSWORD_FILE"  # noqa: S105
KAFKA_CA = "ROBOVITALS_KAFKA_CA"
DATABASE_URL = "ROBOVITALS_DATABASE_URL"
LIMITS = "ROBOVITALS_LIMITS"
NOTIFY = "ROBOVITALS_NOTIFY"
SEAL_MASTER = "ROBOVITALS_SEAL_MASTER"
PLATFORM_KEY = "ROBOVITALS_PLATFORM_KEY"
CHECKPOINTS = "ROBOVITALS_CHECKPOINTS"

_PATHS = (HOME, CACHE, LIMITS, NOTIFY, KAFKA_PASSWORD_FILE, SEAL_MASTER, PLATFORM_KEY, CHECKPOINTS)
_PEM = "-----BEGIN "


class Settings(msgspec.Struct, frozen=True):
    """`home` holds one stack's data; `cache` holds downloads for all of them; the rest names other servers."""

    home: Path
    cache: Path
    kafka: Kafka | None
    database_url: str | None


class Endpoints(msgspec.Struct, frozen=True):
    kafka: Kafka
    database_url: str


def read_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """Raises SettingError, which names the variable."""
    return Settings(
        home=_directory(environ, HOME, Path(".robovitals")),
        cache=_directory(environ, CACHE, _default_cache(environ)),
        kafka=read_kafka(environ),
        database_url=_database_url(environ.get(DATABASE_URL)),
    )


def endpoints(settings: Settings) -> Endpoints:
    """Where Kafka and the database are: as the environment says, else as the running stack in `home` says.

    Raises UnavailableError when neither knows.
    """
    kafka, database = settings.kafka, settings.database_url
    if kafka is None or database is None:
        running = _running_stack(settings.home)
        kafka = kafka or running.kafka
        database = database or running.database_url
    return Endpoints(kafka, database)


def absolute_environ(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment for a process that works in another directory than we do: paths as they are from here."""
    names = [name for name in _PATHS if name in environ]
    if not environ.get(KAFKA_CA, _PEM).startswith(_PEM):
        names.append(KAFKA_CA)
    return {**environ, **{name: str(Path(environ[name]).expanduser().absolute()) for name in names}}


def read_kafka(environ: Mapping[str, str]) -> Kafka | None:
    """The Kafka that the environment names. Raises SettingError; a password is never repeated in it."""
    bootstrap, user = _bootstrap(environ.get(KAFKA_BOOTSTRAP)), environ.get(KAFKA_USER)
    needed = user if bootstrap is not None else None
    for name in (KAFKA_USER, KAFKA_PASSWORD, KAFKA_PASSWORD_FILE, KAFKA_CA):
        if name in environ and not needed:
            missing = KAFKA_BOOTSTRAP if bootstrap is None else KAFKA_USER
            raise SettingError(f"{name} is set, and {missing} is not: set both, or unset {name}")
    if bootstrap is None or not user:
        return None if bootstrap is None else Kafka(bootstrap)
    return Kafka(bootstrap, user, _password(environ), _certificates(environ.get(KAFKA_CA)))


def kafka_environ(kafka: Kafka) -> dict[str, str]:
    """The same `kafka` as variables, for a process that is started."""
    found = {
        KAFKA_BOOTSTRAP: kafka.bootstrap,
        KAFKA_USER: kafka.user,
        KAFKA_PASSWORD: kafka.password,
        KAFKA_CA: kafka.ca,
    }
    return {name: value for name, value in found.items() if value is not None}


def stack_file(home: Path) -> Path:
    """Written by the supervisor while it runs, readable by its owner only: it holds passwords."""
    return home / "stack.json"


class _StackFile(msgspec.Struct, frozen=True):
    """The part of `deploy.local.state.Stack` that a client needs."""

    database_url: str | None
    kafka: Kafka | None = None


def _running_stack(home: Path) -> Endpoints:
    absent = f"no stack is running in {home}: `robovitals up`, or set {KAFKA_BOOTSTRAP} and {DATABASE_URL}"
    try:
        found = msgspec.json.decode(stack_file(home).read_bytes(), type=_StackFile)
    except FileNotFoundError:
        raise UnavailableError(absent) from None
    except PermissionError:
        raise UnavailableError(
            f"{stack_file(home)} belongs to another user: run as that user, or set another {HOME}"
        ) from None
    except msgspec.MsgspecError as error:
        raise UnavailableError(f"{stack_file(home)} cannot be read ({error}): `robovitals up`") from None
    if found.kafka is None or found.database_url is None:
        raise UnavailableError(f"the stack in {home} is still starting: `robovitals status`")
    return Endpoints(found.kafka, found.database_url)


def _default_cache(environ: Mapping[str, str]) -> Path:
    """Root's home is closed to the unprivileged user who runs the database: root caches for the machine."""
    if base := environ.get("XDG_CACHE_HOME"):
        return Path(base) / "robovitals"
    if os.geteuid() == 0:
        return Path("/var/cache/robovitals")
    return Path("~/.cache/robovitals")


def _directory(environ: Mapping[str, str], name: str, default: Path) -> Path:
    text = environ.get(name)
    if text is not None and not text.strip():
        raise SettingError(f"{name} is empty: name a directory, or unset it for the default ({default})")
    try:
        path = (Path(text) if text else default).expanduser().absolute()
    except RuntimeError:
        raise SettingError(f"{name}: this user has no home directory: set {name} to a directory") from None
    if path.exists() and not path.is_dir():
        raise SettingError(f"{name}={path} is not a directory: name a directory")
    return path


def _bootstrap(text: str | None) -> str | None:
    if text is None:
        return None
    for server in text.split(","):
        host, _, port = server.strip().rpartition(":")
        if not host or not port.isdigit() or not 0 < int(port) < 65536:
            raise SettingError(f"{KAFKA_BOOTSTRAP}={text!r}: give HOST:PORT, or several separated by commas")
    return text


def _password(environ: Mapping[str, str]) -> str:
    password, file = environ.get(KAFKA_PASSWORD), environ.get(KAFKA_PASSWORD_FILE)
    if (password is None) == (file is None):
        raise SettingError(f"{KAFKA_USER} is set: set {KAFKA_PASSWORD} or {KAFKA_PASSWORD_FILE} too, one of them")
    if file is not None:
        password = _read(KAFKA_PASSWORD_FILE, file).removesuffix("\n")
    if not password:
        raise SettingError(f"{KAFKA_PASSWORD if file is None else KAFKA_PASSWORD_FILE} is empty")
    return password


def _certificates(given: str | None) -> str | None:
    """Of a file, or the text itself, as `kafka_environ` hands it on."""
    if given is None:
        return None
    text = given if given.startswith(_PEM) else _read(KAFKA_CA, given)
    try:
        ssl.create_default_context(cadata=text)
    except (ssl.SSLError, ValueError):
        raise SettingError(f"{KAFKA_CA} names no certificates: give a file with certificates in PEM") from None
    return text


def _read(name: str, path: str) -> str:
    try:
        return Path(path).expanduser().read_text()
    except (OSError, UnicodeDecodeError, RuntimeError) as error:
        raise SettingError(f"{name}={path} cannot be read: {getattr(error, 'strerror', None) or error}") from None


def _database_url(text: str | None) -> str | None:
    if text is None:
        return None
    # The value is not repeated: it may hold a password.
    try:
        parts = urlsplit(text)
        valid = parts.scheme in ("postgresql", "postgres") and bool(parts.path.strip("/")) and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise SettingError(f"{DATABASE_URL}: give postgresql://USER:PASSWORD@HOST:PORT/DATABASE")
    return text
