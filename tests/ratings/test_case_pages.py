"""Uploading over HTTP, the pairing preview, importing, and taking out again."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client, TestCase
from django.urls import reverse

from ratings import files, selecting
from ratings.models import AuditEntry, Job, Study, Upload
from tests.ratings.conftest import AddCases
from tests.volumes import make_affine, make_image, make_lesion, save

SHAPE = (16, 14, 6)
AFFINE = make_affine((0.6, 0.6, 3.0))
Send = Callable[..., HttpResponse]


def address(name: str, study: Study, *more: object) -> str:
    return reverse(name, args=[study.pk, *more])


@pytest.fixture
def send(study: Study, coordinator: Client) -> Send:
    """Post one file of given bytes the way the page does."""

    def send(name: str, data: bytes, **fields: str) -> HttpResponse:
        file = SimpleUploadedFile(name, data, "application/octet-stream")
        answer = coordinator.post(address("uploads", study), {"file": file, **fields})
        assert isinstance(answer, HttpResponse)
        return answer

    return send


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., bytes]:
    """The bytes of a generated image or mask."""

    def make(*, mask: bool = False, shape: tuple[int, int, int] = SHAPE) -> bytes:
        rng = np.random.default_rng(5)
        voxels = make_lesion(shape, rng) if mask else make_image(shape, rng)
        return save(tmp_path / "made.nii.gz", voxels, AFFINE).read_bytes()

    return make


@pytest.fixture
def four_by_two(send: Send, make: Callable[..., bytes]) -> None:
    """Four images of each of two persons, and one mask a person."""
    for person in ("07", "19"):
        for contrast in ("FLAIR", "T1", "T2", "T1POST"):
            send(f"sub-{person}_{contrast}.nii.gz", make())
        send(f"sub-{person}_desc-consensus_mask.nii.gz", make(mask=True))


def read_form(study: Study, coordinator: Client) -> dict[str, Any]:
    """What the preview would post if the coordinator changed nothing."""
    context = coordinator.get(address("cases", study)).context
    form: dict[str, Any] = {"image": [], "case": []}
    for row in context["preview"]:
        form["case" if row.case else "image"].append(row.target.id)
        form[f"contrast:{row.target.id}"] = dict(row.strata).get("contrast", "")
        form |= {choice.field: choice.chosen for choice in row.choices}
    return form


def test_an_accepted_file_is_answered_with_its_verdict(
    send: Send, make: Callable[..., bytes], study: Study
) -> None:
    answer = send("sub-01_T2w.nii.gz", make())
    verdict = json.loads(answer.content)
    assert answer.status_code == 201
    assert (verdict["kind"], verdict["verdict"]) == ("image", "accept")
    assert verdict["facts"]["shape"] == list(SHAPE)
    for fact in ("16 × 14 × 6", "0.6 × 0.6 × 3", "RAS", "T2w", "Usable"):
        assert fact in verdict["row"]
    assert study.uploads.get().name == "sub-01_T2w.nii.gz"


def test_a_mask_s_verdict_tells_its_lesion_volume(
    send: Send, make: Callable[..., bytes]
) -> None:
    verdict = json.loads(send("sub-01_lesion.nii.gz", make(mask=True)).content)
    assert verdict["facts"]["volume_mm3"] == pytest.approx(9 * 1.08, abs=0.1)
    assert "9.7 mm³" in verdict["row"]


def four_dimensional(tmp_path: Path) -> bytes:
    series = nib.Nifti1Image(np.zeros((4, 4, 4, 3), np.int16), np.eye(4))
    nib.save(series, tmp_path / "series.nii.gz")
    return (tmp_path / "series.nii.gz").read_bytes()


@pytest.mark.parametrize("kind", ["truncated", "four-dimensional", "not NIfTI"])
def test_a_bad_file_is_refused_by_name_and_the_study_stays(
    kind: str,
    send: Send,
    make: Callable[..., bytes],
    tmp_path: Path,
    study: Study,
    coordinator: Client,
) -> None:
    data = {
        "truncated": make()[:-400],
        "four-dimensional": four_dimensional(tmp_path),
        "not NIfTI": b"Dear colleague, the scans follow by post. " * 20,
    }[kind]
    answer = send("bad_scan.nii.gz", data)
    problem = json.loads(answer.content)
    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert problem["detail"].startswith("bad_scan.nii.gz: ")
    assert study.cases.count() == study.arms.count() == 0
    assert not [path for path in files.locate("").rglob("*") if path.is_file()]
    assert "bad_scan.nii.gz" in coordinator.get(address("cases", study)).text


def test_a_refused_file_can_be_dismissed(
    send: Send, study: Study, coordinator: Client
) -> None:
    send("bad.nii", b"no" * 500)
    upload = study.uploads.get()
    coordinator.post(address("upload-remove", study, upload.pk))
    assert coordinator.get(address("cases", study)).context["refused"] == []
    assert not study.uploads.exists()


def test_dismissing_all_refused_leaves_what_waits_for_import(
    send: Send, make: Callable[..., bytes], study: Study, coordinator: Client
) -> None:
    send("good_T2w.nii.gz", make())
    for n in range(2):
        send(f"bad{n}.nii", b"no" * 500)
    coordinator.post(address("uploads-clear", study), {"which": "refused"})
    assert [upload.name for upload in study.uploads.all()] == ["good_T2w.nii.gz"]
    with TestCase.captureOnCommitCallbacks(execute=True):
        coordinator.post(address("uploads-clear", study))
    assert not study.uploads.exists()
    assert not list(files.locate("images").iterdir())


def test_removing_all_asks_first_with_the_count_and_says_what_went(
    four_by_two: None, send: Send, study: Study, coordinator: Client
) -> None:
    send("bad.nii", b"no" * 500)
    page = coordinator.get(address("cases", study)).text
    assert 'data-ask="Remove 11 received files from this list?' in page
    assert page.index("Remove all from this list") > page.index("Masks in this list")
    answer = coordinator.post(address("uploads-clear", study), follow=True)
    assert "11 files removed from the list." in answer.text


def test_corrections_are_kept_and_dismissing_a_refusal_leaves_the_page_open(
    four_by_two: None, send: Send, study: Study, coordinator: Client
) -> None:
    """What the marks do is tried in a browser and under frontend/tests."""
    for n in range(2):
        send(f"bad{n}.nii", b"no" * 500)
    page = coordinator.get(address("cases", study)).text
    (form,) = re.findall(r'<form id="pairing"[^>]*>', page)
    assert "data-keep-touched" in form
    dismissing = re.findall(r"<form[^>]*>(?=[^\n]*>Dismiss)", page)
    assert len(dismissing) == 3
    assert all("data-quiet" in one for one in dismissing)


def test_a_name_cannot_smuggle_markup_into_the_page(
    send: Send, make: Callable[..., bytes], study: Study, coordinator: Client
) -> None:
    answer = send("<img src=x onerror=1>_T2w.nii.gz", make())
    page = coordinator.get(address("cases", study)).text
    for text in (json.loads(answer.content)["row"], page):
        assert "<img src=x" not in text


def test_a_file_over_the_limit_is_not_taken_in(
    send: Send, make: Callable[..., bytes], study: Study, settings: Any
) -> None:
    settings.UPLOAD_LIMIT_BYTES = 1000
    answer = send("large_T2w.nii.gz", make())
    assert answer.status_code == 413
    assert "large_T2w.nii.gz" in json.loads(answer.content)["detail"]
    assert not study.uploads.exists()


@pytest.mark.parametrize("name", ["", "  ", "Manual", "???"])
def test_predictions_need_a_name_of_their_own(
    name: str, send: Send, make: Callable[..., bytes], study: Study
) -> None:
    answer = send("a_seg.nii.gz", make(mask=True), role="upload", arm=name)
    assert answer.status_code == 400
    assert not study.uploads.exists()


def test_nothing_is_taken_in_once_locked(
    open_study: Study, coordinator: Client, make: Callable[..., bytes]
) -> None:
    file = SimpleUploadedFile("a_T2w.nii.gz", make())
    answer = coordinator.post(address("uploads", open_study), {"file": file})
    assert answer.status_code == 409
    assert "locked" in json.loads(answer.content)["detail"]


def test_the_preview_gives_four_images_of_a_person_one_mask(
    four_by_two: None, study: Study, coordinator: Client
) -> None:
    rows = coordinator.get(address("cases", study)).context["preview"]
    masks = {str(u.pk): u.name for u in study.uploads.filter(kind="mask")}
    assert len(rows) == 8
    for row in rows:
        assert masks[row.choices[0].chosen].startswith(row.target.name[:6])


def test_sources_stand_below_one_another_with_room_for_a_mask_s_full_name(
    send: Send, make: Callable[..., bytes], study: Study, coordinator: Client
) -> None:
    send("a_T2w.nii.gz", make())
    for n, source in enumerate(("One", "Two", "Three", "Four", "Five")):
        send(f"a_seg{n}.nii.gz", make(mask=True), role="upload", arm=source)
    page = coordinator.get(address("cases", study)).text
    (table,) = re.findall(r'<table class="[^"]*waiting">.*?</table>', page, re.S)
    assert table.count("<th ") == 5 + 1
    (cell,) = re.findall(r'<td><div class="choices-of-masks">.*?</td>', table, re.S)
    assert cell.count("<select ") == cell.count("data-full hidden") == 5
    assert '<span class="mask-source">Three</span>' in cell


def test_importing_makes_a_case_of_every_image(
    four_by_two: None, study: Study, coordinator: Client
) -> None:
    form = read_form(study, coordinator)
    answer = coordinator.post(address("cases-import", study), form, follow=True)
    assert "8 cases imported with 8 masks." in answer.text
    assert study.cases.count() == 8
    assert all(case.masks.count() == 1 for case in study.cases.all())
    assert not study.uploads.exists()


def test_a_list_of_500_images_is_one_form(
    send: Send, make: Callable[..., bytes], study: Study, coordinator: Client
) -> None:
    send("a_T2w.nii.gz", make())
    form = read_form(study, coordinator)
    form |= {f"contrast:{n}": "" for n in range(500 * 8)}
    answer = coordinator.post(address("cases-import", study), form, follow=True)
    assert "1 case imported" in answer.text


def test_a_correction_in_the_preview_is_what_is_imported(
    send: Send, make: Callable[..., bytes], study: Study, coordinator: Client
) -> None:
    send("a_T2w.nii.gz", make())
    send("a_seg.nii.gz", make(mask=True))
    send("other_seg.nii.gz", make(mask=True))
    form = read_form(study, coordinator)
    image = form["image"][0]
    other = study.uploads.get(name="other_seg.nii.gz")
    form |= {f"mask:{image}:manual": str(other.pk), f"contrast:{image}": "STIR"}
    coordinator.post(address("cases-import", study), form)
    case = study.cases.get()
    assert case.strata["contrast"] == "STIR"
    assert case.masks.get().source_name == "other_seg.nii.gz"
    assert study.uploads.get().name == "a_seg.nii.gz"


def test_one_mask_on_another_grid_stops_the_whole_import_and_choices_stay(
    four_by_two: None,
    send: Send,
    make: Callable[..., bytes],
    study: Study,
    coordinator: Client,
) -> None:
    send("sub-07_T2_seg.nii.gz", make(mask=True, shape=(16, 14, 7)))
    form = read_form(study, coordinator)
    form[f"contrast:{form['image'][0]}"] = "my own word"
    answer = coordinator.post(address("cases-import", study), form)
    assert answer.status_code == 422
    assert "Nothing was imported." in answer.text
    assert "sub-07_T2_seg.nii.gz: the mask has 16×14×7 voxels" in answer.text
    assert "my own word" in answer.text
    assert study.cases.count() == study.arms.count() == 0
    assert study.uploads.count() == 11


def test_predictions_made_elsewhere_join_the_cases_of_before(
    four_by_two: None,
    send: Send,
    make: Callable[..., bytes],
    study: Study,
    coordinator: Client,
) -> None:
    first = read_form(study, coordinator)
    coordinator.post(address("cases-import", study), first)
    for person in ("07", "19"):
        for contrast in ("FLAIR", "T1", "T2", "T1POST"):
            name = f"sub-{person}_{contrast}_pred.nii.gz"
            send(name, make(mask=True), role="upload", arm="SCT 6.5")
    form = read_form(study, coordinator)
    assert not form["image"]
    answer = coordinator.post(address("cases-import", study), form, follow=True)
    assert "8 masks added to 8 cases." in answer.text
    arm = study.arms.get(key="sct-65")
    assert (arm.label, arm.kind) == ("SCT 6.5", "upload")
    for case in study.cases.all():
        stem = case.source_name.removesuffix(".nii.gz")
        assert case.masks.get(arm=arm).source_name == f"{stem}_pred.nii.gz"
    assert AuditEntry.objects.filter(study=study, verb="import_masks").count() == 1


def test_without_a_chosen_mask_the_page_says_so_and_keeps_the_choice(
    four_by_two: None,
    send: Send,
    make: Callable[..., bytes],
    study: Study,
    coordinator: Client,
) -> None:
    coordinator.post(address("cases-import", study), read_form(study, coordinator))
    send("sub-07_T2_pred.nii.gz", make(mask=True), role="upload", arm="SCT 6.5")
    form = read_form(study, coordinator)
    chosen = [key for key, value in form.items() if key.startswith("mask:") and value]
    assert len(chosen) == 1
    answer = coordinator.post(address("cases-import", study), form | {chosen[0]: ""})
    assert answer.status_code == 422
    assert "No mask is chosen for any case." in answer.text
    assert "Import the good ones" not in answer.text
    # neither a row nor what was chosen in it is lost
    rows = answer.context["preview"]
    assert len(rows) == 8
    assert not any(choice.chosen for row in rows for choice in row.choices)


def test_a_remark_does_not_repeat_the_name_above_it(
    send: Send, study: Study, coordinator: Client, tmp_path: Path
) -> None:
    empty = save(tmp_path / "m.nii.gz", np.zeros(SHAPE, np.uint8), AFFINE)
    answer = send("a_seg.nii.gz", empty.read_bytes())
    told = json.loads(answer.content)
    assert "a_seg.nii.gz: The mask is empty" in told["message"]
    for page in (told["row"], coordinator.get(address("cases", study)).text):
        assert "The mask is empty: no voxel is marked." in page
        assert "a_seg.nii.gz: The mask is empty" not in page


def test_a_volume_is_rounded_once_so_that_it_is_the_same_after_the_import(
    send: Send, study: Study, coordinator: Client, tmp_path: Path
) -> None:
    # 83.46 mm³: rounded to 83.5 first it was 84
    affine = np.diag([5.0, 5.0, 3.3384, 1.0])
    marked = np.zeros((12, 10, 6), np.uint8)
    marked[5, 5, 3] = 1
    image = make_image(marked.shape, np.random.default_rng(1))
    send("a.nii.gz", save(tmp_path / "a.nii.gz", image, affine).read_bytes())
    send("a_seg.nii.gz", save(tmp_path / "m.nii.gz", marked, affine).read_bytes())
    waiting = coordinator.get(address("cases", study)).text
    assert '<td class="num">83</td>' in waiting
    coordinator.post(address("cases-import", study), read_form(study, coordinator))
    assert '<td class="num">83</td>' in coordinator.get(address("cases", study)).text


def test_a_case_that_has_a_mask_of_an_arm_takes_no_second_one(
    send: Send, make: Callable[..., bytes], study: Study, coordinator: Client
) -> None:
    send("a_T2w.nii.gz", make())
    send("a_seg.nii.gz", make(mask=True))
    coordinator.post(address("cases-import", study), read_form(study, coordinator))
    send("a_seg2.nii.gz", make(mask=True))
    case, mask = study.cases.get(), study.uploads.get()
    form = {"case": str(case.pk), f"mask:{case.pk}:manual": str(mask.pk)}
    answer = coordinator.post(address("cases-import", study), form)
    assert answer.status_code == 422
    assert "already has a mask" in answer.text
    assert case.masks.get().source_name == "a_seg.nii.gz"


def test_a_forged_row_is_a_sentence_not_an_error(
    study: Study, coordinator: Client
) -> None:
    for image in ("no-id", "00000000-0000-4000-8000-000000000000"):
        answer = coordinator.post(address("cases-import", study), {"image": image})
        assert answer.status_code == 422
        assert "no longer here" in answer.text


def test_imported_cases_show_what_was_measured(
    study: Study, coordinator: Client, add_cases: AddCases
) -> None:
    add_cases(2)
    text = coordinator.get(address("cases", study)).text
    for fact in ("C001", "C002", "24 × 20 × 8", "0.6 × 0.6 × 3", "9.7"):
        assert fact in text


def test_cases_that_are_left_out_say_so(
    study: Study, coordinator: Client, ada: User, add_cases: AddCases
) -> None:
    add_cases(3)
    page = coordinator.get(address("cases", study)).text
    assert "left out" not in page
    assert "Choose which are rated" in page
    case = study.cases.get(label="C002")
    selecting.leave_out(
        study=study, actor=ada, ids=[case.pk], reason="blurred",
        revision=study.cases_revision,
    )  # fmt: skip
    page = coordinator.get(address("cases", study)).text
    assert "3 cases, 1 left out</h2>" in page
    (row,) = re.findall(r"<strong>(C\d+)</strong><br><span[^>]*>left out<", page)
    assert row == "C002"


def test_a_locked_study_shows_which_are_rated(
    open_study: Study, coordinator: Client
) -> None:
    page = coordinator.get(address("cases", open_study)).text
    assert "See which are rated" in page
    assert "Choose which are rated" not in page


def test_pictures_are_painted_for_the_coordinator_alone(
    open_study: Study, coordinator: Client, rater: Client, outsider: Client
) -> None:
    case = open_study.cases.first()
    assert case is not None
    url = address("case-picture", open_study, case.pk)
    answer = coordinator.get(url)
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.content.startswith(b"\x89PNG")
    assert rater.get(url).status_code == 404
    assert outsider.get(url).status_code == 404
    assert Client().get(url).status_code == 302


def test_a_picture_of_an_upload_is_seen_by_the_coordinator_alone(
    send: Send,
    make: Callable[..., bytes],
    study: Study,
    coordinator: Client,
    outsider: Client,
) -> None:
    send("a_T2w.nii.gz", make())
    url = address("upload-picture", study, Upload.objects.get().pk)
    assert coordinator.get(url).content.startswith(b"\x89PNG")
    assert outsider.get(url).status_code == 404


def test_a_removed_case_leaves_no_file_behind(
    study: Study,
    coordinator: Client,
    add_cases: AddCases,
    django_capture_on_commit_callbacks: Any,
) -> None:
    add_cases(2)
    cases = list(study.cases.all())
    for case in cases:
        coordinator.get(address("case-picture", study, case.pk))
    with django_capture_on_commit_callbacks(execute=True):
        coordinator.post(address("cases-remove", study), {"case": str(cases[0].pk)})
    assert list(study.cases.all()) == cases[1:]
    left = [path for path in files.locate("").rglob("*") if path.is_file()]
    assert len(left) == 1 + 2 + 1
    entry = AuditEntry.objects.get(study=study, verb="remove_cases")
    assert entry.payload == {"cases": ["C001"]}


def test_masks_of_one_arm_can_be_taken_out_and_the_cases_stay(
    study: Study, coordinator: Client, add_cases: AddCases
) -> None:
    add_cases(2)
    coordinator.post(address("arm-remove", study, "model"))
    assert [arm.key for arm in study.arms.all()] == ["manual"]
    assert study.cases.count() == 2


def test_nothing_is_removed_while_predictions_run(
    study: Study, coordinator: Client, add_cases: AddCases
) -> None:
    add_cases(1)
    Job.objects.create(study=study, kind="predict", status="running")
    form = {"case": str(study.cases.get().pk)}
    answer = coordinator.post(address("cases-remove", study), form, follow=True)
    assert "Predictions are running." in answer.text
    assert study.cases.count() == 1


def test_nothing_is_removed_once_locked(open_study: Study, coordinator: Client) -> None:
    case = open_study.cases.first()
    assert case is not None
    form = {"case": str(case.pk)}
    answer = coordinator.post(address("cases-remove", open_study), form, follow=True)
    assert "locked" in answer.text
    assert open_study.cases.count() == 6


def test_strangers_and_raters_can_change_nothing(
    open_study: Study, rater: Client, outsider: Client
) -> None:
    for client in (rater, outsider):
        for name in ("uploads", "uploads-clear", "cases-import", "cases-remove"):
            assert client.post(address(name, open_study)).status_code == 404


def test_the_good_ones_are_offered_where_some_rows_are_good(
    four_by_two: None,
    send: Send,
    make: Callable[..., bytes],
    study: Study,
    coordinator: Client,
) -> None:
    send("MUELLER_HANS_T2.nii.gz", make())
    form = read_form(study, coordinator)
    answer = coordinator.post(address("cases-import", study), form)
    assert answer.status_code == 422
    assert "Import the good ones" in answer.text
