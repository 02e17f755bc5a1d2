"""A simulated fleet through the detectors: faults, false episodes, what each detector earns, and what they cost.

In: robots, days, a seed. Out: an `Outcome`. Called by `deploy/commands/evaluate.py`.
"""

from rich.console import Group
from rich.text import Text

from deploy.evaluate import ablation, cost
from deploy.evaluate.outcome import Outcome
from deploy.evaluate.simulated.run import run
from deploy.progress import Progress


def evaluate(robots: int, days: int, seed: int, progress: Progress) -> Outcome:
    """Raises SettingError for a fleet that is too small to say anything."""
    result = run(robots, days, seed, progress)
    without = ablation.ablate(result)
    costs = cost.measure()
    reached = "met" if costs.windows_per_s >= cost.GOAL else "MISSED"
    price = (
        f"{costs.robots} robots of {costs.joints} joints, one core: {costs.windows_per_s:,.0f} robots' windows/s, "
        f"goal {cost.GOAL:,}: {reached}"
    ).replace(",", " ")
    shown = Group(result.table(), Text(), ablation.table(without), Text(), Text(price))
    figures = {**result.as_json(), "ablation": ablation.as_json(without), "cost": costs.as_json()}
    return Outcome(shown, figures)
