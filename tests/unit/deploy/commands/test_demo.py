"""Where the demo's robots are."""

from collections import defaultdict

from deploy.commands.demo import SEED, SITES, placings
from ingest.traits import MODELS, robot


def test_each_simulated_robot_has_a_site_and_each_site_robots_of_every_model() -> None:
    models = defaultdict(set)
    for number, placing in enumerate(placings(200), 1):
        member = robot(SEED, number)
        assert placing.code == member.code
        models[placing.site].add(member.model)
    assert models.keys() == set(SITES)
    assert all(found == set(MODELS) for found in models.values())
