"""A real Chromium for the tests of the rating room, and pages opened in it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from tests.frontend.room_server import Case, Study, serve
from tests.services import CI

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-3d-apis",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
# The stage is 960 × 776 px beside the rail, and the picture at most 720 px high.
SCREEN: ViewportSize = {"width": 1280, "height": 776}

OpenRoom = Callable[..., tuple[Page, Study]]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        reason = "NOT TESTED: Chromium is not installed"
        pytest.fail(reason, pytrace=False) if CI else pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def open_room(browser: Browser) -> Iterator[OpenRoom]:
    """Serve cases and open the room on them; at the end nothing may have gone wrong."""
    with ExitStack() as stack:

        def open_one(
            cases: list[Case],
            *,
            begin: bool = True,
            density: float = 1,
            touch: bool = False,
        ) -> tuple[Page, Study]:
            study = Study(cases)
            address = stack.enter_context(serve(study))
            context = browser.new_context(
                viewport=SCREEN, device_scale_factor=density, has_touch=touch
            )
            stack.callback(context.close)
            page = context.new_page()
            errors: list[str] = []
            page.on("pageerror", lambda error: errors.append(str(error)))
            stack.callback(check_quiet, address, study, errors)
            page.goto(address)
            if begin:
                begin_rating(page)
            return page, study

        yield open_one


def begin_rating(page: Page) -> None:
    page.get_by_role("button", name="rating").click()
    wait_for_image(page)


def wait_for_image(page: Page) -> None:
    page.wait_for_selector("canvas[data-ready=true]")
    page.wait_for_selector(".scales fieldset:enabled")


def check_quiet(address: str, study: Study, errors: list[str]) -> None:
    """No error on the page, and nothing that the security policy had to stop."""
    assert errors == []
    assert study.reports == []
