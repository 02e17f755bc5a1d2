"""A robot with a past in the database, as the lander would have left it: for tests of what is shown of it."""

from datetime import UTC, datetime, timedelta

import asyncpg
import msgspec

from schemas.health import ComponentHealth, Evidence, RemainingLife, Status, Zone
from support.assess import robot

CODE = robot(1)
JOINTS = 6
GAP_H = (15, 12)
"""Nothing came between so many hours ago."""
HOSTILE = '<img src=x onerror="document.title=1">'
_TEMPERATURES = "ARRAY[40, 41, 42, 43, 44, 45]::real[]"
_WEARS = "ARRAY[0.1, 0.2, 0.3, 0.1, 0.1, 0.1]::real[]"

VITALS = f"""
INSERT INTO vitals (robot_id, start, length_us, kind, frames, first_seq, last_seq, boot_id, missing, last_time,
    received, fault_frames, backfill_frames, mode, software, scenario, joint_temperature_c_last,
    joint_temperature_c_mean, joint_temperature_c_min, joint_temperature_c_max, joint_wear_last, joint_wear_max,
    battery_soc_last, battery_soc_min, battery_soh_last, battery_soh_min, pose_accuracy_mm_last,
    pose_accuracy_mm_mean)
SELECT $1, start, 60000000, 0, 6, 0, 5, 7, 0, start + interval '50 s', start + interval '50 s', 0, 0, 1, 'v1',
    'line', {_TEMPERATURES}, {_TEMPERATURES}, {_TEMPERATURES}, {_TEMPERATURES}, {_WEARS}, {_WEARS}, 0.8, 0.8, 0.95,
    0.95,
    CASE WHEN extract(minute FROM start)::int % 5 = 0 THEN 0.5 END,
    CASE WHEN extract(minute FROM start)::int % 5 = 0 THEN 0.5 END
FROM generate_series($2::timestamptz - interval '24 hours', $2::timestamptz, interval '60 s') AS start
WHERE start < $2::timestamptz - interval '{GAP_H[0]} hours'
   OR start > $2::timestamptz - interval '{GAP_H[1]} hours'
"""
FRAMES = f"""
INSERT INTO frame (robot_id, time, seq, boot_id, mono_us, received, mode, backfill, scenario, software,
    joint_temperature_c, joint_wear, battery_soc, battery_soh)
SELECT $1, at, 1000 - n, 7, 0, at, 1, false, 'line', 'v1',
    {_TEMPERATURES}, {_WEARS}, 0.8, 0.95
FROM generate_series(0, 360) AS n, LATERAL (SELECT $2::timestamptz - n * interval '10 s' AS at) AS moment
"""
EPISODE = """
INSERT INTO episode (episode_id, robot_id, episode, rule, rule_version, component, signal, about, status, state,
    active, chattering, parent, cause, opened, last_sign, cleared, transitions, count, live, value, unit,
    limit_value, software, scenario, text, actor, note, acted)
VALUES ($1, $2, 1, 'limit', 1, $3, 'joint_temperature_c', 'machine', 'OFF_SPEC', $4, $5, false, '', '', $6, $6, $7,
    2, 3, true, 95, '°C', 90, 'v1', 'line', $8, $9, '', $6)
"""
ACKNOWLEDGED = """
INSERT INTO anomaly (episode_id, number, robot_id, episode, transition, rule, rule_version, component, signal,
    status, unit, first_time, last_time, count, live, software, scenario, text, state, active, actor, acted)
VALUES ($1, 2, $2, 1, 'acknowledged', 'limit', 1, 'joint/3', 'joint_temperature_c', 'OFF_SPEC', '°C', $3, $3, 1,
    true, 'v1', 'line', 'hot', 'acknowledged_active', true, 'mira', $3)
"""


def components(status: Status, zone: Zone, now: datetime) -> list[ComponentHealth]:
    """Joint 3 is hot; the rest has `status` and `zone`."""
    since_us = int((now - timedelta(minutes=30)).timestamp() * 1e6)
    hot = Evidence(
        rule="limit", signal="joint_temperature_c", value=95, unit="°C", limit=90, since_us=since_us,
        text="Joint 3 temperature is 95 °C, above its alarm limit of 90 °C.",
    )  # fmt: skip
    life = RemainingLife(signal="joint_wear", days=40, low=30, high=60, limit=0.8, text="about 40 days (30 to 60)")
    third = ComponentHealth(
        component="joint/3", status=Status.OFF_SPEC, zone=Zone.D, evidence=[hot], remaining_life=life
    )
    names = [f"joint/{number}" for number in range(1, JOINTS + 1) if number != 3] + ["battery", "accuracy", "robot"]
    return [third, *(ComponentHealth(component=name, status=status, zone=zone) for name in names)]


async def seed(database_url: str, now: datetime, silent: bool = False) -> None:
    """The robot, 24 hours of it with a gap, one episode that is acknowledged and one that is over. `silent`:
    nothing has come for an hour.
    """
    last = now - timedelta(hours=1) if silent else now
    status, zone = (Status.UNKNOWN, Zone.NONE) if silent else (Status.NORMAL, Zone.A)
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(
            "INSERT INTO robot (robot_id, first_time) VALUES ($1, $2)", CODE, now - timedelta(days=9)
        )
        await connection.execute(
            "INSERT INTO health VALUES ($1, $2, $3, $3, $4, $5, 'working', $6, 'line', 1, $7::text::jsonb)",
            CODE, now, last, "UNKNOWN" if silent else "OFF_SPEC", zone.value, HOSTILE,
            msgspec.json.encode(components(status, zone, now)).decode(),
        )  # fmt: skip
        await connection.execute(VITALS, CODE, last)
        await connection.execute(FRAMES, CODE, last)
        opened = now - timedelta(minutes=30)
        hot = "Joint 3 temperature is 95 °C, above its alarm limit of 90 °C."
        await connection.execute(
            EPISODE, "e1", CODE, "joint/3", "acknowledged_active", True, opened, None, hot, "mira"
        )
        await connection.execute(ACKNOWLEDGED, "e1", CODE, opened + timedelta(minutes=5))
        began, ended = now - timedelta(hours=20), now - timedelta(hours=19)
        await connection.execute(EPISODE, "e0", CODE, "joint/1", "normal", False, began, ended, HOSTILE, "")
    finally:
        await connection.close()


def now() -> datetime:
    return datetime.now(UTC)
