"""Why Kafka does not let us in, in words that name the setting to correct.

In: how it is reached. Out: a line for an error, or None. Called by `deploy/topics.py` and every process's shell.
"""

from deploy.settings import KAFKA_BOOTSTRAP, KAFKA_CA, KAFKA_PASSWORD, KAFKA_USER
from ingest.access import Reason, refusal
from schemas.kafka import Kafka


async def said(kafka: Kafka) -> str | None:
    """None when it lets us in."""
    found = await refusal(kafka)
    if found is None:
        return None
    where = f"Kafka at {found.server}"
    match found.reason:
        case Reason.PASSWORD:
            return (
                f"{where} does not know user {kafka.user}, or by another password: "
                f"correct {KAFKA_USER} and {KAFKA_PASSWORD}"
            )
        case Reason.CERTIFICATE:
            return (
                f"{where} shows a certificate that is not trusted here ({found.detail}): "
                f"{KAFKA_CA} names the file of the authority that signed it"
            )
        case Reason.ENCRYPTED:
            return (
                f"{where} ends what is not encrypted: it wants a user ({KAFKA_USER}, {KAFKA_PASSWORD}, {KAFKA_CA})"
            )
        case Reason.NOT_ENCRYPTED:
            return (
                f"{where} does not speak TLS: correct {KAFKA_BOOTSTRAP}, or unset {KAFKA_USER} if it has no users"
            )
        case Reason.MECHANISM:
            return f"{where} does not let users in as we ask it to: {found.reason} ({found.detail})"
        case Reason.AWAY:
            return f"no Kafka answers at {kafka}: `robovitals doctor`, or correct {KAFKA_BOOTSTRAP}"
