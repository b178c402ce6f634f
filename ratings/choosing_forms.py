"""What can be typed to draw the cases of a study, and to find cases in the table."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms

from ratings import sampling
from ratings.crossing import NOT_GIVEN
from ratings.forms import DeskForm
from ratings.sampling import Rule

EMPTINESS = {"": "any", "none": "no mask empty", "some": "some mask empty",
             "all": "every mask empty"}  # fmt: skip
STANDING = {"": "any", "in": "in the study", "out": "left out"}
VERDICTS = {"": "any", "clean": "nothing noticed", "noticed": "something noticed"}


class DrawForm(DeskForm):
    """The rule of a draw; `strata` are the names and values that the cases have.

    `targets` are those of a script, which sends numbers by name and no text.
    """

    mode = forms.ChoiceField(
        label="What is taken", choices=list(sampling.MODES.items()),
        widget=forms.RadioSelect, initial=sampling.PROPORTIONAL,
    )  # fmt: skip
    size = forms.IntegerField(
        label="Cases to draw", min_value=1, max_value=10_000, required=False,
        help_text="For a proportional draw.",
    )  # fmt: skip
    minimum = forms.IntegerField(
        label="At least from each stratum", min_value=0, max_value=1000, required=False,
        help_text="Or all that it has; 0 for no minimum.",
    )  # fmt: skip
    by = forms.MultipleChoiceField(
        label="Strata", required=False, widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip
    targets = forms.CharField(
        label="Numbers by stratum", required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="For a draw with given numbers: one stratum a line, then its number, "
        "such as “T2w: 26”, or “T2w, Lyon: 4” where strata are crossed.",
    )  # fmt: skip
    exclude = forms.MultipleChoiceField(
        label="Reasons to leave a case out", required=False,
        choices=list(sampling.EXCLUSIONS.items()),
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip
    smallest = forms.FloatField(
        label="Lesion volume from (mm³)", min_value=0, required=False
    )
    largest = forms.FloatField(
        label="Lesion volume to (mm³)", min_value=0, required=False
    )
    reason = forms.CharField(
        label="Why the cases are drawn again", max_length=500, required=False,
        help_text="It stands in the protocol beside the number of draws.",
    )  # fmt: skip
    revision = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(
        self, *args: Any, strata: Mapping[str, Sequence[str]], reference: str,
        targets: Mapping[str, int] | None = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(*args, **kwargs)
        self.reference, self.given = reference, targets
        by = self.fields["by"]
        by.choices = [  # type: ignore[attr-defined]
            (key, f"{key.replace('_', ' ').capitalize()} ({len(values)})")
            for key, values in strata.items()
        ]

    def clean_targets(self) -> dict[str, int]:
        if self.given is not None:
            return dict(self.given)
        found: dict[str, int] = {}
        for line in str(self.cleaned_data["targets"]).splitlines():
            if not line.strip():
                continue
            match = re.fullmatch(r"\s*(.+?)\s*[:=\s]\s*(\d{1,5})\s*", line)
            if not match:
                raise forms.ValidationError(
                    f"“{line.strip()}” is not a stratum and a number, such as T2w: 26."
                )
            if match[1] in found:
                raise forms.ValidationError(
                    f"“{match[1]}” stands there twice. Give one number for each "
                    "stratum."
                )
            found[match[1]] = int(match[2])
        return found

    def clean(self) -> dict[str, Any]:
        super().clean()
        data = self.cleaned_data
        needed = {
            sampling.PROPORTIONAL: ("size", "Say how many cases to draw."),
            sampling.TARGETS: ("targets", "Give a number for at least one stratum."),
        }
        name, sentence = needed.get(data.get("mode", ""), ("", ""))
        if name and not data.get(name) and name not in self.errors:
            self.add_error(name, sentence)
        low, high = data.get("smallest"), data.get("largest")
        if low is not None and high is not None and low > high:
            self.add_error("largest", "The range ends before it begins.")
        if "volume" in (data.get("exclude") or ()) and low is None and high is None:
            self.add_error("smallest", "Give the range: from, to, or both.")
        if "volume" not in (data.get("exclude") or ()) and (low, high) != (None, None):
            name = "smallest" if low is not None else "largest"
            self.add_error(
                name, "Tick the rule that this range belongs to, or clear the range."
            )
        return data

    def rule(self) -> Rule:
        """Only what the way of drawing asks for, each name once."""
        data = self.cleaned_data
        shared, given = (
            data["mode"] == mode for mode in (sampling.PROPORTIONAL, sampling.TARGETS)
        )
        return Rule(
            mode=data["mode"],
            by=tuple(dict.fromkeys(data["by"])),
            size=(data["size"] or 0) if shared else 0,
            targets=data["targets"] if given else {},
            minimum=(data["minimum"] or 0) if shared else 0,
            exclude=tuple(dict.fromkeys(data["exclude"])),
            reference=self.reference,
            smallest=data["smallest"],
            largest=data["largest"],
        )


@dataclass(frozen=True)
class Sight:
    """What the filters need of one case."""

    strata: Mapping[str, str]
    volumes: Sequence[float | None]
    noticed: bool
    left_out: str


class FilterForm(DeskForm):
    """Filters of the table; a stratum each beside what all studies have."""

    standing = forms.ChoiceField(
        label="Choice", choices=list(STANDING.items()), required=False
    )
    verdict = forms.ChoiceField(
        label="Files", choices=list(VERDICTS.items()), required=False
    )
    empty = forms.ChoiceField(
        label="Masks", choices=list(EMPTINESS.items()), required=False
    )
    low = forms.FloatField(label="Volume from (mm³)", min_value=0, required=False)
    high = forms.FloatField(label="to (mm³)", min_value=0, required=False)

    def __init__(self, *args: Any, strata: Mapping[str, Sequence[str]]) -> None:
        super().__init__(*args)
        self.strata = list(strata)
        for n, (key, values) in enumerate(strata.items()):
            self.fields[f"stratum_{n}"] = forms.ChoiceField(
                label=key.replace("_", " ").capitalize(), required=False,
                choices=[("", "any"), *((value, value) for value in values)],
            )  # fmt: skip
        self.order_fields([f"stratum_{n}" for n in range(len(strata))])

    def fits(self, case: Sight) -> bool:
        data = self.cleaned_data
        given = [volume for volume in case.volumes if volume is not None]
        largest = max(given, default=0.0)
        empty = "all" if given and not any(given) else "some" if not all(given) else ""
        wanted_empty = {"": True, "none": not empty, "some": bool(empty),
                        "all": empty == "all"}[data.get("empty") or ""]  # fmt: skip
        low, high = data.get("low"), data.get("high")
        return (
            wanted_empty
            and (not data.get("standing")
                 or (data["standing"] == "out") == bool(case.left_out))
            and (not data.get("verdict")
                 or (data["verdict"] == "noticed") == case.noticed)
            and (low is None or largest >= low)
            and (high is None or largest <= high)
            and all(
                not data.get(f"stratum_{n}")
                or (case.strata.get(key) or NOT_GIVEN) == data[f"stratum_{n}"]
                for n, key in enumerate(self.strata)
            )
        )  # fmt: skip
