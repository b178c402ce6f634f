"""What is typed about raters and by them, and the study's name as a confirmation."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from ratings import asking, declaring
from ratings.declaring import Declaration
from ratings.forms import DeskForm
from ratings.meanwhile import Stale
from ratings.models import Enrolment, Study


class RaterForm(DeskForm):
    """A person to be invited."""

    name = forms.CharField(
        label="Name",
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": "Give the rater's name."},
    )
    email = forms.EmailField(
        label="E-mail",
        max_length=150,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
        error_messages={
            "required": "Give the rater's e-mail address.",
            "invalid": "This is not an e-mail address, such as name@example.org.",
        },
    )


class LateRaterForm(RaterForm):
    """A person who joins a study that is locked already."""

    reason = forms.CharField(
        label="Why a rater comes now",
        max_length=500,
        help_text="It is put on record.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": "Say why a rater is added after the lock."},
    )
    site = forms.CharField(
        label="Where the person works",
        max_length=100,
        required=False,
        help_text="Only if masks may have been drawn there.",
    )
    drew = forms.CharField(
        label="Cases of which the person drew a mask",
        max_length=2000,
        required=False,
        help_text="Labels such as C003, parted by commas.",
    )

    def __init__(self, *args: Any, study: Study, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.cases = set(study.chosen_cases().values_list("label", flat=True))

    def clean_drew(self) -> list[str]:
        labels = re.findall(r"[^\s,;]+", str(self.cleaned_data["drew"]).upper())
        strange = sorted(set(labels) - self.cases)
        if strange:
            raise ValidationError(f"There is no case {strange[0]} in this study.")
        return sorted(set(labels))


class ColleagueForm(DeskForm):
    """A colleague who is to coordinate the study too, or to see its results."""

    role = forms.ChoiceField(
        label="Role",
        choices=(("coordinator", "Coordinator"), ("statistician", "Statistician")),
        initial="coordinator",
    )
    name = forms.CharField(
        label="Name",
        max_length=150,
        required=False,
        help_text="Needed for somebody who has no account on this site yet.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    colleague = forms.EmailField(
        label="E-mail of the colleague",
        max_length=150,
        help_text="The address with which the colleague signs in on this site.",
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
        error_messages={
            "required": "Give the colleague's e-mail address.",
            "invalid": "This is not an e-mail address, such as name@example.org.",
        },
    )


class DeadlineForm(DeskForm):
    """A day, or none."""

    deadline = forms.DateField(
        label="Finish by",
        required=False,
        help_text="Shown to raters; the monitor tells who is late. Empty: no deadline.",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": "Write the day as 2027-03-31."},
    )
    seen = forms.CharField(
        label="The day that held when this one was chosen, or none: another one by "
        "now is not replaced",
        max_length=10,
        required=False,
        empty_value=None,
        widget=forms.HiddenInput,
    )

    @classmethod
    def of(cls, day: date | None, *, holds: date | None) -> DeadlineForm:
        """The form as it is shown; `holds` is what is replaced by another day."""
        return cls(initial={"deadline": day, "seen": declaring.spell_day(holds)})

    def clean_deadline(self) -> date | None:
        day: date | None = self.cleaned_data["deadline"]
        if day and day < declaring.today():
            raise ValidationError("This day is over. Choose today or a later day.")
        return day


class AnswerForm(DeskForm):
    """What a rater who asked is told."""

    text = forms.CharField(
        label="Answer",
        max_length=2000,
        help_text=asking.WARNING,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Write an answer first."},
    )


def show_declared(enrolment: Enrolment) -> dict[str, Any]:
    """What a form about a rater's declaration holds before anything is typed."""
    told = vars(declaring.read_declaration(enrolment))
    return {**told, "seen": declaring.digest_declaration(enrolment)}


YEARS = "Give a whole number from 0 to 70, such as 8."


class DeclarationForm(DeskForm):
    """What qualifies a rater, and what could sway one."""

    years = forms.IntegerField(
        label="Years of reading such images",
        required=False,
        min_value=0,
        max_value=70,
        error_messages=dict.fromkeys(("invalid", "min_value", "max_value"), YEARS),
    )
    specialty = forms.CharField(
        label="Specialty",
        max_length=100,
        required=False,
        help_text="Such as neuroradiology, or resident in radiology.",
    )
    institution = forms.CharField(label="Institution", max_length=150, required=False)
    conflict = forms.CharField(
        label="Your connection with these images",
        max_length=2000,
        required=False,
        help_text="Say whether you drew or corrected masks of this study, treated its "
        "patients, or helped to make a program that is compared. Empty: nothing.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    seen = forms.CharField(
        label="What stood there when this was written, as the rater's own `seen` "
        "says: something else by now is not replaced",
        max_length=64,
        required=False,
        empty_value=None,
        widget=forms.HiddenInput,
    )

    def clean_conflict(self) -> str:
        return str(self.cleaned_data["conflict"]).strip()

    def read_declaration(self) -> Declaration:
        told = {name: self.cleaned_data[name] for name in declaring.NAMES}
        return Declaration(**told)


class DeclaredForm(DeclarationForm):
    """The same, in the words for a coordinator who fills it in."""

    conflict = forms.CharField(
        label="The rater's connection with these images",
        max_length=2000,
        required=False,
        help_text="Such as drawing or correcting masks of this study, treating its "
        "patients, or helping to make a program that is compared. Empty: nothing.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class LeaveForm(DeskForm):
    """Why a rater leaves."""

    reason = forms.CharField(
        label="Reason",
        max_length=2000,
        help_text="Kept in the record for good, and shown with the results. No names "
        "and no health matters here.",
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Give a reason; it is put on record."},
    )


class EraseRaterForm(DeskForm):
    """The rater's code, typed, so that nobody else is erased by a slip."""

    code = forms.CharField(
        label="Type the rater's code to erase the person",
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": "Type the rater's code, such as R03."},
    )

    def __init__(self, *args: Any, wanted: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.wanted = wanted

    def clean_code(self) -> str:
        if str(self.cleaned_data["code"]).strip().upper() != self.wanted.upper():
            raise ValidationError(f"This is not the code: type {self.wanted}.")
        return self.wanted


class ReplaceForm(RaterForm):
    """Who takes over, and why."""

    reason = forms.CharField(
        label="Reason",
        max_length=500,
        required=False,
        help_text="Kept in the record for good. No names and no health matters here.",
    )


class JoinForm(DeskForm):
    """The password that a person chooses when joining, typed twice."""

    password = forms.CharField(
        label="Password",
        strip=False,
        max_length=128,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least 12 characters; a sentence is easier than signs.",
        error_messages={"required": "Choose a password."},
    )
    again = forms.CharField(
        label="The same password again",
        strip=False,
        max_length=128,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        error_messages={"required": "Type the password a second time."},
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        password, again = cleaned.get("password"), cleaned.get("again")
        if password and again and password != again:
            self.add_error("again", "The two passwords differ. Type both again.")
        elif password:
            try:
                validate_password(password, self.user)
            except ValidationError as error:
                self.add_error("password", error)
        return cleaned


class RaterJoinForm(JoinForm, DeclarationForm):
    """The same for raters, who also say what qualifies them."""

    field_order = ("password", "again")

    def read_declaration(self) -> Declaration:
        """What was sent; what was not stays as it stands there."""
        kept = {name: self.initial[name] for name in declaring.NAMES}
        sent = {name: self.cleaned_data[name] for name in kept if name in self.data}
        return Declaration(**kept | sent)

    def refuse_stale(self, stale: Stale, enrolment: Enrolment) -> None:
        """Say what somebody else stored, and keep it where nothing was typed."""
        both = [f"{d.name}: now “{d.stored}”, you wrote “{d.wished}”."
                for d in stale.differences]  # fmt: skip
        then = "Look at it below, type the password again and join."
        self.add_error(None, ["Somebody else was first.", *both, then])
        typed = {name: value for name, value in self.data.items() if value}
        known = show_declared(enrolment)
        self.data = {**known, **typed, "seen": known["seen"]}


class TypedTitleForm(DeskForm):
    """The study's name, typed by hand before something that can't be undone."""

    title = forms.CharField(
        label="Name of the study",
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": "Type the name of the study to confirm."},
    )

    def __init__(self, *args: Any, expected: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.expected = expected
        self.fields["title"].help_text = f"To confirm, type: {expected}"

    def clean_title(self) -> str:
        typed = " ".join(str(self.cleaned_data["title"]).split())
        if typed != " ".join(self.expected.split()):
            raise ValidationError(
                f"This is not the study's name. Type it exactly: {self.expected}"
            )
        return self.expected
