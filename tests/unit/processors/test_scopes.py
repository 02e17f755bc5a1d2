"""Whom an episode of the fleet is about."""

from processors.scopes import ANY, Pattern, fits, narrowest, shares_software, widened, words


def test_the_narrowest_pattern_is_that_of_nine_in_ten() -> None:
    assert narrowest([("A", "1")] * 9 + [("B", "2")]) == Pattern("A", "1")
    assert narrowest([("A", "1")] * 5 + [("B", "1")] * 4 + [("B", "2")]) == Pattern(None, "1")
    assert narrowest([("A", "1")] * 5 + [("A", "2")] * 5) == Pattern("A", None)
    assert narrowest([("A", "1")] * 8 + [("B", "2")] * 2) == ANY


def test_of_equally_many_the_first_by_name_counts() -> None:
    robots = [("A", "1"), ("A", "2"), ("B", "1"), ("B", "2")]
    assert narrowest(robots) == narrowest(robots[::-1]) == ANY


def test_a_scope_takes_in_what_it_covers_and_forgets_what_is_covered() -> None:
    one = (Pattern("A", "1"),)
    assert widened(one, Pattern("A", "1")) == one
    assert widened(one, Pattern("A", None)) == (Pattern("A", None),)
    both = widened(one, Pattern("B", "2"))
    assert [fits(both, model, software) for model, software in (("A", "1"), ("B", "2"), ("A", "2"))] == [
        True,
        True,
        False,
    ]


def test_two_models_with_one_software_are_that_software_and_two_softwares_of_a_model_are_that_model() -> None:
    assert widened((Pattern("A", "1"),), Pattern("B", "1")) == (Pattern(None, "1"),)
    assert widened((Pattern("A", "1"),), Pattern("A", "2")) == (Pattern("A", None),)
    mixed = (Pattern("A", "1"), Pattern("C", "3"))
    assert widened(mixed, Pattern("B", "1")) == (Pattern(None, "1"), Pattern("C", "3"))


def test_a_scope_of_too_many_patterns_is_all() -> None:
    scope = (Pattern("A", "1"),)
    for number, model in enumerate("BCDE"):
        scope = widened(scope, Pattern(model, f"x{number}"))
    assert scope == (ANY,)
    assert words(scope) == ""


def test_software_is_shared_only_where_both_name_it() -> None:
    assert shares_software((Pattern("A", "1"),), Pattern("B", "1"))
    assert not shares_software((ANY,), Pattern("B", "1"))
    assert not shares_software((ANY,), ANY)


def test_a_long_software_does_not_fill_the_sentence() -> None:
    assert words((Pattern(None, "x" * 500),)) == f"with software {'x' * 39}…"
