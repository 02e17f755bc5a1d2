"""The fleet: how many robots are how, what calls somebody, and what many have in common. Over TimescaleDB."""

from deploy.grafana.panels import Dashboard, Panel, Variable, sql

MODELS = "SELECT DISTINCT enterprise || model FROM robot ORDER BY 1"
ROBOT = ("this robot", "/d/robovitals-robot?var-robot=${__data.fields.robot_id}&${__url_time_range}")

DASHBOARD = Dashboard(
    uid="robovitals-fleet",
    title="robovitals: fleet",
    text="How many robots are how, what calls somebody, and what many robots have in common",
    variables=(Variable("model", "maker and model", MODELS),),
    panels=(
        Panel("Robots by status", "stat", (sql("robots_by_status"),), width=12, height=5),
        Panel(
            "Robots seen", "stat", (sql("robots_seen"),), width=6, height=5,
            text="A robot that sends nothing is UNKNOWN: its silence resolves nothing",
        ),
        Panel("Alarms by state", "stat", (sql("alarms_by_state"),), width=6, height=5),
        Panel(
            "What calls somebody, and what somebody knows of", "table", (sql("open_alarms"),), width=24, height=10,
            links=(ROBOT,),
        ),
        Panel("Episodes of the fleet", "table", (sql("fleet_episodes"),), width=12),
        Panel("Alarms by model and software", "table", (sql("alarms_by_software"),), width=12),
        Panel("Alarms opened, by rule", "timeseries", (sql("alarms_opened", series=True),), "short", stacked=True),
        Panel(
            "Frames in windows, and missing", "timeseries", (sql("fleet_frames", series=True),), "short",
            text="Missing are sequence numbers that no frame of the window had",
        ),
        Panel("Rejects", "table", (sql("rejects"),)),
        Panel(
            "Least remaining life, in days", "table", (sql("remaining_life"),), width=24, links=(ROBOT,),
            text="An estimate; at least and at most hold in 80 of 100 cases",
        ),
    ),
)  # fmt: skip
