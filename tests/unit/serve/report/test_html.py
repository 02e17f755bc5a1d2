import re

import msgspec

from serve.report import html, seal
from serve.report.compose import compose
from support.reports import hardly_any_facts, messy_facts, signed_of


def test_a_page_needs_nothing_from_elsewhere_and_runs_no_script():
    page = html.draw(signed_of(messy_facts())).decode()
    (script,) = re.findall(r"<script[^>]*>", page)
    assert 'type="application/json"' in script
    outside = page[: page.index(script)]
    assert not re.search(r"(src|href|action|srcset)=", outside)
    assert "@import" not in outside
    assert "url(" not in outside


def test_what_people_wrote_is_text_and_never_markup():
    """The operator's site is a script tag."""
    signed = signed_of(messy_facts())
    assert "<script>alert" in msgspec.json.encode(signed).decode()
    page = html.draw(signed).decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_text_cannot_turn_its_direction_nor_hide_in_control_characters():
    facts = messy_facts()
    finding = msgspec.structs.replace(facts.findings[0], text="was \u202e008 9\u202c and \x07")
    signed = signed_of(msgspec.structs.replace(facts, findings=(finding,)))
    page = html.draw(signed).decode()
    assert not set("\u202e\u202c\x07") & set(page)
    data = html.data_in(page.encode())
    assert data is not None
    assert seal.decode(data, in_form=False) == signed


def test_the_first_page_has_the_verdict_and_all_sections_follow():
    paper = compose(signed_of(messy_facts()))
    assert paper.stamp == "Something is wrong"
    assert [name for name, _ in paper.summary] == ["What is known", "What is wrong", "How much the data covers"]
    keys = [section.key for section in paper.sections]
    assert keys[:3] == ["findings", "integrity", "coverage"]
    assert keys[-1] == "unknown"
    assert len(set(keys)) == 13


def test_a_robot_that_hardly_anything_is_known_of_has_all_sections_too():
    paper = compose(signed_of(hardly_any_facts()))
    assert len(paper.sections) == 13
    assert dict(paper.facts)["Maintenance overdue"].text == "no plan on record"
    assert dict(paper.facts)["Findings"].text == "nobody has looked"


def test_a_finding_has_what_speaks_for_and_against_it():
    section = compose(signed_of(messy_facts())).sections[0]
    assert [card.badge.text for card in section.cards] == [
        "established", "established", "suspected", "closed on 2026-02-16",
    ]  # fmt: skip
    assert [name for name, _ in section.cards[0].groups] == ["For it", "Against it"]
