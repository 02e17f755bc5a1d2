"""Free ports of 127.0.0.1, chosen once and kept while they stay free.

They lie below the range from which the system gives ports to outgoing connections: a server's port that is
free for a moment, while the server restarts, would else be taken by a client that tries to reach it.
"""

import contextlib
import secrets
import socket
from pathlib import Path

import psutil

from schemas.errors import UnavailableError

LOWEST = 20_000
OUTGOING_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
ATTEMPTS = 1_000


def is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: a port whose last connections are still winding down counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def choose(preferred: int | None = None, avoid: int | None = None) -> int:
    """The preferred port if it is free, else any other. Raises UnavailableError when none is free."""
    if preferred and is_free(preferred):
        return preferred
    highest = _lowest_outgoing() - 1
    for _ in range(ATTEMPTS):
        port = LOWEST + secrets.randbelow(highest - LOWEST + 1)
        if port != avoid and is_free(port):
            return port
    raise UnavailableError(f"no free port of 127.0.0.1 found from {LOWEST} to {highest}: end what uses them")


def _lowest_outgoing() -> int:
    try:
        lowest = int(OUTGOING_RANGE.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        lowest = 32_768
    return lowest if lowest > LOWEST else 65_536


def accepts(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1.0):
            return True
    except OSError:
        return False


def listener(port: int) -> str | None:
    """Who listens there, as far as this user may see; None when nobody does."""
    with contextlib.suppress(psutil.Error):
        for connection in psutil.net_connections("tcp"):
            if connection.laddr and connection.laddr.port == port and connection.status == psutil.CONN_LISTEN:
                if connection.pid is None:
                    return "a process of another user"
                return f"{psutil.Process(connection.pid).name()} (process {connection.pid})"
    return None
