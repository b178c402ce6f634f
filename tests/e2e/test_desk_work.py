"""What a coordinator does on long pages is asked first, called back, and stays."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Dialog, Locator, Page, Route, expect

from tests.e2e import walk
from tests.e2e.conftest import EMAIL, PASSWORD, Site
from tests.e2e.test_bringing_in import drop
from tests.frontend.access import find_violations
from tests.ratings import hostile, sets

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def hear(page: Page, *, accept: bool) -> list[str]:
    """What the page asks from now on; each question gets the same answer."""
    asked: list[str] = []

    def answer(dialog: Dialog) -> None:
        asked.append(f"{dialog.type}: {dialog.message}")
        dialog.accept() if accept else dialog.dismiss()

    page.on("dialog", answer)
    return asked


def bring_in(page: Page, folder: Path, *, count: int) -> None:
    sets.write_nnunet(folder, count)
    page.locator("input#folder").set_input_files(folder)
    page.wait_for_selector(
        "#sending [data-overall][hidden]", state="attached", timeout=120_000
    )
    walk.import_all(page, count=count)


def test_removing_names_the_marked_cases_and_those_that_a_filter_hides(
    desk: Page, tmp_path: Path
) -> None:
    walk.make_study(desk, title="Marked and hidden")
    bring_in(desk, tmp_path / "set", count=9)
    desk.get_by_label("Mark all cases that are shown").check()
    desk.get_by_label("Show only rows that contain").fill("C007")
    expect(desk.get_by_text("9 marked, 8 of them hidden by the filter")).to_be_visible()
    asked = hear(desk, accept=False)
    desk.get_by_role("button", name="Remove marked cases").click()
    assert asked == [
        "confirm: Remove 9 cases with all masks from the study?\n\n"
        "C001, C002, C003, C004, C005, C006 and 3 more.\n"
        "8 of them are hidden by the filter."
    ]
    desk.get_by_label("Show only rows that contain").fill("")
    expect(desk.locator("#cases-table tbody tr:visible")).to_have_count(9)


def write_large(path: Path) -> Path:
    """A volume of two pieces and some more, which no packing makes small."""
    noise = hostile.image_voxels().repeat(120, 0).repeat(100, 1)
    path.write_bytes(hostile.write(noise))
    return path


def hold_pieces(page: Page) -> list[Route]:
    """Pieces that never arrive, until a test lets them go."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        if route.request.method == "PATCH":
            first = route.request.headers["upload-offset"] == "0"
            route.continue_() if first else held.append(route)
        else:
            route.continue_()

    page.route("**/transfers/*", hold)
    return held


def wait_for(page: Page, held: list[Route]) -> None:
    for _ in range(300):
        if held:
            return
        page.wait_for_timeout(100)
    raise AssertionError("No second piece was sent.")


def list_parts(site: Site) -> list[str]:
    return sorted(path.name for path in (Path(site.env["DATA_DIR"])).rglob("*.part"))


def test_a_cancelled_upload_leaves_nothing_and_leaving_is_asked_only_meanwhile(
    site: Site, desk: Page, tmp_path: Path
) -> None:
    before = list_parts(site)
    walk.make_study(desk, title="Called back")
    paths = [write_large(tmp_path / f"sub-0{n}_T2w.nii") for n in (1, 2, 3)]
    held = hold_pieces(desk)
    desk.locator("input#files").set_input_files(paths)
    wait_for(desk, held)
    assert len(list_parts(site)) == len(before) + 2
    assert find_violations(desk) == []
    desk.get_by_role("heading", name="Cases", exact=True).click()
    asked = hear(desk, accept=False)
    desk.get_by_role("link", name="Blindfold").click()
    expect(desk.locator("#sending progress").first).to_be_visible()
    assert [one.partition(":")[0] for one in asked] == ["beforeunload"]
    desk.get_by_role("button", name="Cancel sub-03_T2w.nii").click()
    expect(desk.get_by_role("button", name="Cancel sub-03_T2w.nii")).to_have_count(0)
    desk.get_by_role("button", name="Cancel all").click()
    done = desk.get_by_text("0 files received, 3 files cancelled.")
    expect(done).to_be_visible(timeout=30_000)
    assert list_parts(site) == before
    assert desk.evaluate("Object.keys(localStorage).length") == 0
    expect(desk.get_by_role("heading", name="Unfinished uploads")).to_have_count(0)
    desk.get_by_role("link", name="Blindfold").click()
    expect(desk.get_by_role("heading", name="Studies", exact=True)).to_be_visible()
    assert len(asked) == 1


def test_an_unfinished_upload_is_listed_and_can_be_discarded(
    site: Site, desk: Page, tmp_path: Path
) -> None:
    before = list_parts(site)
    walk.make_study(desk, title="Left unfinished")
    held = hold_pieces(desk)
    desk.locator("input#files").set_input_files(write_large(tmp_path / "a_T2w.nii"))
    wait_for(desk, held)
    desk.reload()
    row = desk.locator("#unfinished tbody tr")
    expect(row).to_contain_text("a_T2w.nii")
    expect(row).to_contain_text("you")
    assert find_violations(desk) == []
    asked = hear(desk, accept=True)
    desk.get_by_role("button", name="Discard a_T2w.nii").click()
    expect(
        desk.get_by_text("What had arrived of a_T2w.nii was discarded.")
    ).to_be_visible()
    expect(row).to_have_count(0)
    assert asked[-1].startswith("confirm: Discard what has arrived of a_T2w.nii?")
    assert list_parts(site) == before


def test_a_folder_that_holds_no_volume_is_named_beside_a_zip(
    desk: Page, tmp_path: Path
) -> None:
    sets.write_nnunet(tmp_path / "set", 2)
    archive = shutil.make_archive(str(tmp_path / "set"), "zip", tmp_path, "set")
    (tmp_path / "series").mkdir()
    for name in ("IM0001", "IM0002"):
        (tmp_path / "series" / name).write_bytes(b"DICM")
    walk.make_study(desk, title="A zip and a folder")
    drop(desk, tmp_path / "series", Path(archive))
    note = desk.locator("#sending tbody tr")
    expect(note).to_have_count(1, timeout=60_000)
    expect(note).to_contain_text("series")
    expect(note).to_contain_text("No NIfTI file")
    walk.import_all(desk, count=2)


def end_session(site: Site) -> None:
    """Time passes, and every sign-in ends."""
    site.manage(
        "shell", "-c",
        "from django.contrib.sessions.models import Session; "
        "Session.objects.all().delete()",
    )  # fmt: skip


def last_session(site: Site, *, seconds: int) -> None:
    site.manage(
        "shell", "-c",
        "from datetime import timedelta; from django.utils import timezone; "
        "from django.contrib.sessions.models import Session; "
        f"soon = timezone.now() + timedelta(seconds={seconds}); "
        "Session.objects.update(expire_date=soon)",
    )  # fmt: skip


def sign_in(page: Page) -> None:
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


TYPED = "Look at the whole cord before you score."
OFFER = re.compile(r"Your unsaved text from \d\d:\d\d")


def type_instructions(page: Page, *, title: str) -> Locator:
    walk.make_study(page, title=title)
    walk.open_step(page, "Design")
    box = page.get_by_label("Instructions for raters")
    box.fill(TYPED)
    page.get_by_label("Points of the scale", exact=True).select_option("3")
    page.get_by_label("Offer the common faults to tick").check()
    return box


def test_what_was_typed_outlives_the_session_and_goes_once_it_is_saved(
    site: Site, desk: Page
) -> None:
    box = type_instructions(desk, title="A long form")
    end_session(site)
    desk.get_by_role("button", name="Save the design").first.click()
    sign_in(desk)
    offer = desk.get_by_text(OFFER)
    expect(offer).to_be_visible()
    expect(box).to_have_value("")
    assert find_violations(desk) == []
    desk.get_by_role("button", name="Put it back").click()
    expect(box).to_have_value(TYPED)
    expect(desk.get_by_label("Points of the scale", exact=True)).to_have_value("3")
    expect(desk.get_by_label("Offer the common faults to tick")).to_be_checked()
    expect(desk.locator(".anchor:visible")).to_have_count(3)
    expect(offer).to_have_count(0)
    desk.get_by_role("button", name="Save the design").first.click()
    expect(desk.get_by_text("The design was saved.")).to_be_visible()
    expect(box).to_have_value(TYPED)
    desk.reload()
    expect(offer).to_have_count(0)
    assert desk.evaluate("sessionStorage.length") == 0


def test_unsaved_text_can_be_discarded_and_goes_with_signing_out(
    desk: Page,
) -> None:
    box = type_instructions(desk, title="Let go of")
    address = desk.url
    desk.goto(address)
    offer = desk.get_by_text(OFFER)
    expect(offer).to_be_visible()
    desk.get_by_role("button", name="Discard").click()
    desk.reload()
    expect(offer).to_have_count(0)
    box.fill("Typed once more")
    desk.get_by_role("button", name="Sign out").click()
    sign_in(desk)
    desk.goto(address)
    expect(box).to_have_value("")
    expect(offer).to_have_count(0)
    assert desk.evaluate("sessionStorage.length") == 0


def test_text_from_before_a_colleague_saved_meets_the_difference(
    site: Site, desk: Page
) -> None:
    box = type_instructions(desk, title="Two at the design")
    address = desk.url
    site.manage(
        "shell", "-c",
        "from dataclasses import replace; from ratings import designing; "
        "from ratings.models import Study; from django.contrib.auth.models import User;"
        "study = Study.objects.get(title='Two at the design'); "
        "wishes = replace(designing.read_wishes(study), instructions='Be quick.'); "
        "colleague = User.objects.create_user('cole'); "
        "designing.change_design(study=study, actor=colleague, wishes=wishes)",
    )  # fmt: skip
    desk.goto(address)
    expect(box).to_have_value("Be quick.")
    desk.get_by_role("button", name="Put it back").click()
    desk.get_by_role("button", name="Save the design").first.click()
    expect(desk.get_by_text("Somebody else changed the design")).to_be_visible()
    expect(desk.get_by_role("cell", name="Be quick.")).to_be_visible()
    expect(box).to_have_value(TYPED)


def test_the_end_of_the_session_is_told_before_and_can_be_put_off(
    site: Site, desk: Page
) -> None:
    type_instructions(desk, title="Nearly over")
    last_session(site, seconds=200)
    desk.reload()
    warning = desk.get_by_text(re.compile(r"You will be signed out at \d\d:\d\d"))
    expect(warning).to_be_visible()
    assert find_violations(desk) == []
    desk.mouse.wheel(0, 1500)
    expect(warning).to_be_in_viewport()
    desk.get_by_role("button", name="Stay signed in").click()
    expect(warning).to_have_count(0)
    last_session(site, seconds=20)
    desk.reload()
    expect(desk.get_by_text("You are signed out.")).to_be_visible(timeout=30_000)
    desk.get_by_role("link", name="Sign in").click()
    sign_in(desk)
    expect(desk.get_by_text(OFFER)).to_be_visible()


def test_the_second_of_two_coordinators_sees_both_and_chooses(
    site: Site, desk: Page
) -> None:
    walk.make_study(desk, title="Two deadlines")
    walk.open_step(desk, "Raters")
    site.manage(
        "shell", "-c",
        "from datetime import date; from ratings import declaring; "
        "from ratings.models import Study; from django.contrib.auth.models import User;"
        "declaring.set_deadline(study=Study.objects.get(title='Two deadlines'), "
        "actor=User.objects.create_user('colin'), day=date(2040, 3, 31))",
    )  # fmt: skip
    desk.get_by_label("Finish by").fill("2041-05-01")
    desk.get_by_role("button", name="Save the deadline").click()
    expect(desk.get_by_text("Somebody else was first")).to_be_visible()
    row = desk.get_by_role("row", name="Deadline for all")
    expect(row).to_have_text("Deadline for all31 Mar 20401 May 2041")
    assert find_violations(desk) == []
    desk.get_by_role("button", name="Save mine in place of what is stored").click()
    expect(desk.get_by_text("asked to finish by 1 May 2041.")).to_be_visible()
    expect(desk.get_by_label("Finish by")).to_have_value("2041-05-01")
