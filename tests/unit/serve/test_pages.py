"""What templates make of values: whatever a robot sent is text."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi import Request

from serve.files import STATIC, TEMPLATES
from serve.pages import _ENVIRONMENT, Page, problem_page, render, wants_page
from serve.people import Person, Role

CODE = "ZZSIMUHUMA230000000100000001A"
NASTY = '"><script>alert(1)</script>'
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def request(path: str = "/", accept: str = "text/html") -> Request:
    headers = [(b"accept", accept.encode())]
    return Request({"type": "http", "method": "GET", "path": path, "headers": headers, "query_string": b""})


def drawn(template: str, **values: object) -> str:
    return _ENVIRONMENT.from_string(template).render(**values)


@pytest.mark.parametrize(
    "template",
    [
        "{{ x }}",
        "{{ x | code }}",
        "{{ x | rule }}",
        "{{ x | state }}",
        "{{ 1.0 | quantity(x) }}",
        "{{ x | brief }}",
    ],
)
def test_no_filter_makes_markup_of_what_it_is_given(template):
    assert "<script" not in drawn(template, x=NASTY)


def test_a_code_is_shown_by_its_segments_and_leads_to_its_robot():
    shown = drawn("{{ code | code }}", code=CODE)
    assert f'href="/robots/{CODE}"' in shown
    assert "HUMA23" in shown


def test_the_letter_of_a_status_is_not_read_out_beside_its_name():
    assert '<b aria-hidden="true">F</b>Failure' in drawn("{{ 'FAILURE' | status }}")


def test_an_age_can_be_counted_on_by_the_page():
    shown = drawn("{{ t | ago(now) }}", t=datetime(2025, 12, 31, 23, 55, 48, tzinfo=UTC), now=NOW)
    assert 'datetime="2025-12-31T23:55:48.000000Z"' in shown
    assert ">4 m 12 s<" in shown


def test_what_was_never_seen_and_what_has_no_value_are_said():
    assert "never" in drawn("{{ none | ago(now) }}", now=NOW)
    assert "–" in drawn("{{ none | quantity('V') }}{{ none | zone }}{{ none | when }}")


def test_a_viewer_is_offered_no_deeds():
    viewer = Person(name=NASTY, role=Role.VIEWER, fleets=None, prefixes=("*",))
    shown = render(request(), viewer, Page("problem.html", {"title": "gone", "status": 404, "detail": NASTY}))
    assert 'data-may-act="no"' in shown
    assert "<script>" not in shown


def test_an_error_is_a_page_for_people_and_a_document_for_programs():
    assert wants_page(request("/robots/x"))
    assert not wants_page(request("/api/v1/robots/x"))
    assert not wants_page(request("/robots/x", "application/json"))
    assert "no such robot" in problem_page(request(), 404, "not found", "no such robot")


def test_no_template_holds_a_script_or_a_style_of_its_own():
    for path in TEMPLATES.glob("*.html"):
        text = path.read_text()
        assert " style=" not in text, path.name
        assert "<style" not in text, path.name
        assert " onclick=" not in text, path.name
        assert text.count("<script") == text.count('<script type="module" src='), path.name


@pytest.mark.parametrize("path", sorted(STATIC.glob("*.mjs")), ids=lambda path: path.name)
def test_no_script_makes_markup_from_text(path: Path):
    text = path.read_text()
    for forbidden in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert forbidden not in text


@pytest.mark.parametrize("path", sorted(STATIC.glob("*.mjs")), ids=lambda path: path.name)
def test_a_script_is_short(path: Path):
    assert len(path.read_text().splitlines()) <= 350
