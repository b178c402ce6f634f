"""An erased person is found nowhere any more, and all that was recorded still holds."""

from __future__ import annotations

import json
import uuid
from io import StringIO

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from ratings import audit, erasing, invitations, reading, scoring, signing
from ratings.erasing import ErasureRefused
from ratings.models import (
    AccessToken,
    AuditEntry,
    Enrolment,
    Score,
    Session,
    Signature,
    Study,
)
from ratings.scoring import Answer, Submission
from ratings.verifying import verify_study
from tests.ratings.conftest import end_collecting, make_user, sign_in
from tests.ratings.script import Script

PASSWORD = "a long enough password"


def rate_all(session: Session) -> None:
    while shown := reading.open_presentations(session).first():
        for item in shown.items.all():
            answer = Answer("quality", 3, "")
            submission = Submission(uuid.uuid4(), (answer,), "", 1000, {})
            scoring.record(item=item, submission=submission)


@pytest.fixture
def rhea(open_study: Study, session: Session) -> User:
    """A rater who told of herself, rated everything and signed."""
    rhea = session.enrolment.user
    rhea.last_name = "Rosenqvist"
    rhea.save()
    session.enrolment.user = rhea
    rate_all(session)
    signing.sign_session(session=session, user=rhea, password=PASSWORD)
    Enrolment.objects.filter(user=rhea).update(
        years=12, specialty="Neuroradiology", institution="St Rosenqvist",
        conflict="Rosenqvist knows case 2.", declared_at=timezone.now(),
    )  # fmt: skip
    return rhea


def read_everything() -> str:
    """Every cell of every table of the site, as text."""
    rows = []
    for model in apps.get_models(include_auto_created=True):
        for row in model._default_manager.all().values_list():
            rows.append(json.dumps(row, default=str))
    return "\n".join(rows).lower()


def test_nothing_of_the_person_is_left_and_everything_verifies(
    rhea: User, open_study: Study
) -> None:
    before = Score.objects.filter(by=rhea).count()
    ended = AccessToken.objects.create(
        user=rhea, label="Rosenqvist laptop", token_sha256="1" * 64,
        expires_at=timezone.now(),
    )  # fmt: skip
    assert "rosenqvist" in read_everything()
    erasing.erase(user=rhea, actor=rhea)
    left = read_everything()
    for word in ("rosenqvist", "rhea@example.org", '"rhea"'):
        assert word not in left
    ended.refresh_from_db()
    assert (ended.label, ended.revoked_at is None) == ("", False)
    assert Score.objects.filter(by=rhea).count() == before == 12
    enrolment = open_study.enrolments.get(user=rhea)
    assert enrolment.code == "R01"
    assert (enrolment.years, enrolment.specialty) == (12, "Neuroradiology")
    assert verify_study(open_study) == []
    out = StringIO()
    call_command("verify", stdout=out)
    assert "holds" in out.getvalue()


def test_an_erased_person_is_out_everywhere_at_once(rhea: User) -> None:
    browser = sign_in(rhea)
    assert browser.get("/").status_code == 200
    erasing.erase(user=rhea, actor=rhea)
    assert browser.get("/").status_code == 302
    assert not Client().login(email="rhea@example.org", password=PASSWORD)


def test_a_rater_at_work_is_withdrawn_and_the_study_goes_on(
    open_study: Study, session: Session, ada: User
) -> None:
    rhea = session.enrolment.user
    erasing.erase(user=rhea, actor=None)
    assert session.enrolment.withdrawal.reason == erasing.REASON
    end_collecting(open_study, ada)
    told = open_study.audit.get(verb="closed").payload["dispositions"]
    assert told[session.enrolment.code]["why"]
    assert verify_study(open_study) == []


def test_the_only_coordinator_of_a_study_under_way_stays(
    open_study: Study, ada: User
) -> None:
    with pytest.raises(ErasureRefused, match="Nobody else coordinates “Cord lesions”"):
        erasing.erase(user=ada, actor=ada)
    assert User.objects.filter(email="ada@example.org").exists()
    grace = make_user("grace", staff=True)
    Enrolment.objects.create(study=open_study, user=grace, role="coordinator")
    erasing.erase(user=ada, actor=ada)
    assert "ada@example.org" not in read_everything()
    assert verify_study(open_study) == []


def test_a_printed_name_can_be_emptied_but_never_changed(
    rhea: User, open_study: Study
) -> None:
    row = Signature.objects.get(by=rhea)
    for name in ("Otto", ""):
        with pytest.raises(DatabaseError), transaction.atomic():
            Signature.objects.filter(pk=row.pk).update(name=name, salt="")
    erasing.erase(user=rhea, actor=rhea)
    for column, value in (("name", "Otto"), ("digest", "0" * 64)):
        with pytest.raises(DatabaseError), transaction.atomic():
            Signature.objects.filter(pk=row.pk).update(**{column: value})


def test_a_name_put_over_another_is_noticed(rhea: User, open_study: Study) -> None:
    from ratings import triggers

    triggers.remove(connection)
    Signature.objects.filter(by=rhea).update(name="Somebody Else")
    assert any("was changed or moved" in fault for fault in verify_study(open_study))


def test_entries_of_the_first_version_still_hold(open_study: Study, ada: User) -> None:
    """They name the address; a chain can't be rewritten."""
    entry = AuditEntry(actor="ada@example.org")
    assert audit.is_by(entry, ada)
    assert not audit.is_by(AuditEntry(actor="otto@example.org"), ada)
    assert not audit.is_by(AuditEntry(actor=f"person-{ada.pk + 1}"), ada)
    assert audit.tell_actor(AuditEntry(actor=f"person-{ada.pk}")) == "ada"
    assert audit.tell_actor(AuditEntry(actor="person-0")) == "person-0 (erased)"


def test_a_coordinator_erases_a_rater_who_asked_and_the_record_holds(
    rhea: User, open_study: Study, coordinator: Client
) -> None:
    enrolment = open_study.enrolments.get(user=rhea)
    url = reverse("rater-erase", args=[open_study.pk, enrolment.pk])
    assert "Scores, comments, code" in coordinator.get(url).text
    wrong = coordinator.post(url, {"code": "R02"})
    assert (wrong.status_code, "type R01" in wrong.text) == (422, True)
    page = coordinator.post(url, {"code": "r01"}, follow=True).text
    assert "The person behind R01 was erased." in page
    assert "rosenqvist" not in read_everything()
    assert Score.objects.filter(by=rhea).count() == 12
    assert verify_study(open_study) == []
    again = coordinator.get(url, follow=True).text
    assert "This account was erased already." in again


def test_nothing_of_an_erasure_is_undone_by_a_coordinator(
    rhea: User, open_study: Study, coordinator: Client, script: Script
) -> None:
    enrolment = open_study.enrolments.get(user=rhea)
    erasing.erase_rater(enrolment=enrolment, actor=open_study.created_by)
    at = f"studies/{open_study.pk}/raters/{enrolment.pk}"
    told = {"institution": "St Rosenqvist", "conflict": "Rosenqvist knows case 2."}
    for answer in (
        script.delete(f"{at}/password"),
        script.send("put", f"{at}/declaration", told),
        script.post(f"{at}/invitation"),
    ):
        assert (answer.status_code, "R01 was erased" in answer.text) == (409, True)
    page = coordinator.post(f"/{at}/reset", follow=True)
    assert "R01 was erased, so there is no password to reset." in page.text
    url = reverse("rater", args=[open_study.pk, enrolment.pk])
    own = coordinator.post(url, told, follow=True).text
    assert "R01 was erased, so nothing more is declared." in own
    assert 'name="conflict"' not in own
    assert "rosenqvist" not in read_everything()


def test_a_link_of_an_erased_account_opens_nothing(
    rhea: User, open_study: Study
) -> None:
    erasing.erase(user=rhea, actor=rhea)
    link = f"/join/{invitations.invite(open_study.enrolments.get(user=rhea))}"
    both = {"password": "a quiet spinal cord", "again": "a quiet spinal cord"}
    for answer in (Client().get(link), Client().post(link, both)):
        assert answer.status_code == 404
        assert "erased or switched off" in answer.text
    rhea.refresh_from_db()
    assert not rhea.has_usable_password()


def test_a_part_elsewhere_keeps_a_coordinator_from_erasing(
    rhea: User, open_study: Study, coordinator: Client
) -> None:
    enrolment = open_study.enrolments.get(user=rhea)
    olga = make_user("olga", staff=True)
    other = Study.objects.create(title="Secret", created_by=olga)
    Enrolment.objects.create(study=other, user=rhea, role="rater", code="R01")
    name = reverse("api-erasure", args=[open_study.pk, enrolment.pk])
    answer = coordinator.post(name, {"code": "R01"}, content_type="application/json")
    assert answer.status_code == 409
    assert "a study that you do not coordinate" in answer.text
    assert "Secret" not in answer.text
    assert User.objects.filter(email="rhea@example.org").exists()
    other.enrolments.all().delete()
    answer = coordinator.post(name, {"code": "R01"}, content_type="application/json")
    assert answer.status_code == 204
    assert not User.objects.filter(email="rhea@example.org").exists()


@pytest.mark.parametrize("kind", ["is_staff", "is_superuser"])
def test_whoever_makes_studies_is_not_a_coordinator_s_to_erase(
    rhea: User, open_study: Study, coordinator: Client, kind: str
) -> None:
    setattr(rhea, kind, True)
    rhea.save()
    enrolment = open_study.enrolments.get(user=rhea)
    url = reverse("rater-erase", args=[open_study.pk, enrolment.pk])
    page = coordinator.post(url, {"code": "R01"}, follow=True).text
    call = reverse("api-erasure", args=[open_study.pk, enrolment.pk])
    answer = coordinator.post(call, {"code": "R01"}, content_type="application/json")
    assert answer.status_code == 409
    for said in (page, answer.text):
        assert "can also make studies of its own" in said
    assert User.objects.filter(email="rhea@example.org").exists()
    assert not hasattr(enrolment, "withdrawal")
    assert verify_study(open_study) == []


class Terminal(StringIO):
    """An operator who types."""

    def isatty(self) -> bool:
        return True


def test_the_operator_is_asked_for_a_word_first(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = make_user("lost")
    for stdin, said in (
        (StringIO(), "add --yes"),
        (Terminal("yes\n"), "Nothing was erased"),
    ):
        monkeypatch.setattr("sys.stdin", stdin)
        with pytest.raises(CommandError, match=said):
            call_command("account", user.email, "--erase")
        assert User.objects.filter(email="lost@example.org").exists()
    monkeypatch.setattr("sys.stdin", Terminal("ERASE\n"))
    call_command("account", user.email, "--erase", stdout=StringIO())
    assert not User.objects.filter(email="lost@example.org").exists()


def test_a_script_of_the_operators_erases_without_being_asked(db: None) -> None:
    user = make_user("lost")
    call_command("account", user.email, "--erase", "--yes", stdout=StringIO())
    assert not User.objects.filter(email="lost@example.org").exists()
