"""What coordinator and rater do in the browser, step by step."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Page, expect


def make_study(page: Page, *, title: str) -> None:
    page.get_by_role("link", name="New study").first.click()
    page.get_by_label("Name of the study").fill(title)
    page.get_by_label("Contact for raters").fill("casey@example.org")
    page.get_by_role("button", name="Make the study").click()
    expect(page.get_by_role("heading", name="Cases", exact=True)).to_be_visible()


def open_step(page: Page, name: str) -> None:
    page.get_by_role("navigation").get_by_role("link", name=re.compile(name)).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)


def upload(page: Page, files: list[Path]) -> None:
    """Hand over files at once and wait until each has its verdict."""
    page.locator("input#files").set_input_files(files)
    page.wait_for_selector(
        "#sending [data-overall][hidden]", state="attached", timeout=180_000
    )


def import_all(page: Page, *, count: int) -> None:
    page.get_by_role("button", name=f"Import {count} case").click()
    expect(page.get_by_role("table").filter(has_text="C001")).to_be_visible(
        timeout=60_000
    )


def predict_all(
    page: Page, *, count: int, mirroring: bool | None = None, seconds: int = 600
) -> None:
    """Ask for all predictions and wait; None leaves mirroring as the rule has it."""
    open_step(page, "Predictions")
    page.get_by_label("Name of the arm").fill("Model")
    if mirroring is not None:
        page.get_by_text("How the folds are combined").click()
        choose_mirroring(page, on=mirroring)
    page.get_by_role("button", name="Predict all cases").click()
    done = page.locator(".tally").get_by_text(f"{count} / {count} predicted")
    expect(done).to_be_visible(timeout=seconds * 1000)


def choose_mirroring(page: Page, *, on: bool) -> None:
    page.get_by_label("Mirroring").select_option("on" if on else "off")


def add_rater(page: Page, *, name: str, email: str) -> str:
    """The single-use link that the page shows once."""
    open_step(page, "Raters")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("E-mail", exact=True).fill(email)
    page.get_by_role("button", name="Add the rater").click()
    return page.locator("#link").inner_text()


def lock(page: Page, *, title: str, password: str) -> None:
    open_step(page, "Check and lock")
    page.get_by_label("No face is in the field of view of any image").check()
    page.get_by_role("button", name="State it").click()
    page.get_by_label("Type the study's name to lock it").fill(title)
    page.get_by_label("Your password").fill(password)
    page.get_by_role("button", name="Lock and open for rating").first.click()
    expect(page.get_by_text("Collecting").first).to_be_visible()


def join(page: Page, *, link: str, password: str) -> None:
    """Open the link, choose a password, and arrive in the rating room."""
    page.goto(link)
    for field in page.locator("input[type=password]").all():
        field.fill(password)
    page.get_by_role("button", name="Join the study").click()
    expect(page.locator("#room")).to_be_visible()


def begin(page: Page) -> None:
    page.get_by_role("button", name=re.compile("rating")).click()
    wait_for_item(page)


def wait_for_item(page: Page) -> None:
    page.wait_for_selector("canvas[data-ready=true]", timeout=60_000)
    page.wait_for_selector(".scales fieldset:enabled")


def score(page: Page, digit: int, *, position: int, total: int) -> None:
    """One item by keyboard, as a rater does it."""
    expect(page.locator(".position")).to_contain_text(f"{position} / {total}")
    wait_for_item(page)
    page.keyboard.press("ArrowUp")
    page.keyboard.press(str(digit))
    page.keyboard.press("Enter")


def confirm_by_name(page: Page, *, title: str, verb: str) -> None:
    page.get_by_label("Name of the study").fill(title)
    page.get_by_role("button", name=verb).click()
