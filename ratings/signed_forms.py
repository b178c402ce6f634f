"""Forms before what can't be undone: the study's name, a reason, the password again."""

from __future__ import annotations

from typing import Any, cast

from allauth.core import ratelimit
from django import forms
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from ratings import finishing, protocol
from ratings.amending import PARTS
from ratings.finishing import Rest
from ratings.forms import INSTRUCTIONS, DeskForm
from ratings.models import Case, Enrolment, Study
from ratings.protocol import Gap, Witness
from ratings.rater_forms import TypedTitleForm


def password_field(label: str, help_text: str = "") -> forms.CharField:
    return forms.CharField(
        label=label,
        strip=False,
        max_length=128,
        help_text=help_text,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        error_messages={"required": "Type the password."},
    )


def check_password(request: HttpRequest, user: User, password: str) -> str:
    """The password if it is that person's; a few tries a minute and no more."""
    allowed = ratelimit.consume(request, action="reauthenticate", user=request.user)
    if not allowed:
        raise ValidationError("Too many tries. Wait a minute, then type it again.")
    if not user.check_password(password):
        raise ValidationError("This is not the right password.")
    return password


def reason_field(label: str, help_text: str) -> forms.CharField:
    return forms.CharField(
        label=label,
        help_text=help_text,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Give a reason; it is put on record."},
    )


def words_field(label: str, help_text: str, *, rows: int) -> forms.CharField:
    return forms.CharField(
        label=label,
        help_text=help_text,
        max_length=20_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": rows}),
    )


class LockForm(DeskForm):
    """The study's name and the password: the signature under the protocol."""

    typed_title = forms.CharField(
        label="Type the study's name to lock it",
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    password = password_field("Your password", "It signs the protocol with your name.")
    open_now = forms.BooleanField(label="Open for rating at once", required=False)

    def __init__(self, *args: Any, study: Study, request: HttpRequest, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.study = study
        self.request = request

    def clean_typed_title(self) -> str:
        typed = " ".join(str(self.cleaned_data["typed_title"]).split())
        if typed != " ".join(self.study.title.split()):
            raise forms.ValidationError(
                f"Type the name exactly as it stands here: {self.study.title}"
            )
        return typed

    def clean_password(self) -> str:
        user = cast(User, self.request.user)
        return check_password(self.request, user, self.cleaned_data["password"])


class AmendForm(DeskForm):
    """The words of a locked protocol that may change, the reason and the password."""

    contact = forms.CharField(
        label=PARTS["contact"], max_length=200, required=False,
        help_text="Whom raters ask when something is unclear: name and e-mail.",
    )  # fmt: skip
    instructions = words_field(PARTS["instructions"], INSTRUCTIONS, rows=8)
    missing = words_field(
        PARTS["missing"],
        "How the analysis treats missing scores, in words. The computation itself "
        "stays what the results page says.",
        rows=3,
    )
    notes = words_field(
        PARTS["notes"],
        "Such as a new date for the end of rating, or a planned further analysis.",
        rows=3,
    )
    reason = reason_field("Reason for the amendment", "Kept in the record for good.")
    password = password_field("Your password", "It signs the amendment with your name.")
    after = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, study: Study, request: HttpRequest, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.study = study
        self.request = request

    def clean_missing(self) -> str:
        text = str(self.cleaned_data["missing"])
        if not text:
            raise ValidationError("Say what is done about missing scores.")
        return text

    def clean_password(self) -> str:
        user = cast(User, self.request.user)
        return check_password(self.request, user, self.cleaned_data["password"])


class CloseForm(TypedTitleForm):
    """Why scores are missing, a field for each rater with gaps; then the unfinished."""

    def __init__(self, *args: Any, study: Study, **kwargs: Any) -> None:
        super().__init__(*args, expected=study.title, **kwargs)
        self.gaps = protocol.list_gaps(study)
        for gap in self.gaps:
            self.fields[f"why_{gap.rater}"] = explain(gap)
        self.rests = list(finishing.list_rests(study).values())
        for rest in self.rests:
            self.fields[f"unfinished_{rest.rater}"] = confirm(rest)
        self.order_fields([name for name in self.fields if name != "title"])

    def dispositions(self) -> dict[str, str]:
        return {gap.rater: self.cleaned_data[f"why_{gap.rater}"] for gap in self.gaps}

    def unfinished(self) -> list[str]:
        return [rest.rater for rest in self.rests]


def explain(gap: Gap) -> forms.CharField:
    who = f"{gap.rater}, {gap.name}" if gap.name else gap.rater
    scores = "score is" if gap.missing == 1 else "scores are"
    return forms.CharField(
        label=f"{who}: {gap.missing} {scores} missing",
        help_text="Why, and what is to be done about it.",
        initial=f"Withdrawn: {gap.left}" if gap.left else None,
        max_length=500,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": "Say why these scores are missing."},
    )


def confirm(rest: Rest) -> forms.BooleanField:
    return forms.BooleanField(
        label=f"Close without it: {rest.who}: {rest.words}",
        error_messages={
            "required": f"{rest.rater} has not finished. Confirm this, or let the "
            "rater finish first."
        },
    )


class UnblindForm(TypedTitleForm):
    """Reason, name and password: the signature under opening the key."""

    reason = reason_field("Reason", "Kept in the record for good.")
    password = password_field("Your password", "It signs this step with your name.")
    field_order: tuple[str, ...] = ("reason", "title", "password")

    def __init__(self, *args: Any, study: Study, request: HttpRequest, **kwargs: Any):
        super().__init__(*args, expected=study.title, **kwargs)
        self.study = study
        self.request = request

    def clean_password(self) -> str:
        user = cast(User, self.request.user)
        return check_password(self.request, user, self.cleaned_data["password"])


class BreakForm(UnblindForm):
    """The same with a second coordinator, who types a password of their own."""

    witness = forms.EmailField(
        label="E-mail of the second coordinator",
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
        error_messages={"required": "Give the second coordinator's address."},
    )
    witness_password = password_field("Password of the second coordinator")
    field_order = ("reason", "title", "password", "witness", "witness_password")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        email, password = cleaned.get("witness"), cleaned.get("witness_password")
        if not (email and password):
            return cleaned
        found = self.study.enrolments.filter(
            role=Enrolment.Role.COORDINATOR, user__email__iexact=email
        ).exclude(user=self.request.user.pk)
        enrolment = found.select_related("user").first()
        if enrolment is None:
            self.add_error("witness", "This is not another coordinator of this study.")
            return cleaned
        try:
            check_password(self.request, enrolment.user, password)
        except ValidationError as error:
            self.add_error("witness_password", error)
        cleaned["agreed"] = Witness(enrolment.user, password)
        return cleaned


class CaseChoiceField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """Cases by all that tells one from another: label, contrast and file."""

    def label_from_instance(self, obj: Case) -> str:
        told = (obj.label, obj.strata.get("contrast", ""), obj.source_name)
        return " · ".join(part for part in told if part)


class WithdrawForm(DeskForm):
    """Which case is taken out of the running study, and why."""

    case = CaseChoiceField(
        label="Case",
        queryset=Case.objects.none(),
        empty_label="Choose a case",
        error_messages={
            "required": "Choose the case.",
            "invalid_choice": "This case is left out of the study or was withdrawn "
            "already, so nobody rates it. Choose another.",
        },
    )
    reason = reason_field(
        "Reason",
        "Kept in the record, and after unblinding in the results and the export. Don't "
        "say what a mask looks like.",
    )

    def __init__(self, *args: Any, study: Study, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice = cast("forms.ModelChoiceField[Case]", self.fields["case"])
        choice.queryset = study.compared_cases().order_by("label")


class TypedWithdrawForm(WithdrawForm):
    """The same on a page, where the label is typed so that no case goes by mistake."""

    label = forms.CharField(
        label="Label of the case",
        help_text="To confirm, type the label of the case chosen above.",
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": "Type the label of the case to confirm."},
    )

    def clean_label(self) -> str:
        case = self.cleaned_data.get("case")
        typed = str(self.cleaned_data["label"]).strip()
        if case is not None and typed.casefold() != case.label.casefold():
            raise ValidationError(
                f"This is not the label of the chosen case. Type it exactly: {case}"
            )
        return typed
