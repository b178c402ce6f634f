"""The desk sees what agreement hangs on, from what was measured of each case."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from ratings import companions, enclosures, importing, measuring, sweeping
from ratings.models import Job, Mask, Study
from tests.ratings.conftest import AddCases
from tests.volumes import make_affine, make_lesion, save

Maps = sweeping.Maps


def find_maps(mask: Mask) -> Maps:
    """0.7 where the reference has its lesion; two of three folds where the mask has."""
    truth = measuring.read_mask(mask.case.masks.get(arm__key="manual"))[0]
    marked = measuring.read_mask(mask)[0]
    return Maps(soft=np.where(truth, 0.7, 0.0), votes=np.where(marked, 2 / 3, 0.0))


def work(study: Study) -> None:
    reference = study.arms.get(key="manual")
    job = measuring.request(study, reference)
    measuring.run(
        job, report=lambda *_: None, cancelled=lambda: False, find_maps=find_maps
    )
    Job.objects.filter(pk=job.pk).update(status=Job.Status.DONE)


def page(study: Study) -> str:
    return reverse("robustness", args=[study.pk])


@pytest.fixture
def measured(study: Study, add_cases: AddCases) -> Study:
    add_cases(3)
    work(study)
    return study


def test_before_anything_is_measured_the_page_says_what_comes_first(
    coordinator: Client, study: Study, add_cases: AddCases
) -> None:
    assert "Nothing measured yet" in coordinator.get(page(study)).content.decode()
    add_cases(1)
    assert "Measure the masks" in coordinator.get(page(study)).content.decode()


def test_every_curve_has_its_figure_and_its_best_value(
    coordinator: Client, measured: Study
) -> None:
    text = coordinator.get(page(measured)).content.decode()
    for title in ("Threshold on the soft map", "Threshold on the votes",
                  "Smallest lesion kept", "expected calibration error"):  # fmt: skip
        assert title in text
    # below 0.7 each threshold serves equally well; the one nearest to 0.5 is named
    assert "mean Dice is greatest at 0.50 (1.00, 3 cases)" in text
    for name in ("sweep_soft", "sweep_votes", "sweep_sizes", "reliability",
                 "slice_thickness", "voxel_volume"):  # fmt: skip
        url = reverse("robustness-figure", args=[measured.pk, name, "csv"])
        assert coordinator.get(url).content.startswith(b"arm,")
    for name in ("levels", "nothing"):
        url = reverse("robustness-figure", args=[measured.pk, name, "svg"])
        assert coordinator.get(url).status_code == 404


def test_the_curve_is_the_mean_of_the_cases_at_each_threshold(measured: Study) -> None:
    reference = measured.arms.get(key="manual")
    kept = measuring.list_current(measured, reference)
    (parts,) = sweeping.list_parts(kept, "votes").values()
    plain = [one.results["rules"]["published"]["dice"] for one in kept]
    assert [part["dice"][10] for part in parts] == plain  # above 0.5: as voted
    assert [part["recall"][14] for part in parts] == [0.0] * 3  # above 0.7: nothing


def test_a_map_of_levels_and_a_cord_are_measured_anew_and_shown(
    coordinator: Client, measured: Study, ada: User, tmp_path: Path
) -> None:
    case = measured.cases.get(label="C001")
    for kind, value in (("levels", 5), ("cord", 1)):
        voxels = np.zeros((24, 20, 8), dtype=np.uint8)
        voxels[:12] = value
        path = save(tmp_path / f"{kind}.nii.gz", voxels, make_affine((0.6, 0.6, 3.0)))
        companions.replace_companion(
            study=measured, user=ada, case_id=case.pk, kind=kind, name=path.name,
            chunks=[path.read_bytes()],
        )  # fmt: skip
    assert companions.read_levels(case) is not None
    reference = measured.arms.get(key="manual")
    assert len(measuring.list_missing(measured, reference)) == 1
    work(measured)
    text = coordinator.get(page(measured)).content.decode()
    assert "Lesions found" in text
    assert "Removed, mm³" in text
    url = reverse("robustness-figure", args=[measured.pk, "levels", "csv"])
    assert b",5,1," in coordinator.get(url).content
    found = enclosures.describe(measured)
    levels = found["comparison/tables/levels.csv"].decode().splitlines()
    assert levels[0].startswith("Arm,Level,Cases,With a lesion,")
    assert levels[1].startswith("model,5,1,")
    (cut,) = found["comparison/tables/outside_cord.csv"].decode().splitlines()[1:]
    assert cut.startswith("model,1,")
    assert "comparison/tables/coarser.csv" not in found  # no ensemble of this site


def upload_soft(study: Study, user: User, folder: Path) -> None:
    voxels = np.full((24, 20, 8), 0.25, dtype=np.float32)
    path = save(folder / "soft.nii.gz", voxels, make_affine((0.6, 0.6, 3.0)))
    companions.replace_companion(
        study=study, user=user, case_id=study.cases.get(label="C001").pk, kind="soft",
        name=path.name, chunks=[path.read_bytes()],
    )  # fmt: skip


def find_volumes(study: Study) -> dict[tuple[str, str], float | None]:
    reference = study.arms.get(key="manual")
    work_plainly(study)
    rows = measuring.build_rows(study, reference)
    return {(row.case, row.arm): row.soft_mm3 for row in rows}


def work_plainly(study: Study) -> None:
    """Measure masks that came without any map of a prediction."""
    job = measuring.request(study, study.arms.get(key="manual"))
    measuring.run(
        job, report=lambda *_: None, cancelled=lambda: False,
        find_maps=lambda _: Maps(),
    )  # fmt: skip
    Job.objects.filter(pk=job.pk).update(status=Job.Status.DONE)


def test_an_uploaded_soft_map_has_its_volume_and_its_sweep(
    study: Study, add_cases: AddCases, ada: User, tmp_path: Path
) -> None:
    add_cases(2)
    assert set(find_volumes(study).values()) == {None}
    upload_soft(study, ada, tmp_path)
    volumes = find_volumes(study)
    quarter = 0.25 * 24 * 20 * 8 * 0.6 * 0.6 * 3.0
    assert volumes["C001", "model"] == pytest.approx(quarter)
    assert volumes["C002", "model"] is None
    kept = measuring.list_current(study, study.arms.get(key="manual"))
    assert len(sweeping.list_parts(kept, "soft")["model"]) == 1


def test_a_soft_map_that_could_be_of_two_methods_counts_for_neither(
    study: Study, add_cases: AddCases, ada: User, tmp_path: Path
) -> None:
    add_cases(1)
    upload_soft(study, ada, tmp_path)
    other = importing.ensure_arm(study=study, key="other")
    path = save(
        tmp_path / "other.nii.gz", make_lesion((24, 20, 8), np.random.default_rng(9)),
        make_affine((0.6, 0.6, 3.0)),
    )  # fmt: skip
    case = study.cases.get()
    importing.add_mask(case=case, arm=other, path=path, name=path.name)
    assert list(find_volumes(study).values()) == [None, None]


def test_with_raters_at_work_it_says_when_it_opens_and_shows_no_number(
    coordinator: Client, outsider: Client, open_study: Study
) -> None:
    answer = coordinator.get(page(open_study))
    assert answer.status_code == 423
    assert "opens with unblinding" in answer.content.decode()
    assert outsider.get(page(open_study)).status_code == 404
    figure = reverse("robustness-figure", args=[open_study.pk, "sweep_sizes", "csv"])
    assert coordinator.get(figure).status_code == 404
