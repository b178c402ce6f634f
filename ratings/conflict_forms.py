"""What the coordinator says about who drew the masks, and the rule for such raters."""

from __future__ import annotations

from typing import Any

from django import forms

from ratings import conflicts
from ratings.design import CONFLICTS
from ratings.forms import DeskForm
from ratings.models import Enrolment, Study


class ConflictForm(DeskForm):
    """The rule, a site for each rater, and who drew each mask that was uploaded."""

    conflict = forms.ChoiceField(
        label="Cases of which a rater, or the same site, drew a mask",
        choices=list(CONFLICTS.items()),
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, study: Study, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.study = study
        self.raters = list(study.enrolments.filter(role=Enrolment.Role.RATER))
        self.arms = list(study.rated_arms().filter(kind__in=conflicts.DRAWN))
        self.labels = list(study.chosen_cases().values_list("label", flat=True))
        self.initial["conflict"] = conflicts.read_rule(study.design)
        sites = study.design.get("sites", {})
        for rater in self.raters:
            self.add(f"site_{rater.code}", f"Site of {rater.code}", sites, rater.code)
        authors = study.design.get("authors", {})
        for label in self.labels:
            for arm in self.arms:
                words = f"Who drew {arm.label} of {label}"
                known = authors.get(label, {})
                self.add(f"author_{label}_{arm.key}", words, known, arm.key)
        for arm in self.arms:
            self.add(f"rest_{arm.key}", f"Who drew all other masks of {arm.label}")

    def add(self, name: str, label: str, known: Any = None, key: str = "") -> None:
        box = forms.TextInput(attrs={"autocomplete": "off", "list": "names"})
        self.fields[name] = forms.CharField(
            label=label, max_length=200, required=False, widget=box
        )
        self.initial[name] = (known or {}).get(key, "")

    def read_sites(self) -> dict[str, str]:
        data = self.cleaned_data
        return {rater.code: data[f"site_{rater.code}"] for rater in self.raters}

    def read_authors(self) -> dict[str, dict[str, str]]:
        """As typed; an empty place takes what was said of all others of the arm."""
        data = self.cleaned_data
        return {
            label: {
                arm.key: data[f"author_{label}_{arm.key}"] or data[f"rest_{arm.key}"]
                for arm in self.arms
            }
            for label in self.labels
        }

    def list_sites(self) -> list[tuple[Enrolment, forms.BoundField]]:
        return [(rater, self[f"site_{rater.code}"]) for rater in self.raters]

    def list_rows(self) -> list[tuple[str, list[forms.BoundField]]]:
        return [
            (label, [self[f"author_{label}_{arm.key}"] for arm in self.arms])
            for label in self.labels
        ]

    def list_rest(self) -> list[forms.BoundField]:
        return [self[f"rest_{arm.key}"] for arm in self.arms]

    def list_names(self) -> list[str]:
        """What is worth offering while one types: codes and sites."""
        sites = {site for site in self.study.design.get("sites", {}).values() if site}
        return [*(rater.code for rater in self.raters), *sorted(sites)]
