"""`robovitals serve`: the page and the API."""

import argparse
import os
import ssl
from pathlib import Path

from deploy.limits_file import limits_from
from deploy.platform_key import known_platforms, read_platform_key
from deploy.settings import Settings, endpoints
from deploy.shell import run_process
from schemas.errors import SettingError
from serve.context import Context
from serve.metrics import ServeMetrics
from serve.server import Server, ServeSettings
from serve.trust_settings import GROUPS, GROUPS_HEADER, HOSTS, PROXIES, SECRET, USER_HEADER, read_trust

TARGETS = "prometheus-targets.json"
EXAMPLE = "robovitals serve --port 8080"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
    parser.add_argument("--port", type=int, default=8080, help="port to listen on (default 8080)")
    parser.add_argument("--tls-cert", type=Path, metavar="FILE", help="certificate chain, PEM")
    parser.add_argument("--tls-key", type=Path, metavar="FILE", help="its private key, PEM, without a passphrase")
    parser.epilog = (
        "To another address than this machine's own it listens only with TLS or behind a proxy that "
        f"{PROXIES} names, and only when somebody may come in: `robovitals access token`, or a proxy that logs "
        f"people in ({USER_HEADER}, {GROUPS_HEADER}, {GROUPS}, {SECRET}). {HOSTS} says by which names it is known "
        "besides its addresses."
    )


def run(args: argparse.Namespace, settings: Settings) -> int:
    if not 1 <= args.port <= 65535:
        raise SettingError(f"--port {args.port}: a port is from 1 to 65535")
    _check_tls(args.tls_cert, args.tls_key)
    trust = read_trust(os.environ, args.host)
    limits = limits_from(os.environ)
    key, platforms = read_platform_key(settings), known_platforms(settings)
    servers = endpoints(settings)
    serving = ServeSettings(
        kafka=servers.kafka,
        host=args.host,
        port=args.port,
        targets=settings.home / TARGETS,
        tls_cert=args.tls_cert,
        tls_key=args.tls_key,
    )
    return run_process(
        "serve",
        lambda registry: Server(
            serving, Context(servers.database_url, ServeMetrics.create(registry), trust, limits, platforms, key)
        ),
        serving.kafka,
    )


def _check_tls(cert: Path | None, key: Path | None) -> None:
    """Raises SettingError, before anything is started."""
    if (cert is None) != (key is None):
        raise SettingError("--tls-cert and --tls-key belong together")
    if cert is None or key is None:
        return
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(cert, key, password=lambda: "")
    except (OSError, ssl.SSLError) as error:
        raise SettingError(f"--tls-cert {cert} --tls-key {key}: {error}") from None
