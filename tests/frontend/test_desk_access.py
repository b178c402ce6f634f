"""The main pages of the desk for everybody: axe-core's rules and sizes to press."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Dialog, Page, Route, expect

from tests.e2e.conftest import Site, answers, keep_screenshot
from tests.frontend.access import RUN, SETTLE, TAGS, load_axe
from tests.frontend.real_site import start
from tests.processes import ROOT, environment, free_port, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.slow]
SHOWN_IN_DOCS = {"/studies/{running}/monitor/": "monitor"}
PAGES = (
    "/",
    "/studies/{draft}/cases/",
    "/studies/{waiting}/cases/",
    "/studies/new",
    "/moves/new",
    "/models/",
    "/studies/{draft}/cases/choose/",
    "/studies/{draft}/originals/",
    "/studies/{draft}/predictions/",
    "/studies/{draft}/power/",
    "/studies/{draft}/design/",
    "/studies/{draft}/raters/",
    "/studies/{draft}/raters/masks",
    "/studies/{draft}/lock/",
    "/studies/{running}/raters/",
    "/studies/{running}/cases/",
    "/studies/{running}/originals/",
    "/studies/{running}/design/",
    "/studies/{running}/lock/",
    "/studies/{running}/lock/amend",
    "/studies/{running}/monitor/",
    "/studies/{running}/withdraw",
    "/studies/{running}/close",
    "/studies/{running}/unblind/early",
    "/account/",
    "/account/erase",
    "/accounts/2fa/",
    "/accounts/password/change/",
    "/tokens/",
    "/studies/{done}/results/",
    "/studies/{done}/export/",
    "/studies/{done}/comparison/",
    "/studies/{done}/comparison/robustness/",
    "/studies/{done}/masks/",
    "/studies/{done}/masks/{case}/",
)


@pytest.fixture(scope="module")
def desks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The site's address, a coordinator's cookie and the studies by their state."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    folder = tmp_path_factory.mktemp("desks")
    env = environment(folder, PORT=str(port), SITE_URL=address)
    made = prepare(folder, env)
    server = start(env, port)
    try:
        site = Site(address, env)
        wait_until(lambda: answers(site), seconds=60, what="The site's first answer")
        yield {"site": address, "folder": str(folder), **made}
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=30)


def prepare(folder: Path, env: dict[str, str]) -> dict[str, str]:
    for command in (
        ["manage.py", "migrate"],
        ["manage.py", "createcachetable"],
        ["-m", "tests.frontend.desks", str(folder / "desks.json")],
    ):
        done = subprocess.run(
            [sys.executable, *command], cwd=ROOT, env=env, text=True,
            capture_output=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    found: dict[str, str] = json.loads((folder / "desks.json").read_text())
    return found


@pytest.fixture(scope="module")
def page(browser: Browser, desks: dict[str, str]) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    cookie = {"name": "sessionid", "value": desks["cookie"], "url": desks["site"]}
    context.add_cookies([cookie])  # type: ignore[list-item]
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("path", PAGES)
def test_a_page_of_the_desk_is_for_everybody(
    page: Page, desks: dict[str, str], path: str
) -> None:
    answer = page.goto(desks["site"] + path.format(**desks))
    assert answer is not None
    assert answer.status == 200
    page.evaluate(load_axe())
    found = page.evaluate(RUN, TAGS)["violations"]
    wrong = [
        f"{one['id']}: {node['html'][:120]}" for one in found for node in one["nodes"]
    ]
    assert "\n".join(wrong) == ""
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    if path in SHOWN_IN_DOCS:
        keep_screenshot(page, SHOWN_IN_DOCS[path])


@pytest.mark.parametrize("path", ["cases/", "cases/choose/"])
def test_the_tables_of_five_arms_fit_their_frames(
    page: Page, desks: dict[str, str], path: str
) -> None:
    page.goto(desks["site"] + f"/studies/{desks['wide']}/{path}")
    frame = page.locator(".table-frame:visible")
    heads = frame.locator("th.num")
    assert heads.count() == 5
    expect(heads.last).to_contain_text("Consensus of three readers")
    sizes = frame.evaluate("one => [one.scrollWidth, one.clientWidth]")
    assert sizes[0] == sizes[1]


def test_corrections_to_the_waiting_list_outlast_a_dismissal_and_leaving(
    page: Page, desks: dict[str, str]
) -> None:
    address = desks["site"] + f"/studies/{desks['waiting']}/cases/"
    page.goto(address)
    person = page.get_by_label("Person of sub-1_T2w.nii.gz")
    contrast = page.get_by_label("Contrast of sub-2_T2w.nii.gz")
    mask = page.get_by_label("Manual mask of sub-1_T2w.nii.gz")
    person.fill("P-77")
    contrast.fill("")
    mask.select_option("no mask")
    page.get_by_role("button", name="Dismiss bad1.nii").click()
    expect(page.locator(".refusals li")).to_have_count(1)
    expect(person).to_have_value("P-77")
    expect(contrast).to_have_value("")
    expect(mask).to_have_value("")
    page.goto(desks["site"])
    page.goto(address)
    expect(contrast).to_have_value("T2w")
    page.get_by_role("button", name="Put it back").click()
    expect(person).to_have_value("P-77")
    expect(contrast).to_have_value("")
    expect(mask).to_have_value("")


def test_a_no_keeps_the_waiting_list_and_its_import(
    page: Page, desks: dict[str, str]
) -> None:
    page.goto(desks["site"] + f"/studies/{desks['waiting']}/cases/")
    asked: list[str] = []

    def refuse(question: Dialog) -> None:
        asked.append(question.message)
        question.dismiss()

    page.once("dialog", refuse)
    page.get_by_role("button", name="Remove all from this list").click()
    assert len(asked) == 1
    assert asked[0].startswith("Remove 5 received files from this list?")
    expect(page.get_by_role("button", name="Import 2 cases")).to_be_enabled()
    expect(page.locator(".waiting tbody tr")).to_have_count(2)


def test_unfolded_results_of_a_vast_interval_stay_within_the_page(
    page: Page, desks: dict[str, str]
) -> None:
    page.goto(desks["site"] + f"/studies/{desks['done']}/results/")
    assert "× 10¹⁵²" in page.inner_text("main")
    page.evaluate(
        """() => {
          document.querySelectorAll("details").forEach(one => { one.open = true; });
          const found = [...document.querySelectorAll("img")];
          found.forEach(img => { img.loading = "eager"; });
          return Promise.all(found.map(img => img.decode()));
        }"""
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    beside = page.evaluate(
        """() => [...document.querySelectorAll(".pictures figure")].filter(figure =>
          [...figure.querySelectorAll("*")].some(one =>
            one.getBoundingClientRect().right >
              figure.getBoundingClientRect().right + 1)).map(one => one.textContent)"""
    )
    assert beside == []


def test_pictures_of_the_results_have_their_room_before_they_come(
    page: Page, desks: dict[str, str]
) -> None:
    held: list[Route] = []
    page.route("**/*.svg", lambda route: held.append(route))
    page.goto(desks["site"] + f"/studies/{desks['done']}/results/")
    measure = """() => {
      document.querySelectorAll("details").forEach(one => { one.open = true; });
      return [...document.querySelectorAll(".figure img")].map(img =>
        [img.clientWidth, img.clientHeight]);
    }"""
    before = page.evaluate(measure)
    for route in held:
        route.continue_()
    page.unroute("**/*.svg")
    page.evaluate(
        """() => Promise.all([...document.querySelectorAll("img")].map(img => {
          img.loading = "eager"; return img.decode();
        }))"""
    )
    after = page.evaluate(measure)
    assert len(before) > 10
    for (wide, high), (then_wide, then_high) in zip(before, after, strict=True):
        assert wide == then_wide
        assert abs(high - then_high) <= 2


def test_the_skip_link_is_large_enough_to_press(
    page: Page, desks: dict[str, str]
) -> None:
    page.goto(desks["site"])
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to content")
    assert skip.evaluate("one => one === document.activeElement")
    box = skip.bounding_box()
    assert box is not None
    assert min(box["width"], box["height"]) >= 24


def test_what_is_typed_to_a_rater_stays_while_the_monitor_follows(
    page: Page, desks: dict[str, str]
) -> None:
    page.goto(desks["site"] + f"/studies/{desks['running']}/monitor/")
    page.locator("summary", has_text="Answer").click()
    box = page.locator(f"#{page.get_by_label('Answer to R01').get_attribute('id')}")
    box.press_sequentially("Yes: count the rim")
    for word in (", all", " of it", " as lesion."):
        with page.expect_response("**/monitor/progress*") as news:
            pass
        assert news.value.status == 200
        page.evaluate(SETTLE)
        # no click between: what had the focus must still have it
        page.keyboard.type(word)
    ask_another(desks)
    expect(page.get_by_text("Is the left side meant?")).to_be_visible(timeout=30_000)
    assert box.input_value() == "Yes: count the rim, all of it as lesion."
    expect(box).to_be_focused()


def test_a_site_that_falls_silent_is_told_until_it_answers(
    page: Page, desks: dict[str, str]
) -> None:
    page.goto(f"{desks['site']}/studies/{desks['running']}/monitor/")
    silent = page.locator("[data-silent]")
    expect(silent).to_have_count(0)
    page.route("**/monitor/progress*", lambda route: route.abort())
    expect(silent).to_contain_text("The site does not answer", timeout=15_000)
    page.unroute("**/monitor/progress*")
    page.route("**/monitor/progress*", lambda route: route.fulfill(status=503))
    page.wait_for_timeout(6_000)
    expect(silent).to_have_count(1)
    page.unroute("**/monitor/progress*")
    expect(silent).to_have_count(0, timeout=15_000)


def ask_another(desks: dict[str, str]) -> None:
    """A rater writes while the page is open."""
    site = Site(desks["site"], environment(Path(desks["folder"])))
    site.manage(
        "shell", "-c",
        "from ratings import asking; from ratings.models import Problem; "
        "item = Problem.objects.first().presentation.items.first(); "
        "asking.ask(item=item, kind='question', text='Is the left side meant?')",
    )  # fmt: skip


def test_a_refused_form_far_down_a_page_is_gone_to(
    page: Page, desks: dict[str, str]
) -> None:
    page.goto(desks["site"] + f"/studies/{desks['draft']}/raters/")
    page.get_by_role("button", name="Add the colleague").click()
    wrong = page.get_by_label("E-mail of the colleague")
    expect(wrong).to_be_focused()
    expect(wrong).to_be_in_viewport()
    expect(page.get_by_text("Give the colleague")).to_be_in_viewport()
