"""Starting points of a design: templates by name, and the design of another study."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.contrib.auth.models import User

from ratings import access
from ratings.design import SIDE_BY_SIDE, SINGLE, StudyDesign, read_design
from ratings.designing import Wishes, read_wishes
from ratings.models import Study

QUALITY = "How good is this segmentation?"
FIVE = ("very poor", "poor", "fair", "good", "excellent")


@dataclass(frozen=True)
class Template:
    """A design with its scale and questions; cases and raters are never part of it."""

    label: str
    about: str
    anchors: tuple[str, ...]
    questions: tuple[tuple[str, str], ...]
    design: StudyDesign


TEMPLATES = {
    "benveniste": Template(
        label="Benveniste 2026",
        about="8 raters, 40 images, masks one at a time, one score from 1 to 5",
        anchors=FIVE,
        questions=(("quality", QUALITY),),
        design=StudyDesign(mode=SINGLE, min_distance=10, edit_policy="final"),
    ),
    "recommended": Template(
        label="Recommended",
        about="the same with 10 % hidden repeats, sessions of 50 and the source guess",
        anchors=FIVE,
        questions=(("quality", QUALITY),),
        design=StudyDesign(
            mode=SINGLE, min_distance=10, repeat_percent=10, session_maximum=50,
            guess="end", guess_percent=25, structured_reasons=True,
        ),
    ),
    "side_by_side": Template(
        label="Side by side",
        about="all masks of a case at once, sides by lot; shows small differences",
        anchors=FIVE,
        questions=(("quality", QUALITY),),
        design=StudyDesign(
            mode=SIDE_BY_SIDE, repeat_percent=10, session_maximum=50, guess="end",
            guess_percent=25,
        ),
    ),
    "three_questions": Template(
        label="Three questions",
        about="overall quality, detection and boundary, each from 1 to 5",
        anchors=FIVE,
        questions=(
            ("quality", QUALITY),
            ("question_2", "How well are the lesions found?"),
            ("question_3", "How well do the boundaries follow the lesions?"),
        ),
        design=StudyDesign(
            mode=SINGLE, min_distance=10, repeat_percent=10, session_maximum=40,
            guess="end", guess_percent=25,
        ),
    ),
}  # fmt: skip


def list_studies(*, user: User, study: Study) -> list[tuple[str, str]]:
    """(id, title) of the other studies whose design the user may copy."""
    mine = user.enrolments.filter(role__in=access.ACTS["edit"])
    others = Study.objects.filter(pk__in=mine.values("study")).exclude(pk=study.pk)
    return [(str(one.pk), one.title) for one in others.order_by("title", "pk")]


def start_from_template(*, study: Study, key: str) -> Wishes:
    """The study's own words with the template's questions, scale and presentation.

    What happens to raters' own masks stays: it was agreed with who drew which.
    """
    template, here = TEMPLATES[key], read_wishes(study)
    return replace(
        here,
        questions=template.questions,
        anchors=template.anchors,
        design=replace(template.design, conflict=here.design.conflict),
    )


def start_from_study(*, study: Study, user: User, key: str) -> Wishes:
    """The same of another study, whose instructions come too.

    Calibration masks and planes of single cases name cases, so they stay behind, as
    does its rule for raters' own masks.
    """
    other = access.find_study(user=user, study_id=key, act="edit")
    there, here = read_wishes(other), read_wishes(study)
    arms = set(study.rated_arms().values_list("key", flat=True))
    known = there.reference_arm in arms
    return replace(
        there,
        title=here.title,
        contact=here.contact or there.contact,
        reference_arm=there.reference_arm if known else here.reference_arm,
        design=replace(
            read_design(other.design), calibration=(), planes={},
            conflict=here.design.conflict,
        ),
    )  # fmt: skip
