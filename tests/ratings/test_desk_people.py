"""People by script: links that end, and who left and is left alone."""

from __future__ import annotations

import pytest
from django.core import mail
from django.test import Client

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
