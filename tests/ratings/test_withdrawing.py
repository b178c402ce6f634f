"""A withdrawn case, or one whose file has rotted, is gone for all raters alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client
from django.urls import reverse

from ratings import files, invitations, protocol, reading, verifying, withdrawing
from ratings.models import Item, Mask, Score, Session, Study, Withdrawal
from tests.ratings.conftest import AddCases
from tests.ratings.script import Script
from tests.ratings.test_scoring import body, current, put


def first_case(session: Session) -> Any:
    return current(session).presentation.case


def spoil(path: str) -> None:
    place = files.locate(path)
    data = bytearray(place.read_bytes())
    data[-1] ^= 1
    place.write_bytes(bytes(data))


@pytest.mark.parametrize("part", ["image", "mask"])
@pytest.mark.parametrize("harm", ["changed", "gone"])
def test_a_rotten_file_is_not_served_and_its_case_is_withdrawn(
    rater: Client, coordinator: Client, session: Session, open_study: Study,
    part: str, harm: str,
) -> None:  # fmt: skip
    item = current(session)
    case = item.presentation.case
    mask = Mask.objects.get(pk=Item.objects.values_list("mask_id").get(pk=item.pk)[0])
    path = case.image_path if part == "image" else mask.path
    spoil(path) if harm == "changed" else files.locate(path).unlink()
    answer = rater.get(f"/api/items/{item.token}/{part}")
    assert answer.status_code == 409
    assert answer.json()["detail"] == "This case was withdrawn; go on with the next."
    assert Withdrawal.objects.get().case == case
    page = coordinator.get(reverse("monitor", args=[open_study.pk])).text
    assert "by the site itself" in page
    assert case.label in page
    (message,) = mail.outbox
    assert message.to == ["ada@example.org"]
    assert case.label in message.subject
    for word in ("manual", "model", "mask"):
        assert word not in f"{message.subject} {message.body}".lower()
    # A second request neither serves it nor raises the alarm again.
    assert rater.get(f"/api/items/{item.token}/{part}").status_code in (404, 409)
    assert len(mail.outbox) == 1


@pytest.mark.parametrize("harm", ["nothing there", "not readable"])
def test_a_disk_that_is_away_withdraws_no_case(
    rater: Client, session: Session, settings: Any, tmp_path: Path, harm: str
) -> None:
    item = current(session)
    there = settings.FILES_DIR
    settings.FILES_DIR = tmp_path / "away"
    settings.FILES_DIR.mkdir()
    # what came in since says nothing of the files of before
    files.write_durably(files.locate("images/new.nii.gz"), b"an upload since")
    if harm == "not readable":
        # A folder in the place of the file: to read it is an error of another kind.
        files.locate(item.presentation.case.image_path).mkdir(parents=True)
    answer = rater.get(f"/api/items/{item.token}/image")
    assert answer.status_code == 503
    assert "nothing is lost" in answer.json()["detail"]
    assert not Withdrawal.objects.exists()
    assert mail.outbox == []
    settings.FILES_DIR = there
    assert rater.get(f"/api/items/{item.token}/image").status_code == 200


def test_a_withdrawn_case_is_gone_for_every_rater_and_every_source(
    session: Session, other_session: Session, rater: Client, ada: Any
) -> None:
    item = current(session)
    case = item.presentation.case
    put(rater, item.token, body(4))
    withdrawing.withdraw_case(case=case, actor=ada, reason="Motion.")
    for own in (session, other_session):
        waiting = reading.open_presentations(own)
        assert case.pk not in waiting.values_list("case_id", flat=True)
        assert reading.count_done(own) == (0, 10)
    assert Score.objects.count() == 1
    assert protocol.count_missing(session.enrolment.study) == 20
    assert verifying.verify_study(session.enrolment.study) == []


def test_a_score_for_a_withdrawn_case_is_refused(
    rater: Client, session: Session, ada: Any
) -> None:
    item = current(session)
    withdrawing.withdraw_case(case=item.presentation.case, actor=ada, reason="Motion.")
    answer = put(rater, item.token, body(4))
    assert (answer.status_code, Score.objects.count()) == (409, 0)


def test_the_coordinator_withdraws_with_a_reason(
    coordinator: Client, open_study: Study, session: Session
) -> None:
    url = reverse("withdraw", args=[open_study.pk])
    case = first_case(session)
    assert "does not come back" in coordinator.get(url).text
    assert coordinator.post(url, {"case": case.pk, "reason": " "}).status_code == 200
    assert not Withdrawal.objects.exists()
    wish = {"case": case.pk, "reason": "Wrong patient."}
    other = "C001" if case.label != "C001" else "C002"
    for typed, said in (("", "Type the label"), (other, f"exactly: {case.label}")):
        assert said in coordinator.post(url, {**wish, "label": typed}).text
    assert not Withdrawal.objects.exists()
    coordinator.post(url, {**wish, "label": case.label})
    row = Withdrawal.objects.get()
    assert (row.case, row.reason) == (case, "Wrong patient.")
    assert row.by is not None
    again = coordinator.post(url, {**wish, "label": case.label})
    assert again.status_code == 200
    assert "was withdrawn already" in again.text
    assert Withdrawal.objects.count() == 1


def test_only_a_case_that_is_rated_can_be_withdrawn(
    coordinator: Client, script: Script, study: Study, ada: User, add_cases: AddCases
) -> None:
    add_cases(3)
    study.cases.filter(label="C002").update(left_out="not drawn")
    invitations.add_rater(study=study, actor=ada, name="rhea", email="r@example.org")
    protocol.lock(study=study, actor=ada)
    out = study.cases.get(label="C002")
    url = reverse("withdraw", args=[study.pk])
    page = coordinator.get(url).text
    assert ">C001 · T2w · i0.nii.gz</option>" in page, "told apart by more than a label"
    assert "i1.nii.gz" not in page
    wish = {"case": str(out.pk), "reason": "Motion."}
    answer = coordinator.post(url, {**wish, "label": "C002"})
    assert "left out of the study" in answer.text
    told = script.post(f"studies/{study.pk}/withdraw", wish)
    assert told.status_code == 400
    assert "left out of the study" in str(told.json())
    with pytest.raises(withdrawing.WithdrawalRefused, match="C002 is left out"):
        withdrawing.withdraw_case(case=out, actor=ada, reason="Motion.")
    assert not Withdrawal.objects.exists()
