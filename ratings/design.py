"""The words of a study's design: what each key can be, and what a missing one means.

Pure. `study.design` is the JSON of it. A key that is missing means what studies did
before the key was there, so that no locked protocol changes its meaning; what a new
study starts with is `RECOMMENDED`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

SINGLE, SEQUENTIAL, SIDE_BY_SIDE = "single", "sequential", "side_by_side"
MODES = {
    SINGLE: "One mask at a time",
    SEQUENTIAL: "All masks of a case one after the other",
    SIDE_BY_SIDE: "All masks of a case side by side",
}
EDIT_POLICIES = {
    "final": "A score is final once it is confirmed",
    "revisable": "Raters may change scores until they sign off",
}
GUESSES = {
    "off": "Not asked",
    "end": "After the last session, when scores are final",
}
CONFLICTS = {
    "ignore": "Treated like any other case",
    "flag": "Rated all the same, and marked in the data",
    "exclude": "Left out of the rater’s order",
}
PLANES = {
    "auto": "The plane of acquisition",
    "axial": "Axial",
    "sagittal": "Sagittal",
    "coronal": "Coronal",
}
STRUCTURED_REASONS = {
    "missed": "Missed lesion",
    "false": "False lesion",
    "too_large": "Boundary too large",
    "too_small": "Boundary too small",
    "wrong_structure": "Wrong structure",
}
PRIMARY_TESTS = {
    "crossed": "Raters × cases, for raters and cases like these (recommended)",
    "hillis": "Raters × cases with Hillis’ degrees of freedom; needs every score",
    "cases": "Cases only (t test over cases), for these raters and cases like these",
    "case_flips": "Cases only (signed-rank test), for these raters and cases like "
    "these",
}
MOST_REPEATS = 30

RECOMMENDED: Mapping[str, Any] = MappingProxyType(
    {
        "mode": SINGLE,
        "min_distance": 10,
        "repeat_percent": 10,
        "session_maximum": 0,
        "edit_policy": "final",
        "guess": "end",
        "guess_percent": 25,
        "plane": "auto",
    }
)


@dataclass(frozen=True)
class Reference:
    """A calibration mask and what the coordinator would give it, by question."""

    case: str
    arm: str
    values: Mapping[str, int]
    note: str = ""


@dataclass(frozen=True)
class StudyDesign:
    """How a study is presented and answered.

    `mode` is one of MODES; in the last two a presentation holds one item per arm.
    `min_distance` counts presentations between two of the same case; `repeat_percent`
    (0–30) of the presentations come a second time; `session_maximum` presentations make
    a session, 0 all of them. `calibration` comes first; `control_bad` and
    `control_empty` presentations are mixed in. `guess_percent` of the items are asked
    for their source. `planes` overrides `plane` for single cases; `zoom_mm` is the side
    of the square shown at first around the image's centre, 0 the whole image; `context`
    shows a second series beside the image where a case has one. `primary` is the
    primary test, one of PRIMARY_TESTS, and `margin` that of non-inferiority, in points.
    """

    mode: str = SINGLE
    min_distance: int = 10
    repeat_percent: int = 0
    session_maximum: int = 0
    calibration: tuple[Reference, ...] = ()
    control_bad: int = 0
    control_empty: int = 0
    edit_policy: str = "final"
    change_reason: bool = False
    structured_reasons: bool = False
    guess: str = "off"
    guess_percent: int = 100
    conflict: str = "ignore"
    plane: str = "auto"
    planes: Mapping[str, str] = field(default_factory=dict)
    zoom_mm: int = 0
    context: bool = False
    primary: str = "crossed"
    margin: float | None = None

    @property
    def paired(self) -> bool:
        """Whether a presentation shows every arm of its case."""
        return self.mode != SINGLE

    @property
    def revisable(self) -> bool:
        return self.edit_policy == "revisable"

    def plane_of(self, case: str) -> str:
        return self.planes.get(case, self.plane)


def read_design(stored: Mapping[str, Any]) -> StudyDesign:
    """The design of `study.design`, or of a frozen protocol's; unknown keys pass by."""
    keys = StudyDesign.__dataclass_fields__.keys() & stored.keys()
    known = {key: stored[key] for key in keys}
    known["calibration"] = tuple(
        Reference(row["case"], row["arm"], dict(row["values"]), row.get("note", ""))
        for row in stored.get("calibration", ())
    )
    return StudyDesign(**known)


def describe_design(design: StudyDesign) -> dict[str, Any]:
    """The same as plain JSON, every key written out."""
    return {
        **{key: getattr(design, key) for key in StudyDesign.__dataclass_fields__},
        "planes": dict(design.planes),
        "calibration": [
            {"case": r.case, "arm": r.arm, "values": dict(r.values), "note": r.note}
            for r in design.calibration
        ],
    }


def tell(design: StudyDesign) -> list[tuple[str, str]]:
    """The design in words, a term and what holds of it; what is off is left out."""
    sessions = f"at most {design.session_maximum} positions"
    seen = (
        f"the {design.zoom_mm} mm around the image's centre at first"
        if design.zoom_mm
        else "the whole image"
    )
    controls = f"masks misplaced: {design.control_bad}, empty: {design.control_empty}"
    guess = f"{GUESSES[design.guess]}, for {design.guess_percent} % of the masks"
    planes = ", ".join(f"{c} {PLANES[p].lower()}" for c, p in design.planes.items())
    practice = len(design.calibration)
    apart = "" if design.min_distance == 1 else "s"
    scores = [EDIT_POLICIES[design.edit_policy]]
    scores += ["with a reason for each change"] * design.change_reason
    told = [
        ("On the screen", MODES[design.mode]),
        ("Least distance wanted", f"{design.min_distance} position{apart}"),
        ("Hidden repeats", f"{design.repeat_percent} %"),
        ("Sessions", sessions if design.session_maximum else "one for each rater"),
        ("Practice", f"{practice} mask{'s' * (practice != 1)} with reference first"),
        ("Controls", controls),
        ("Scores", ", ".join(scores)),
        ("Faults to tick", ", ".join(STRUCTURED_REASONS.values()).lower()),
        ("Source guess", guess if design.guess != "off" else GUESSES["off"]),
        ("Raters' own masks", CONFLICTS[design.conflict]),
        ("View", f"{PLANES[design.plane].lower()}, {seen}"),
        ("Planes of single cases", planes),
        ("Second series", "shown beside the image, where a case has one"),
        ("Primary test", PRIMARY_TESTS[design.primary]),
        ("Margin", f"{design.margin} points"),
    ]
    absent = set()
    if not design.structured_reasons:
        absent.add("Faults to tick")
    if not design.planes:
        absent.add("Planes of single cases")
    if not design.context:
        absent.add("Second series")
    if not design.calibration:
        absent.add("Practice")
    if not design.control_bad and not design.control_empty:
        absent.add("Controls")
    if design.margin is None:
        absent.add("Margin")
    if design.conflict == "ignore":
        absent.add("Raters' own masks")
    return [(term, text) for term, text in told if term not in absent]
