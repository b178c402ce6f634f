"""From uploaded files to cases: pairing by name, and all or nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from ratings import committing, filenames, files, importing, pairing
from ratings.importing import ImportRefused
from ratings.models import AuditEntry, Study, Upload
from ratings.pairing import Pair
from tests.volumes import make_affine, make_image, make_lesion, save

SHAPE = (16, 14, 6)
AFFINE = make_affine((0.6, 0.6, 3.0))


Send = Callable[..., Upload]


@pytest.fixture
def upload(study: Study, ada: User, tmp_path: Path) -> Send:
    """Send one generated file the way the browser does."""

    def send(
        name: str, *, mask: bool = False, shape: tuple[int, int, int] = SHAPE
    ) -> Upload:
        rng = np.random.default_rng(3)
        voxels = make_lesion(shape, rng) if mask else make_image(shape, rng)
        data = save(tmp_path / "sent.nii.gz", voxels, AFFINE).read_bytes()
        return importing.receive(study=study, user=ada, name=name, chunks=[data])

    return send


def test_a_received_file_is_judged_and_described(upload: Send) -> None:
    image = upload("sub-01_acq-sag_T2w.nii.gz")
    mask = upload("sub-01_acq-sag_T2w_lesion.nii.gz", mask=True)
    assert (image.kind, mask.kind) == ("image", "mask")
    assert image.facts["contrast"] == "T2w"
    assert image.facts["zooms"] == [0.6, 0.6, 3.0]
    assert mask.facts["volume_mm3"] == pytest.approx(9 * 0.6 * 0.6 * 3, abs=0.1)


def test_a_refused_file_leaves_no_bytes_behind(study: Study, ada: User) -> None:
    sent = importing.receive(study=study, user=ada, name="x.nii", chunks=[b"no" * 900])
    assert sent.kind == "refused"
    assert "x.nii" in sent.verdict["message"]
    assert not list(files.locate("quarantine").glob("*"))


@pytest.mark.parametrize(
    "name", ["../../etc/passwd.nii", "C:\\Users\\Smith\\scan.nii", "/abs/scan.nii.gz"]
)
def test_a_path_in_a_file_name_is_cut_off(study: Study, ada: User, name: str) -> None:
    sent = importing.receive(study=study, user=ada, name=name, chunks=[b"x"])
    assert "/" not in sent.name
    assert "\\" not in sent.name


@pytest.mark.parametrize(
    ("name", "contrast"),
    [
        ("sub-01_T2w.nii.gz", "T2w"),
        ("sub-01_acq-ax_T2star.nii.gz", "T2star"),
        ("sub-07_T1POST.nii.gz", "T1w-Gd"),
        ("amu_PSIR_lesion.nii.gz", "PSIR"),
        ("scan.nii.gz", ""),
    ],
)
def test_the_contrast_is_read_from_the_name(name: str, contrast: str) -> None:
    assert filenames.read_contrast(name) == contrast


def test_four_images_of_a_person_can_share_one_mask(upload: Send, study: Study) -> None:
    scans = [
        upload(f"sub-{s}_{c}.nii.gz")
        for s in ("07", "19")
        for c in ("FLAIR", "T1", "T2", "T1POST")
    ]
    masks = {
        s: upload(f"sub-{s}_desc-consensus_mask.nii.gz", mask=True)
        for s in ("07", "19")
    }
    pairs = pairing.propose_pairs(image_files=scans, mask_files=list(masks.values()))
    chosen = {pair.image: pair.masks["manual"] for pair in pairs}
    for scan in scans:
        assert chosen[str(scan.id)] == str(masks[scan.name[4:6]].id)
    cases = committing.commit_pairs(
        study=study, user=study.created_by, pairs=pairs
    ).cases
    assert len(cases) == 8
    assert all(case.masks.count() == 1 for case in cases)


def test_an_image_without_a_namesake_gets_no_mask(upload: Send) -> None:
    pairs = pairing.propose_pairs(
        image_files=[upload("anna_T2w.nii.gz")],
        mask_files=[upload("bert_T2w_seg.nii.gz", mask=True)],
    )
    assert pairs[0].masks == {}


def test_importing_is_all_or_nothing(upload: Send, study: Study, ada: User) -> None:
    good = Pair(
        str(upload("a_T2w.nii.gz").id),
        {"manual": str(upload("a_seg.nii.gz", mask=True).id)},
    )
    bad = Pair(
        str(upload("b_T2w.nii.gz").id),
        {"manual": str(upload("b_seg.nii.gz", mask=True, shape=(16, 14, 7)).id)},
    )
    with pytest.raises(ImportRefused, match="b_seg"):
        committing.commit_pairs(study=study, user=ada, pairs=[good, bad])
    assert study.cases.count() == 0
    assert study.uploads.count() == 4
    committing.commit_pairs(study=study, user=ada, pairs=[good])
    assert study.cases.count() == 1


def test_originals_are_not_kept_after_import(
    upload: Send, study: Study, ada: User
) -> None:
    image = upload("a_T2w.nii.gz")
    committing.commit_pairs(study=study, user=ada, pairs=[Pair(str(image.id), {})])
    assert not Upload.objects.filter(study=study).exists()
    assert not list(files.locate("quarantine").glob("*"))


def test_importing_is_on_record(upload: Send, study: Study, ada: User) -> None:
    image = upload("a_T2w.nii.gz")
    committing.commit_pairs(study=study, user=ada, pairs=[Pair(str(image.id), {})])
    entry = AuditEntry.objects.get(study=study, verb="import_cases")
    assert entry.payload == {"cases": ["C001"]}


def test_a_name_that_looks_personal_needs_a_confirmation_on_record(
    upload: Send, study: Study, ada: User, client: Client
) -> None:
    upload("Smith_Anna_T2w.nii.gz")
    upload("sub-01_T2w.nii.gz")
    client.force_login(ada)
    page, act = (reverse(name, args=[study.pk]) for name in ("cases", "cases-import"))
    assert "No name in this list says who" in client.get(page).content.decode()
    images = {"image": [str(u.id) for u in study.uploads.all()]}
    refused = client.post(act, images)
    assert refused.status_code == 422
    assert "Confirm that it does not" in refused.content.decode()
    assert study.cases.count() == 0
    client.post(act, {**images, "names_confirmed": "1"})
    assert study.cases.count() == 2
    entry = AuditEntry.objects.get(study=study, verb="confirm_names")
    assert entry.payload == {"files": 1}


def test_a_subject_is_doubted_as_it_is_to_be_kept(
    upload: Send, study: Study, ada: User, client: Client
) -> None:
    image = str(upload("a_T2w.nii.gz").id)
    client.force_login(ada)
    act = reverse("cases-import", args=[study.pk])
    for typed in ("müller hans", "100307"):
        refused = client.post(act, {"image": image, f"subject:{image}": typed})
        assert refused.status_code == 422
        assert "name, date or number." in refused.content.decode()
        assert "No name in this list says who" in refused.content.decode()
    client.post(act, {"image": image, f"subject:{image}": "P01"})
    case = study.cases.get()
    assert (case.subject, "personal_subject" in case.warnings) == ("P01", False)


def test_without_a_confirmation_the_good_ones_are_the_others(
    upload: Send, study: Study, ada: User
) -> None:
    pairs = [Pair(str(upload(f"{n}_T2w.nii.gz").id), {}) for n in ("20240131", "a")]
    outcome = committing.commit_pairs(
        study=study, user=ada, pairs=pairs, good_only=True
    )
    assert [case.source_name for case in outcome.cases] == ["a_T2w.nii.gz"]
    assert not AuditEntry.objects.filter(verb="confirm_names").exists()


def test_nothing_can_be_imported_once_locked(open_study: Study, ada: User) -> None:
    with pytest.raises(ImportRefused, match="locked"):
        committing.commit_pairs(study=open_study, user=ada, pairs=[Pair("x", {})])
    assert open_study.cases.count() == 6
