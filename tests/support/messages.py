"""One message of every kind and version, as `tests/golden/` keeps them."""

import msgspec
import numpy as np

from processors.episodes import Episode, Record, Service
from processors.findings import Level
from schemas.action import Action, Kind
from schemas.anomaly import About, AlarmState, Anomaly, Transition
from schemas.health import ComponentHealth, Evidence, Health, RemainingLife, Status, Zone
from schemas.layout import parse_layout
from schemas.reject import Reject
from schemas.signals import MODES, STATISTICS
from schemas.vitals import FINAL, WINDOW_COLUMNS, Acted, Crossing, Late, Pulse, Vitals, pack_statistics
from support.frames import CODE, TIME_US

LAYOUT = parse_layout("2:joint_temperature_c,battery_soc")


def vitals() -> Vitals:
    """A window of one robot with 30.5 °C in one joint, nothing in the other, and a battery at 0.75."""
    values = np.float32([[30.5, np.nan, 0.75]])
    numbers = {name: np.array([i], kind).tobytes() for i, (name, kind) in enumerate(WINDOW_COLUMNS.items()) if i}
    numbers["mode"] = np.array([MODES.index("working")], "<i2").tobytes()
    return Vitals(
        v=1,
        shard=3,
        layout=LAYOUT.text,
        kind=FINAL,
        start_us=TIME_US,
        length_us=10_000_000,
        robot_id=CODE.encode(),
        **numbers,
        software=["1.0"],
        scenario=["factory_line"],
        statistics=pack_statistics(LAYOUT, dict.fromkeys(STATISTICS, values)),
    )


CROSSING = Crossing(
    v=1, robot_id=CODE, boot_id=7, seq=9, time_us=TIME_US, received_us=TIME_US + 5, signal="joint_temperature_c",
    joint=2, side="above", value=91.5, limit=90.0, software="1.0", scenario="factory_line",
)  # fmt: skip
LATE = Late(
    v=1, partition=2, length_us=10_000_000, robot_id=[CODE], start_us=[TIME_US], offset=[41], reason=[0],
    time_us=[TIME_US + 1], received_us=[TIME_US + 9],
)  # fmt: skip
PULSE = Pulse(v=1, partition=2, now_us=TIME_US + 10, watermark_us=TIME_US)
EVIDENCE = Evidence(
    rule="limit", signal="joint_temperature_c", value=91.5, unit="°C", limit=90.0, since_us=TIME_US, text="too hot"
)
HEALTH = Health(
    v=1, robot_id=CODE, time_us=TIME_US, last_seen_us=TIME_US, received_us=TIME_US + 5, status=Status.OFF_SPEC,
    zone=Zone.D, mode="working", software="1.0", scenario="factory_line", open_episodes=1,
    components=[
        ComponentHealth(component="joint/2", status=Status.OFF_SPEC, zone=Zone.D, evidence=[EVIDENCE]),
        ComponentHealth(component="battery", status=Status.NORMAL, zone=Zone.A),
    ],
)  # fmt: skip
WEARING = Health(
    v=1, robot_id=CODE, time_us=TIME_US, last_seen_us=TIME_US, received_us=TIME_US + 5,
    status=Status.MAINTENANCE_REQUIRED, zone=Zone.C, mode="working", software="1.0", scenario="factory_line",
    open_episodes=1,
    components=[
        ComponentHealth(
            component="joint/2", status=Status.MAINTENANCE_REQUIRED, zone=Zone.C, last_value_us=TIME_US - 7,
            evidence=[
                Evidence(
                    rule="trend", signal="joint_wear", value=0.7, unit="", limit=0.8, since_us=TIME_US, text="worn",
                    last_us=TIME_US + 1, side="above", baseline=0.1, confidence=0.9, rule_version=1,
                    episode_id="e-1",
                )
            ],
            remaining_life=RemainingLife(
                signal="joint_wear", days=20.5, low=12.0, high=None, limit=0.8, text="about 20 days"
            ),
        ),
    ],
)  # fmt: skip
ANOMALY = Anomaly(
    v=1, robot_id=CODE, episode_id="e-1", episode=1, number=1, transition=Transition.OPENED, rule="limit",
    rule_version=1, component="joint/2", signal="joint_temperature_c", status=Status.OFF_SPEC, value=91.5,
    unit="°C", limit=90.0, first_us=TIME_US, last_us=TIME_US, count=1, live=True, software="1.0",
    scenario="factory_line", text="too hot",
)  # fmt: skip
SILENT = Anomaly(
    v=1, robot_id=CODE, episode_id="e-2", episode=2, number=3, transition=Transition.ACKNOWLEDGED, rule="silence",
    rule_version=1, component="robot", signal="", status=Status.UNKNOWN, value=None, unit="", limit=None,
    first_us=TIME_US, last_us=TIME_US, count=1, live=True, software="1.0", scenario="factory_line", text="quiet",
    about=About.DATA, baseline=0.5, confidence=0.9, state=AlarmState.ACKNOWLEDGED_ACTIVE, active=True,
    chattering=True, parent="p-1", cause="silence|||ZZTESTMODEL1|1.0", actor="Ada", note="seen",
    acted_us=TIME_US + 7, until_us=TIME_US + 9,
)  # fmt: skip
ACTION = Action(
    v=1, id="a-1", robot_id=CODE, kind=Kind.SHELVE, actor="Ada", time_us=TIME_US, episode_id="e-1",
    component="joint/2", note="new belt on its way", until_us=TIME_US + 5, parent="",
)  # fmt: skip
ACTED = Acted(v=1, action=ACTION, taken_us=TIME_US + 3)
EPISODE = Episode(
    id="e-1", number=4, transition=3, rule="limit", component="joint/2", signal="joint_temperature_c", side="above",
    level=Level.ALARM, value=91.5, limit=90.0, first_us=TIME_US, last_us=TIME_US + 10_000_000, windows=2,
    crossings=1, earlier=0,
)  # fmt: skip
ENDED = msgspec.structs.replace(EPISODE, id="e-0", number=3, level=Level.OK, value=None, acknowledged=True)
RECORD_OF_V1 = Record(opened=4, episodes=(ENDED, EPISODE), health_us=TIME_US + 10_000_000)
RECORD = Record(
    opened=4,
    episodes=(
        msgspec.structs.replace(
            EPISODE, was=Level.WARN, baseline=40.5, confidence=0.9, software="1.0", acknowledged=True,
            shelved_us=TIME_US + 1, parent="p-1", told_parent="p-2", starts=(TIME_US, TIME_US + 5),
            hold_us=300_000_000, quiet=True, due_us=TIME_US + 9,
        ),
    ),
    health_us=TIME_US,
    acted=("a-1", "a-2"),
    services=(Service("joint/2", "Ada", TIME_US),),
)  # fmt: skip
REJECT = Reject(
    v=1, topic="telemetry.frames", partition=2, offset=41, received_us=TIME_US, reason="undecodable",
    detail="truncated", key=CODE.encode(), value=b"\xc1",
)  # fmt: skip
