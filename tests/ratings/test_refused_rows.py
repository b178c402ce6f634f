"""A fault in a row of a table stops the import, however the set comes in."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from zipfile import ZipFile

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from ratings import refused_rows
from ratings.models import Study
from tests.ratings import sets
from tests.ratings.script import Script
from tests.ratings.test_import_command import bring_in
from tests.ratings.test_transfers import Sender, make_zip

pytestmark = pytest.mark.django_db
TABLE = "image,mask_path\na.nii.gz,m.nii.gz\nb.nii.gz,gone.nii.gz\n"
FAULT = (
    "manifest.csv, row 3: the column “mask_path” names gone.nii.gz, which is not there "
    "or there more than once. Write its path from the manifest."
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two images, of which the second row's mask is missing."""
    for seed, name in enumerate("ab"):
        sets.write_image(tmp_path / f"set/{name}.nii.gz", seed)
    sets.write_mask(tmp_path / "set/m.nii.gz", 7)
    (tmp_path / "set/manifest.csv").write_text(TABLE)
    return tmp_path / "set"


def bring_zip(client: Client, study: Study, folder: Path) -> None:
    """As a browser does: send, look inside, take each file that the plan names."""
    sender = Sender(client, study)
    data = make_zip(lambda archive: pack(archive, folder))
    place = sender.begin("set.zip", len(data))["Location"]
    sender.piece(place, 0, data)
    told = sender.finish(place, hashlib.sha256(data).hexdigest())
    held = json.loads(told.content)
    for number, _ in enumerate(held["files"]):
        client.post(f"{place}/take", {"number": number})


def pack(archive: ZipFile, folder: Path) -> None:
    for path in sorted(folder.iterdir()):
        archive.write(path, path.name)


def press(client: Client, study: Study, **more: str) -> HttpResponse:
    """Import the list as the page proposes it."""
    page = client.get(reverse("cases", args=[study.pk])).content.decode()
    images = re.findall(r'name="image" value="([^"]+)"', page)
    masks = dict(
        re.findall(r'name="(mask:[^"]+)".*?<option value="([^"]+)"[^>]* selected',
                   page, re.DOTALL)
    )  # fmt: skip
    place = reverse("cases-import", args=[study.pk])
    return client.post(place, {"image": images, **masks, **more})  # type: ignore[return-value]


def test_the_page_blocks_and_then_imports_the_good_ones(
    study: Study, coordinator: Client, folder: Path
) -> None:
    bring_zip(coordinator, study, folder)
    assert refused_rows.list_faults(study) == [FAULT]
    refused = press(coordinator, study)
    assert refused.status_code == 422
    page = refused.content.decode()
    assert page.count(FAULT) == 2
    assert "Refused files and faults of a set" in page
    assert "Import the good ones" in page
    assert not study.cases.exists()
    press(coordinator, study, good="1")
    (case,) = study.cases.all()
    assert (case.source_name, case.masks.count()) == ("a.nii.gz", 1)
    # the row stays in the list until somebody dismisses it
    page = coordinator.get(reverse("cases", args=[study.pk])).content.decode()
    assert FAULT in page
    assert "1 row with a fault stayed in the list." in page


def test_a_dismissed_row_stops_nothing(
    study: Study, coordinator: Client, folder: Path
) -> None:
    bring_zip(coordinator, study, folder)
    row = study.uploads.get(name="manifest.csv, row 3")
    coordinator.post(reverse("upload-remove", args=[study.pk, row.pk]))
    assert press(coordinator, study).status_code == 302
    assert study.cases.count() == 1


def test_a_folder_that_is_planned_keeps_its_faults_once(
    study: Study, coordinator: Client
) -> None:
    for _ in range(2):
        table = SimpleUploadedFile("manifest.csv", TABLE.encode())
        paths = ["s/a.nii.gz", "s/b.nii.gz", "s/m.nii.gz", "s/manifest.csv"]
        told = coordinator.post(
            reverse("plan", args=[study.pk]),
            {"paths": json.dumps(paths), "text": table, "text-path": "s/manifest.csv"},
        ).json()
        assert told["faults"] == [f"s/{FAULT}"]
        # neither the image without its mask nor a file unsaid
        assert [one["path"] for one in told["files"]] == ["s/a.nii.gz", "s/m.nii.gz"]
        (left,) = told["passed_over"]
        assert left["path"] == "s/b.nii.gz"
        assert "Row 3 of the manifest, which names it, is left out" in left["reason"]
    assert refused_rows.list_faults(study) == [f"s/{FAULT}"]


def test_a_script_is_told_and_can_import_the_good_ones(
    study: Study, coordinator: Client, script: Script, folder: Path
) -> None:
    bring_zip(coordinator, study, folder)
    refused = script.post(f"studies/{study.pk}/import", {})
    assert refused.status_code == 422
    assert FAULT in json.dumps(refused.json(), ensure_ascii=False)
    made = script.post(f"studies/{study.pk}/import", {"good_only": True}).json()
    assert made["faults"] == [FAULT]
    assert len(made["cases"]) == 1
    assert study.cases.get().source_name == "a.nii.gz"


def test_the_command_goes_on_without_the_row(
    study: Study, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, told = bring_in(capsys, study, folder)
    assert (code, study.cases.count()) == (1, 0)
    assert told[0]["message"] == FAULT
    code, _ = bring_in(capsys, study, folder, "--good-ones")
    assert code == 1
    assert [case.source_name for case in study.cases.all()] == ["a.nii.gz"]


def test_a_mask_that_two_rows_claim_goes_to_neither(
    study: Study, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = "image,mask,subject\na.nii.gz,m.nii.gz,P1\nb.nii.gz,m.nii.gz,P2\n"
    (folder / "manifest.csv").write_text(rows)
    _, told = bring_in(capsys, study, folder, "--good-ones")
    assert "the mask m.nii.gz stands in row 2 already" in told[0]["message"]
    assert not study.cases.exists()


def test_of_very_many_faults_the_first_hundred_are_kept(
    study: Study, ada: User
) -> None:
    faults = [f"manifest.csv, row {n}: a\0b" for n in range(1000)]
    refused_rows.keep(study=study, user=ada, faults=faults)
    kept = refused_rows.list_faults(study)
    assert len(kept) == 101
    assert kept[0] == "manifest.csv, row 0: a?b"
    assert "This set has 900 more faults." in kept[-1]
