"""Raters can take along what is recorded about them once the study is over."""

from __future__ import annotations

import csv
import io

from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from ratings import protocol
from ratings.models import Session, Study
from tests.ratings.test_scoring import body, current, put


def end(study: Study, ada: User) -> None:
    codes = study.enrolments.exclude(code="").values_list("code", flat=True)
    gaps = dict.fromkeys(codes, "The study ended early.")
    protocol.close(study=study, actor=ada, dispositions=gaps, unfinished=codes)
    protocol.unblind(study=study, actor=ada, typed_title=study.title)
    study.refresh_from_db()


def test_it_holds_answers_conduct_and_problems_and_no_arm(
    rater: Client, session: Session, open_study: Study, ada: User
) -> None:
    item = current(session)
    conduct = {"slices": 3, "without_looking": False}
    put(rater, item.token, body(4, comment="=2+2", conduct=conduct))
    url = reverse("own-record", args=[session.key])
    assert rater.get(url).status_code == 404
    end(open_study, ada)
    answer = rater.get(url)
    assert answer.headers["Content-Type"].startswith("text/csv")
    answered, viewed = csv.DictReader(io.StringIO(answer.content.decode()))
    assert (answered["value"], answered["comment"]) == ("4", "'=2+2")
    assert viewed["active_seconds"] == "0.9"
    assert '"slices": 3' in viewed["conduct"]
    assert b"manual" not in answer.content
    assert url in rater.get(reverse("home")).content.decode()


def test_nobody_else_gets_it(
    other_rater: Client,
    coordinator: Client,
    session: Session,
    open_study: Study,
    ada: User,
) -> None:
    end(open_study, ada)
    url = reverse("own-record", args=[session.key])
    assert other_rater.get(url).status_code == 404
    assert coordinator.get(url).status_code == 404
