"""A rater works through the room by keyboard, and no score is lost or claimed early."""

from __future__ import annotations

import re

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.frontend.conftest import OpenRoom, begin_rating, wait_for_image
from tests.frontend.room_server import Case, Study
from tests.processes import wait_until

pytestmark = pytest.mark.browser

OFFLINE = "Not saved yet: offline, will retry"


def make_cases(count: int) -> list[Case]:
    rng = np.random.default_rng(11)
    shape = (16, 20, 12)
    return [
        Case(
            rng.integers(0, 900, shape).astype(np.int16),
            (rng.random(shape) < 0.05).astype(np.uint8),
            np.diag([1.0, 1.0, 4.0, 1.0]),
        )
        for _ in range(count)
    ]


def rate(page: Page, digit: str, *, then: str) -> None:
    page.keyboard.press(digit)
    page.keyboard.press("Enter")
    page.wait_for_selector(f"text={then}")


def stored(study: Study) -> list[object]:
    return [score["body"]["answers"]["quality"] for score in study.scores]


def expect_state(page: Page, words: str) -> None:
    expect(page.locator(".save")).to_have_text(words)


def test_three_items_are_rated_by_keyboard_alone(open_room: OpenRoom) -> None:
    page, study = open_room(make_cases(3), begin=False)
    page.wait_for_selector("text=Start rating")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    wait_for_image(page)
    page.keyboard.press("PageUp")
    rate(page, "2", then="2 / 3")
    wait_for_image(page)
    page.keyboard.press("5")
    page.keyboard.press("c")
    page.keyboard.type("4 small ones missed")
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=3 / 3")
    wait_for_image(page)
    page.keyboard.press("n")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    assert stored(study) == [
        {"value": 2},
        {"value": 5},
        {"reason": "anatomy not covered"},
    ]
    bodies = [score["body"] for score in study.scores]
    assert [body["comment"] for body in bodies] == ["", "4 small ones missed", ""]
    assert len({body["client_key"] for body in bodies}) == 3
    assert all(0 < body["active_ms"] < 60_000 for body in bodies)
    assert bodies[0]["conduct"]["slices"] == 2


def test_a_digit_alone_neither_advances_nor_stores(open_room: OpenRoom) -> None:
    page, study = open_room(make_cases(2))
    page.keyboard.press("4")
    expect(page.get_by_role("radio", name="4 good")).to_be_checked()
    expect_state(page, "Not confirmed yet")
    page.keyboard.press("Backspace")
    expect(page.locator(".scales input:checked")).to_have_count(0)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Choose a score first")).to_be_visible()
    expect(page.locator(".position")).to_contain_text("1 / 2")
    assert study.scores == []


@pytest.mark.parametrize("digit", ["0", "6", "9"])
def test_a_digit_outside_the_scale_is_refused_softly(
    open_room: OpenRoom, digit: str
) -> None:
    page, study = open_room(make_cases(1))
    page.keyboard.press(digit)
    expect(page.locator(".scales")).to_have_class(re.compile("shake"))
    expect(page.locator(".hint[role=status]").first).to_have_text("1–5 only")
    expect(page.locator(".scales input:checked")).to_have_count(0)
    page.keyboard.press("Enter")
    page.wait_for_timeout(100)
    assert study.scores == []


def test_everything_works_by_mouse_and_leaves_the_keys_to_the_image(
    open_room: OpenRoom,
) -> None:
    page, study = open_room(make_cases(2))
    page.get_by_text("Coronal").click()
    expect(page.locator("canvas")).to_have_attribute("data-plane", "coronal")
    page.get_by_text("acceptable").click()
    slice = page.locator("canvas").get_attribute("data-slice")
    page.keyboard.press("ArrowUp")
    expect(page.locator("canvas")).not_to_have_attribute("data-slice", str(slice))
    expect(page.get_by_role("radio", name="3 acceptable")).to_be_checked()
    page.get_by_role("button", name="Confirm").click()
    page.wait_for_selector("text=2 / 2")
    expect_state(page, "Saved")
    assert stored(study) == [{"value": 3}]


def test_offline_it_never_says_saved_and_saves_once_the_network_is_back(
    open_room: OpenRoom,
) -> None:
    page, study = open_room(make_cases(3))
    page.wait_for_timeout(300)
    page.context.set_offline(True)
    rate(page, "4", then=OFFLINE)
    for _ in range(20):
        assert page.locator(".save").inner_text() == OFFLINE
        page.wait_for_timeout(100)
    assert study.scores == []
    page.context.set_offline(False)
    expect_state(page, "Saved")
    assert stored(study) == [{"value": 4}]


def test_a_lost_acknowledgement_is_asked_for_again_with_the_same_key(
    open_room: OpenRoom,
) -> None:
    page, study = open_room(make_cases(3))
    study.answer_lost = True
    rate(page, "1", then=OFFLINE)
    assert stored(study) == [{"value": 1}]
    study.answer_lost = False
    expect_state(page, "Saved")
    assert stored(study) == [{"value": 1}]
    puts = [path for path in study.requests if path.endswith("/scores")]
    assert len(puts) >= 2


def test_what_was_confirmed_offline_is_sent_after_the_page_was_closed(
    open_room: OpenRoom,
) -> None:
    page, study = open_room(make_cases(2))
    page.context.set_offline(True)
    rate(page, "5", then=OFFLINE)
    address = page.url
    page.close(run_before_unload=False)
    page.context.set_offline(False)
    later = page.context.new_page()
    later.goto(address)
    expect(later.get_by_text("1 of 2 rated")).to_be_visible()
    assert stored(study) == [{"value": 5}]


def test_signed_out_the_draft_is_kept_and_found_after_signing_in(
    open_room: OpenRoom,
) -> None:
    page, study = open_room(make_cases(2))
    page.keyboard.press("2")
    page.wait_for_timeout(200)
    study.signed_in = False
    page.reload()
    link = page.get_by_role("link", name="Sign in")
    expect(link).to_have_attribute("href", "/accounts/login/")
    study.signed_in = True
    page.reload()
    begin_rating(page)
    expect(page.get_by_role("radio", name="2 poor", exact=True)).to_be_checked()
    assert study.scores == []


def test_before_the_sign_in_ends_one_key_prolongs_it_and_the_choice_stays(
    open_room: OpenRoom,
) -> None:
    page, study = open_room(make_cases(2))
    page.keyboard.press("4")
    page.keyboard.press("e")
    warning = page.get_by_text("You will be signed out at")
    expect(warning).to_have_count(0)
    study.signed_in_for = 200
    page.evaluate("dispatchEvent(new Event('focus'))")
    expect(warning).to_be_visible()
    expect(page.get_by_role("button", name="Stay signed in")).to_be_visible()
    page.keyboard.press("e")
    expect(warning).to_have_count(0)
    assert study.signed_in_for > 300
    expect(page.get_by_role("radio", name="4 good")).to_be_checked()
    study.signed_in_for = 200
    page.evaluate("dispatchEvent(new Event('focus'))")
    page.get_by_role("button", name="Stay signed in").click()
    expect(warning).to_have_count(0)


def test_the_warning_outlives_a_pause_and_says_when_the_time_is_over(
    open_room: OpenRoom,
) -> None:
    page, study = open_room(make_cases(2))
    study.signed_in_for = 3
    page.evaluate("dispatchEvent(new Event('focus'))")
    warning = page.locator(".staying")
    expect(warning).to_contain_text("You will be signed out at")
    page.keyboard.press("p")
    expect(page.get_by_role("button", name="Start rating")).to_be_visible()
    expect(warning).to_be_visible()
    study.signed_in = False
    expect(warning).to_contain_text("You are signed out.")
    link = warning.get_by_role("link", name="Sign in")
    expect(link).to_have_attribute("href", "/accounts/login/")


def test_a_session_that_ends_at_confirm_loses_nothing(open_room: OpenRoom) -> None:
    page, study = open_room(make_cases(3))
    page.wait_for_timeout(300)
    study.signed_in = False
    rate(page, "3", then="Not saved yet: signed out")
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()
    study.signed_in = True
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    expect(page.get_by_text("1 of 3 rated")).to_be_visible()
    assert stored(study) == [{"value": 3}]


def test_a_score_outlives_somebody_else_signing_in_on_the_same_computer(
    open_room: OpenRoom,
) -> None:
    page, study = open_room(make_cases(3))
    page.wait_for_timeout(300)
    study.someone_else = True
    rate(page, "3", then="Not saved yet: signed out")
    study.someone_else = False
    page.evaluate("dispatchEvent(new Event('focus'))")
    expect_state(page, "Saved")
    assert stored(study) == [{"value": 3}]


def test_the_same_item_in_two_windows_is_stored_once_and_the_second_is_told(
    open_room: OpenRoom,
) -> None:
    page, study = open_room(make_cases(3))
    other = page.context.new_page()
    other.goto(page.url)
    begin_rating(other)
    rate(page, "5", then="2 / 3")
    expect_state(page, "Saved")
    other.bring_to_front()
    rate(other, "1", then="A score was not stored.")
    notice = other.get_by_role("alert").filter(has_text="A score was not stored.")
    expect(notice).to_contain_text("Item 1: 1 very poor")
    expect(notice).to_contain_text("This item is not the current one.")
    expect(other.locator(".position")).to_contain_text("2 / 3")
    assert stored(study) == [{"value": 5}]


@pytest.mark.parametrize(
    ("mood", "words", "label"),
    [
        (
            "missing",
            "The image could not be loaded. There is no such item.",
            "Go on with the next",
        ),
        ("truncated", "The file arrived incomplete or damaged.", "Try again"),
    ],
)
def test_an_image_that_cannot_be_loaded_is_said_in_words_with_a_retry(
    open_room: OpenRoom, mood: str, words: str, label: str
) -> None:
    page, study = open_room(make_cases(1), begin=False)
    setattr(study, mood, True)
    page.get_by_role("button", name="Start rating").click()
    expect(page.get_by_role("alert").filter(has_text=words)).to_be_visible()
    page.keyboard.press("4")
    page.keyboard.press("Enter")
    setattr(study, mood, False)
    page.get_by_role("button", name=label).click()
    wait_for_image(page)
    assert study.scores == []


def test_one_item_is_fetched_ahead_and_no_more(open_room: OpenRoom) -> None:
    page, study = open_room(make_cases(4))
    expect_images(page, study, [0, 1])
    rate(page, "4", then="2 / 4")
    expect_images(page, study, [0, 1, 2])


def expect_images(page: Page, study: Study, numbers: list[int]) -> None:
    """These were asked for, and half a second later still no other."""
    wanted = [f"/api/items/{study.token(n)}/image" for n in numbers]

    def asked() -> list[str]:
        return [path for path in study.requests if path.endswith("/image")]

    wait_until(lambda: asked() == wanted, seconds=20, what="The image ahead")
    page.wait_for_timeout(500)
    assert asked() == wanted


def test_a_study_that_closes_while_rating_says_so(open_room: OpenRoom) -> None:
    page, study = open_room(make_cases(3))
    study.state = "closed"
    page.keyboard.press("4")
    page.keyboard.press("Enter")
    expect(page.get_by_text("This study is closed.")).to_be_visible()
    assert study.scores == []


def test_signing_in_elsewhere_sends_what_was_waiting(open_room: OpenRoom) -> None:
    page, study = open_room(make_cases(3))
    page.wait_for_timeout(300)
    study.signed_in = False
    rate(page, "3", then="Not saved yet: signed out")
    study.signed_in = True
    page.evaluate("dispatchEvent(new Event('focus'))")
    expect_state(page, "Saved")
    expect(page.get_by_role("link", name="Sign in")).to_have_count(0)
    assert stored(study) == [{"value": 3}]


def test_a_problem_is_reported_from_a_sheet_that_leaves_the_image_free(
    open_room: OpenRoom,
) -> None:
    page, study = open_room(make_cases(1))
    page.keyboard.press("f")
    page.keyboard.type("The image is 5 years old")
    sheet = page.get_by_role("dialog").bounding_box()
    canvas = page.locator("canvas").bounding_box()
    assert sheet is not None
    assert canvas is not None
    assert sheet["x"] >= canvas["x"] + canvas["width"]
    page.get_by_role("button", name="Send to the coordinator").click()
    expect(page.get_by_text("The problem was reported")).to_be_visible()
    expect(page.locator(".scales input:checked")).to_have_count(0)
    sent = {"token": study.token(0), "text": "The image is 5 years old"}
    assert study.problems == [sent | {"kind": "problem"}]


def test_an_answer_to_a_question_is_told_after_the_next_item_and_read_under_f(
    open_room: OpenRoom,
) -> None:
    page, study = open_room(make_cases(3))
    page.keyboard.press("f")
    page.keyboard.type("Does the edge count?")
    page.get_by_label("I have a question").check()
    page.get_by_role("button", name="Send to the coordinator").click()
    expect(page.get_by_text("Your question was sent")).to_be_visible()
    study.answers.append({"text": "Count the edge.", "at": "2026-11-26T01:00:00Z"})
    rate(page, "3", then="2 / 3")
    expect(page.get_by_text("The coordinator has answered you.")).to_be_visible()
    page.keyboard.press("f")
    expect(page.get_by_role("dialog").get_by_text("Count the edge.")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_text("The coordinator has answered you.")).to_have_count(0)


def test_the_key_sheet_opens_on_a_question_mark_and_closes_on_escape(
    open_room: OpenRoom,
) -> None:
    page, _ = open_room(make_cases(1))
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("4")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator(".scales input:checked")).to_have_count(0)


def test_the_page_keeps_to_its_own_origin(open_room: OpenRoom) -> None:
    page, _ = open_room(make_cases(2), begin=False)
    seen: list[str] = []
    page.on("request", lambda request: seen.append(request.url))
    page.reload()
    begin_rating(page)
    rate(page, "4", then="2 / 2")
    origin = page.url.split("/rate/")[0]
    assert seen
    assert all(url.startswith(origin) for url in seen)
