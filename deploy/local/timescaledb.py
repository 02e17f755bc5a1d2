"""A real TimescaleDB of one's own, with its data in one directory.

In: a home and the cache. Out: a running database on a free port of 127.0.0.1, and its URL. Called by
`deploy.local.servers` and the supervisor. It is as durable as PostgreSQL is by itself (fsync, synchronous
commit): what the product says about exactly once rests on it.
"""

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import time
from pathlib import Path

import msgspec
import psutil
import psycopg
from psycopg import sql

from deploy.local import children, kept, ports, prefix
from deploy.local.children import Signalled, User
from schemas.errors import UnavailableError

USER = DATABASE = "robovitals"
START_TIMEOUT_S = 120.0  # a recovery after a crash reads up to max_wal_size
STOP = (Signalled(signal.SIGINT, 30.0), Signalled(signal.SIGQUIT, 5.0))
"""Fast shutdown: it breaks connections off and writes a checkpoint; then an immediate one."""

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_preload_libraries": "timescaledb",
    "timescaledb.telemetry_level": "off",
    "jit": "off",
    "shared_buffers": "512MB",
    "effective_cache_size": "2GB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "wal_compression": "lz4",
    "max_locks_per_transaction": "256",  # a query over a hypertable locks every chunk
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_duration_statement": "5s",
}
# The database's user may not be allowed to walk to its own directory (a home below /root): it is put there
# before the user changes, and names the place by where it is.
HERE = "/proc/self/cwd"


class Kept(msgspec.Struct, frozen=True):
    """What stays the same between starts."""

    port: int
    password: str


class DatabaseServer:
    name = prefix.NAME
    title = f"TimescaleDB on PostgreSQL {prefix.MAJOR}"

    def __init__(self, home: Path, cache: Path) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.log = home / "logs" / "timescaledb.log"
        self._cache = cache
        self._directory = home / "timescaledb"
        self._data = self._directory / "data"
        self._kept_file = self._directory / "kept.json"
        self._kept: Kept | None = None

    def install(self) -> bool:
        """Whether it was there already."""
        return prefix.install(self._cache).cached

    def is_installed(self) -> bool:
        return prefix.is_installed(self._cache)

    @property
    def port(self) -> int:
        return self._keep().port

    @property
    def url(self) -> str:
        return self._url(DATABASE)

    def start(self) -> None:
        self.launch()
        self.wait_until_up()

    def launch(self) -> None:
        """Raises UnavailableError."""
        programs = prefix.install(self._cache).path / prefix.BIN
        self._directory.mkdir(parents=True, exist_ok=True)
        user = _user(self._data)
        if user is not None:
            _check_reachable(programs / "postgres", user)
        if not self._data.exists():
            self._initialise(programs, user)
        _remove_stale_lock(self._data)
        options = [f"--{name}={value}" for name, value in {**SETTINGS, "port": str(self.port)}.items()]
        command: list[str | Path] = [programs / "postgres", "-D", HERE, *options]
        self.process = children.spawn(command, self.log, self._data, children.SERVER_ENVIRON, user)

    def wait_until_up(self) -> None:
        """Until it answers queries. Raises UnavailableError."""
        assert self.process is not None, "launch() first"
        until_s = time.monotonic() + START_TIMEOUT_S
        while True:
            try:
                with psycopg.connect(self._url("postgres"), connect_timeout=2, autocommit=True) as connection:
                    _create_database(connection)
                    return
            except psycopg.OperationalError as error:
                if self.process.poll() is not None:
                    said = children.last_words(self.log)
                    raise UnavailableError(f"TimescaleDB did not start: {said}") from None
                if time.monotonic() > until_s:
                    self.stop()
                    said = str(error).splitlines()[0]
                    raise UnavailableError(f"TimescaleDB does not answer: {said} (see {self.log})") from None
            time.sleep(0.05)

    def stop(self) -> None:
        if self.process is not None:
            children.stop(self.process, STOP)

    def kill(self) -> None:
        """As a crash would: for tests of what must survive it."""
        if self.process is not None:
            backends = psutil.Process(self.process.pid).children() if self.process.poll() is None else []
            self.process.kill()
            self.process.wait()
            for backend in backends:
                with contextlib.suppress(psutil.NoSuchProcess):
                    backend.kill()
            psutil.wait_procs(backends)

    def _url(self, database: str) -> str:
        return f"postgresql://{USER}:{self._keep().password}@127.0.0.1:{self.port}/{database}"

    def _keep(self) -> Kept:
        """The port is chosen when a stack starts, and stays while it runs.

        Raises UnavailableError when a database is there and its password is not: a new one would never open it.
        """
        if self._kept is not None:
            return self._kept
        before = kept.read(self._kept_file, Kept)
        if before is None and self._data.exists():
            raise UnavailableError(
                f"{self._kept_file} is missing or unreadable, and with it the generated password of the database: "
                f"restore that file, or move {self._data} away to begin with an empty database"
            )
        password = before.password if before else secrets.token_urlsafe(24)
        self._kept = Kept(ports.choose(before.port if before else None), password)
        kept.write(self._kept_file, self._kept)
        return self._kept

    def _initialise(self, programs: Path, user: User | None) -> None:
        """`initdb` in a directory that gets its name when it is whole."""
        new, password = self._directory / "new", self._directory / "password"
        shutil.rmtree(new, ignore_errors=True)
        password.unlink(missing_ok=True)
        new.mkdir(mode=0o700)
        password.touch(mode=0o600)
        password.write_text(self._keep().password)
        if user is not None:
            for path in (new, password):
                os.chown(path, user.uid, user.gid)
        self._directory.chmod(0o711)
        command: list[str | Path] = [
            programs / "initdb", "--pgdata", HERE, "--username", USER, "--pwfile", "../password",
            "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C",
        ]  # fmt: skip
        done = children.spawn(command, self.log, new, children.SERVER_ENVIRON, user).wait()
        password.unlink()
        if done != 0:
            raise UnavailableError(f"initdb failed: {children.last_words(self.log)}")
        new.rename(self._data)


def _create_database(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone() is None:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))


def _user(data: Path) -> User | None:
    """Who runs the database: ourselves (None), unless we are root, whom PostgreSQL refuses."""
    if os.geteuid() != 0:
        if data.exists() and data.stat().st_uid != os.geteuid():
            raise UnavailableError(f"{data} is another user's: run as that user, or set another ROBOVITALS_HOME")
        return None
    if data.exists():
        return User(data.stat().st_uid, data.stat().st_gid)
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            found = pwd.getpwnam(name)
            return User(found.pw_uid, found.pw_gid)
    raise UnavailableError("the database needs a user that is not root: useradd --system postgres")


def _check_reachable(program: Path, user: User) -> None:
    """Its own directory is opened for it, but the programs it finds by path."""
    for parent in reversed(program.parents):
        if not parent.stat().st_mode & 0o001:
            raise UnavailableError(
                f"{parent} is closed to the user {_name(user.uid)}, who runs the database: "
                f"chmod o+x {parent}, or set ROBOVITALS_CACHE to a directory that others may enter"
            )


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _remove_stale_lock(data: Path) -> None:
    """After a crash `postmaster.pid` names a process id that may be somebody else's by now."""
    lock = data / "postmaster.pid"
    try:
        pid = int(lock.read_text().split()[0])
    except (FileNotFoundError, ValueError, IndexError):
        return
    try:
        owner = psutil.Process(pid)
        is_ours = owner.name() == "postgres" and Path(owner.cwd()) == data.resolve()
    except psutil.Error:
        is_ours = False
    if is_ours:
        raise UnavailableError(f"another process ({pid}) runs the database in {data}: end it first")
    lock.unlink(missing_ok=True)
