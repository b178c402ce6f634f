"""The list that waits for import: its sources, its rows with a fault, its keyboard."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e import walk
from tests.e2e.test_bringing_in import choose_folder
from tests.ratings import sets

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def remove(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=f"Remove {name}", exact=True)


def test_what_is_typed_is_the_source_though_names_say_pred(
    desk: Page, tmp_path: Path
) -> None:
    images = [tmp_path / f"P{n}_T2.nii.gz" for n in (1, 2)]
    masks = [tmp_path / f"P{n}_T2_pred.nii.gz" for n in (1, 2)]
    for seed, (image, mask) in enumerate(zip(images, masks, strict=True)):
        sets.write_image(image, seed)
        sets.write_mask(mask, seed)
    walk.make_study(desk, title="Predictions by name")
    desk.get_by_label("Name of what made the predictions").fill("nnU-Net 2.5")
    walk.upload(desk, [*images, *masks])
    listed = desk.get_by_role("row").filter(has=remove(desk, masks[0].name))
    expect(listed).to_contain_text("nnU-Net 2.5")
    walk.import_all(desk, count=2)
    expect(desk.locator(".legend")).to_contain_text("nnU-Net 2.5 2 / 2")


def test_a_row_with_a_fault_stops_the_import_until_it_is_left_out(
    desk: Page, tmp_path: Path
) -> None:
    folder = tmp_path / "man"
    for seed, name in enumerate("ab"):
        sets.write_image(folder / f"{name}.nii.gz", seed)
    sets.write_mask(folder / "m.nii.gz", 7)
    rows = "image,mask\na.nii.gz,m.nii.gz\nb.nii.gz,gone.nii.gz\n"
    (folder / "manifest.csv").write_text(rows)
    walk.make_study(desk, title="A table with a fault")
    choose_folder(desk, folder)
    fault = "man/manifest.csv, row 3: the column “mask” names gone.nii.gz"
    expect(desk.locator(".refusals li")).to_contain_text(fault)
    expect(desk.locator("[data-summary]")).to_contain_text("1 fault in the set")
    # nothing that was left out stands without a name
    expect(desk.locator("[data-rows] th", has_text="man/b.nii.gz")).to_be_visible()
    desk.get_by_role("button", name="Import 1 case").click()
    expect(desk.get_by_role("alert")).to_contain_text(fault)
    desk.get_by_role("button", name="Import the good ones").click()
    expect(desk.locator("#cases-table tbody tr")).to_have_count(1)


def test_after_a_removal_the_keyboard_stays_in_the_list(
    desk: Page, tmp_path: Path
) -> None:
    images = [tmp_path / f"P{n}_T2.nii.gz" for n in (1, 2, 3)]
    masks = [tmp_path / f"P{n}_T2_lesion.nii.gz" for n in (1, 2)]
    for seed, path in enumerate(images):
        sets.write_image(path, seed)
    for seed, path in enumerate(masks):
        sets.write_mask(path, seed)
    (tmp_path / "bad_T2.nii.gz").write_bytes(b"no image")
    walk.make_study(desk, title="A keyboard")
    walk.upload(desk, [*images, *masks, tmp_path / "bad_T2.nii.gz"])
    # the next row, at the end the one before, and without any the heading
    for pressed, next_one in [(0, images[1]), (2, images[1])]:
        remove(desk, images[pressed].name).focus()
        desk.keyboard.press("Enter")
        expect(remove(desk, images[pressed].name)).to_have_count(0)
        expect(remove(desk, next_one.name)).to_be_focused()
    desk.get_by_role("button", name="Dismiss bad_T2.nii.gz").focus()
    desk.keyboard.press("Enter")
    expect(desk.locator("#waiting-heading")).to_be_focused()
    # a mask that no image took is marked
    unused = desk.get_by_role("row").filter(has=remove(desk, masks[0].name))
    expect(unused.get_by_text("not used")).to_be_visible()
    used = desk.get_by_role("row").filter(has=remove(desk, masks[1].name))
    expect(used.get_by_text("not used")).to_be_hidden()
