"""How a Kafka is reached: where it is, who we are there, and whose certificate it must show.

In: settings (`deploy/settings.py`), or a robot's credentials file. Out: the arguments of the two client libraries.
Everything that connects to Kafka takes a `Kafka`; its text is HOST:PORT and never shows a secret.
"""

import ssl
from collections.abc import Iterable
from typing import Any

import msgspec

MECHANISM = "SCRAM-SHA-512"
PROTOCOL = "SASL_SSL"


class Kafka(msgspec.Struct, frozen=True):
    """With a `user` all goes by TLS and SCRAM; without one in the clear, to a broker that lets in anybody."""

    bootstrap: str
    """HOST:PORT, or several separated by commas."""
    user: str | None = None
    password: str | None = None
    ca: str | None = None
    """Certificates (PEM) that the broker's must come from; the system's own where there are none."""

    def client(self) -> dict[str, Any]:
        """Arguments for every client of aiokafka. Raises ssl.SSLError where `ca` holds no certificate."""
        if self.user is None:
            return {"bootstrap_servers": self.bootstrap}
        return {
            "bootstrap_servers": self.bootstrap,
            "security_protocol": PROTOCOL,
            "ssl_context": self.tls(),
            "sasl_mechanism": MECHANISM,
            "sasl_plain_username": self.user,
            "sasl_plain_password": self.password,
        }

    def librdkafka(self) -> dict[str, Any]:
        """The same as settings of confluent-kafka."""
        if self.user is None:
            return {"bootstrap.servers": self.bootstrap}
        return {
            "bootstrap.servers": self.bootstrap,
            "security.protocol": PROTOCOL,
            "sasl.mechanism": MECHANISM,
            "sasl.username": self.user,
            "sasl.password": self.password,
            **({"ssl.ca.pem": self.ca} if self.ca is not None else {}),
        }

    def tls(self) -> ssl.SSLContext:
        """One that checks the broker's certificate, and that it is for the host that was asked for."""
        return ssl.create_default_context(cadata=self.ca)

    def without(self, topics: Iterable[str]) -> str:
        """What to say when it does not show topics that are needed."""
        unseen = f", or none that user {self.user} may see" if self.user is not None else ""
        return f"Kafka at {self} has no topic {', '.join(sorted(topics))}{unseen}: `robovitals topics`"

    def __str__(self) -> str:
        return self.bootstrap

    def __repr__(self) -> str:
        return f"Kafka({self.bootstrap!r}, user={self.user!r})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("bootstrap", self.bootstrap), ("user", self.user)]
