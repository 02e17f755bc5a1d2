"""A verdict names what is red, up to a number of examples, and says how many more there are."""

from deploy.ledger.verdict import EXAMPLES, Check, Verdict, named


def verdict(*checks: Check) -> Verdict:
    return Verdict(seed=1, records=10, acknowledged=9, rest=None, checks=list(checks))


def test_it_balances_when_nothing_is_wrong_and_names_what_is():
    assert verdict(Check("a", counted=5), Check("b")).balanced
    red = Check("b", counted=5)
    red.add(EXAMPLES + 3, (f"row {number}" for number in range(EXAMPLES + 3)))
    found = verdict(Check("a"), red)
    assert (found.balanced, found.red) == (False, ["b"])
    assert named(found) == [*(f"b: row {number}" for number in range(EXAMPLES)), "b: and 3 more"]
    assert found.as_json()["balanced"] is False


def test_nothing_wrong_has_no_line():
    assert named(verdict(Check("a", counted=3))) == []
