"""What cases are said to be can be changed by hand until the study is locked."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from ratings import measuring, sampling, selecting, verifying
from ratings.models import Study
from tests.ratings.conftest import AddCases


def say(client: Client, study: Study, name: str, value: str, *labels: str) -> str:
    ids = list(study.cases.filter(label__in=labels).values_list("pk", flat=True))
    form = {"stratum": name, "value": value, "case": ids}
    url = reverse("cases-stratum", args=[study.pk])
    return client.post(url, form, follow=True).content.decode()


def test_site_and_field_strength_are_said_of_many_cases_at_once(
    coordinator: Client, study: Study, add_cases: AddCases
) -> None:
    add_cases(3)
    page = say(coordinator, study, "field_strength", " 3 T ", "C001", "C002")
    assert "2 cases changed." in page
    assert "Field strength: 3 T" in page
    say(coordinator, study, "site", "Lyon", "C001")
    say(coordinator, study, "contrast", "", "C001")
    first, second, third = (case.strata for case in study.cases.order_by("label"))
    assert first == {"field_strength": "3 T", "site": "Lyon"}
    assert second == {"contrast": "T2w", "field_strength": "3 T"}
    assert third == {"contrast": "T2w"}
    told = {fact.case: fact for fact in measuring.describe_cases(study)}
    assert (told["C001"].site, told["C001"].field_strength) == ("Lyon", "3 T")
    assert verifying.verify_study(study) == []


def test_what_is_no_stratum_or_no_case_changes_nothing(
    coordinator: Client, study: Study, add_cases: AddCases
) -> None:
    add_cases(1)
    assert "Choose what is changed" in say(coordinator, study, "label", "x", "C001")
    assert "No case was marked" in say(coordinator, study, "site", "Lyon")
    assert study.cases.get().strata == {"contrast": "T2w"}


def test_a_drawn_stratum_stays_until_the_draw_is_gone(
    coordinator: Client, ada: User, study: Study, add_cases: AddCases
) -> None:
    add_cases(2)
    rule = sampling.Rule(mode=sampling.PROPORTIONAL, by=("contrast",), size=1)
    selecting.draw_cases(study=study, actor=ada, rule=rule, revision=0)
    assert "drawn by contrast" in say(coordinator, study, "contrast", "T1w", "C001")
    assert "1 case changed." in say(coordinator, study, "site", "Lyon", "C001")


def test_a_locked_study_keeps_what_its_cases_were_said_to_be(
    coordinator: Client, outsider: Client, open_study: Study
) -> None:
    assert "locked" in say(coordinator, open_study, "site", "Lyon", "C001")
    say(outsider, open_study, "site", "Lyon", "C001")
    assert "site" not in open_study.cases.get(label="C001").strata
