"""The page's own login of the local database: a member of `robovitals_server`, and of nothing else.

In: the address of the database as its owner, migrated. Out: the same address as that login, with a password that is
new at each start. Called by `deploy/local/stack.py`, for a database of its own only: who runs another one gives its
page a login as docs/security.md says.
"""

import secrets
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

LOGIN = "robovitals_page"
PASSWORD_BYTES = 24


def give_login(database_url: str) -> str:
    """Make it, or give it another password."""
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    with psycopg.connect(database_url, autocommit=True) as connection:
        name = sql.Identifier(LOGIN)
        if connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (LOGIN,)).fetchone() is None:
            connection.execute(sql.SQL("CREATE ROLE {} IN ROLE robovitals_server").format(name))
        # Hashed here, so that no log of the server can hold it.
        hashed = connection.pgconn.encrypt_password(password.encode(), LOGIN.encode(), b"scram-sha-256").decode()
        connection.execute(sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(name, sql.Literal(hashed)))
    parts = urlsplit(database_url)
    return urlunsplit(parts._replace(netloc=f"{LOGIN}:{password}@{parts.hostname}:{parts.port}"))
