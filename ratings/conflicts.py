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
) -> bool:
    """Store who drew what in a draft; False when nothing differed."""
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
        before = {key: held.design.get(key) or {} for key in ("sites", "authors")}
        before["conflict"] = read_rule(held.design)
        changed = sorted(key for key in wanted if wanted[key] != before[key])
        if changed:
            held.design = {**held.design, **wanted}
            held.save(update_fields=["design"])
            audit.record(
                study=held, actor=actor, verb="change_conflicts",
                payload={"changed": changed},
            )  # fmt: skip
    return bool(changed)
