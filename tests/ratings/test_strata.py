"""What cases are said to be can be changed by hand until the study is locked."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from ratings import measuring, sampling, selecting, strata, verifying
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
    assert "Field strength of C001, C002: 3 T." in page
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


def test_a_value_taken_away_is_told_with_its_cases_and_the_page_asks_before(
    coordinator: Client, study: Study, add_cases: AddCases
) -> None:
    add_cases(2)
    page = coordinator.get(reverse("cases", args=[study.pk])).content.decode()
    assert 'data-ask="Clear the {stratum} of {marked}?" data-ask-empty="value"' in page
    page = say(coordinator, study, "contrast", "  ", "C001", "C002")
    assert "Contrast of C001, C002: not given." in page
    assert "cases changed" not in page


@pytest.mark.parametrize(
    ("count", "told"),
    [(7, "C5, C6, C7: Bern."), (8, "C5, C6 and 2 more: Bern."), (1, "of C1: Bern.")],
)
def test_of_many_changed_cases_the_first_are_named(count: int, told: str) -> None:
    labels = [f"C{n + 1}" for n in range(count)]
    sentence = strata.tell_change(name="site", value=" Bern ", labels=labels)
    assert sentence.startswith("Site of C1")
    assert sentence.endswith(told)


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
    assert "Site of C001: Lyon." in say(coordinator, study, "site", "Lyon", "C001")


def test_a_locked_study_keeps_what_its_cases_were_said_to_be(
    coordinator: Client, outsider: Client, open_study: Study
) -> None:
    assert "locked" in say(coordinator, open_study, "site", "Lyon", "C001")
    say(outsider, open_study, "site", "Lyon", "C001")
    assert "site" not in open_study.cases.get(label="C001").strata
