"""A rater who comes after the lock has an order of their own; no other changes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from ratings import invitations, latecomers, protocol, revealing
from ratings.invitations import InvitationRefused
from ratings.models import Enrolment, Item, Session, Study
from ratings.proof.schedule import check_schedule
from ratings.verifying import verify_study
from tests.ratings.conftest import AddCases, end_collecting, sign_in
from tests.ratings.test_scoring import body, current, put


def add(study: Study, actor: User, name: str = "lena", **more: object) -> Enrolment:
    facts = {"reason": "A rater fell ill.", **more}
    return latecomers.add_late_rater(
        study=study, actor=actor, name=name, email=f"{name}@example.org",
        **facts,  # type: ignore[arg-type]
    )  # fmt: skip


def list_order(code: str) -> list[tuple[int, str, str]]:
    items = Item.objects.filter(presentation__session__enrolment__code=code)
    columns = ("presentation__position", "token", "mask__arm__key")
    return list(items.order_by("presentation__position", "slot").values_list(*columns))


def test_nobody_elses_order_changes(
    open_study: Study, ada: User, rater: Client, session: Session
) -> None:
    put(rater, current(session).token, body(4))
    before = {code: list_order(code) for code in ("R01", "R02")}
    assert add(open_study, ada).code == "R03"
    assert {code: list_order(code) for code in ("R01", "R02")} == before
    own = list_order("R03")
    assert len(own) == 12
    assert not {row[1] for row in own} & {row[1] for o in before.values() for row in o}


def test_the_late_order_is_balanced_committed_to_and_on_record(
    open_study: Study, ada: User
) -> None:
    for name in ("lena", "lutz"):
        add(open_study, ada, name)
    study = Study.objects.get(pk=open_study.pk)
    late = study.allocation_report["late"]
    assert [one["rater"] for one in late] == ["R03", "R04"]
    assert all(one["balance"]["spread_raters"] <= 1 for one in late)
    assert all(one["balance"]["spread_cases"] <= 1 for one in late)
    entries = study.audit.filter(verb="add_late_rater").order_by("n")
    assert [e.payload["commitment"] for e in entries] == [o["commitment"] for o in late]
    assert entries[0].payload["reason"] == "A rater fell ill."
    assert study.audit.filter(verb="drawn", payload__rater="R04").count() == 1
    assert check_schedule(study) == []
    assert verify_study(study) == []


def test_a_late_rater_rates_and_the_schedule_is_drawn_again_from_the_export(
    open_study: Study, ada: User
) -> None:
    enrolment = add(open_study, ada)
    session = Session.objects.get(enrolment=enrolment)
    client = sign_in(enrolment.user)
    assert put(client, current(session).token, body(2)).status_code == 200
    end_collecting(open_study, ada)
    study = Study.objects.get(pk=open_study.pk)
    protocol.unblind(study=study, actor=ada, typed_title=study.title)
    schedule = json.loads(revealing.reveal(study)[revealing.NAME])
    assert len(schedule["items"]) == 36
    assert revealing.check_schedule(schedule) == []
    schedule["late"][0]["commitment"] = "0" * 64
    (fault,) = revealing.check_schedule(schedule)
    assert fault == "The order of R03 does not fit its commitment."


def test_a_changed_note_of_a_late_rater_is_found(open_study: Study, ada: User) -> None:
    add(open_study, ada)
    study = Study.objects.get(pk=open_study.pk)
    study.allocation_report["late"][0]["excluded"] = ["C001"]
    study.save(update_fields=["allocation_report"])
    (fault,) = verify_study(study)
    assert fault == "The raters who came after the lock are not those on record."


def test_cases_that_the_person_drew_are_left_out_where_the_protocol_says_so(
    study: Study, ada: User, add_cases: AddCases
) -> None:
    add_cases(6)
    invitations.add_rater(study=study, actor=ada, name="A", email="a@example.org")
    study.design = {
        **study.design, "min_distance": 2, "conflict": "exclude",
        "authors": {"C002": {"manual": "Basel"}},
    }  # fmt: skip
    study.save()
    protocol.lock(study=study, actor=ada)
    add(study, ada, site="basel", drew=["C004"])
    (late,) = Study.objects.get(pk=study.pk).allocation_report["late"]
    assert late["excluded"] == late["touched"] == ["C002", "C004"]
    items = Item.objects.filter(presentation__session__enrolment__code="R02")
    labels = set(items.values_list("presentation__case__label", flat=True))
    assert labels == {"C001", "C003", "C005", "C006"}
    assert check_schedule(Study.objects.get(pk=study.pk)) == []
    every = [f"C00{n}" for n in range(1, 7)]
    with pytest.raises(InvitationRefused, match="nothing would be left"):
        add(study, ada, "other", drew=every)
    assert not study.enrolments.filter(user__email="other@example.org").exists()


def test_the_coordinator_adds_a_late_rater_on_the_page(
    open_study: Study, coordinator: Client
) -> None:
    url = reverse("raters", args=[open_study.pk])
    data = {"name": "Lena Late", "email": "lena@example.org", "drew": "c002"}
    page = coordinator.post(url, data)
    assert "Say why a rater is added after the lock." in page.content.decode()
    wrong = {**data, "reason": "Ill", "drew": "C099"}
    assert "no case C099" in coordinator.post(url, wrong).content.decode()
    assert open_study.enrolments.filter(code="R03").count() == 0
    page = coordinator.post(url, {**data, "reason": "Ill"}, follow=True)
    assert "Link for Lena Late" in page.content.decode()
    shown = coordinator.get(reverse("lock", args=[open_study.pk])).content.decode()
    late = Study.objects.get(pk=open_study.pk).allocation_report["late"][0]
    assert late["commitment"] in shown
    assert "Raters who came later" in shown


def test_a_closed_study_takes_nobody(
    open_study: Study, ada: User, coordinator: Client
) -> None:
    end_collecting(open_study, ada)
    with pytest.raises(InvitationRefused, match="only to a study that is locked"):
        add(open_study, ada)
    page = coordinator.get(reverse("raters", args=[open_study.pk]))
    assert "can no longer be added" in page.content.decode()


def test_verify_allocation_tells_of_late_raters(
    open_study: Study, ada: User, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add(open_study, ada)
    end_collecting(open_study, ada)
    study = Study.objects.get(pk=open_study.pk)
    protocol.unblind(study=study, actor=ada, typed_title=study.title)
    path = tmp_path / revealing.NAME
    path.write_bytes(revealing.reveal(study)[revealing.NAME])
    call_command("verify_allocation", str(path))
    assert "36 items of 3 raters" in capsys.readouterr().out
