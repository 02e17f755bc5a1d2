"""Why Kafka does not let us in: aiokafka itself only says "Unable to bootstrap".

In: how it is reached. Out: the first reason there is, or None. Called where a client could not start: by
`deploy/topics.py`, by the shell of every process, and by a robot's agent.
"""

import asyncio
import ssl
from enum import StrEnum
from typing import Any

import msgspec
from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import KafkaError, SaslAuthenticationFailed, UnsupportedSaslMechanismError

from schemas.kafka import MECHANISM, Kafka

_CLIENT = "robovitals.access"
_TIMEOUT_MS = 5_000


class Reason(StrEnum):
    """`AWAY` may pass; the others stay until somebody corrects a setting."""

    PASSWORD = "the user is not known, or has another password"  # noqa: S105 - no password
    MECHANISM = f"it does not speak {MECHANISM}"
    CERTIFICATE = "its certificate is not one that is trusted here"
    NOT_ENCRYPTED = "it does not answer by TLS"
    ENCRYPTED = "it ends what is not encrypted: it wants a user, by TLS"
    AWAY = "it does not answer"


class Refusal(msgspec.Struct, frozen=True):
    """Of one server, which is HOST:PORT. `detail` is what it or the library said; never a secret."""

    reason: Reason
    server: str
    detail: str


async def refusal(kafka: Kafka) -> Refusal | None:
    """What the servers say that are named, one after the other; None as soon as one of them lets us in.

    What is said of a setting goes before what is said of a server that is away.
    """
    found: list[Refusal] = []
    for host, port, _ in collect_hosts(kafka.bootstrap):
        refused = await _ask(kafka, host, port)
        if refused is None:
            return None
        found.append(refused)
    return min(found, key=lambda one: one.reason is Reason.AWAY)


async def _ask(kafka: Kafka, host: str, port: int) -> Refusal | None:
    arguments: dict[str, Any] = {**kafka.client(), "client_id": _CLIENT, "request_timeout_ms": _TIMEOUT_MS}
    del arguments["bootstrap_servers"]
    try:
        connection = await create_conn(host, port, **arguments)
    except (KafkaError, OSError, TimeoutError, asyncio.IncompleteReadError) as error:
        return Refusal(_reason(kafka, error), f"{host}:{port}", " ".join(str(error).split()) or repr(error))
    closed = connection.close()
    if closed is not None:
        await closed
    return None


def _reason(kafka: Kafka, error: BaseException) -> Reason:
    if isinstance(error, SaslAuthenticationFailed):
        return Reason.PASSWORD
    if isinstance(error, UnsupportedSaslMechanismError):
        return Reason.MECHANISM
    if isinstance(error, ssl.SSLCertVerificationError):
        return Reason.CERTIFICATE
    ended = isinstance(error, ConnectionResetError | ssl.SSLError) or (
        isinstance(error, KafkaError) and "closed" in str(error)
    )
    if not ended:
        return Reason.AWAY
    return Reason.ENCRYPTED if kafka.user is None else Reason.NOT_ENCRYPTED
