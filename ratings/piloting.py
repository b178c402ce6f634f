"""Finished studies of one's own as pilots: the variances that a power plan can take."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import sqrt

from django.contrib.auth.models import User

from ratings import access, audit, results
from ratings.models import Enrolment, Study
from ratings.statistics.components import Components, Pilot, estimate_components

LEAST = 0.05  # the smallest residual that the simulation takes
NAMES = {
    "rater": "raters, in every arm alike",
    "case": "cases, in every arm alike",
    "rater_case": "raters × cases, in every arm alike",
    "rater_arm": "raters × arms",
    "case_arm": "cases × arms",
    "residual": "the rest of one score",
}


@dataclass(frozen=True)
class Source:
    """A pilot study as the page shows it; `refusal` says why it gives no values."""

    title: str
    pilot: Pilot | None
    refusal: str = ""

    @property
    def parts(self) -> list[tuple[str, float, float, str, bool]]:
        """(name, variance, standard deviation, remark, was below zero) by source."""
        if self.pilot is None or self.pilot.components is None:
            return []
        found = vars(self.pilot.components)
        below = self.pilot.negative
        return [
            (name, found[key], sqrt(found[key]), _remark(key), key in below)
            for key, name in NAMES.items()
        ]

    def fill_in(self, *, lowest: int) -> dict[str, str]:
        """The fields of the power form that the pilot answers."""
        if self.pilot is None or self.pilot.components is None:
            return {}
        part: Components = self.pilot.components
        values = {
            "sd_case": sqrt(part.case_arm),
            "sd_rater": sqrt(part.rater_arm),
            "sd_residual": max(sqrt(part.residual), LEAST),
            "sd_all_cases": sqrt(part.case),
            "sd_all_raters": sqrt(part.rater),
            "middle": self.pilot.mean or lowest,
        }
        return {name: f"{value:.3f}" for name, value in values.items()}


def list_pilots(*, user: User, study: Study) -> list[tuple[str, str]]:
    """(key, name) of each question of the unblinded studies whose results one may see.

    Before a study is unblinded its scores must not be looked at, so it is not listed.
    """
    mine = Enrolment.objects.filter(user=user, role__in=access.ACTS["results"])
    finished = Study.objects.filter(
        pk__in=mine.values("study"), state=Study.State.UNBLINDED
    ).exclude(pk=study.pk)
    return [
        (f"{one.pk}/{question['key']}", _name(one, question))
        for one in finished.order_by("title", "pk")
        for question in one.questions
    ]


def read_pilot(*, user: User, study: Study, key: str) -> Source:
    """The variances of a listed study, or why it has none; the look is on record."""
    study_id, _, question = key.partition("/")
    found = access.find_study(user=user, study_id=study_id, act="results")
    audit.note_access(
        study=found, actor=user, verb="read_results",
        payload={"as_pilot_for": str(study.pk)},
    )  # fmt: skip
    table = results.build_tables(found).get(question)
    if table is None:
        return Source(found.title, None, "it has no score of this question")
    # Of the table and not of the study: each moved question has its own scale.
    if len(table.levels) != len(study.levels):
        return Source(
            found.title,
            None,
            f"its scale has {len(table.levels)} points and this study's "
            f"{len(study.levels)}, so its variances are in other units",
        )
    pilot = estimate_components(table.scores)
    shift = study.levels[0] - table.levels[0]
    return Source(found.title, _shifted(pilot, shift), pilot.reason_text)


def _shifted(pilot: Pilot, by: int) -> Pilot:
    return pilot if pilot.mean is None else replace(pilot, mean=pilot.mean + by)


def _remark(key: str) -> str:
    if key in ("rater_arm", "case_arm", "residual"):
        return "decides the power"
    return "cancels in the difference"


def _name(study: Study, question: dict[str, str]) -> str:
    if len(study.questions) < 2:
        return study.title
    return f"{study.title}: {question['text']}"
