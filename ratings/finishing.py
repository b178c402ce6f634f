"""Tells what raters still have to do once every mask has a score: sign off, guess."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q

from ratings import guessing, reading
from ratings.models import Enrolment, Presentation, Study
from ratings.reading import Place


@dataclass(frozen=True)
class Rest:
    """What a rater who rated everything has not done: sessions, source questions."""

    rater: str
    name: str
    unsigned: int
    questions: int

    @property
    def who(self) -> str:
        return f"{self.rater}, {self.name}" if self.name else self.rater

    @property
    def words(self) -> str:
        """Such as "not signed off, 3 source questions open"."""
        several = f" ({self.unsigned} sessions)" if self.unsigned > 1 else ""
        s = "" if self.questions == 1 else "s"
        told = (
            f"not signed off{several}" if self.unsigned else "",
            f"{self.questions} source question{s} open" if self.questions else "",
        )
        return ", ".join(part for part in told if part)

    @property
    def todo(self) -> str:
        """The same as what the rater is to do."""
        sessions = "session" if self.unsigned == 1 else f"{self.unsigned} sessions"
        s = "" if self.questions == 1 else "s"
        told = (
            f"sign off the {sessions}" if self.unsigned else "",
            f"answer {self.questions} question{s} about the sources of the masks"
            if self.questions
            else "",
        )
        return ", then ".join(part for part in told if part)


def list_rests(
    study: Study, places: Mapping[Any, Place] | None = None
) -> dict[Any, Rest]:
    """By the enrolment's key; none of who has a score missing, or left the study.

    Every question is asked of the database once for all raters. `places` are theirs,
    where they are known already.
    """
    if places is None:
        shown = Presentation.objects.filter(session__enrolment__study=study)
        places = reading.count_places(shown)
    rated = [key for key, place in places.items() if 0 < place.total == place.done]
    raters = study.enrolments.filter(
        pk__in=rated, role=Enrolment.Role.RATER, withdrawal=None
    )
    unsigned = Count("sessions", filter=Q(sessions__signature=None))
    columns = ("pk", "code", "user__first_name", "user__last_name")
    rows = raters.order_by("code").annotate(unsigned=unsigned)
    told = list(rows.values_list(*columns, "unsigned"))
    open_ = guessing.count_open(study, [key for key, *_ in told])
    rests = {
        key: Rest(code, f"{first} {last}".strip(), left, open_[key])
        for key, code, first, last, left in told
    }
    return {key: rest for key, rest in rests.items() if rest.words}


def list_codes(study: Study) -> list[str]:
    """Those of raters who have not finished, though they rated everything."""
    return [rest.rater for rest in list_rests(study).values()]


def find_rest(enrolment: Enrolment) -> Rest | None:
    """The same of one rater."""
    shown = Presentation.objects.filter(session__enrolment=enrolment)
    places = reading.count_places(shown)
    return list_rests(enrolment.study, places).get(enrolment.pk)
