"""Every call of the API: by role, and with a field that it does not know."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client

from ratings.models import Enrolment, Problem, Session, Study
from tests.ratings.conftest import make_user
from tests.ratings.script import Script

# What a statistician may ask for, besides what belongs to nobody's study.
STATISTICIANS = {
    "get_Study", "get_Cases", "get_Jobs", "get_Job", "get_Results", "post_Again",
    "get_Figure", "get_Export", "get_Comparison", "post_Measure",
    "get_ComparisonFile", "get_Robustness", "get_RobustnessFile", "post_Coarser",
}  # fmt: skip


def list_calls(script: Script) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(method, path, description) of every call that is published."""
    described = script.get("schema", format="json").json()
    for path, methods in described["paths"].items():
        for method, told in methods.items():
            if method != "parameters":
                yield method, path, told


def fill(path: str, study: Study) -> str:
    """The address of that path, for what there is of the study."""
    people = study.enrolments.order_by("role", "code")
    found = {
        "study_id": study,
        "case_id": study.cases.first(),
        "rater_id": people.filter(role="rater").first(),
        "member_id": people.filter(role="coordinator").first(),
        "question_id": Problem.objects.first(),
    }
    values: dict[str, Any] = {k: one.pk for k, one in found.items() if one is not None}
    values |= {"key": "manual", "name": "violin", "kind": "svg", "run_id": 10**6}
    values.setdefault("question_id", 10**6)
    return re.sub(r"{(\w+)}", lambda m: str(values.get(m[1], uuid4())), path)


def call(client: Client, method: str, path: str, **more: Any) -> Any:
    return client.generic(
        method.upper(), path, "{}", content_type="application/json", **more
    )


def test_a_study_is_not_there_for_strangers_and_raters_whatever_they_call(
    script: Script, open_study: Study, rater: Client
) -> None:
    stranger, tried = Script(make_user("olaf", staff=True)), 0
    for method, path, told in list_calls(script):
        url = fill(path, open_study)
        answer = call(rater, method, url)
        assert answer.status_code == 404, (told["operationId"], answer.content)
        if "{study_id}" in path:
            answer = call(stranger.client, method, url, headers=stranger.headers)
            assert answer.status_code == 404, (told["operationId"], answer.content)
            tried += 1
    assert tried > 80
    assert Study.objects.get(pk=open_study.pk).state == "collecting"


def test_a_statistician_has_what_the_pages_give_and_nothing_else(
    script: Script, statistician: Script, open_study: Study
) -> None:
    given = set()
    for method, path, told in list_calls(script):
        if "{study_id}" in path:
            url = fill(path, open_study)
            sent = call(statistician.client, method, url, headers=statistician.headers)
            missing = sent.status_code == 404
            # an absent job, and a body that is asked for before all else
            unsure = sent.status_code in (400, 415)
            if not missing and not unsure:
                given.add(told["operationId"])
    assert given == STATISTICIANS - {"get_Job"}


# They look for a file that is on its way before they look at what was sent.
OF_A_FILE = {"post_Finish", "post_Take"}


def test_every_call_refuses_a_field_that_it_does_not_know(
    script: Script, open_study: Study, session: Session, ada: User
) -> None:
    """On a draft or on an open study, as the call needs."""
    asked = session.presentations.all()[0]
    Problem.objects.create(presentation=asked, text="Is this the cord?")
    draft = Study.objects.create(title="Draft", created_by=ada)
    Enrolment.objects.create(study=draft, user=ada, role="coordinator")
    lacking, tried = set(), 0
    for method, path, told in list_calls(script):
        if "application/json" in told.get("requestBody", {}).get("content", {}):
            urls = [fill(path, study) for study in (open_study, draft)]
            answers = [
                script.send(method, url.removeprefix("/api/"), {"no_such": 1})
                for url in urls
            ]
            if not any(b'"no_such"' in answer.content for answer in answers):
                lacking.add(told["operationId"])
            tried += 1
    assert lacking == OF_A_FILE
    assert tried > 30


ODD: tuple[Any, ...] = (
    5, -1.5, 10**400, True, [], ["x", 3], {"x": []}, None, "\u0000", "x" * 70_000,
)  # fmt: skip


def list_fields(schemas: dict[str, Any], told: dict[str, Any]) -> list[str]:
    (kind,) = told["requestBody"]["content"]["application/json"]["schema"].values()
    return list(schemas[str(kind).rpartition("/")[2]]["properties"])


@pytest.mark.slow
def test_no_value_of_another_kind_makes_a_call_fail(
    script: Script, open_study: Study, ada: User
) -> None:
    """Each field of each call that takes JSON, on a draft and on an open study."""
    draft = Study.objects.create(title="Draft", created_by=ada)
    Enrolment.objects.create(study=draft, user=ada, role="coordinator")
    schemas = script.get("schema", format="json").json()["components"]["schemas"]
    for method, path, told in list_calls(script):
        if "application/json" not in told.get("requestBody", {}).get("content", {}):
            continue
        for field in list_fields(schemas, told):
            for study, odd in product((open_study, draft), ODD):
                url = fill(path, study).removeprefix("/api/")
                answer = script.send(method, url, {field: odd})
                assert answer.status_code < 500, (path, field, odd)


def test_a_number_and_a_truth_value_are_no_day(
    script: Script, open_study: Study
) -> None:
    url = f"studies/{open_study.pk}/deadline"
    for odd, said in ((5, "2027-03-31"), (20270331, "2027-03-31"), (True, "no truth")):
        answer = script.post(url, {"deadline": odd})
        assert answer.status_code == 400
        assert said in answer.json()["errors"]["deadline"][0]
    assert script.post(url, {"deadline": None}).status_code == 204


def test_a_mistyped_field_changes_nothing_and_names_its_neighbour(
    script: Script, study: Study
) -> None:
    one = f"studies/{study.pk}"
    body = {"title": "Other", "repeat_procent": 10}
    answer = script.patch(one, body)
    assert answer.status_code == 400
    (sentence,) = answer.json()["errors"]["repeat_procent"]
    assert "Did you mean “repeat_percent”?" in sentence
    assert Study.objects.get(pk=study.pk).title == study.title
    nested = script.post(f"{one}/import", {"pairs": [{"mask": {}}]})
    (sentence,) = nested.json()["errors"]["pairs"]["0"]["mask"]
    assert "Did you mean “masks”?" in sentence
    assert script.patch(one, [1]).json()["errors"] == {"body": ["Send a JSON object."]}


def test_the_description_says_that_bodies_take_no_other_field(script: Script) -> None:
    told = script.get("schema", format="json").json()["components"]["schemas"]
    for name in ("StudyBody", "PatchedDesignBody", "CalibrationBody", "PairShape"):
        assert told[name]["additionalProperties"] is False
    assert "additionalProperties" not in told["StudyDetail"]
