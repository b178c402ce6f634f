"""Calls that change a draft or a rater do as the pages do, with the same refusals."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import nibabel as nib
import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from ratings import conflicts
from ratings.models import Case, Enrolment, Job, Study
from tests.ratings.conftest import AddCases, make_user, sign_in
from tests.ratings.script import PASSWORD, Script
from tests.ratings.test_desk_api import write_pair
from tests.volumes import make_affine, make_image, save

pytestmark = pytest.mark.django_db


@pytest.fixture
def draft(study: Study, add_cases: AddCases) -> Study:
    add_cases(3)
    return study


def add_rater(script: Script, study: Study, name: str = "rhea") -> str:
    body = {"name": name, "email": f"{name}@example.org"}
    made = script.post(f"studies/{study.pk}/raters", body)
    assert made.status_code == 201, made.content
    return str(made.json()["rater"])


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("post", "studies", {"title": "New", "titel": "x"}),
        ("patch", "studies/{}", {"repeat_procent": 10}),
        ("post", "studies/{}/import", {"goodonly": True}),
        ("post", "studies/{}/import", {"pairs": [{"bild": "x"}]}),
        ("post", "studies/{}/raters", {"name": "R", "email": "r@x.org", "mail": ""}),
        ("post", "studies/{}/power", {"rater": 4}),
        ("post", "studies/{}/leave-out", {"cases": [], "revision": 0, "because": "x"}),
    ],
)
def test_a_field_that_no_call_has_is_named_and_nothing_changes(
    script: Script, draft: Study, method: str, path: str, body: dict[str, Any]
) -> None:
    before = draft.audit.count()
    answer = script.send(method, path.format(draft.pk), body)
    assert answer.status_code == 400, answer.content
    assert "This call has no such field." in answer.json()["detail"]
    assert (draft.audit.count(), Study.objects.count()) == (before, 1)


def test_a_script_says_who_drew_what_and_a_second_one_sees_the_difference(
    script: Script, draft: Study
) -> None:
    add_rater(script, draft)
    call = f"studies/{draft.pk}/conflicts"
    read = script.get(call).json()
    assert (read["rule"], read["authors"]) == ("ignore", {})
    body = {
        "rule": "flag", "sites": {"R01": "Basel"},
        "authors": {"C001": {"manual": "Basel"}}, "seen": read["seen"],
    }  # fmt: skip
    stored = script.send("put", call, body)
    assert stored.status_code == 200, stored.content
    assert stored.json()["touched"] == {"R01": ["C001"]}
    late = script.send("put", call, {**body, "rule": "exclude"})
    assert late.status_code == 409
    assert "you wrote" in late.json()["detail"]
    again = {**body, "rule": "exclude", "seen": stored.json()["seen"]}
    assert script.send("put", call, again).json()["rule"] == "exclude"
    draft.refresh_from_db()
    assert conflicts.read_rule(draft.design) == "exclude"


@pytest.mark.parametrize(
    ("field", "entries"),
    [("sites", {"R09": "Basel"}), ("authors", {"C999": {"manual": "Basel"}}),
     ("authors", {"C001": {"unknown": "Basel"}})],
)  # fmt: skip
def test_who_drew_what_names_only_what_is_there(
    script: Script, draft: Study, field: str, entries: dict[str, Any]
) -> None:
    call = f"studies/{draft.pk}/conflicts"
    seen = script.get(call).json()["seen"]
    answer = script.send("put", call, {"rule": "flag", "seen": seen, field: entries})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])


def test_after_the_lock_who_drew_what_is_fixed(
    script: Script, open_study: Study
) -> None:
    call = f"studies/{open_study.pk}/conflicts"
    seen = script.get(call).json()["seen"]
    answer = script.send("put", call, {"rule": "flag", "seen": seen})
    assert (answer.status_code, "locked" in answer.json()["detail"]) == (409, True)


def test_a_script_says_of_cases_what_they_are_of(script: Script, draft: Study) -> None:
    ids = [str(case.pk) for case in draft.cases.order_by("label")[:2]]
    body = {"cases": ids, "stratum": "site", "value": "Basel"}
    changed = script.post(f"studies/{draft.pk}/strata", body)
    assert changed.json() == {"changed": 2}
    found = [case.strata.get("site") for case in draft.cases.order_by("label")]
    assert found == ["Basel", "Basel", None]
    told = script.get(f"studies/{draft.pk}/strata").json()
    assert "site" in told["names"]
    script.post(f"studies/{draft.pk}/strata", {**body, "value": "Bern"})
    late = {**body, "value": "Chur", "seen": told["seen"]}
    stale = script.post(f"studies/{draft.pk}/strata", late)
    assert (stale.status_code, "Bern" in stale.json()["detail"]) == (409, True)
    odd = script.post(f"studies/{draft.pk}/strata", {**body, "stratum": "shoe"})
    assert (odd.status_code, "Choose what is changed" in odd.json()["detail"]) == (
        422, True
    )  # fmt: skip
    none = script.post(f"studies/{draft.pk}/strata", {**body, "cases": [str(uuid4())]})
    assert none.status_code == 422


def send_map(script: Script, study: Study, case: Case, path: Path, kind: str) -> Any:
    file = SimpleUploadedFile(path.name, path.read_bytes())
    return script.client.post(
        f"/api/studies/{study.pk}/cases/{case.pk}/companions",
        {"file": file, "kind": kind}, headers=script.headers,
    )  # fmt: skip


def test_a_script_gives_a_case_a_second_series_and_takes_it_away(
    script: Script, study: Study, tmp_path: Path
) -> None:
    image, mask = write_pair(tmp_path, 1)
    for path in (image, mask):
        script.upload(str(study.pk), path)
    script.post(f"studies/{study.pk}/import")
    case = study.cases.get()
    second = save(tmp_path / "second.nii.gz", *read_like(image))
    made = send_map(script, study, case, second, "second")
    assert (made.status_code, made.json()["kind"]) == (201, "second"), made.content
    odd = send_map(script, study, case, second, "third")
    assert (odd.status_code, "kind: one of" in odd.json()["detail"]) == (422, True)
    wrong = save(
        tmp_path / "wrong.nii.gz", make_image((5, 5, 5), np.random.default_rng(1)),
        make_affine((1.0, 1.0, 1.0)),
    )  # fmt: skip
    assert send_map(script, study, case, wrong, "cord").status_code == 422
    call = f"studies/{study.pk}/cases/{case.pk}/companions"
    assert [one["kind"] for one in script.get(call).json()["results"]] == ["second"]
    assert script.send("delete", f"{call}/second").status_code == 204
    assert script.send("delete", f"{call}/second").status_code == 404
    assert script.get(call).json()["count"] == 0


def read_like(path: Path) -> tuple[Any, Any]:
    file: Any = nib.load(path)
    return np.asarray(file.dataobj) * 2, file.affine


def test_a_script_removes_an_arm_of_a_draft_only(
    script: Script, draft: Study, ada: User
) -> None:
    (first, *_) = script.get(f"studies/{draft.pk}").json()["arms"]
    call = f"studies/{draft.pk}/arms/{first['key']}"
    assert script.send("delete", call).status_code == 204
    assert script.send("delete", call).status_code == 404
    assert draft.cases.count() == 3


def test_an_arm_of_a_locked_study_stays(script: Script, open_study: Study) -> None:
    call = f"studies/{open_study.pk}/arms/manual"
    assert script.send("delete", call).status_code == 409
    assert open_study.arms.filter(key="manual").exists()


def test_a_script_begins_from_a_template_or_from_another_study(
    script: Script, study: Study
) -> None:
    keys = [one["key"] for one in script.get("templates").json()["results"]]
    assert "benveniste" in keys
    call, revision = f"studies/{study.pk}/start", study.design_revision
    begun = script.post(call, {"template": "three_questions", "revision": revision})
    assert len(begun.json()["questions"]) == 3
    late = script.post(call, {"template": "benveniste", "revision": revision})
    assert late.status_code == 409
    both = {"template": "benveniste", "study": str(study.pk), "revision": 1}
    assert script.post(call, both).status_code == 400
    other = script.post("studies", {"title": "Other"}).json()
    copied = script.post(
        f"studies/{other['id']}/start",
        {"study": str(study.pk), "revision": other["design_revision"]},
    )
    assert len(copied.json()["questions"]) == 3
    foreign = Study.objects.create(title="Foreign", created_by=make_user("eve"))
    refused = script.post(call, {"study": str(foreign.pk), "revision": 1})
    assert refused.status_code == 404


def test_a_script_asks_for_the_power_of_a_plan(script: Script, draft: Study) -> None:
    call = f"studies/{draft.pk}/power"
    many = script.post(call, {"raters": 8, "cases": 40, "effect": 1.0}).json()
    few = script.post(call, {"raters": 2, "cases": 5, "effect": 0.1}).json()
    assert many["difference"] > 0.95 > few["difference"]
    assert (many["plan"]["raters"], many["plan"]["cases"]) == (8, 40)
    assert "a rater" in many["burden"]
    wrong = script.post(call, {"raters": 1})
    assert (wrong.status_code, list(wrong.json()["errors"])) == (400, ["raters"])


def test_the_checklist_of_a_script_is_what_it_locks(
    script: Script, study: Study, add_cases: AddCases
) -> None:
    add_cases(2)
    add_rater(script, study)
    Study.objects.filter(pk=study.pk).update(faces="")
    one = f"studies/{study.pk}"
    read = script.get(f"{one}/checklist").json()
    assert (read["ready"], read["faces"]) == (False, "")
    assert [line["label"] for line in read["checks"]][:2] == [
        "Cases", "Masks by source"
    ]  # fmt: skip
    assert script.send("put", f"{one}/faces", {"faces": "none"}).status_code == 204
    assert script.send("put", f"{one}/faces", {"faces": "maybe"}).status_code == 400
    stale = script.send("put", f"{one}/faces", {"faces": "removed", "seen": ""})
    study.refresh_from_db()
    assert (stale.status_code, study.faces) == (409, "none")
    seen = script.get(f"{one}/checklist").json()
    assert (seen["ready"], seen["faces"]) == (True, "none")
    script.send("patch", one, {"contact": "Ada, ada@example.org"})
    signed = {"typed_title": study.title, "password": PASSWORD}
    stale = script.post(f"{one}/lock", {**signed, "seen": seen["seen"]})
    assert (stale.status_code, study.protocol_versions.count()) == (409, 0)
    fresh = script.get(f"{one}/checklist").json()["seen"]
    locked = script.post(f"{one}/lock", {**signed, "seen": fresh})
    assert locked.json()["state"] == "locked", locked.content
    assert script.get(f"{one}/checklist").status_code == 409
    assert script.send("put", f"{one}/faces", {"faces": "none"}).status_code == 409


def test_a_script_runs_both_audits_before_the_lock(
    script: Script, study: Study, add_cases: AddCases
) -> None:
    add_cases(2)
    add_rater(script, study)
    one = f"studies/{study.pk}"
    assert script.post(f"{one}/blinding-audit").json() == {"faults": []}
    assert study.audit.filter(verb="audit_blinding").count() == 1
    assert "passed on" in script.get(f"{one}/checklist").json()["blinding_audit"]
    before = script.get(f"{one}/separability-audit").json()
    assert (before["job"], before["arms"]) == (None, None)
    asked = script.post(f"{one}/separability-audit")
    assert (asked.status_code, asked.json()["job"]["status"]) == (202, "queued")
    assert Job.objects.filter(study=study).count() == 1


def test_after_the_lock_separability_is_not_asked(
    script: Script, open_study: Study
) -> None:
    call = f"studies/{open_study.pk}/separability-audit"
    assert script.post(call).status_code == 409
    assert open_study.jobs.count() == 0


def test_a_script_keeps_what_qualifies_a_rater(script: Script, study: Study) -> None:
    one = f"studies/{study.pk}/raters/{add_rater(script, study)}"
    body = {"years": 12, "specialty": "neuroradiology"}
    told = script.send("put", f"{one}/declaration", body).json()
    assert (told["code"], told["years"], told["institution"]) == ("R01", 12, "")
    wrong = script.send("put", f"{one}/declaration", {"years": 200})
    assert (wrong.status_code, list(wrong.json()["errors"])) == (400, ["years"])
    assert script.get(one).json()["specialty"] == "neuroradiology"


def test_a_link_that_a_script_ends_lets_nobody_in(script: Script, study: Study) -> None:
    call = f"studies/{study.pk}/raters"
    made = script.post(call, {"name": "Rhea", "email": "rhea@example.org"}).json()
    link = made["link"].partition("8000")[2]
    assert Client().get(link).status_code == 200
    invitation = f"{call}/{made['rater']}/invitation"
    assert script.send("delete", invitation).status_code == 204
    assert Client().get(link).status_code == 404
    renewed = script.post(invitation).json()["link"].partition("8000")[2]
    assert Client().get(renewed).status_code == 200


def test_a_script_withdraws_a_rater_and_all_that_was_given_stays(
    script: Script, open_study: Study
) -> None:
    (first, second) = open_study.enrolments.filter(role="rater").order_by("code")
    one = f"studies/{open_study.pk}/raters/{first.pk}"
    mute = script.post(f"{one}/withdrawal", {})
    assert (mute.status_code, list(mute.json()["errors"])) == (400, ["reason"])
    left = script.post(f"{one}/withdrawal", {"reason": "Moved away."})
    assert left.json()["left_because"] == "Moved away."
    assert script.post(f"{one}/withdrawal", {"reason": "Again."}).status_code == 409
    assert sign_in(first.user).get("/").status_code == 200
    assert first.sessions.count() > 0
    assert script.get(one).json()["code"] == first.code
    assert not hasattr(Enrolment.objects.get(pk=second.pk), "withdrawal")


def test_a_script_replaces_only_a_rater_without_a_score(
    script: Script, open_study: Study
) -> None:
    (first, _) = open_study.enrolments.filter(role="rater").order_by("code")
    one = f"studies/{open_study.pk}/raters/{first.pk}"
    body = {"name": "New", "email": "new@example.org", "reason": "Ill."}
    made = script.post(f"{one}/replacement", body)
    assert (made.status_code, made.json()["code"]) == (201, first.code), made.content
    assert Client().get(made.json()["link"].partition("8000")[2]).status_code == 200
    first.refresh_from_db()
    assert first.user.email == "new@example.org"
    assert script.post(f"{one}/replacement", body).status_code == 409


def test_a_link_goes_out_by_mail_where_a_script_asks_for_it(
    script: Script, study: Study, settings: Any
) -> None:
    raters = f"studies/{study.pk}/raters"
    body = {"name": "Rhea", "email": "rhea@example.org"}
    assert script.post(f"{raters}?send=perhaps", body).status_code == 400
    assert not study.enrolments.filter(role="rater").exists()
    told = script.post(f"{raters}?send=true", body).json()
    (message,) = mail.outbox
    assert (told["sent"], told["unsent"]) == (True, "")
    assert told["link"] in message.body
    quiet = script.post(f"{raters}/{told['rater']}/invitation").json()
    assert (quiet["sent"], len(mail.outbox)) == (False, 1)
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    none = script.post(f"{raters}/{told['rater']}/invitation?send=true").json()
    assert (none["sent"], "sends no mail" in none["unsent"]) == (False, True)
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    body = {"name": "Cora", "colleague": "cora@example.org", "role": "statistician"}
    asked = script.post(f"studies/{study.pk}/colleagues?send=true", body).json()
    assert asked["sent"] is True
    assert asked["link"] in mail.outbox[-1].body


def test_reminders_by_script_go_out_once_in_a_while(
    script: Script, open_study: Study
) -> None:
    all_of_them = script.post(f"studies/{open_study.pk}/reminders").json()
    assert (all_of_them["reminded"], len(mail.outbox)) == (["R01", "R02"], 2)
    again = script.post(f"studies/{open_study.pk}/reminders").json()
    assert (again["reminded"], len(again["refused"])) == ([], 2)
    first = open_study.enrolments.get(code="R01")
    single = script.post(f"studies/{open_study.pk}/raters/{first.pk}/reminder")
    assert (single.status_code, "was reminded" in single.json()["detail"]) == (
        409, True
    )  # fmt: skip


def test_a_script_voids_a_password_and_hands_over_a_link(
    script: Script, open_study: Study
) -> None:
    first = open_study.enrolments.get(code="R01")
    browser = sign_in(first.user)
    answer = script.send(
        "delete", f"studies/{open_study.pk}/raters/{first.pk}/password"
    )
    assert answer.status_code == 201, answer.content
    assert browser.get("/tokens/").status_code == 302
    assert Client().get(answer.json()["link"].partition("8000")[2]).status_code == 200


CALLS = [
    ("get", "conflicts"), ("put", "conflicts"), ("post", "strata"),
    ("delete", "arms/manual"), ("post", "start"), ("post", "power"),
    ("get", "checklist"), ("put", "faces"), ("post", "blinding-audit"),
    ("post", "separability-audit"), ("post", "reminders"),
]  # fmt: skip
OF_A_RATER = [
    ("get", ""), ("put", "/declaration"), ("delete", "/invitation"),
    ("delete", "/password"), ("post", "/reminder"), ("post", "/withdrawal"),
    ("post", "/replacement"),
]  # fmt: skip


def test_a_foreign_study_has_none_of_these_calls(
    script: Script, open_study: Study
) -> None:
    foreign = Script(make_user("olaf", staff=True))
    seen = Script(make_user("stella"))
    Enrolment.objects.create(
        study=open_study, user=User.objects.get(email="stella@example.org"),
        role=Enrolment.Role.STATISTICIAN,
    )  # fmt: skip
    rater = open_study.enrolments.get(code="R01")
    case = open_study.cases.first()
    assert case is not None
    calls = [*CALLS, ("delete", f"cases/{case.pk}/companions/second")]
    calls += [(method, f"raters/{rater.pk}{path}") for method, path in OF_A_RATER]
    before = open_study.audit.count()
    for method, path in calls:
        for stranger in (foreign, seen):
            answer = stranger.send(method, f"studies/{open_study.pk}/{path}")
            assert answer.status_code == 404, (method, path, answer.content)
    assert open_study.audit.count() == before
    assert len(mail.outbox) == 0
