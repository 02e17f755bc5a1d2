"""Users of a secured Kafka: made and deleted, what each may do, and how much.

In: an administrator's `Admin`. Out: SCRAM users, ACLs and quotas at the broker. Called by `robovitals robot` for
robots and by `deploy.local.enrol` for our own processes. Administration only: frames go by aiokafka.

Raises UnavailableError when Kafka does not let the administrator in, StopError when it refuses something.
"""

import time
from collections.abc import Iterable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

import msgspec
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialDeletion,
    UserScramCredentialUpsertion,
)

from deploy.kafka_quotas import Quota, set_quotas
from schemas.errors import StopError, UnavailableError
from schemas.kafka import Kafka

ITERATIONS = 4096
"""The least that Kafka takes. Passwords here are random, of 192 bits: more would only make connecting dearer."""
TIMEOUT_S = 15.0
_LOG_LEVEL = 0
_NOT_LET_IN = (KafkaError._TRANSPORT, KafkaError._TIMED_OUT, KafkaError._AUTHENTICATION, KafkaError._SSL,
               KafkaError._ALL_BROKERS_DOWN)  # fmt: skip

_READ, _WRITE = AclOperation.READ, AclOperation.WRITE
_TOPIC, _GROUP, _TRANSACTION = ResourceType.TOPIC, ResourceType.GROUP, ResourceType.TRANSACTIONAL_ID


class Role(msgspec.Struct, frozen=True):
    """What a user may do: names of topics, of groups, and of transactions."""

    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    transactions: tuple[str, ...] = ()


class Admin:
    """An administrator's connection."""

    def __init__(self, kafka: Kafka) -> None:
        self.kafka = kafka
        settings: dict[str, Any] = {**kafka.librdkafka(), "log_level": _LOG_LEVEL, "error_cb": _ignored}
        self.client = AdminClient(settings)


def create_user(admin: Admin, name: str, password: str) -> None:
    """A SCRAM user, or a new password for one that is there. It may do nothing yet, if it is new."""
    credential = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, ITERATIONS)
    _alter(admin, UserScramCredentialUpsertion(name, credential, password.encode()))
    # The controller has it; the broker, which is asked for it, follows within a moment.
    until_s = time.monotonic() + TIMEOUT_S
    while time.monotonic() < until_s:
        with suppress(_NoSuchUserError):
            answers: Any = admin.client.describe_user_scram_credentials([name], request_timeout=TIMEOUT_S)
            _asked(admin, answers[name])
            return
        time.sleep(0.05)
    raise UnavailableError(f"Kafka at {admin.kafka} has user {name}, and its brokers do not know it yet: once more")


def allow_producing(admin: Admin, name: str, topics: Iterable[str]) -> None:
    """All that a robot may do: write to these topics. Not read, not create, no group, no transaction."""
    allow(admin, name, Role(writes=tuple(topics)))


def allow(admin: Admin, name: str, role: Role) -> None:
    """Exactly this from here on: what the user was allowed beyond it, it may no longer."""
    wanted = {
        *(_acl(name, _TOPIC, topic, _READ) for topic in role.reads),
        *(_acl(name, _TOPIC, topic, _WRITE) for topic in role.writes),
        *(_acl(name, _GROUP, group, _READ) for group in role.groups),
        *(_acl(name, _TRANSACTION, one, _WRITE) for one in role.transactions),
    }
    there = set(_asked(admin, admin.client.describe_acls(_of(name), request_timeout=TIMEOUT_S)))
    if new := wanted - there:
        for created in admin.client.create_acls(list(new), request_timeout=TIMEOUT_S).values():
            _asked(admin, created)
    if surplus := there - wanted:
        filters = [_filter(acl) for acl in surplus]
        for deleted in admin.client.delete_acls(filters, request_timeout=TIMEOUT_S).values():
            _asked(admin, deleted)


def delete_user(admin: Admin, name: str) -> None:
    """First what it may do: that ends at once. Its connections end by the broker's `connections.max.reauth.ms`."""
    for deleted in admin.client.delete_acls([_of(name)], request_timeout=TIMEOUT_S).values():
        _asked(admin, deleted)
    set_quota(admin, name, None)
    with suppress(_NoSuchUserError):  # it has gone already
        _alter(admin, UserScramCredentialDeletion(name, ScramMechanism.SCRAM_SHA_512))


def set_quota(
    admin: Admin, name: str | None, bytes_per_s: int | None, request_percent: float | None = None
) -> None:
    """How much a user may send, and what share of one broker thread's time its requests may take.

    Without a `name`: every user that has no quota of its own. None: no quota of its own.
    """
    set_quotas(admin.kafka, {name: Quota(bytes_per_s, request_percent)})


class _NoSuchUserError(StopError):
    """There is no user of that name."""


def _alter(admin: Admin, alteration: UserScramCredentialUpsertion | UserScramCredentialDeletion) -> None:
    for altered in admin.client.alter_user_scram_credentials([alteration], request_timeout=TIMEOUT_S).values():
        _asked(admin, altered)


def _asked(admin: Admin, answer: "Future[Any]") -> Any:
    try:
        return answer.result(timeout=TIMEOUT_S + 5)
    except KafkaException as error:
        reason = error.args[0]
    if reason.code() in _NOT_LET_IN:
        raise UnavailableError(
            f"Kafka at {admin.kafka} does not let user {admin.kafka.user} in ({reason.str()}): `robovitals doctor`"
        )
    if reason.code() == KafkaError.RESOURCE_NOT_FOUND:
        raise _NoSuchUserError(f"Kafka at {admin.kafka}: {reason.str()}")
    if reason.code() == KafkaError.SECURITY_DISABLED:
        raise StopError(
            f"Kafka at {admin.kafka} lets in anybody: it has no authorizer, so users would mean nothing"
        )
    raise StopError(f"Kafka at {admin.kafka} refused user {admin.kafka.user}: {reason.str()}")


def _acl(name: str, kind: ResourceType, resource: str, operation: AclOperation) -> AclBinding:
    """Reading and writing include describing."""
    allowed, literal = AclPermissionType.ALLOW, ResourcePatternType.LITERAL
    return AclBinding(kind, resource, literal, f"User:{name}", "*", operation, allowed)


def _filter(acl: AclBinding) -> AclBindingFilter:
    """Of this one alone."""
    pattern, permission = acl.resource_pattern_type, acl.permission_type
    return AclBindingFilter(acl.restype, acl.name, pattern, acl.principal, acl.host, acl.operation, permission)


def _of(name: str) -> AclBindingFilter:
    """All that a user may do."""
    anything: Any = None  # as the library says, and its types do not
    return AclBindingFilter(
        ResourceType.ANY,
        anything,
        ResourcePatternType.ANY,
        f"User:{name}",
        anything,
        AclOperation.ANY,
        AclPermissionType.ANY,
    )


def _ignored(error: KafkaError) -> None:
    """What fails is said by the answer."""
