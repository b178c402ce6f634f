"""A second series of a case: taken in, refused, frozen, served for all arms alike."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, TestCase
from django.urls import reverse
from numpy.typing import NDArray

from ratings import companions, files, frozen, images, invitations, protocol
from ratings.importing import ImportRefused
from ratings.models import Companion, Item, Study
from tests.ratings.conftest import AddCases, make_user, sign_in
from tests.volumes import make_affine, make_image, save

pytestmark = pytest.mark.django_db

COARSE = make_affine((1.2, 1.2, 6.0))
Attach = Callable[..., Companion]


@pytest.fixture
def attach(study: Study, ada: User, tmp_path: Path) -> Attach:
    """Give a case a generated second series."""

    def attach(label: str, affine: NDArray[Any] = COARSE, seed: int = 7) -> Companion:
        voxels = make_image((12, 10, 4), np.random.default_rng(seed))
        path = save(tmp_path / "t1.nii.gz", voxels, affine)
        with TestCase.captureOnCommitCallbacks(execute=True):
            return companions.replace_companion(
                study=study, user=ada, case_id=study.cases.get(label=label).pk,
                kind="second", name="sub-01_T1w.nii.gz", chunks=[path.read_bytes()],
            )  # fmt: skip

    return attach


def open_for_rating(study: Study, ada: User, *, shown: bool) -> Client:
    make_user("rhea")
    invitations.add_rater(study=study, actor=ada, name="rhea", email="rhea@example.org")
    study.design |= {"mode": "side_by_side", "context": shown}
    study.save()
    protocol.lock(study=study, actor=ada)
    protocol.open_study(study=study, actor=ada)
    return sign_in(User.objects.get(first_name="rhea"))


def current(rater: Client, study: Study) -> dict[str, Any]:
    key = Item.objects.values_list("presentation__session__key", flat=True)[0]
    answer: dict[str, Any] = rater.get(reverse("next", args=[key])).json()["current"]
    return answer


def test_a_series_is_kept_in_canonical_bytes_without_its_header_text(
    add_cases: AddCases, attach: Attach
) -> None:
    add_cases(1)
    series_row = attach("C001")
    stored = files.locate(series_row.path).read_bytes()
    series = images.decode_image(stored)
    assert series.grid.shape == (12, 10, 4)
    assert series.grid.zooms == pytest.approx((1.2, 1.2, 6.0))
    assert series_row.source_name == "sub-01_T1w.nii.gz"
    assert images.encode_image(series) == stored


def test_a_new_series_replaces_the_old_one_and_its_bytes(
    add_cases: AddCases, attach: Attach
) -> None:
    add_cases(1)
    old = attach("C001").path
    new = attach("C001", seed=8)
    assert not files.locate(old).exists()
    assert files.locate(new.path).exists()


def test_a_series_of_another_place_is_refused_and_leaves_nothing(
    study: Study, add_cases: AddCases, attach: Attach
) -> None:
    add_cases(1)
    far = COARSE.copy()
    far[:3, 3] += 900
    with pytest.raises(ImportRefused, match="shows no part of what the case"):
        attach("C001", affine=far)
    assert not study.cases.get().companions.exists()
    assert list(files.locate("quarantine").iterdir()) == []


def test_a_locked_study_takes_no_series(
    study: Study, ada: User, add_cases: AddCases, attach: Attach
) -> None:
    add_cases(4)
    open_for_rating(study, ada, shown=True)
    before = sorted(files.locate("images").iterdir())
    with pytest.raises(ImportRefused, match="locked"):
        attach("C001")
    assert sorted(files.locate("images").iterdir()) == before


def test_removing_a_case_takes_its_series_along(
    study: Study,
    coordinator: Client,
    add_cases: AddCases,
    attach: Attach,
    django_capture_on_commit_callbacks: Any,
) -> None:
    add_cases(1)
    second = attach("C001")
    with django_capture_on_commit_callbacks(execute=True):
        address = reverse("cases-remove", args=[study.pk])
        coordinator.post(address, {"case": [second.case.pk]})
    assert not files.locate(second.path).exists()


def test_the_coordinator_adds_and_removes_a_series_on_the_cases_page(
    study: Study, coordinator: Client, add_cases: AddCases, tmp_path: Path
) -> None:
    add_cases(1)
    case = study.cases.get()
    voxels = make_image((12, 10, 4), np.random.default_rng(1))
    data = save(tmp_path / "t1.nii.gz", voxels, COARSE).read_bytes()
    address = reverse("cases-companion", args=[study.pk])
    file = SimpleUploadedFile("flair.nii.gz", data)
    page = coordinator.post(address, {"case": case.pk, "file": file}, follow=True)
    assert "second series: flair.nii.gz" in page.content.decode()
    assert "Remove the second series of C001" in page.content.decode()
    page = coordinator.post(address, {"case": case.pk, "remove": "1"}, follow=True)
    assert "second series: flair" not in page.content.decode()
    # nothing is offered for removal where nothing is there
    assert "Remove the second series" not in page.content.decode()
    broken = SimpleUploadedFile("notes.nii.gz", b"no volume at all")
    page = coordinator.post(address, {"case": case.pk, "file": broken}, follow=True)
    assert "notes.nii.gz" in page.content.decode()
    page = coordinator.post(address, {"case": case.pk}, follow=True)
    assert "No file arrived" in page.content.decode()
    page = coordinator.post(address, {"case": "?", "remove": "1"}, follow=True)
    assert "no longer here" in page.content.decode()


def test_both_masks_of_a_case_are_shown_with_the_same_series(
    study: Study, ada: User, add_cases: AddCases, attach: Attach
) -> None:
    add_cases(4)
    stored = {f"C00{n}": attach(f"C00{n}", seed=n).path for n in (1, 2, 3, 4)}
    rater = open_for_rating(study, ada, shown=True)
    items = current(rater, study)["items"]
    assert len(items) == 2
    served = [rater.get(item["context"]) for item in items]
    label = Item.objects.get(token=items[0]["token"]).presentation.case.label
    assert {answer.content for answer in served} == {
        files.locate(stored[label]).read_bytes()
    }
    named = [dict(a.headers) | {"X-Request-ID": ""} for a in served]
    assert named[0] == named[1]


def test_a_case_without_a_series_and_a_study_that_shows_none_serve_none(
    study: Study, ada: User, add_cases: AddCases, attach: Attach
) -> None:
    add_cases(4)
    attach("C001")
    rater = open_for_rating(study, ada, shown=False)
    assert [item["context"] for item in current(rater, study)["items"]] == [None, None]
    for item in Item.objects.all():
        address = reverse("item-context", args=[item.token])
        assert rater.get(address).status_code == 404


def test_the_protocol_freezes_which_series_is_shown(
    study: Study, add_cases: AddCases, attach: Attach
) -> None:
    add_cases(2)
    second = attach("C002")
    told = frozen.describe_protocol(study)["cases"]
    assert [row.get("context") for row in told] == [None, second.sha256]


def test_a_protocol_with_a_square_to_look_at_serves_it_for_every_item(
    study: Study, ada: User, add_cases: AddCases
) -> None:
    add_cases(4)
    study.design |= {"zoom_mm": 40, "planes": {"C001": "coronal"}, "plane": "axial"}
    rater = open_for_rating(study, ada, shown=False)
    shown = current(rater, study)
    token = shown["items"][0]["token"]
    label = Item.objects.get(token=token).presentation.case.label
    assert shown["zoom_mm"] == 40
    assert shown["plane"] == ("coronal" if label == "C001" else "axial")


@pytest.mark.parametrize(
    ("kind", "value"), [("cord", 1), ("levels", 7), ("soft", 0.25)]
)
def test_a_map_on_the_image_s_grid_is_kept_for_measuring_and_frozen_by_the_protocol(
    study: Study, ada: User, add_cases: AddCases, tmp_path: Path, kind: str, value: Any
) -> None:
    add_cases(1)
    case = study.cases.get()
    voxels = np.zeros((24, 20, 8), np.float32)
    voxels[10:14, 8:12, :] = value
    path = save(tmp_path / "map.nii.gz", voxels, make_affine((0.6, 0.6, 3.0)))
    made = companions.replace_companion(
        study=study, user=ada, case_id=case.pk, kind=kind, name="map.nii.gz",
        chunks=[path.read_bytes()],
    )  # fmt: skip
    read = {
        "cord": companions.read_cord,
        "levels": companions.read_levels,
        "soft": companions.read_soft,
    }[kind](study.cases.get())
    assert read is not None
    np.testing.assert_array_equal(read, voxels.astype(read.dtype))
    told = frozen.describe_protocol(study)["cases"]
    assert told[0]["maps"] == {kind: made.sha256}


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        ("levels", 1.5, "whole numbers from 0 to 255"),
        ("soft", 90, "probabilities from 0 to 1"),
        ("cord", 0.5, "must be a whole number"),
    ],
)
def test_a_map_with_values_of_another_kind_is_refused(
    study: Study, ada: User, add_cases: AddCases, tmp_path: Path,
    kind: str, value: float, words: str,
) -> None:  # fmt: skip
    add_cases(1)
    voxels = np.zeros((24, 20, 8), np.float32)
    voxels[0] = value
    path = save(tmp_path / "map.nii.gz", voxels, make_affine((0.6, 0.6, 3.0)))
    with pytest.raises(ImportRefused, match=words):
        companions.replace_companion(
            study=study, user=ada, case_id=study.cases.get().pk, kind=kind,
            name="map.nii.gz", chunks=[path.read_bytes()],
        )  # fmt: skip
    assert not study.cases.get().companions.exists()
