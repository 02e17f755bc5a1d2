"""The lander's limits from the environment."""

import pytest

from deploy.commands.land import reject_policy
from ingest.reject_limit import RejectPolicy
from schemas.errors import SettingError


def test_the_defaults_are_the_policys():
    assert reject_policy({}) == RejectPolicy()


def test_the_environment_sets_run_and_share():
    policy = reject_policy({"ROBOVITALS_REJECT_RUN": "50", "ROBOVITALS_REJECT_SHARE": "1"})
    assert (policy.run, policy.share, policy.window) == (50, 1.0, RejectPolicy().window)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RUN", "0"),
        ("RUN", "many"),
        ("RUN", "-1"),
        ("SHARE", "0"),
        ("SHARE", "1.1"),
        ("SHARE", "nan"),
        ("SHARE", ""),
    ],
)
def test_a_wrong_value_is_named(name: str, value: str):
    with pytest.raises(SettingError, match=f"ROBOVITALS_REJECT_{name}='{value}'"):
        reject_policy({f"ROBOVITALS_REJECT_{name}": value})
