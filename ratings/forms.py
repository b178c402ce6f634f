"""What the coordinator can type into the desk, and the sentences when it is wrong."""

from __future__ import annotations

from typing import Any

from django import forms

from ratings.blanks import shows_nothing

INSTRUCTIONS = (
    "Shown to every rater before the first item. Markdown: blank lines part "
    "paragraphs, **strong**, - lists, # headings, [links](https://…). "
    "Never name the sources of the masks here."
)


class DeskForm(forms.Form):
    """A form whose labels end without a colon."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)

    def clean(self) -> dict[str, Any]:
        """What is needed and shows nothing, such as a zero-width space, is lacking."""
        cleaned = super().clean() or self.cleaned_data
        for name, field in self.fields.items():
            given = cleaned.get(name)
            if (
                asks_for_words(field)
                and isinstance(given, str)
                and shows_nothing(given)
            ):
                self.add_error(name, field.error_messages["required"])
        return cleaned


def asks_for_words(field: forms.Field) -> bool:
    return field.required and isinstance(field, forms.CharField) and field.strip


class StudyForm(DeskForm):
    """Name, contact and instructions of a study."""

    title = forms.CharField(
        label="Name of the study",
        max_length=200,
        help_text="Raters see it too, so it must not say which masks are compared.",
        error_messages={"required": "Give the study a name."},
    )
    contact = forms.CharField(
        label="Contact for raters",
        max_length=200,
        required=False,
        help_text="Whom raters ask when something is unclear: name and e-mail.",
    )
    instructions = forms.CharField(
        label="Instructions for raters",
        required=False,
        help_text=INSTRUCTIONS,
        widget=forms.Textarea(attrs={"rows": 8}),
    )

    def clean_title(self) -> str:
        return " ".join(str(self.cleaned_data["title"]).split())
