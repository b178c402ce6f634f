"""The way through the product: from scans to statistics, in a real browser."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import zipfile
from pathlib import Path

import nibabel as nib
import pytest
from playwright.sync_api import Browser, Page, expect

from inference import phantoms
from tests.e2e import conftest, walk
from tests.e2e.conftest import Site, watch

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CASES = 3
# Two masks a case, and of ten a rater one comes again unannounced.
TOTAL = 2 * CASES + 1
PASSWORD = "another long password"
FORBIDDEN = re.compile(r"manual|predict|ensemble|nnu-?net|phantom", re.IGNORECASE)


def write_cases(folder: Path) -> list[Path]:
    """Phantom scans with their masks as a rater would have drawn them."""
    paths = []
    for n in range(CASES):
        phantom = phantoms.make_phantom(
            seed=700 + n, contrast=phantoms.CONTRASTS[n], acquisition="axial"
        )
        mask = phantoms.perturb_mask(truth=phantom.truth, zooms=phantom.zooms, seed=n)
        for name, voxels in (("", phantom.image), ("_lesion", mask)):
            path = folder / f"sub-{n:02d}_{phantom.contrast}{name}.nii.gz"
            nib.save(nib.Nifti1Image(voxels, phantom.affine), path)
            paths.append(path)
    return paths


def rate_everything(page: Page, *, shift: int) -> None:
    walk.begin(page)
    for position in range(1, TOTAL + 1):
        if position == 3:
            leave_and_resume(page)
        walk.score(page, 1 + (position + shift) % 5, position=position, total=TOTAL)
    left = re.compile("left: your sign-off")
    expect(page.get_by_role("heading", name=left)).to_be_visible()


def leave_and_resume(page: Page) -> None:
    expect(page.locator(".position")).to_contain_text("3 /")
    page.reload()
    walk.begin(page)


def check_bundle(data: bytes) -> None:
    """Every file is as SHA256SUMS says, and every score is in the long table once."""
    with zipfile.ZipFile(io.BytesIO(data)) as bundle:
        names = bundle.namelist()
        sums = next(name for name in names if name.endswith("SHA256SUMS"))
        for line in bundle.read(sums).decode().splitlines():
            digest, name = line.split(maxsplit=1)
            found = hashlib.sha256(bundle.read(name.lstrip("*"))).hexdigest()
            assert found == digest, name
        long = next(name for name in names if name.endswith("scores_long.csv"))
        rows = list(csv.DictReader(io.StringIO(bundle.read(long).decode("utf-8-sig"))))
        results = next(name for name in names if name.endswith("results.json"))
        json.loads(bundle.read(results))
    assert len(rows) == 2 * TOTAL
    assert sum(row["rep"] == "1" for row in rows) == 2
    assert {row["arm"] for row in rows} == {"manual", "model"}
    assert {row["rater"] for row in rows} == {"R01", "R02"}
    assert all(row["score"] in set("12345") for row in rows)
    assert any(name.endswith(".svg") for name in names)


def test_from_uploaded_scans_to_published_statistics(
    site: Site,
    desk: Page,
    browser: Browser,
    tmp_path: Path,
) -> None:
    title = "Walk through"
    walk.make_study(desk, title=title)
    walk.upload(desk, write_cases(tmp_path))
    walk.import_all(desk, count=CASES)
    walk.predict_all(desk, count=CASES, mirroring=False)
    links = [
        walk.add_rater(desk, name=name, email=f"{name}@example.org")
        for name in ("rhea", "otto")
    ]
    walk.lock(desk, title=title, password=conftest.PASSWORD)
    for shift, link in enumerate(links):
        rate_as(site, browser, link, shift)
    walk.open_step(desk, "Monitor")
    expect(desk.locator("#raters")).to_have_text(f"{2 * TOTAL} / {2 * TOTAL} rated")
    desk.get_by_role("link", name="Close the study").click()
    for code in ("R01", "R02"):
        desk.get_by_label(f"Close without it: {code}").check()
    walk.confirm_by_name(desk, title=title, verb="Close the study")
    desk.get_by_role("link", name="Unblind the study").click()
    desk.get_by_label("Reason").fill("Rating is over.")
    desk.get_by_label("Your password").fill(conftest.PASSWORD)
    walk.confirm_by_name(desk, title=title, verb="Unblind the study")
    walk.open_step(desk, "Results")
    expect(desk.get_by_text("Primary: the difference")).to_be_visible(timeout=120_000)
    expect(desk.locator(".answer")).to_contain_text("2 raters, 3 cases")
    walk.open_step(desk, "Export")
    with desk.expect_download() as download:
        desk.get_by_role("button", name="Download export.zip").click()
    check_bundle(Path(download.value.path()).read_bytes())


def rate_as(site: Site, browser: Browser, link: str, shift: int) -> None:
    """One rater from the link to the last item; no word of a source on the way."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    faults = watch(page, site.address)
    bodies: list[str] = []
    page.on(
        "response",
        lambda answer: (
            bodies.append(answer.text())
            if "/api/rate/" in answer.url and answer.ok
            else None
        ),
    )
    walk.join(page, link=link, password=PASSWORD)
    rate_everything(page, shift=shift)
    assert not FORBIDDEN.search(page.content())
    assert not any(FORBIDDEN.search(body) for body in bodies)
    page.goto(link)
    expect(page.get_by_text("already used")).to_be_visible()
    context.close()
    assert faults == []
