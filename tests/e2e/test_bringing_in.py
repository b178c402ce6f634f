"""The browser brings in folders and zips, and goes on after a break."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e import walk
from tests.e2e.conftest import keep_screenshot
from tests.ratings import hostile, sets

pytestmark = [pytest.mark.browser, pytest.mark.slow]
REFUSALS = (
    "the file ends before its last voxel",
    "this is a 4-D series (12×10×6×3)",
    "the mask holds 2 labels (1, 2)",
    "this is not a NIfTI-1 file",
)


def wait_for_verdicts(page: Page) -> None:
    page.wait_for_selector(
        "#sending [data-overall][hidden]", state="attached", timeout=240_000
    )


def choose_folder(page: Page, folder: Path) -> None:
    page.locator("input#folder").set_input_files(folder)
    wait_for_verdicts(page)


def test_a_folder_with_faults_is_imported_but_for_them(
    desk: Page, tmp_path: Path
) -> None:
    folder = tmp_path / "bids"
    made = sets.write_bids(folder, 4)
    made[1][0].write_bytes(made[1][0].read_bytes()[:-200])
    shutil.copy(made[2][0], made[2][1])
    walk.make_study(desk, title="A folder of BIDS")
    choose_folder(desk, folder)
    refusals = desk.locator(".refusals li")
    expect(refusals).to_have_count(2)
    expect(refusals.first).to_contain_text("the file ends before its last voxel")
    person = desk.get_by_label(f"Person of {made[0][0].name}")
    expect(person).to_have_value("sub-amu000")
    expect(desk.get_by_label(f"Site of {made[0][0].name}")).to_have_value("amu")
    expect(
        desk.get_by_text("Not kept of the sidecar files: PatientName")
    ).to_be_visible()
    keep_screenshot(desk, "set")
    walk.import_all(desk, count=3)
    expect(desk.locator("#cases-table")).to_contain_text("cord mask")


@pytest.mark.parametrize("layout", ["bids", "nnunet", "decathlon"])
def test_sixty_cases_with_five_faults_become_the_good_ones(
    layout: str, desk: Page, tmp_path: Path
) -> None:
    folder = tmp_path / layout
    made = sets.WRITERS[layout](folder, 60, bare=True)
    sets.plant_faults(made)
    walk.make_study(desk, title=f"Sixty cases of {layout}")
    choose_folder(desk, folder)
    refusals = desk.locator(".refusals li")
    expect(refusals).to_have_count(4)
    for words in REFUSALS:
        expect(refusals.filter(has_text=words)).to_have_count(1)
    # two of the refused files are masks, whose images nobody asked for alone
    for image, mask in (made[24], made[55]):
        expect(refusals.filter(has_text=mask.name)).to_have_count(1)
        desk.get_by_role("button", name=f"Remove {image.name}").first.click()
        expect(desk.get_by_label(f"Person of {image.name}")).to_have_count(
            0, timeout=120_000
        )
    desk.get_by_role("button", name="Import 56 cases").click()
    fault = desk.get_by_role("alert").get_by_role("listitem")
    expect(fault).to_have_count(1, timeout=120_000)
    expect(fault).to_contain_text(f"{made[40][1].name}: the mask lies 2.00 voxels away")
    desk.get_by_role("button", name="Import the good ones").click()
    cases = desk.locator("#cases-table tbody tr")
    expect(cases).to_have_count(55, timeout=120_000)
    expect(desk.get_by_label(f"Person of {made[40][0].name}")).to_be_visible()


def drop(page: Page, *paths: Path) -> None:
    """Let go of files and folders over the page, as somebody drags them there."""
    zone = page.locator("[data-drop]")
    zone.scroll_into_view_if_needed()
    box = zone.bounding_box()
    assert box
    spot = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    data = {"items": [], "files": [str(p) for p in paths], "dragOperationsMask": 1}
    session = page.context.new_cdp_session(page)
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": kind, "data": data, **spot})
        if kind == "dragOver":
            expect(zone).to_have_class(re.compile("drop-over"))
    session.detach()


def test_a_folder_that_is_dropped_is_walked_through(desk: Page, tmp_path: Path) -> None:
    folder = tmp_path / "bids"
    made = sets.write_bids(folder, 3)
    loose = tmp_path / "sub-99_T2w.nii.gz"
    shutil.copy(made[0][0], loose)
    walk.make_study(desk, title="A dropped folder")
    desk.evaluate(
        """() => addEventListener("drop", (event) => {
          window.dropped = [...event.dataTransfer.items].map((item) =>
            item.webkitGetAsEntry().isDirectory);
        }, true)"""
    )
    drop(desk, folder, loose)
    assert desk.evaluate("window.dropped") == [True, False]
    wait_for_verdicts(desk)
    expect(desk.get_by_label(f"Person of {made[2][0].name}")).to_have_value(
        "sub-amu002"
    )
    expect(desk.get_by_label(f"Site of {made[0][0].name}")).to_have_value("amu")
    expect(desk.get_by_label(f"Person of {loose.name}")).to_be_visible()
    assert desk.locator(".refusals li").count() == 0
    walk.import_all(desk, count=4)
    expect(desk.locator("#cases-table")).to_contain_text("cord mask")


def test_a_zip_is_opened_and_each_file_judged(desk: Page, tmp_path: Path) -> None:
    sets.write_nnunet(tmp_path / "set", 3)
    archive = shutil.make_archive(str(tmp_path / "set"), "zip", tmp_path, "set")
    walk.make_study(desk, title="A zip of nnU-Net")
    walk.upload(desk, [Path(archive)])
    expect(desk.get_by_label(re.compile("^Person of case_"))).to_have_count(3)
    walk.import_all(desk, count=3)
    expect(desk.locator("#cases-table")).to_contain_text("predictionsTs")


def test_a_file_that_broke_off_goes_on_where_it_stopped(
    desk: Page, tmp_path: Path
) -> None:
    path = tmp_path / "sub-01_T2w.nii"
    noise = hostile.write(hostile.image_voxels().repeat(120, 0).repeat(100, 1))
    path.write_bytes(noise)
    assert len(noise) > 2 * 8 * 2**20
    walk.make_study(desk, title="A broken line")
    sent: list[str] = []

    def break_second(route: Route) -> None:
        sent.append(route.request.headers["upload-offset"])
        if len(sent) == 1:
            route.continue_()
        else:
            route.abort()

    desk.route(
        "**/transfers/*",
        lambda r: break_second(r) if r.request.method == "PATCH" else r.continue_(),
    )
    desk.locator("input#files").set_input_files(path)
    for _ in range(300):
        if len(sent) > 1:
            break
        desk.wait_for_timeout(200)
    assert sent[:2] == ["0", str(8 * 2**20)]
    desk.reload()
    desk.unroute("**/transfers/*")
    offsets: list[str] = []
    desk.on(
        "request",
        lambda r: (
            offsets.append(r.headers.get("upload-offset", ""))
            if r.method == "PATCH"
            else None
        ),
    )
    walk.upload(desk, [path])
    expect(desk.get_by_label("Person of sub-01_T2w.nii")).to_have_value("sub-01")
    assert offsets[0] == str(8 * 2**20)
