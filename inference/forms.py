"""What the coordinator chooses when asking for predictions."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms

from inference.sources import Source, list_sources
from ratings.forms import DeskForm

RULES = (
    ("paper", "As published: majority of the folds' masks"),
    ("sct", "Spinal Cord Toolbox: majority of the folds' masks"),
    ("nnunet", "nnU-Net: mean of the folds' outputs"),
)
MIRRORING = (
    ("", "As the rule prescribes"),
    ("on", "On: eight passes a fold, slower"),
    ("off", "Off: one pass a fold, faster"),
)


class PredictionForm(DeskForm):
    """The engine, the name of its arm, and how its folds become one mask."""

    source = forms.ChoiceField(
        label="Ensemble",
        error_messages={"required": "Choose an ensemble."},
    )
    label = forms.CharField(
        label="Name of the arm",
        max_length=40,
        help_text="Names these masks in results and exports. Raters never see it.",
        error_messages={"required": "Give the arm a name, such as Ensemble."},
    )
    rule = forms.ChoiceField(
        label="Combination of the folds",
        choices=RULES,
        help_text=(
            "The published rule takes each fold's own mask and marks a voxel when more "
            "than half of the folds mark it, with mirroring on."
        ),
    )
    threshold = forms.DecimalField(
        label="Threshold",
        initial=Decimal("0.5"),
        min_value=Decimal("0"),
        max_value=Decimal("0.999"),
        decimal_places=3,
        required=False,
        help_text=(
            "A voxel is marked when more than this part of the folds marks it: of five "
            "folds, 0.5 asks for three. Another threshold as a further arm reuses what "
            "was computed."
        ),
    )
    mirroring = forms.ChoiceField(
        label="Mirroring",
        choices=MIRRORING,
        required=False,
        help_text=(
            "Also predicts mirrored copies of the image and averages them. Only axes "
            "that the model was trained to mirror count."
        ),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.sources = {source.key: source for source in list_sources()}
        field = self.fields["source"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = group(list(self.sources.values()))
        if any(source.tool for source in self.sources.values()):
            field.label = "Ensemble or program"

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        odd = given.get("threshold") not in (None, Decimal("0.5"))
        if given.get("rule") == "nnunet" and odd:
            self.add_error(
                "threshold",
                "nnU-Net's rule has no threshold: leave 0.5, or choose another rule.",
            )
        return given

    def read_source(self) -> Source:
        return self.sources[self.cleaned_data["source"]]

    def read_settings(self) -> dict[str, Any]:
        """The settings of the engine, as plain JSON; a program has none here."""
        if self.read_source().tool:
            return {}
        mirroring = {"on": True, "off": False}.get(self.cleaned_data["mirroring"])
        settings = {"rule": self.cleaned_data["rule"], "mirroring": mirroring}
        threshold = float(self.cleaned_data["threshold"] or 0.0)
        if self.cleaned_data["threshold"] is None or threshold == 0.5:
            return settings
        return settings | {"threshold": threshold}


def group(found: list[Source]) -> list[Any]:
    """The choices, under headings where there are both kinds."""
    ensembles = [(source.key, source.label) for source in found if source.ensemble]
    programs = [(source.key, source.label) for source in found if source.tool]
    if ensembles and programs:
        return [("Ensembles", ensembles), ("Programs", programs)]
    return ensembles + programs
