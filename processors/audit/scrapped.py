"""A robot works after the entry that scrapped it.

In: a `Life`. Out: a finding at most. Called by `judge.py`.

The day that an entry names is not exact, and whoever takes a robot apart may switch it on once more. So it is
established where its runtime goes on, and suspected where it is only heard of.
"""

from processors.audit.counters import FORGOTTEN_S
from processors.audit.found import Confidence, Evidence, Finding, Rule
from processors.audit.life import SUPPORT, Life
from schemas.columns import ABSENT
from schemas.hours import DAY_US

LEEWAY_DAYS = 2
"""Ours: a scrapping's date may be so far early."""


def find(life: Life) -> list[Finding]:
    """None or one."""
    scrapped = life.history.scrapped
    if scrapped is None:
        return []
    hours = life.vouched
    after = hours.at(hours.last_us > scrapped.happened_us + LEEWAY_DAYS * DAY_US)
    if len(after) < SUPPORT:
        return []
    counts = after.runtime_s[after.runtime_s != ABSENT]
    ran_s = int(counts.max() - counts.min()) if len(counts) else 0
    sure = ran_s > FORGOTTEN_S
    evidence = Evidence(
        f"{len(after)} hours of telemetry after entry {scrapped.number}, {ran_s / 3600:.1f} h of runtime in them",
        (scrapped.number,),
        int(after.last_us[0]),
        {"hours": len(after), "ran_s": ran_s},
    )
    return [
        Finding(
            robot_id=life.robot_id,
            rule=Rule.SCRAPPED,
            component="robot",
            first_us=scrapped.happened_us,
            last_us=int(after.last_us[-1]),
            confidence=Confidence.ESTABLISHED if sure else Confidence.SUSPECTED,
            text=f"It was {'in use' if sure else 'switched on'} after it had been scrapped.",
            evidence_for=(evidence,),
            evidence_against=()
            if sure
            else (Evidence("switched on, but hardly run: it may have been taken apart"),),
        )
    ]
