"""The table of conduct: how each rater worked, and nothing of scores or sources."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from django.urls import reverse

from ratings import asking, conducting, declaring
from ratings.models import AccessEntry, Case, Session, Study
from tests.ratings.script import Script
from tests.ratings.test_monitor_pages import score

pytestmark = pytest.mark.django_db


def read(table: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(table)))


def test_each_item_of_each_rater_is_a_row(
    coordinator: Client, open_study: Study, session: Session
) -> None:
    first, _ = score(session, 4, 12.5), score(session, None, 3)
    asking.ask(item=first, kind="question", text="=HYPERLINK(1)")
    asking.ask(item=first, kind="problem", text="Blurred\nimage")
    answer = coordinator.get(reverse("conduct", args=[open_study.pk]))
    assert answer.headers["Content-Type"].startswith("text/csv")
    rows = read(answer.text)
    assert [(r["rater"], r["position"]) for r in rows] == [
        (code, str(n)) for code in ("R01", "R02") for n in range(1, 13)
    ]
    assert (rows[0]["active_seconds"], rows[0]["revisions"]) == ("12.5", "1")
    assert rows[0]["questions"] == "'=HYPERLINK(1)"
    assert rows[0]["problems"] == "Blurred image"
    assert rows[1]["cannot_rate"] == "Image unusable"
    assert rows[2]["first_answer"] == rows[2]["active_seconds"] == ""
    assert AccessEntry.objects.last().verb == "export_conduct"  # type: ignore[union-attr]


def test_it_is_the_same_whatever_the_scores_are_and_names_no_source_or_case(
    open_study: Study, session: Session
) -> None:
    tables = set()
    for value in (1, 5):
        with transaction.atomic():
            score(session, value)
            tables.add(
                re.sub(r"\d{4}-\d\d-\d\dT[^,]+", "", conducting.write_csv(open_study))
            )
            transaction.set_rollback(True)
    (table,) = tables
    labels = set(Case.objects.values_list("label", flat=True))
    assert not any(word in table for word in {"manual", "model", *labels})


def test_a_script_takes_the_conduct_and_moves_a_deadline(
    ada: User, outsider: Client, rater: Client, open_study: Study
) -> None:
    script, one = Script(ada), f"studies/{open_study.pk}"
    assert len(read(script.get(f"{one}/conduct").text)) == 24
    for who in (outsider, rater):
        assert who.get(f"/api/{one}/conduct").status_code == 404
        assert who.get(reverse("conduct", args=[open_study.pk])).status_code == 404
    day = (declaring.today() + timedelta(days=3)).isoformat()
    body = {"deadline": day, "code": "R02"}
    assert script.post(f"{one}/deadline", body).status_code == 204
    rows = script.get(f"{one}/progress").json()["results"]
    assert [row["deadline"] for row in rows] == [None, day]
    assert script.post(f"{one}/deadline", body | {"code": "R9"}).status_code == 404
    wrong = script.post(f"{one}/deadline", {"deadline": "2020-01-01"})
    assert (wrong.status_code, list(wrong.json()["errors"])) == (400, ["deadline"])
