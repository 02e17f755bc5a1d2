"""A filter as a condition: only what is set, and no text of it in the SQL."""

from serve.filters import Condition, Filter, of_code, of_robot

EVERYTHING = Filter(
    models=("M'--",), makers=("K'--",), statuses=("S'--",), component="C'--", scenario="N'--", software="W'--",
    text="t'--", prefixes=("P'--",),
)  # fmt: skip


def test_what_asks_for_nothing_holds_for_every_robot():
    assert (of_robot(Filter()).sql, of_robot(Filter()).parameters) == ("true", [])


def test_no_text_of_a_filter_gets_into_the_sql():
    condition = of_robot(EVERYTHING)
    assert "'--" not in condition.sql
    assert condition.parameters == [
        ["P'--"], ["K'--"], ["M'--"], "T'--", ["S'--"], "N'--", "W'--", "C'--",
    ]  # fmt: skip


def test_parameters_count_on_from_the_first():
    condition = of_robot(EVERYTHING, first=4)
    assert all(f"${number}" in condition.sql for number in range(4, 12))
    assert "$3" not in condition.sql


def test_what_the_code_tells_is_the_beginning_of_all_of_it():
    assert of_robot(EVERYTHING).sql.startswith(of_code(EVERYTHING).sql)


def test_no_prefix_is_no_robot_and_none_is_all():
    assert of_code(Filter(prefixes=())).parameters == [[]]
    assert of_code(Filter(prefixes=None)).sql == "true"


def test_an_empty_scenario_is_one_that_can_be_asked_for():
    assert of_robot(Filter(scenario="")).parameters == [""]


def test_parts_are_joined_by_and():
    condition = Condition()
    condition.add("a = {}", 1)
    condition.add("b IN ({0}, -{0})", 2)
    assert condition.sql == "a = $1 AND b IN ($2, -$2)"
