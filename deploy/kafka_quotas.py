"""Quotas at the broker: bytes a second and broker time, per user.

In: a quota by user. Out: the broker slows a user down that exceeds it, and nobody else. Called by
`deploy/kafka_users.py` and `deploy.local.enrol`. Kafka counts bytes as they travel (compressed), and the time that
requests take of its threads; it has no quota for messages.

No client library for Python can set a quota: this is Kafka's own request (KIP-546) in aiokafka's terms.
"""

import asyncio
from collections.abc import Mapping

import msgspec
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError, for_code
from aiokafka.protocol.admin import DescribeClientQuotasRequest
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Boolean, Float64, Int16, Int32, Schema, String

from schemas.errors import StopError, UnavailableError
from schemas.kafka import Kafka

BYTES, REQUESTS = "producer_byte_rate", "request_percentage"
_USER, _ANY_OF_THEM = "user", 2  # match type: whoever has a quota


class Quota(msgspec.Struct, frozen=True):
    """None: none of its own, so that the quota for everybody counts."""

    bytes_per_s: int | None = None
    request_percent: float | None = None


_ENTITY = Array(("entity_type", String("utf-8")), ("entity_name", String("utf-8")))


class _AlterResponse(Response):  # type: ignore[misc]
    API_KEY = 49
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "entries",
            Array(("error_code", Int16), ("error_message", String("utf-8")), ("entity", _ENTITY)),
        ),
    )


class _AlterStruct(RequestStruct):  # type: ignore[misc]
    API_KEY = 49
    API_VERSION = 0
    RESPONSE_TYPE = _AlterResponse
    SCHEMA = Schema(
        (
            "entries",
            Array(
                ("entity", _ENTITY),
                ("ops", Array(("key", String("utf-8")), ("value", Float64), ("remove", Boolean))),
            ),
        ),
        ("validate_only", Boolean),
    )


class _Alter(Request[_AlterStruct]):  # type: ignore[misc]
    API_KEY = 49

    def __init__(self, quotas: Mapping[str | None, Quota]) -> None:
        self._quotas = quotas

    def build(self, request_struct_class: type[_AlterStruct]) -> _AlterStruct:
        entries = [([(_USER, name)], _operations(quota)) for name, quota in self._quotas.items()]
        return request_struct_class(entries, False)


def _operations(quota: Quota) -> list[tuple[str, float, bool]]:
    values = ((BYTES, quota.bytes_per_s), (REQUESTS, quota.request_percent))
    return [(key, float(value or 0), value is None) for key, value in values]


def set_quotas(kafka: Kafka, quotas: Mapping[str | None, Quota]) -> None:
    """Of each user, the quota that it has from here on; of None, what counts for all who have none."""
    asyncio.run(_set(kafka, quotas))


def quotas(kafka: Kafka) -> dict[str | None, Quota]:
    """Of each user that has one."""
    return asyncio.run(_read(kafka))


async def _set(kafka: Kafka, quotas: Mapping[str | None, Quota]) -> None:
    for code, message, _ in (await _answer(kafka, _Alter(quotas))).entries:
        _check(kafka, code, message)


async def _read(kafka: Kafka) -> dict[str | None, Quota]:
    answer = await _answer(kafka, DescribeClientQuotasRequest([(_USER, _ANY_OF_THEM, None)], False))
    _check(kafka, answer.error_code, answer.error_message)
    found: dict[str | None, Quota] = {}
    for ((_, name),), values in answer.entries or ():
        by_key = dict(values)
        own = by_key.get(BYTES)
        found[name] = Quota(None if own is None else int(own), by_key.get(REQUESTS))
    return found


async def _answer(kafka: Kafka, request: "Request[RequestStruct]") -> Response:
    client = AIOKafkaClient(**kafka.client(), client_id="robovitals.quotas")
    try:
        await client.bootstrap()
        return await client.send(client.get_random_node(), request)
    except (KafkaError, OSError) as error:
        raise UnavailableError(f"Kafka at {kafka} does not take quotas ({error!r}): `robovitals doctor`") from None
    finally:
        await client.close()


def _check(kafka: Kafka, code: int, message: str | None) -> None:
    if code:
        name = for_code(code).__name__
        raise StopError(f"Kafka at {kafka} refused user {kafka.user} a quota: {message or name}")
