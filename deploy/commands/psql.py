"""`robovitals psql`: a psql session in the stack's database, or one query with -c."""

import argparse
import os
import shutil
from urllib.parse import unquote, urlsplit, urlunsplit

from deploy.local import prefix
from deploy.settings import Settings, endpoints
from schemas.errors import UnavailableError

EXAMPLE = """robovitals psql -c "SELECT * FROM reading LIMIT 5" """.strip()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-c", metavar="SQL", action="append", help="run this and print the result; may be repeated")


def run(args: argparse.Namespace, settings: Settings) -> int:
    url, password = _without_password(endpoints(settings).database_url)
    psql = _psql(settings)
    command = [psql, "--dbname", url, *_queries(args.c or [])]
    # The password goes by environment: arguments are shown to every user of the machine.
    os.execve(psql, command, {**os.environ, **({"PGPASSWORD": password} if password else {})})


def _psql(settings: Settings) -> str:
    """The local stack's own, which is as new as its database; the machine's for a database elsewhere."""
    if settings.database_url is None:
        return str(prefix.install(settings.cache).path / prefix.BIN / "psql")
    found = shutil.which("psql")
    if found is None:
        raise UnavailableError("psql is missing: apt-get install postgresql-client")
    return found


def _without_password(url: str) -> tuple[str, str | None]:
    parts = urlsplit(url)
    if parts.password is None:
        return url, None
    user, _, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user.partition(':')[0]}@{host}")), unquote(parts.password)


def _queries(queries: list[str]) -> list[str]:
    options = [option for query in queries for option in ("-c", query)]
    return ["--set", "ON_ERROR_STOP=1", *options] if queries else []
