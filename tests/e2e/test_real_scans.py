"""Real MRI of two people with multiple sclerosis goes the whole way in."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e import conftest, walk
from tests.e2e.conftest import Site, keep_screenshot, watch

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PEOPLE, CONTRASTS = ("07", "19"), ("FLAIR", "T1", "T2", "T1POST")


@pytest.fixture
def scans(shared: Path) -> Path:
    folder = shared / "data" / "ms-brain"
    if not folder.exists():
        pytest.skip(f"NOT TESTED on real MRI: the folder {folder} is absent")
    return folder


def mask_of(scans: Path, person: str) -> Path:
    return scans / f"sub-{person}_desc-consensus_mask.nii.gz"


def test_eight_scans_that_share_two_masks_are_paired_imported_and_viewed(
    site: Site, desk: Page, browser: Browser, scans: Path
) -> None:
    title = "Real brains"
    files = [scans / f"sub-{p}_{c}.nii.gz" for p in PEOPLE for c in CONTRASTS]
    walk.make_study(desk, title=title)
    walk.upload(desk, [*files, *(mask_of(scans, p) for p in PEOPLE)])
    for path in files:
        chosen = desk.get_by_label(f"Manual mask of {path.name}").locator(
            "option:checked"
        )
        expect(chosen).to_have_text(mask_of(scans, path.name[4:6]).name)
    keep_screenshot(desk, "pairing")
    walk.import_all(desk, count=8)
    link = walk.add_rater(desk, name="brin", email="brin@example.org")
    walk.lock(desk, title=title, password=conftest.PASSWORD)
    # eight scans, and one of them a second time
    view_all(site, browser, link, count=9)


def test_a_folder_of_spinal_cords_is_brought_in_but_for_a_name_that_misleads(
    desk: Page, shared: Path, tmp_path: Path
) -> None:
    """One image is called a lesion: it is refused with the remedy, which helps."""
    folder = shared / "data" / "spinal-cord"
    if not folder.exists():
        pytest.skip(f"NOT TESTED on real cords: the folder {folder} is absent")
    walk.make_study(desk, title="Real cords")
    walk.upload(desk, sorted(folder.glob("*.nii.gz")))
    refusal = desk.locator(".refusals li")
    expect(refusal).to_have_count(1)
    expect(refusal).to_contain_text("t2_fake_lesion.nii.gz: this looks like an image")
    expect(refusal).to_contain_text(
        "take words like “mask” or “lesion” out of its name"
    )
    renamed = tmp_path / "t2_fake.nii.gz"
    renamed.write_bytes((folder / "t2_fake_lesion.nii.gz").read_bytes())
    walk.upload(desk, [renamed])
    for image, mask in (
        ("t2", "t2_seg-manual"), ("t2_fake", "t2_fake_lesion_lesion_seg"),
    ):  # fmt: skip
        chosen = desk.get_by_label(f"Manual mask of {image}.nii.gz", exact=True)
        expect(chosen.locator("option:checked")).to_have_text(f"{mask}.nii.gz")
    walk.import_all(desk, count=4)
    row = desk.locator("#cases-table tr", has_text="t2_fake.nii.gz")
    expect(row).to_contain_text("cord mask: t2_fake_lesion_sc_seg.nii.gz")
    expect(row).to_contain_text("29 × 99 × 99")


def view_all(site: Site, browser: Browser, link: str, *, count: int) -> None:
    """A rater looks at every scan: the slice is painted, on the right plane's grid."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    faults = watch(page, site.address)
    walk.join(page, link=link, password="yet another password")
    walk.begin(page)
    for position in range(1, count + 1):
        expect(page.locator(".position")).to_contain_text(f"{position} / {count}")
        walk.wait_for_item(page)
        canvas = page.locator("canvas")
        expect(canvas).to_have_attribute("data-slices", re.compile("182|218"))
        keep_rating_screenshot(page, position)
        walk.score(page, 3, position=position, total=count)
    left = re.compile("left: your sign-off")
    expect(page.get_by_role("heading", name=left)).to_be_visible()
    context.close()
    assert faults == []


def keep_rating_screenshot(page: Page, position: int) -> None:
    if position == 1:
        keep_screenshot(page, "rating-brain")


def test_two_scans_are_predicted_without_mirroring(
    desk: Page, site: Site, scans: Path
) -> None:
    files = [scans / f"sub-{p}_FLAIR.nii.gz" for p in PEOPLE]
    walk.make_study(desk, title="Predicted brains")
    walk.upload(desk, [*files, *(mask_of(scans, p) for p in PEOPLE)])
    walk.import_all(desk, count=2)
    walk.predict_all(desk, count=2, mirroring=False, seconds=1200)
    rows = desk.locator("table.jobs tbody tr")
    expect(rows).to_have_count(2)
    for row in rows.all():
        expect(row).to_contain_text(re.compile("Done|mm³|No lesion found"))
