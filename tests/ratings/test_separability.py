"""Could raters tell the arms by the look of their masks? Asked before the lock."""

from __future__ import annotations

import io

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from inference.measuring import run_job
from ratings import invitations, jobs, protocol, separating
from ratings.models import Job, Mask, SeparabilityAudit, Study
from ratings.obstacles import find_obstacles
from ratings.statistics.mask_features import describe_mask
from ratings.statistics.separability import auc_of, fit_logistic, separate
from tests.ratings.conftest import AddCases, make_user
from tests.ratings.masks import draw

SPACING = (1.0, 2.0, 5.0)


def test_features_of_a_small_mask_by_hand() -> None:
    told = describe_mask(draw("##..", "##..", "...#"), spacing=SPACING)
    assert told["volume"] == pytest.approx(np.log1p(50))
    # the diagonal voxel joins by a corner
    assert told["components"] == pytest.approx(np.log1p(2))
    assert told["specks"] == 0.5
    # outer faces of 10, 5 and 2 mm²: of a block of two by two, and of one voxel
    block, single = 2 * (20 + 10 + 8), 2 * (10 + 5 + 2)
    assert told["surface"] == pytest.approx((block + single) / 50)
    assert told["continuity"] == 0  # one slice
    assert told["edge"] == 1
    assert "outside" not in told


def test_a_square_in_two_slices_is_smooth_and_continuous() -> None:
    mask = np.zeros((6, 6, 4), dtype=bool)
    mask[2:4, 2:4, 1:3] = True
    told = describe_mask(mask, spacing=(1.0, 1.0, 3.0), cord=mask)
    assert told["continuity"] == 1
    assert told["jaggedness"] == pytest.approx(1)
    assert told["edge"] == 0
    assert told["outside"] == 0


def test_an_empty_mask_has_no_look() -> None:
    told = describe_mask(np.zeros((4, 4, 4), dtype=bool), spacing=SPACING)
    assert set(told.values()) == {0.0}


def test_the_fit_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(60, 4))
    y = (x[:, 0] + rng.normal(size=60) > 0.3).astype(float)
    other = LogisticRegression(C=1.0, tol=1e-10).fit(x, y)
    assert fit_logistic(x, y) == pytest.approx(other.coef_[0], abs=1e-4)


def test_the_auc_is_that_of_scikit_learn_with_ties() -> None:
    rng = np.random.default_rng(2)
    scores = rng.integers(0, 5, (30, 2)).astype(float)
    truth = np.tile([1, 0], 30)
    assert auc_of(scores) == pytest.approx(roc_auc_score(truth, scores.reshape(-1)))


def make_features(
    rng: np.random.Generator, shift: float, cases: int = 40
) -> list[tuple[dict[str, float], dict[str, float]]]:
    names = ("volume", "specks", "edge")
    pairs = []
    for _ in range(cases):
        base = rng.normal(size=3)
        arm, reference = base + rng.normal(size=(2, 3)) * 0.5
        arm[1] += shift
        pairs.append((dict(zip(names, arm, strict=True)),
                      dict(zip(names, reference, strict=True))))  # fmt: skip
    return pairs


def test_what_differs_is_found_and_named() -> None:
    told = separate(
        arm="model", reference="manual", seed=1,
        features=make_features(np.random.default_rng(3), 2.5),
    )  # fmt: skip
    assert told.auc.ci is not None
    assert told.auc.ci[0] > 0.8
    assert told.clues[0].feature == "specks"
    assert [clue.feature for clue in told.clues if clue.telling] == ["specks"]
    assert "could tell model from manual in" in told.sentence
    assert "share of lesions of a single voxel" in told.sentence


@pytest.mark.slow
def test_where_nothing_differs_the_interval_mostly_holds_a_half() -> None:
    rng = np.random.default_rng(4)
    held = 0
    for seed in range(20):
        told = separate(
            arm="a", reference="b", seed=seed, features=make_features(rng, 0.0)
        )
        assert told.auc.ci is not None
        held += told.auc.ci[0] <= 0.5 <= told.auc.ci[1]
        if told.pairs.ci is not None and told.pairs.ci[0] <= 0.5:
            assert "it is not shown that anybody could tell a from b" in told.sentence
    assert held >= 16


def test_few_cases_give_no_number_and_say_why() -> None:
    told = separate(
        arm="a", reference="b", seed=1,
        features=make_features(np.random.default_rng(5), 1.0, cases=6),
    )  # fmt: skip
    assert told.auc.value is None
    assert "at least ten cases" in told.sentence


def test_arms_that_are_told_apart_in_every_case_are_told_so_without_an_interval() -> (
    None
):
    look = [({"volume": 10.0 + n}, {"volume": 1.0 + n / 20}) for n in range(12)]
    told = separate(arm="model", reference="manual", features=look, seed=1)
    assert (told.pairs.value, told.pairs.ci) == (1.0, None)
    assert told.pairs.reason == "constant_resamples"
    assert told.clues[0].telling
    assert "could tell model from manual in 100 % of cases" in told.sentence


@pytest.fixture
def draft(study: Study, ada: User, add_cases: AddCases) -> Study:
    add_cases(10)
    make_user("rhea")
    invitations.add_rater(study=study, actor=ada, name="rhea", email="rhea@example.org")
    return study


def test_the_audit_is_run_from_the_lock_page_and_frozen_with_the_protocol(
    coordinator: Client, ada: User, draft: Study
) -> None:
    page = reverse("lock", args=[draft.pk])
    assert b"Run the separability audit" in coordinator.get(page).content
    coordinator.post(reverse("separability-audit", args=[draft.pk]))
    assert b"The audit is waiting for a worker" in coordinator.get(page).content
    before = sorted(Mask.objects.values_list("sha256", flat=True))
    job = separating.find_job(draft)
    assert job is not None
    run_job(job, report=lambda *_: None, cancelled=lambda: False)
    draft.jobs.update(status="done")
    assert sorted(Mask.objects.values_list("sha256", flat=True)) == before
    text = coordinator.get(page).content.decode()
    assert "could tell model from Manual" in text
    draft.refresh_from_db()
    protocol.lock(study=draft, actor=ada)
    assert draft.protocol is not None
    (arm,) = draft.protocol["separability"]["arms"]
    assert arm["n"] == 10
    again = coordinator.post(reverse("separability-audit", args=[draft.pk]))
    assert again.status_code == 404


def test_an_audit_that_waits_or_runs_says_so_by_itself_and_hinders_no_lock(
    coordinator: Client, ada: User, draft: Study
) -> None:
    page, htmx = reverse("lock", args=[draft.pk]), {"HX-Request": "true"}
    coordinator.post(reverse("separability-audit", args=[draft.pk]))
    text = coordinator.get(page).content.decode()
    assert f'hx-get="{page}" hx-trigger="every 3s"' in text
    assert "Predictions are still running" not in text
    waiting = coordinator.get(page, headers=htmx).content.decode()
    assert "waiting for a worker" in waiting
    assert "Checklist" not in waiting, "only the part that changes"
    draft.jobs.update(status="running", message="Looking at the masks of C001")
    running = coordinator.get(page, headers=htmx).content.decode()
    assert "The audit is under way. Looking at the masks of C001" in running
    draft.jobs.update(status="done")
    assert coordinator.get(page, headers=htmx).headers["HX-Refresh"] == "true"
    draft.jobs.update(status="running")
    protocol.lock(study=draft, actor=ada)
    assert Study.objects.get(pk=draft.pk).state == Study.State.LOCKED
    assert coordinator.get(page, headers=htmx).headers["HX-Refresh"] == "true"


def test_predictions_that_run_still_hinder_the_lock(draft: Study) -> None:
    draft.jobs.create(kind=Job.Kind.PREDICT, status=Job.Status.RUNNING)
    assert "Predictions are still running" in " ".join(find_obstacles(draft))


def test_an_audit_of_other_masks_is_not_the_studys(draft: Study) -> None:
    separating.audit(draft, by=None)
    mask = Mask.objects.filter(case__study=draft).first()
    assert mask is not None
    mask.sha256 = "0" * 64
    mask.save()
    assert SeparabilityAudit.objects.count() == 1
    assert separating.find_audit(draft) is None
    assert separating.freeze(draft) == {}


def test_the_command_prints_the_answer_and_the_clues(draft: Study) -> None:
    out = io.StringIO()
    call_command("separability_audit", draft.title, stdout=out)
    assert "could tell model from Manual" in out.getvalue()
    assert "volume (log mm³)" in out.getvalue()


def test_a_study_of_one_arm_has_nothing_to_tell_apart(study: Study) -> None:
    with pytest.raises(jobs.JobFailed, match="two arms"):
        separating.audit(study, by=None)
    with pytest.raises(CommandError, match="two arms"):
        call_command("separability_audit", study.title)
