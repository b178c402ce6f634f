"""People by script: links that end, and who left and is left alone."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from django.core import mail
from django.test import Client

from ratings import raters
from ratings.models import Enrolment, Invitation, Session, Study
from tests.ratings.conftest import make_user
from tests.ratings.script import Script
from tests.ratings.test_scoring import body, current, put

LEAVES = {"reason": "Moved away."}


@pytest.fixture
def rhea(open_study: Study) -> str:
    """The address of a rater of an open study."""
    enrolment = Enrolment.objects.get(study=open_study, code="R01")
    return f"studies/{open_study.pk}/raters/{enrolment.pk}"


def count_links() -> int:
    return Invitation.objects.filter(used_at=None, revoked_at=None).count()


def test_a_colleagues_link_ends_too(script: Script, study: Study) -> None:
    who = {"role": "coordinator", "name": "Sue", "colleague": "sue@example.org"}
    made = script.post(f"studies/{study.pk}/colleagues", who).json()
    at = f"studies/{study.pk}/colleagues/{made['id']}/invitation"
    stranger = Script(make_user("olaf", staff=True))
    assert (stranger.delete(at).status_code, count_links()) == (404, 1)
    assert (script.delete(at).status_code, count_links()) == (204, 0)
    assert script.delete(at).status_code == 204, "ending it twice is no fault"


def test_a_withdrawn_rater_gets_no_link(
    script: Script, rhea: str, coordinator: Client
) -> None:
    script.post(f"{rhea}/withdrawal", LEAVES)
    answer = script.post(f"{rhea}/invitation")
    said = "R01 was withdrawn from this study, so no link can be used."
    assert (answer.status_code, answer.json()["detail"]) == (409, said)
    assert said in coordinator.post(f"/{rhea}/link", follow=True).text
    assert count_links() == 0


def test_an_account_that_is_switched_off_is_added_nowhere(
    script: Script, study: Study, rhea: str
) -> None:
    off = make_user("off")
    off.is_active = False
    off.save()
    who = {"name": "Off", "email": "off@example.org", "reason": "Ill."}
    draft = Study.objects.create(title="Draft", created_by=study.created_by)
    own = {"study": draft, "user": study.created_by, "role": "coordinator"}
    Enrolment.objects.create(**own)
    calls = {
        f"studies/{draft.pk}/raters": {"name": "Off", "email": "off@example.org"},
        f"studies/{study.pk}/late-raters": who,
        f"{rhea}/replacement": who,
    }
    for call, body_sent in calls.items():
        answer = script.post(call, body_sent)
        assert answer.status_code == 409
        assert "The account off@example.org is switched off" in answer.json()["detail"]
    assert not Enrolment.objects.filter(user=off).exists()


def test_whose_the_address_is_stands_in_the_answer(
    script: Script, study: Study, open_study: Study
) -> None:
    make_user("robin")
    draft = Study.objects.create(title="Draft", created_by=study.created_by)
    lead = {"study": draft, "user": study.created_by, "role": "coordinator"}
    Enrolment.objects.create(**lead)
    wrong = {"name": "Xavier Wrong", "email": "robin@example.org"}
    late = f"studies/{open_study.pk}/late-raters"
    taken = [
        script.post(late, {**wrong, "reason": "One fell ill."}),
        script.post(f"studies/{draft.pk}/raters", wrong),
    ]
    code = draft.enrolments.get(code="R01")
    script.delete(f"studies/{draft.pk}/raters/{code.pk}")
    colleague = {"role": "statistician", "name": "Xavier", "colleague": wrong["email"]}
    taken.append(script.post(f"studies/{draft.pk}/colleagues", colleague))
    for answer in taken:
        assert (answer.status_code, answer.json()["name"]) == (201, "robin")
        assert "its name, robin, is used" in answer.json()["remark"]
    new = {"name": "Lea", "email": "lea@example.org"}
    plain = script.post(f"studies/{draft.pk}/raters", new).json()
    assert (plain["name"], plain["remark"]) == ("Lea", "")
    swap = f"studies/{draft.pk}/raters/{plain['rater']}/replacement"
    make_user("carl")
    other = script.post(swap, {"name": "Xavier", "email": "carl@example.org"})
    assert (other.status_code, other.json()["name"]) == (201, "carl")
    assert "its name, carl, is used" in other.json()["remark"]


def test_who_takes_a_place_over_did_not_join_when_the_other_did(
    script: Script, coordinator: Client, study: Study
) -> None:
    made = script.post(
        f"studies/{study.pk}/raters", {"name": "Rhea", "email": "rhea@example.org"}
    ).json()
    words = {"password": "a quiet spinal cord", "again": "a quiet spinal cord"}
    Client().post(urlsplit(made["link"]).path, words)
    at = f"/studies/{study.pk}/raters/"
    assert "Joined" in coordinator.get(at).text
    make_user("robin")
    for name, word in (("robin", "Has an account already"), ("Lea", "No link yet")):
        raters.replace(
            enrolment=Enrolment.objects.get(pk=made["rater"]), name=name, reason="",
            actor=study.created_by, email=f"{name.lower()}@example.org",
        )  # fmt: skip
        for page in (at, f"{at}{made['rater']}/"):
            text = coordinator.get(page).text
            assert "Joined" not in text
            assert word in text


def test_nobody_who_left_is_reminded(
    script: Script, rhea: str, coordinator: Client
) -> None:
    script.post(f"{rhea}/withdrawal", LEAVES)
    mute = script.post(f"{rhea}/reminder")
    assert (mute.status_code, "left" in mute.json()["detail"]) == (409, True)
    page = coordinator.post(f"/{rhea}/remind", follow=True)
    assert "so nothing was sent" in page.text
    assert mail.outbox == []


def test_what_was_withdrawn_is_listed_with_its_reason(
    script: Script, rhea: str, rater: Client, session: Session, open_study: Study
) -> None:
    put(rater, current(session).token, body(3))
    one, case = f"studies/{open_study.pk}", open_study.cases.all()[0]
    assert script.get(f"{one}/withdrawals").json()["count"] == 0
    script.post(f"{rhea}/withdrawal", LEAVES)
    script.post(f"{one}/withdraw", {"case": str(case.pk), "reason": "Blurred."})
    told = script.get(f"{one}/withdrawals").json()["results"]
    rows = [(row["rater"], row["case"], row["reason"]) for row in told]
    assert rows == [("", case.label, "Blurred."), ("R01", "", "Moved away.")]
