"""Of several questions none is the primary one: form, checklist, protocol, results."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from ratings import audit, checklist, frozen
from ratings.models import Study
from ratings.statistics.family import across_questions, tell_over_questions
from ratings.statistics.summary import Analysis
from ratings.steps import count_facts
from tests.ratings import golden
from tests.ratings.conftest import AddCases
from tests.ratings.test_design_pages import address, fill_in


@pytest.fixture
def two(study: Study, coordinator: Client, add_cases: AddCases) -> Study:
    add_cases(2)
    coordinator.post(address(study), fill_in(further="Is the boundary right?"))
    return Study.objects.get(pk=study.pk)


def test_the_form_says_that_each_question_is_tested(
    two: Study, coordinator: Client
) -> None:
    page = coordinator.get(address(two)).text
    assert "first question above is the primary one" not in page
    assert "a claim about any one of them needs the p that is corrected" in page


def test_checklist_protocol_and_results_say_the_same(
    two: Study, coordinator: Client, ada: User
) -> None:
    checks = checklist.list_checks(two, count_facts(two), ada)
    (design,) = [one for one in checks if one.label == "Design"]
    assert "2 questions (p corrected for all of them)" in design.fact
    assert (
        "2 questions (p corrected"
        in coordinator.get(reverse("lock", args=[two.pk])).text
    )
    frozen_words = frozen.describe_protocol(two)["analysis"]["questions"]
    assert "none comes before the others" in frozen_words
    one = golden.analysis("null_5x16")
    (first, _) = across_questions([one, one])
    assert first.multiplicity is not None
    for words in (frozen_words, first.multiplicity.text):
        assert "Holm" in words
        assert "claim about any one" in words


def test_the_protocol_of_a_single_question_is_as_it_was(
    study: Study, add_cases: AddCases
) -> None:
    add_cases(1)
    told = frozen.describe_protocol(study)
    assert set(told["analysis"]) == {"primary", "missing", "margin"}
    assert audit.digest(told) == audit.digest(frozen.describe_protocol(study))


def with_p(p: float) -> Analysis:
    one = golden.analysis("null_5x16")
    (only,) = one.comparisons
    main = replace(only.main, p=p)
    told = (
        replace(only, primary=main, p_holm=p)
        if only.primary
        else replace(only, difference=replace(only.difference, both=main), p_holm=p)
    )
    return replace(one, comparisons=(told,))


@pytest.mark.parametrize(
    ("p_values", "sentence"),
    [
        ((0.2, 0.6), ""),
        ((0.01, 0.02), "holds over all 2 questions (Holm) as well"),
        ((0.03, 0.6), "Corrected over all 2 questions (Holm), as a claim about one of "
         "them needs, no difference is shown."),
    ],
)  # fmt: skip
def test_the_answer_says_what_is_left_of_it_over_all_questions(
    p_values: tuple[float, ...], sentence: str
) -> None:
    (first, *_) = across_questions([with_p(p) for p in p_values])
    assert sentence in tell_over_questions(first)
    assert bool(sentence) == bool(tell_over_questions(first))


def test_a_single_question_says_nothing_of_others() -> None:
    assert tell_over_questions(with_p(0.001)) == ""
