"""What stands in deploy/prometheus/rules and docs/runbook.md, for tests."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "deploy" / "prometheus"
RULES = sorted((PROMETHEUS / "rules").glob("*.yml"))
RUNBOOK = ROOT / "docs" / "runbook.md"
# Of the Prometheus client and of Prometheus itself.
FOREIGN = frozenset(
    {"up", "process_start_time_seconds", "process_resident_memory_bytes", "process_cpu_seconds_total"}
)
_METRIC = re.compile(r"\b(?:robovitals_[a-z0-9_]+|process_[a-z_]+|up)(?=[{\[\s)]|$)")


def alerts() -> list[str]:
    """The names of all alerts, as often as they stand there."""
    return [name for path in RULES for name in re.findall(r"^ +- alert: (\w+)$", path.read_text(), re.MULTILINE)]


def expressions() -> dict[str, str]:
    """The expression of each alert."""
    found: dict[str, str] = {}
    for path in RULES:
        for rule in path.read_text().split("- alert: ")[1:]:
            match = re.search(r"expr: (?:\|\n)?(.*?)\n {8}(?:for|labels):", rule, re.DOTALL)
            assert match, rule
            found[rule.split("\n")[0]] = match[1]
    return found


def metrics_in(expression: str) -> set[str]:
    """The metrics that a PromQL expression asks for; labels and their values are none."""
    return set(_METRIC.findall(re.sub(r"\{[^}]*\}|by \([^)]*\)|on \([^)]*\)", "{", expression)))


def entries() -> list[str]:
    """The headings of the runbook's entries."""
    return re.findall(r"^### (\w+)$", RUNBOOK.read_text(), re.MULTILINE)


def commands() -> list[str]:
    """Every `robovitals …` that the runbook says to type."""
    found = re.findall(r"`robovitals ([^`]+)`|^robovitals ([^#\n]+)", RUNBOOK.read_text(), re.MULTILINE)
    return [(inline or block).strip() for inline, block in found]
