"""Whom each of our processes may be at a secured Kafka, and what that user may do: no more than its work needs.

In: nothing. Out: `ROLES` by process, which is also the user's name. Called by `deploy.local`, which makes them;
whoever runs Kafka elsewhere makes the same (docs/security.md).
"""

from deploy.kafka_users import Role
from ingest.batch import LANDED_TOPICS
from ingest.source import GROUP as LAND_GROUP
from processors.faust_app import TOPICS as ASSESSED
from processors.forward_actions import GROUP as ACTIONS_GROUP
from processors.group import GROUP as SUMMARISE_GROUP
from processors.group_store import TRANSACTIONAL_ID
from processors.notify.inlet import GROUP as NOTIFY_GROUP
from processors.notify.inlet import TOPICS as NOTIFIED
from schemas.topics import ACTIONS, ANOMALIES, ASSESSOR_APP, CHECKPOINTS, FRAMES, HEALTH, LOGBOOK, REJECTS, VITALS

_ASSESSED = tuple(topic.name for topic in ASSESSED)

ROLES = {
    "land": Role(reads=LANDED_TOPICS, writes=(REJECTS.name,), groups=(LAND_GROUP,)),
    "summarise": Role(reads=(FRAMES.name,), writes=(VITALS.name,), groups=(SUMMARISE_GROUP,)),
    # It reads and writes all of its own: what it has told, its state, and what its grouping adopts.
    "assess": Role(
        reads=_ASSESSED,
        writes=_ASSESSED,
        groups=(ASSESSOR_APP, ACTIONS_GROUP),
        transactions=(TRANSACTIONAL_ID,),
    ),
    "retain": Role(writes=(CHECKPOINTS.name, LOGBOOK.name)),
    "notify": Role(reads=NOTIFIED, groups=(NOTIFY_GROUP,)),
    # Frames: those that an administrator drives again after a reject. Logbooks: entries that authors have signed.
    "serve": Role(reads=(HEALTH.name, ANOMALIES.name), writes=(ACTIONS.name, FRAMES.name, LOGBOOK.name)),
    # A fleet, and an operator who answers its alarms.
    "simulate": Role(reads=(ANOMALIES.name,), writes=(FRAMES.name, ACTIONS.name)),
}
