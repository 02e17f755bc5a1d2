"""The page in a real Chromium over a real stack: what an operator does from an alarm to its end."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from support.browser import WITHIN_MS, PageStack, Visitor, barriers, page_stack, real_browser, visit

ROBOTS = 24
MODELS = 3
PAGES = ("/", "/alarms", "/alarms?part=out_of_service", "/login", "/nowhere")
expect.set_options(timeout=WITHIN_MS)


@pytest.fixture(scope="module")
def running(stack, template, tmp_path_factory) -> Iterator[PageStack]:
    with page_stack(stack, template, "page", tmp_path_factory.mktemp("page"), ROBOTS) as started:
        yield started


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with real_browser() as started:
        yield started


@pytest.fixture(scope="module")
def operator(browser: Browser, running: PageStack) -> Visitor:
    return Visitor(browser, running, "operator", "mira")


def shown(code: str) -> re.Pattern[str]:
    """A robot's code as pages write it."""
    return re.compile(f"{code[:2]}-{code[2:6]}-{code[6:12]}-{code[12:]}")


def alarm_of(page: Page, code: str):
    return page.locator("table.alarms tbody tr", has_text=shown(code)).filter(has_text="backlash")


def test_an_alarm_comes_by_itself_is_acknowledged_and_ends(running: PageStack, operator: Visitor):
    with operator.page("/alarms") as page:
        expect(page.locator("#live")).to_have_attribute("data-state", "live")
        code = running.break_robot(2)
        row = alarm_of(page, code)
        expect(row).to_contain_text("above its alarm limit")
        row.get_by_role("button", name="Acknowledge").click()
        page.get_by_label("Note").fill("on my way")
        page.get_by_role("dialog").get_by_role("button", name="Acknowledge").click()
        expect(row.locator(".state-cell")).to_contain_text("mira")
        page.reload()
        expect(row.locator(".state-cell")).to_contain_text("Acknowledged")
        expect(row.locator(".deed")).to_contain_text("on my way")
        address = row.get_attribute("data-open")
        running.heal(2)
        page.mouse.move(0, 0)
        expect(row).to_have_count(0)
        visit(page, address or "")
        events = page.locator(".history .event")
        expect(events.first).to_have_text("cleared")
        assert {"opened", "acknowledged"} <= set(events.all_inner_texts())


def test_a_cause_that_robots_share_is_one_line_and_acknowledged_at_once(running: PageStack, operator: Visitor):
    loose = [running.break_robot(number) for number in range(MODELS, ROBOTS + 1, MODELS)]
    with operator.page("/alarms?component=joint&part=unacknowledged") as page:
        expect(page.locator(".tabs [aria-current] b")).to_have_text(str(len(loose)))
        page.reload()
        heap = page.locator("tr.heap", has_text="Backlash").first
        shared = len((heap.get_attribute("data-episodes") or "").split())
        heap.locator("[data-expand]").click()
        expect(page.locator("tr.member")).to_have_count(shared)
        heap.locator("[data-expand]").click()
        expect(page.locator("tr.member")).to_have_count(0)
        heap.locator(".choose input").check()
        expect(page.locator("#bar-count")).to_have_text(f"{shared} alarms chosen")
        page.locator("#bar").get_by_role("button", name="Acknowledge").click()
        page.get_by_label("Note").press("Enter")
        expect(page.locator(".tabs [aria-current] b")).to_have_text(str(len(loose) - shared))
        visit(page, "/alarms?part=acknowledged&group=none")
        expect(page.locator("table.alarms tbody tr", has_text="mira")).to_have_count(shared)
    running.heal("all")


def test_what_is_shelved_says_until_when_and_by_whom_and_comes_back(running: PageStack, operator: Visitor):
    code = running.break_robot(5)
    with operator.page("/alarms") as page:
        alarm_of(page, code).locator(".choose input").check()
        page.locator("#bar").get_by_role("button", name="Shelve…").click()
        page.get_by_label("For how long").select_option("1 hour")
        page.get_by_role("dialog").get_by_role("button", name="Shelve").click()
        visit(page, "/alarms?part=shelved")
        expect(page.locator(".tabs [aria-current] b")).to_have_text("1")
        page.reload()
        row = alarm_of(page, code)
        expect(row.locator(".state")).to_contain_text("Shelved until")
        expect(row.locator(".deed")).to_contain_text("mira")
        row.get_by_role("button", name="Unshelve").click()
        page.mouse.move(0, 0)
        expect(page.locator("table.alarms tbody tr:not(.gone)")).to_have_count(0)
        visit(page, "/alarms")
        expect(alarm_of(page, code).locator(".state")).to_have_text("Needs somebody")
        running.heal(5)


def test_a_component_is_taken_out_of_service_and_put_back_by_somebody_whose_pointer_rests(
    running: PageStack, operator: Visitor
):
    code = running.break_robot(11)
    with operator.page("/alarms") as page:
        visit(page, alarm_of(page, code).get_attribute("data-open") or "")
        page.get_by_role("button", name="Comment…").click()
        page.get_by_label("Note").fill("bearing is ordered")
        page.get_by_role("dialog").get_by_role("button", name="Comment").click()
        expect(page.locator(".history")).to_contain_text("bearing is ordered")
        page.get_by_role("button", name="Out of service…").click()
        page.get_by_label("Note").fill("knee is changed")
        page.get_by_role("dialog").get_by_role("button", name="Take out of service").click()
        expect(page.locator(".state-cell .state")).to_have_text("Out of service")
        expect(page.locator("h1")).not_to_contain_text("knee is changed")
        visit(page, f"/robots/{code}")
        expect(page.locator(".out")).to_contain_text("mira: knee is changed")
        page.locator(".out").get_by_role("button", name="Put in service").click()
        expect(page.locator(".out")).to_have_count(0)
        expect(page.locator("#robot-alarms .state")).to_have_text("Needs somebody")
        visit(page, "/alarms?part=out_of_service")
        expect(page.locator(".empty")).to_have_text("Nothing here.")
        running.heal(11)


def test_filters_are_in_the_address_and_the_way_back_works(operator: Visitor):
    with operator.page("/") as page:
        rows = page.locator("table.robots tbody tr")
        expect(rows).to_have_count(ROBOTS)
        page.locator("select[name=model]").select_option(index=1)
        page.get_by_role("button", name="Apply").click()
        expect(rows).to_have_count(ROBOTS // MODELS)
        assert re.search(r"\?.*model=ZZSIM\w{7}(&|$)", page.url)
        assert "scenario=" not in page.url
        expect(page.locator("#grid")).to_have_attribute("data-drawn", str(ROBOTS // MODELS))
        page.locator(".tile", has_text="Failure").click()
        expect(page.locator(".empty")).to_contain_text("No robot meets these filters")
        page.go_back()
        expect(rows).to_have_count(ROBOTS // MODELS)
        page.reload()
        expect(rows).to_have_count(ROBOTS // MODELS)
        page.get_by_role("link", name="clear all").click()
        expect(rows).to_have_count(ROBOTS)


def test_a_lost_connection_is_said_and_what_was_missed_is_there_after_it(running: PageStack, operator: Visitor):
    with operator.page("/alarms") as page:
        expect(page.locator("#live")).to_have_attribute("data-state", "live")
        running.lose_server()
        expect(page.locator("#banner")).to_contain_text("Disconnected")
        code = running.break_robot(8)
        running.serve()
        expect(page.locator("#live")).to_have_attribute("data-state", "live")
        expect(page.locator("#banner")).to_be_hidden()
        expect(alarm_of(page, code)).to_have_count(1)
        running.heal(8)


def test_all_of_it_can_be_done_with_keys(running: PageStack, operator: Visitor):
    code = running.break_robot(10)
    with operator.page("/alarms") as page:
        expect(alarm_of(page, code)).to_have_count(1)
        page.keyboard.press("?")
        expect(page.get_by_role("dialog")).to_contain_text("acknowledge what is chosen")
        page.keyboard.press("Escape")
        visit(page, f"/alarms?text={code}&part=unacknowledged")
        page.keyboard.press("j")
        expect(page.locator("tr.current")).to_be_focused()
        page.keyboard.press("a")
        page.keyboard.type("by keys")
        page.keyboard.press("Enter")
        expect(page.locator("tr.gone")).to_have_count(1)
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        expect(page.locator(".history")).to_contain_text("by keys")
        running.heal(10)
        visit(page, "/")
        expect(page.locator("#grid")).to_have_attribute("data-drawn", str(ROBOTS))
        page.locator("#grid").focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowRight")
        expect(page.locator("#spoken")).to_contain_text("zone")
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile("/robots/ZZSIM"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_nothing_keeps_anybody_out(operator: Visitor, path: str, scheme):
    with operator.page(path, scheme) as page:
        expect(page.locator("h1")).to_be_visible()
        assert barriers(page) == []


@pytest.mark.parametrize("path", PAGES)
def test_no_page_is_wider_than_a_phone(operator: Visitor, path: str):
    with operator.page(path, width=360) as page:
        expect(page.locator("h1")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_a_silent_robot_is_unknown_and_its_age_counts_on(running: PageStack, operator: Visitor):
    code = running.break_robot(13, "silent")
    with operator.page(f"/?text={code}") as page:
        row = page.locator("table.robots tbody tr")
        expect(row.locator(".status")).to_have_text("?Unknown")
        before = row.locator("time.ago").inner_text()
        expect(row.locator("time.ago")).not_to_have_text(before)
        visit(page, f"/alarms?text={code}")
        expect(page.locator("table.alarms tbody tr")).to_contain_text("Nothing has come from the robot")
        running.heal(13)
