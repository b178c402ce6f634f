"""Who drew which mask, and at which cases a rater therefore judges their own work.

It stands in the design: `authors` by case and arm, a rater's code, a name or a site
each; `sites` by rater; and the rule, `conflict`. Locking freezes all three.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from ratings import audit
from ratings.design import CONFLICTS
from ratings.models import Arm, Study

DRAWN = (Arm.Kind.MANUAL, Arm.Kind.UPLOAD)
Authors = Mapping[str, Mapping[str, str]]


class ConflictRefused(Exception):
    """Why the entries were not stored; a sentence."""


class ConflictStale(ConflictRefused):
    """Somebody else changed the entries meanwhile: a line for each that differs."""

    def __init__(self, differences: list[str]) -> None:
        super().__init__("Somebody else changed these entries meanwhile.")
        self.differences = differences


def read_rule(design: Mapping[str, Any]) -> str:
    """What happens to a rater's own cases: "ignore", "flag" or "exclude"."""
    rule = design.get("conflict", "ignore")
    return rule if rule in CONFLICTS else "ignore"


def split_names(text: str) -> set[str]:
    """Names parted by commas or semicolons, for comparison."""
    return {" ".join(n.split()).casefold() for n in re.split(r"[,;\n]", text)} - {""}


def find_touched(
    design: Mapping[str, Any], *, rater: str, site: str, drew: Iterable[str] = ()
) -> list[str]:
    """The cases of which this rater, or somebody of the same site, drew a mask."""
    own = {name for name in (rater.casefold(), *split_names(site)) if name}
    authors: Authors = design.get("authors", {})
    found = {
        case
        for case, arms in authors.items()
        if any(own & split_names(names) for names in arms.values())
    }
    return sorted(found | set(drew))


def list_touched(design: Mapping[str, Any], raters: Iterable[str]) -> dict[str, Any]:
    """The same for every rater who has such a case."""
    sites: Mapping[str, str] = design.get("sites", {})
    found = {
        rater: find_touched(design, rater=rater, site=sites.get(rater, ""))
        for rater in raters
    }
    return {rater: cases for rater, cases in found.items() if cases}


def list_excluded(design: Mapping[str, Any], raters: Iterable[str]) -> dict[str, Any]:
    """The cases that the draw leaves out, by rater."""
    return list_touched(design, raters) if read_rule(design) == "exclude" else {}


def find_flagged(study: Study) -> set[tuple[str, str]]:
    """(rater, case) pairs whose scores are to be marked; none under another rule."""
    if read_rule(study.design) != "flag":
        return set()
    raters = (study.protocol or {}).get("raters", [])
    touched = list_touched(study.design, raters)
    for late in study.allocation_report.get("late", []):
        touched[late["rater"]] = late["touched"]
    return {(rater, case) for rater, cases in touched.items() for case in cases}


def change_conflicts(
    *,
    study: Study,
    actor: User,
    rule: str,
    sites: Mapping[str, str],
    authors: Authors,
    seen: str | None = None,
) -> bool:
    """Store who drew what in a draft; False when nothing differed.

    `seen` is the digest of the entries that these were made from. If others are
    stored by now, nothing is changed.
    """
    wanted = {
        "conflict": rule,
        "sites": {rater: site for rater, site in sorted(sites.items()) if site},
        "authors": {
            case: kept
            for case, arms in sorted(authors.items())
            if (kept := {arm: names for arm, names in sorted(arms.items()) if names})
        },
    }
    with transaction.atomic():
        held = audit.hold(study.pk)
        if held.state != Study.State.DRAFT:
            raise ConflictRefused("The study is locked, so who drew what is fixed.")
        before = read_entries(held.design)
        changed = sorted(key for key in wanted if wanted[key] != before[key])
        if changed and seen not in (None, audit.digest(before)):
            raise ConflictStale(compare(before, wanted))
        if changed:
            held.design = {**held.design, **wanted}
            held.save(update_fields=["design"])
            audit.record(
                study=held, actor=actor, verb="change_conflicts",
                payload={"changed": changed},
            )  # fmt: skip
    return bool(changed)


def read_entries(design: Mapping[str, Any]) -> dict[str, Any]:
    """The rule, the sites and the authors as they are stored."""
    entries = {key: design.get(key) or {} for key in ("sites", "authors")}
    return {**entries, "conflict": read_rule(design)}


def compare(stored: dict[str, Any], wished: dict[str, Any]) -> list[str]:
    """What two people's entries say otherwise, a line each."""
    ours, theirs = spread(stored), spread(wished)
    return [
        f"{name}: now “{ours.get(name, '')}”, you wrote “{theirs.get(name, '')}”"
        for name in sorted(ours | theirs)
        if ours.get(name, "") != theirs.get(name, "")
    ]


def spread(entries: dict[str, Any]) -> dict[str, str]:
    found = {"The rule": CONFLICTS[entries["conflict"]]}
    found |= {f"Site of {rater}": site for rater, site in entries["sites"].items()}
    for case, arms in entries["authors"].items():
        found |= {f"{arm} of {case}": names for arm, names in arms.items()}
    return found
