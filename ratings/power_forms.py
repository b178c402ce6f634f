"""What a coordinator can ask of the power simulation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from ratings.forms import DeskForm
from ratings.statistics.power import CASE_SD, RATER_SD, PowerPlan


class PowerForm(DeskForm):
    """Size, effect and spread of a planned study; what is left out has its default."""

    raters = forms.IntegerField(label="Raters", min_value=2, max_value=60)
    cases = forms.IntegerField(label="Cases", min_value=3, max_value=1000)
    effect = forms.FloatField(
        label="True difference (points)", min_value=-100, max_value=100
    )
    margin = forms.FloatField(
        label="Margin (points), if any", min_value=0.01, max_value=100, required=False
    )
    sd_case = forms.FloatField(
        label="SD between cases", min_value=0, max_value=100,
        help_text="how much an arm's quality differs from case to case",
    )  # fmt: skip
    sd_rater = forms.FloatField(
        label="SD between raters", min_value=0, max_value=100,
        help_text="how much raters differ in their liking for an arm",
    )  # fmt: skip
    sd_residual = forms.FloatField(
        label="SD of the rest", min_value=0.05, max_value=100,
        help_text="what is left of a single score",
    )  # fmt: skip
    missing = forms.IntegerField(label="Missing scores (%)", min_value=0, max_value=60)
    comparisons = forms.IntegerField(
        label="Comparisons", min_value=1, max_value=1000,
        help_text="arms besides the reference, times questions",
    )  # fmt: skip

    middle = forms.FloatField(
        label="Mean score", min_value=-1000, max_value=1000, required=False,
        help_text="near an end of the scale, differences shrink",
    )  # fmt: skip
    sd_all_cases = forms.FloatField(
        label="SD of cases as such", min_value=0, max_value=100, required=False,
        help_text="easy and hard cases, whatever the arm; cancels",
    )  # fmt: skip
    sd_all_raters = forms.FloatField(
        label="SD of strictness", min_value=0, max_value=100, required=False,
        help_text="strict and mild raters, whatever the arm; cancels",
    )  # fmt: skip

    def __init__(self, *args: Any, pilots: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(*args)
        choices = [("", "none"), *pilots]
        self.fields["pilot"] = forms.ChoiceField(
            label="Pilot study",
            required=False,
            choices=choices,
            error_messages={
                "invalid_choice": "This is no unblinded study of yours; choose one "
                "of the list."
            },
        )

    def plan(self, *, levels: Sequence[int]) -> PowerPlan:
        data = {k: v for k, v in self.cleaned_data.items() if k != "pilot"}
        share = data.pop("missing") / 100
        middle = data.pop("middle")
        usual = {"sd_all_cases": CASE_SD, "sd_all_raters": RATER_SD}
        data |= {k: v for k, v in usual.items() if data[k] is None}
        return PowerPlan(
            **data,
            missing=share,
            levels=len(levels),
            # The simulation counts the points of the scale from one.
            middle=None if middle is None else middle - levels[0] + 1,
        )
