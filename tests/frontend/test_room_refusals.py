"""What the server will not store or show is told, stays told, and stops nobody."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.frontend.access import find_hidden_focus, find_small_targets, find_violations
from tests.frontend.conftest import OpenRoom, begin_rating, wait_for_image
from tests.frontend.test_room_rating import OFFLINE, make_cases, rate, stored

pytestmark = pytest.mark.browser


def find_notice(page: Page) -> Locator:
    return page.get_by_role("alert").filter(has_text="not stored")


def expect_closed(page: Page) -> None:
    expect(page.get_by_text("This study is closed.")).to_be_visible()


def test_a_score_refused_by_a_closed_study_is_told_until_it_was_noted(
    open_room: OpenRoom,
) -> None:
    page, study = open_room(make_cases(3))
    rate(page, "5", then="2 / 3")
    wait_for_image(page)
    study.state = "closed"
    page.keyboard.press("2")
    page.keyboard.press("c")
    page.keyboard.type("Half of it is missed")
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    expect_closed(page)
    notice = find_notice(page)
    expect(notice).to_contain_text("Item 2: 2 poor")
    expect(notice).to_contain_text("Half of it is missed")
    expect(notice).to_contain_text("The study is closed.")
    expect(notice).to_contain_text("write this to the coordinator (ada@example.org)")
    page.reload()
    expect_closed(page)
    expect(notice).to_contain_text("Item 2: 2 poor")
    assert find_violations(page) == []
    assert find_small_targets(page) == []
    assert find_hidden_focus(page) == []
    page.get_by_role("button", name="I have noted this").click()
    expect(notice).to_have_count(0)
    page.reload()
    expect_closed(page)
    expect(notice).to_have_count(0)
    assert stored(study) == [{"value": 5}]


def test_what_was_confirmed_offline_and_is_refused_on_return_is_told_score_by_score(
    open_room: OpenRoom,
) -> None:
    page, study = open_room(make_cases(3))
    page.wait_for_timeout(300)
    page.context.set_offline(True)
    rate(page, "4", then=OFFLINE)
    wait_for_image(page)
    page.keyboard.press("n")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_text("The next item comes once")).to_be_visible()
    address = page.url
    page.close(run_before_unload=False)
    study.state = "closed"
    page.context.set_offline(False)
    later = page.context.new_page()
    later.goto(address)
    expect_closed(later)
    notice = find_notice(later)
    expect(notice).to_contain_text("2 scores were not stored.")
    expect(notice.get_by_role("listitem").nth(0)).to_contain_text("Item 1: 4 good")
    expect(notice.get_by_role("listitem").nth(1)).to_contain_text("Item 2: cannot rate")


def test_a_refusal_stays_beside_the_next_items_and_on_the_page_of_a_pause(
    open_room: OpenRoom,
) -> None:
    page, study = open_room(make_cases(4))
    study.withdrawn.add(0)
    rate(page, "3", then="A score was not stored.")
    notice = find_notice(page)
    expect(page.locator(".position")).to_contain_text("2 / 4")
    wait_for_image(page)
    rate(page, "5", then="3 / 4")
    expect(notice).to_contain_text("Item 1: 3 acceptable")
    expect(notice).to_contain_text("not stored because its case was withdrawn")
    expect(notice).not_to_contain_text("go on with the next")
    assert find_violations(page) == []
    page.keyboard.press("p")
    expect(page.get_by_role("button", name="Continue rating")).to_be_visible()
    expect(notice).to_contain_text("Item 1: 3 acceptable")
    begin_rating(page)
    page.get_by_role("button", name="I have noted this").click()
    expect(notice).to_have_count(0)
    rate(page, "4", then="4 / 4")
    assert stored(study) == [{"value": 5}, {"value": 4}]


def test_nothing_of_a_refused_score_is_told_to_somebody_signed_out(
    open_room: OpenRoom,
) -> None:
    page, study = open_room(make_cases(3))
    study.withdrawn.add(0)
    rate(page, "3", then="A score was not stored.")
    study.signed_in = False
    page.reload()
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()
    expect(find_notice(page)).to_have_count(0)
    study.signed_in = True
    page.reload()
    expect(find_notice(page)).to_contain_text("Item 1: 3 acceptable")


def test_a_case_withdrawn_before_it_was_loaded_is_left_by_one_button(
    open_room: OpenRoom,
) -> None:
    page, study = open_room(make_cases(2), begin=False)

    def withdraw(route: Route) -> None:
        study.withdrawn.add(0)
        route.continue_()

    page.route(f"**/{study.token(0)}/image", withdraw)
    page.get_by_role("button", name="Start rating").click()
    words = page.get_by_role("alert").filter(has_text="This case was withdrawn")
    expect(words).to_be_visible()
    page.keyboard.press("f")
    page.get_by_label("In your words").fill("I see no image")
    page.get_by_role("button", name="Send to the coordinator").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert study.problems[0]["token"] == study.token(0)
    page.get_by_role("button", name="Go on with the next").click()
    wait_for_image(page)
    expect(page.locator(".position")).to_contain_text("2 / 2")
