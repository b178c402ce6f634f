"""The desk looks at masks by arm only where no blind depends on it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from PIL import Image

from inference import results
from inference.measuring import run_job
from inference.models import Prediction
from ratings import (
    companions,
    files,
    images,
    importing,
    looking,
    measuring,
    protocol,
    thumbnails,
)
from ratings.looking import Tile, rank
from ratings.models import Case, Job, Study
from tests.ratings.conftest import AddCases, end_collecting
from tests.volumes import make_affine, save

PAGES = ("masks-viewer", "masks-image", "masks-facts")


@pytest.fixture
def case(study: Study, add_cases: AddCases) -> Case:
    """The first of three cases in a study that nobody rates."""
    add_cases(3)
    return study.cases.get(label="C001")


def address(name: str, case: Case, *more: str) -> str:
    return reverse(name, args=[case.study_id, case.pk, *more])


def test_the_viewer_opens_in_a_study_without_raters(
    coordinator: Client, outsider: Client, case: Case
) -> None:
    for name in PAGES:
        assert coordinator.get(address(name, case)).status_code == 200
        assert outsider.get(address(name, case)).status_code == 404
    page = coordinator.get(address("masks-viewer", case)).content.decode()
    assert "C002" in page
    assert "<script>" not in page


def test_a_study_with_raters_shows_no_mask_before_it_is_unblinded(
    coordinator: Client, rater: Client, ada: User, open_study: Study
) -> None:
    case = open_study.cases.earliest("label")
    pages = [reverse("masks", args=[open_study.pk]), address("masks-viewer", case)]
    paths = [address(name, case) for name in PAGES[1:]]
    paths += [address(f"masks-{name}", case, "model") for name in ("mask", "tile")]
    for page in pages:
        answer = coordinator.get(page)
        assert answer.status_code == 423
        assert "opens with unblinding" in answer.content.decode()
    assert {coordinator.get(path).status_code for path in paths} == {404}
    end_collecting(open_study, ada)
    protocol.unblind(
        study=open_study, actor=ada, reason="The end.", typed_title="Cord lesions"
    )
    assert {coordinator.get(path).status_code for path in pages + paths} == {200}
    assert {rater.get(path).status_code for path in pages + paths} == {404}


def test_the_bytes_are_those_of_the_study(coordinator: Client, case: Case) -> None:
    mask = case.masks.get(arm__key="model")
    sent = coordinator.get(address("masks-mask", case, "model")).content
    assert sent == files.locate(mask.path).read_bytes()
    assert coordinator.get(address("masks-mask", case, "none")).status_code == 404


def facts(client: Client, case: Case) -> Any:
    return client.get(address("masks-facts", case)).json()


def test_a_soft_map_of_a_prediction_reaches_the_viewer(
    coordinator: Client, case: Case
) -> None:
    mask = case.masks.get(arm__key="model")
    assert [arm["soft"] for arm in facts(coordinator, case)["arms"]] == ["", ""]
    soft = np.zeros((24, 20, 8), np.float32)
    soft[3, 4, 5] = 0.25
    maps: dict[str, Any] = {
        "soft_path": soft,
        "mask_path": (soft > 0.5).astype(np.uint8),
    }
    result = results.keep(case=case, key="k" * 64, maps=maps, provenance={})
    job = Job.objects.create(study=case.study, kind=Job.Kind.PREDICT, payload={})
    Prediction.objects.create(case=case, job=job, result=result, mask=mask)
    manual, model = facts(coordinator, case)["arms"]
    assert (manual["key"], manual["soft"]) == ("manual", "")
    volume = images.decode_image(coordinator.get(model["soft"]).content)
    assert np.array_equal(volume.voxels, soft)
    assert volume.grid == importing.find_grid(case)
    manual_soft = address("masks-soft", case, "manual")
    assert coordinator.get(manual_soft).status_code == 404


def test_an_uploaded_soft_map_reaches_the_viewer(
    coordinator: Client, ada: User, case: Case, tmp_path: Path
) -> None:
    assert facts(coordinator, case)["uploaded"] == ""
    soft = np.full((24, 20, 8), 0.5, np.float32)
    path = save(tmp_path / "soft.nii.gz", soft, make_affine((0.6, 0.6, 3.0)))
    companions.replace_companion(
        study=case.study, user=ada, case_id=case.pk, kind="soft", name=path.name,
        chunks=[path.read_bytes()],
    )  # fmt: skip
    manual, model = facts(coordinator, case)["arms"]
    assert manual["soft"] == ""
    sent = coordinator.get(model["soft"]).content
    assert images.decode_image(sent).voxels.max() == 0.5
    assert facts(coordinator, case)["uploaded"] == ""


def test_worst_median_and_best_are_named() -> None:
    def tile(value: float | None) -> Tile:
        return Tile(Case(), None, value)  # type: ignore[arg-type]

    tiles = [tile(0.5), tile(None), tile(0.9), tile(0.1), tile(0.7)]
    ranked = [(t.value, t.rank) for t in rank(tiles, upward=True)]
    assert ranked == [
        (0.1, "worst"), (0.5, ""), (0.7, "median"), (0.9, "best"), (None, ""),
    ]  # fmt: skip
    assert rank(tiles, upward=False)[0].value == 0.9


def test_cases_are_ordered_by_what_was_measured(study: Study, case: Case) -> None:
    job = measuring.request(study, study.arms.get(key="manual"))
    run_job(job, report=lambda *_: None, cancelled=lambda: False)
    model = study.arms.get(key="model")
    tiles = looking.list_tiles(study, model, order="dice", chosen={})
    told = [tile.value or 0 for tile in tiles]
    assert len(told) == 3
    assert told == sorted(told)


def test_the_viewer_is_told_what_was_measured_of_its_case(
    coordinator: Client, study: Study, case: Case
) -> None:
    assert [arm["metrics"] for arm in facts(coordinator, case)["arms"]] == [[], []]
    reference = study.arms.get(key="manual")
    job = measuring.request(study, reference)
    run_job(job, report=lambda *_: None, cancelled=lambda: False)
    (row,) = measuring.build_rows(study, reference, case=case)
    assert (row.case, row.arm) == (case.label, "model")
    manual, model = facts(coordinator, case)["arms"]
    assert manual["metrics"] == []
    assert model["metrics"][:2] == [f"{row.dice:.2f}", f"{row.recall:.2f}"]


def test_the_wall_is_filtered_by_strata(
    coordinator: Client, study: Study, case: Case
) -> None:
    Case.objects.filter(pk=case.pk).update(strata={"contrast": "STIR"})
    wall = reverse("masks", args=[study.pk])
    page = coordinator.get(f"{wall}?contrast=STIR&arm=model").content.decode()
    assert "1 of 3 cases" in page
    assert address("masks-viewer", case) + "#model" in page
    assert "3 of 3 cases" in coordinator.get(f"{wall}?contrast=no").content.decode()


def test_an_unannotated_cohort_has_its_wall(
    coordinator: Client, study: Study, case: Case
) -> None:
    study.arms.get(key="manual").delete()
    page = coordinator.get(reverse("masks", args=[study.pk]) + "?order=dice")
    assert "3 of 3 cases" in page.content.decode()
    assert "Dice" not in page.content.decode()


def test_a_tile_has_the_outline_around_the_mask() -> None:
    mask = np.zeros((40, 40, 4), bool)
    mask[10:30, 10:30, 2] = True
    grid = images.Grid((40, 40, 4), images.freeze(make_affine((1.0, 1.0, 4.0))))
    png = thumbnails.paint_outline(voxels=np.zeros(mask.shape), grid=grid, mask=mask)
    picture = np.array(Image.open(io.BytesIO(png)))
    assert picture.shape == (320, 320, 3)
    drawn = (picture == thumbnails.ORANGE).all(axis=2)
    assert drawn[78:80, 80:240].all()
    assert not drawn[80:240, 80:240].any()
