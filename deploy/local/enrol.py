"""The users of a secured Kafka of one's own: one for each process, with what it may do; how much anybody may send.

In: a running `KafkaServer`. Out: users at the broker, as `deploy/kafka_roles.py` has them. Called by
`deploy.local.stack` at every start, so that a later version's processes find what they need.
"""

from deploy.kafka_quotas import Quota, set_quotas
from deploy.kafka_roles import ROLES
from deploy.kafka_users import Admin, allow, create_user
from deploy.local.kafka import KafkaServer
from deploy.local.security import ADMIN
from schemas.kafka import Kafka

ROBOT = Quota(bytes_per_s=256 * 1024, request_percent=10)
"""Of whoever has none of its own, as robots: 400 frames/s of 650 bytes. Ours; `set_quota` gives a user another."""
OURS = Quota(bytes_per_s=2**40, request_percent=10_000)
"""None: what counts for robots must not slow down the processes that read what they send, nor a replay."""


def enrol(server: KafkaServer) -> dict[str, Kafka]:
    """How each process reaches it. Raises StopError."""
    admin = Admin(server.access)
    found = {name: server.access_of(name) for name in ROLES}
    for name, role in ROLES.items():
        password = found[name].password
        assert password is not None, "a secured Kafka's users have one"
        create_user(admin, name, password)
        allow(admin, name, role)
    set_quotas(admin.kafka, {None: ROBOT, **dict.fromkeys((*ROLES, ADMIN), OURS)})
    return found
