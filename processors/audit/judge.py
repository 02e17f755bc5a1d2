"""All rules over one life.

In: a `Life`. Out: its findings, in order of time. Called by `deploy/` for the database's robots and for simulated
ones. What one finding explains is not told as another.
"""

from processors.audit import clones, counters, hidden, ownership, scrapped, service, swap, too_low, unlogged
from processors.audit.found import Finding, Rule
from processors.audit.life import Life, near

OF_COUNTERS = (Rule.ROLLBACK, Rule.IMPOSSIBLE, Rule.UNLOGGED, Rule.TOO_LOW)


def judge(life: Life) -> list[Finding]:
    """Deterministic, and in the order of their beginnings."""
    cloned = clones.find(life)
    of_counters = [*counters.find(life), *unlogged.find(life), *too_low.find(life)]
    of_parts = [*swap.find(life), *hidden.find(life)]
    rest = [one for one in [*of_counters, *of_parts] if not _is_of_two(one, cloned)]
    found = [*cloned, *rest, *scrapped.find(life), *service.find(life)]
    found += ownership.find(life, found)
    return sorted(found, key=lambda one: (one.first_us, one.rule, one.component, one.detail))


def _is_of_two(one: Finding, cloned: list[Finding]) -> bool:
    """Whether it is only that two robots under one code differ."""
    return any(
        two.rule is Rule.CLONED_ROBOT
        and (near(one.first_us, two.first_us, two.last_us) or near(one.last_us, two.first_us, two.last_us))
        for two in cloned
        if one.rule in (*OF_COUNTERS, Rule.SWAP, Rule.HIDDEN_SWAP)
    )
