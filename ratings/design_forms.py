"""What can be typed about a study's design, and the sentences when it is wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django import forms

from ratings import design
from ratings.design import Reference, StudyDesign
from ratings.forms import StudyForm
from ratings.models import Study
from ratings.statistics.primary import CROSSED, HILLIS

MOST_POINTS = 10
MOST_QUESTIONS = 8
SPARE_ROWS = 3
HILLIS_NEEDS = (
    "This test needs every rater to score every case, and raters’ own cases are left "
    "out of their order. Choose raters × cases, which takes gaps."
)
ROW = ("case", "arm", "values", "note")
SECTIONS = {
    "order": ("mode", "min_distance", "repeat_percent", "session_maximum"),
    "training": ("control_bad", "control_empty"),
    "answers": ("edit_policy", "change_reason", "structured_reasons"),
    "looking": ("plane", "planes", "zoom_mm", "context"),
    "afterwards": ("guess", "guess_percent"),
    "comparison": ("reference_arm", "primary", "margin"),
}


def whole(label: str, low: int, high: int, *, help_text: str) -> forms.IntegerField:
    sentence = f"Give a whole number from {low} to {high}."
    return forms.IntegerField(
        label=label,
        min_value=low,
        max_value=high,
        help_text=help_text,
        error_messages=dict.fromkeys(
            ("required", "invalid", "min_value", "max_value"), sentence
        ),
    )


def choice(label: str, words: Mapping[str, str], help_text: str) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=label, choices=list(words.items()), help_text=help_text
    )


class PresentationForm(StudyForm):
    """The fields of `study.design` that are one word, number or tick each."""

    mode = choice(
        "What is on the screen",
        design.MODES,
        "One at a time judges each mask for itself, in an order drawn by lot. One "
        "after the other shows the masks of a case in turn, each confirmed by itself; "
        "side by side shows them at once, confirmed together. Which comes first is "
        "drawn by lot.",
    )
    min_distance = whole(
        "Least distance between two masks of a case", 1, 500,
        help_text="In positions of a rater’s order. With fewer cases than that it "
        "becomes as large as they allow.",
    )  # fmt: skip
    repeat_percent = whole(
        "Hidden repeats, in per cent", 0, design.MOST_REPEATS,
        help_text="So much of the order is shown a second time, unmarked, to measure "
        "how far each rater agrees with themselves. 10 is common; 0 for none.",
    )  # fmt: skip
    session_maximum = whole(
        "Longest session", 0, 500,
        help_text="In positions of the order; a rater with more gets several sessions "
        "of about equal length. 0 for one session. With one question, 40 masks take "
        "about half an hour.",
    )  # fmt: skip
    control_bad = whole(
        "Controls: misplaced masks", 0, 20,
        help_text="Masks moved to the wrong place, mixed in unmarked, to see that "
        "raters look. They never enter the results.",
    )  # fmt: skip
    control_empty = whole(
        "Controls: empty masks", 0, 20,
        help_text="The same with nothing marked on a case where there is something.",
    )  # fmt: skip
    edit_policy = choice(
        "When is a score final",
        design.EDIT_POLICIES,
        "A changed score keeps the earlier one in the record.",
    )
    change_reason = forms.BooleanField(
        label="Ask for a reason when a score is changed", required=False
    )
    structured_reasons = forms.BooleanField(
        label="Offer the common faults to tick: missed lesion, false lesion, boundary "
        "too large or too small, wrong structure",
        required=False,
    )
    plane = choice(
        "Plane", design.PLANES, "The plane that is shown first, for every mask alike."
    )
    planes = forms.CharField(
        label="Planes of single cases",
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "placeholder": "C003 sagittal"}),
        help_text="One case a line where another plane is better: its name, then the "
        "plane.",
    )
    zoom_mm = whole(
        "Start zoomed in on the centre", 0, 1000,
        help_text="Side of the square shown at first, in mm; 0 for the whole image.",
    )  # fmt: skip
    context = forms.BooleanField(
        label="Show a second series of the case beside it, where there is one",
        required=False,
    )
    guess = choice(
        "Ask raters what they think drew the masks",
        design.GUESSES,
        "It measures how well the blind held. It is asked last, so that nobody rates "
        "while looking for signs of a source.",
    )
    primary = forms.ChoiceField(
        label="Primary test",
        required=False,
        choices=list(design.PRIMARY_TESTS.items()),
        help_text="The one test that answers the study’s question. The others stay in "
        "the results as further rows, whichever is chosen. A test over cases only says "
        "nothing about other raters.",
    )
    margin = forms.FloatField(
        label="Margin, in points of the scale",
        required=False,
        min_value=0.01,
        max_value=10,
        help_text="Only if the study is to show that an arm is not worse than the "
        "reference: the largest loss that would not matter. 0.5 is common. Without it "
        "the difference is estimated and tested, and no such claim is made.",
        error_messages={
            "invalid": "Give a number such as 0.5, or nothing.",
            "min_value": "Give a number above 0, or nothing.",
        },
    )
    guess_percent = whole(
        "Asked for so many of the masks, in per cent", 1, 100,
        help_text="Drawn at random; a quarter is usually enough.",
    )  # fmt: skip

    def clean_primary(self) -> str:
        return self.cleaned_data["primary"] or CROSSED

    def clean_planes(self) -> dict[str, str]:
        planes = {}
        for line in str(self.cleaned_data["planes"]).splitlines():
            words = re.split(r"[\s:,]+", line.strip())
            if words == [""]:
                continue
            if len(words) != 2 or words[1].lower() not in design.PLANES:
                raise forms.ValidationError(
                    f"“{line.strip()}” is not a case and a plane. Write the case's "
                    "name, then axial, sagittal or coronal, such as: C003 sagittal"
                )
            planes[words[0]] = words[1].lower()
        return planes


class DesignForm(PresentationForm):
    """The design of a draft; the scale has as many anchors as it has points."""

    question = forms.CharField(
        label="Question",
        max_length=300,
        help_text="Asked for every mask. Call it “this segmentation” or “this mask”.",
        error_messages={"required": "Write the question that raters answer."},
    )
    further = forms.CharField(
        label="Further questions",
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="One a line; each is answered for every mask, on the same scale. "
        "None is the primary one: each has its primary test, and a claim about any one "
        "of them needs the p that is corrected for all (Holm).",
    )
    points = forms.TypedChoiceField(
        label="Points of the scale",
        coerce=int,
        choices=[(n, str(n)) for n in range(2, MOST_POINTS + 1)],
        help_text="Every point needs a word, the lowest first; raters always see it.",
    )
    revision = forms.IntegerField(widget=forms.HiddenInput, required=False)
    reference_arm = forms.ChoiceField(
        label="Reference",
        help_text="The masks that all others are compared with in the results.",
    )

    def __init__(self, *args: Any, study: Study, rows: int = 0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.study = study
        self.cases = list(study.chosen_cases().values_list("label", flat=True))
        arms = list(study.rated_arms().values_list("key", "label"))
        for value in range(1, MOST_POINTS + 1):
            self.fields[f"anchor_{value}"] = forms.CharField(
                label=f"Word for {value}", max_length=40, required=False
            )
        self.fields["reference_arm"].choices = arms or [("manual", "Manual")]  # type: ignore[attr-defined]
        stored = design.read_design(study.design).calibration
        # a case may be left out after practice was put on it: the item stays
        kept = study.cases.filter(label__in={row.case for row in stored})
        labels = kept.exclude(left_out="").values_list("label", flat=True)
        self.practised = [*self.cases, *labels]
        self.rows = max(len(stored) + SPARE_ROWS, rows)
        for row in range(self.rows):
            self.add_row(row, arms)

    def add_row(self, row: int, arms: list[tuple[str, str]]) -> None:
        """One calibration item: a case, whose mask, the right scores, and why."""
        cases = [(label, label) for label in self.practised]
        self.fields[f"calibration_{row}_case"] = forms.ChoiceField(
            label=f"Case of item {row + 1}", choices=[("", "–"), *cases], required=False
        )
        self.fields[f"calibration_{row}_arm"] = forms.ChoiceField(
            label=f"Mask of item {row + 1}", choices=arms or [("", "–")], required=False
        )
        self.fields[f"calibration_{row}_values"] = forms.CharField(
            label=f"Right scores of item {row + 1}", max_length=60, required=False
        )
        self.fields[f"calibration_{row}_note"] = forms.CharField(
            label=f"Note on item {row + 1}", max_length=300, required=False
        )

    def clean_further(self) -> list[str]:
        lines = str(self.cleaned_data["further"]).splitlines()
        texts = [" ".join(line.split()) for line in lines if line.strip()]
        if len(texts) >= MOST_QUESTIONS:
            raise forms.ValidationError(
                f"Ask at most {MOST_QUESTIONS} questions in all; raters tire."
            )
        if any(len(text) > 300 for text in texts):
            raise forms.ValidationError("Keep each question below 300 characters.")
        return texts

    def clean(self) -> dict[str, Any]:
        super().clean()
        points = self.cleaned_data.get("points") or 0
        for value in range(1, points + 1):
            name = f"anchor_{value}"
            if not self.cleaned_data.get(name) and name not in self.errors:
                self.add_error(name, f"Give point {value} a word.")
        margin = self.cleaned_data.get("margin")
        if margin is not None and points and margin >= points - 1:
            self.add_error("margin", f"It must be below {points - 1}, the whole scale.")
        drops = design.read_design(self.study.design).conflict == "exclude"
        if drops and self.cleaned_data.get("primary") == HILLIS:
            self.add_error("primary", HILLIS_NEEDS)
        strange = set(self.cleaned_data.get("planes") or ()) - set(self.cases)
        if strange:
            self.add_error("planes", f"There is no case {min(strange)}.")
        self.cleaned_data["calibration"] = self.read_calibration(points)
        return self.cleaned_data

    def read_calibration(self, points: int) -> tuple[Reference, ...]:
        count = 1 + len(self.cleaned_data.get("further") or ())
        keys = name_questions(count, self.study)
        found: list[Reference] = []
        for row in range(self.rows):
            start = f"calibration_{row}_"
            data = {part: self.cleaned_data.get(start + part) or "" for part in ROW}
            if not data["case"]:
                continue
            numbers = re.findall(r"-?\d+", data["values"])
            if len(numbers) != count or not all(1 <= int(n) <= points for n in numbers):
                each = "a whole number" if count == 1 else f"{count} whole numbers"
                self.add_error(
                    f"{start}values", f"Give {each} from 1 to {points} for this item."
                )
                continue
            if any((r.case, r.arm) == (data["case"], data["arm"]) for r in found):
                self.add_error(f"{start}case", "This mask is chosen twice.")
                continue
            values = dict(zip(keys, map(int, numbers), strict=True))
            found.append(Reference(data["case"], data["arm"], values, data["note"]))
        return tuple(found)

    def list_anchors(self) -> list[forms.BoundField]:
        return [self[f"anchor_{value}"] for value in range(1, MOST_POINTS + 1)]

    def list_calibration(self) -> list[list[forms.BoundField]]:
        return [
            [
                self[f"calibration_{row}_{part}"]
                for part in ("case", "arm", "values", "note")
            ]
            for row in range(self.rows)
        ]

    def list_sections(self) -> dict[str, list[forms.BoundField]]:
        """The single fields by the part of the page where they stand."""
        return {
            part: [self[name] for name in names] for part, names in SECTIONS.items()
        }

    def build_design(self, before: StudyDesign) -> StudyDesign:
        """The design as typed; what the page does not offer stays as it was."""
        keys = StudyDesign.__dataclass_fields__.keys() & self.cleaned_data.keys()
        typed = {key: self.cleaned_data[key] for key in keys}
        return StudyDesign(**{**vars(before), **typed})


def name_questions(count: int, study: Study) -> list[str]:
    """Keys of the questions by place; those that there are keep theirs."""
    known = [question["key"] for question in study.questions]
    return [*known, *(f"question_{n}" for n in range(len(known) + 1, count + 1))][
        :count
    ]


def fill_in(study: Study) -> dict[str, Any]:
    """What the form shows of the study as it is."""
    read = design.read_design(study.design)
    shown: dict[str, Any] = {
        **vars(read),
        "planes": "\n".join(f"{case} {plane}" for case, plane in read.planes.items()),
        "title": study.title,
        "contact": study.contact,
        "instructions": study.instructions,
        "question": study.questions[0]["text"],
        "further": "\n".join(q["text"] for q in study.questions[1:]),
        "points": len(study.scale),
        "reference_arm": study.reference_arm,
        "revision": study.design_revision,
    }
    for n, point in enumerate(study.scale, 1):
        shown[f"anchor_{n}"] = point["anchor"]
    for row, reference in enumerate(read.calibration):
        start = f"calibration_{row}_"
        shown[f"{start}case"], shown[f"{start}arm"] = reference.case, reference.arm
        shown[f"{start}values"] = " ".join(str(v) for v in reference.values.values())
        shown[f"{start}note"] = reference.note
    return shown
