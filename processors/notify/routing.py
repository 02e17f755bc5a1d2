"""Which route an episode takes to a receiver, and what it is grouped by.

In: an anomaly and the routes. Out: the first route of each receiver that matches. Called by
`processors/notify/decide.py`. Pure.
"""

from collections.abc import Sequence
from fnmatch import fnmatchcase

from processors.notify.receivers import Config, Match, Route
from schemas.anomaly import FLEET, Anomaly, cause_of
from schemas.health import SEVERITY
from schemas.limits import MODEL_LENGTH
from schemas.robot_code import SEGMENTS

SITE = "site"
GROUP_FIELDS = (
    "about", "component", "maker", "model", "robot", "rule", "scenario", "signal", SITE, "software", "status",
)  # fmt: skip

_COUNTRY, _MAKER = SEGMENTS["country"], SEGMENTS["enterprise"]


def routes_of(config: Config, anomaly: Anomaly) -> dict[str, Route]:
    """By receiver."""
    found: dict[str, Route] = {}
    for route in config.routes:
        if matches(route.match, anomaly):
            for receiver in route.receivers:
                found.setdefault(receiver, route)
    return found


def matches(match: Match, anomaly: Anomaly) -> bool:
    """An episode of the fleet has no maker, and a model only where all of its robots have one."""
    return (
        SEVERITY[anomaly.status] >= SEVERITY[match.status]
        and (not match.about or anomaly.about in match.about)
        and (not match.robots or anomaly.robot_id.startswith(match.robots))
        and _any(match.makers, maker_of(anomaly))
        and _any(match.models, model_of(anomaly))
        and _any(match.components, anomaly.component)
        and _any(match.rules, anomaly.rule)
        and _any(match.software, anomaly.software)
    )


def group_of(route: Route, anomaly: Anomaly, site: str) -> str:
    """Equal for what goes into one mail. `site`: where the robot is; empty where nobody has said."""
    return "|".join(site if name == SITE else _field(anomaly, name) for name in route.group_by)


def maker_of(anomaly: Anomaly) -> str:
    return "" if anomaly.robot_id == FLEET else anomaly.robot_id[_COUNTRY : _COUNTRY + _MAKER]


def model_of(anomaly: Anomaly) -> str:
    if anomaly.robot_id != FLEET:
        return anomaly.robot_id[:MODEL_LENGTH]
    cause = cause_of(anomaly.cause)
    return cause.model if cause is not None else ""


def _any(patterns: Sequence[str], text: str) -> bool:
    return not patterns or any(fnmatchcase(text, pattern) for pattern in patterns)


def _field(anomaly: Anomaly, name: str) -> str:
    match name:
        case "maker":
            return maker_of(anomaly)
        case "model":
            return model_of(anomaly)
        case "robot":
            return anomaly.robot_id
    return str(getattr(anomaly, name))
