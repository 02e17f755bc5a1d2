"""One robot's conditions as rules report them, and its record as they, people and time leave it."""

from dataclasses import dataclass, field
from typing import Any

from processors import actions, lifecycle, timers
from processors.episodes import Episode, Record, Robot, state_of
from processors.findings import EVERYTHING, LIMIT, MODE, SILENCE, Finding, Level, Report
from schemas.action import Action, Kind
from schemas.anomaly import AlarmState, Anomaly, Transition
from support.assess import robot, start_of

ME = Robot(robot(1), "1.0", "factory_line")


def finding(number: int, level: Level = Level.ALARM, **changes: Any) -> Finding:
    """Joint 3 is hot in the n-th window."""
    usual: dict[str, Any] = {
        "rule": LIMIT, "component": "joint/3", "signal": "joint_temperature_c", "side": "above", "level": level,
        "value": 95.0, "limit": 90.0, "first_us": start_of(number), "last_us": start_of(number) + 9_000_000,
        "windows": 1, **changes,
    }  # fmt: skip
    return Finding(**usual)


def at_window(number: int, *findings: Finding) -> Report:
    return Report(rules=(LIMIT, MODE), until_us=start_of(number + 1), findings=list(findings))


def silence(level: Level, first_us: int, last_us: int) -> Report:
    found = finding(
        0, level, rule=SILENCE, component="robot", signal="", side="", value=None, limit=None, windows=0,
        first_us=first_us, last_us=last_us,
    )  # fmt: skip
    return Report(rules=(SILENCE,), until_us=EVERYTHING, findings=[found])


@dataclass
class Operated:
    """Windows are seen by the broker when they end."""

    record: Record = field(default_factory=Record)
    told: list[Anomaly] = field(default_factory=list)
    actions: int = 0

    def see(self, number: int, *findings: Finding) -> "Operated":
        """The n-th window."""
        return self.report(start_of(number + 1), at_window(number, *findings))

    def report(self, received_us: int, *reports: Report) -> "Operated":
        self.record, told = lifecycle.apply(self.record, ME, reports, received_us)
        self.told += told
        return self

    def do(self, kind: Kind, at_us: int, **changes: Any) -> "Operated":
        """Raises RejectError."""
        self.actions += 1
        usual: dict[str, Any] = {"id": f"a-{self.actions}", "actor": "Ada", "time_us": at_us, **changes}
        return self.take(Action(v=1, robot_id=ME.code, kind=kind, **usual), at_us)

    def take(self, action: Action, taken_us: int) -> "Operated":
        self.record, told = actions.apply(self.record, ME, action, taken_us)
        self.told += told
        return self

    def pulse(self, now_us: int) -> "Operated":
        self.record, told = timers.step(self.record, ME, now_us)
        self.told += told
        return self

    @property
    def transitions(self) -> list[Transition]:
        return [anomaly.transition for anomaly in self.told]

    @property
    def episode(self) -> Episode:
        """The newest one of a limit."""
        return [episode for episode in self.record.episodes if episode.rule == LIMIT][-1]

    @property
    def state(self) -> AlarmState:
        return state_of(self.record, self.episode)
