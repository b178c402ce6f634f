"""Changes what a draft's cases are said to be: contrast, site, field strength, …"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction

from ratings import audit, importing, selecting, stated
from ratings.importing import ImportRefused
from ratings.meanwhile import Difference, Stale
from ratings.models import Case, Study

# What a table of cases always asks for, in the order in which it does.
USUAL = ("contrast", "site", "acquisition", "field_strength")
# By which a table is made, unless another is asked for.
ORDER = ("site", "contrast", "acquisition", "field_strength")

# So many cases a sentence names.
NAMED = 6


def list_strata(study: Study) -> list[str]:
    """The strata that any case has, the set first and the usual ones before others."""
    found = {name for case in study.cases.all() for name in case.strata}
    first = [name for name in ("set", *ORDER) if name in found]
    return first + sorted(found - set(first))


def list_names(study: Study) -> list[str]:
    """The usual strata, the set, then those that only this study's cases have."""
    found = {name for case in study.cases.all() for name in case.strata} | {"set"}
    return [*USUAL, *sorted(found - set(USUAL))]


def change_stratum(
    *,
    study: Study,
    actor: User,
    ids: Iterable[UUID],
    name: str,
    value: str,
    seen: int | None = None,
) -> list[str]:
    """Give cases of a draft another value, or none when it is empty; which they are.

    `seen` is the number of the record's last entry when these cases were looked at.
    """
    value = tidy(value)
    if value and (faults := stated.judge_stratum(name, value)):
        raise ImportRefused(faults)
    with transaction.atomic():
        held = audit.hold(study.pk)
        importing.refuse_unless_draft(held)
        refuse_unless_free(held, name)
        cases = list(held.cases.filter(id__in=ids))
        if not cases:
            raise ImportRefused(["No case was marked, so none was changed."])
        if seen is not None:
            refuse_stale(held, cases, name, value, seen)
        for case in cases:
            rest = {k: v for k, v in case.strata.items() if k != name}
            case.strata = rest | ({name: value} if value else {})
        Case.objects.bulk_update(cases, ["strata"])
        selecting.count_change(held)
        labels = [case.label for case in cases]
        payload = {"cases": labels, "stratum": name, "value": value}
        audit.record(study=held, actor=actor, verb="change_stratum", payload=payload)
    return sorted(labels)


def tidy(value: str) -> str:
    return " ".join(value.split())


def tell_change(*, name: str, value: str, labels: list[str]) -> str:
    """What the cases are said to be now; of very many the first are named."""
    # "and 1 more" would be longer than the name
    few = labels if len(labels) < NAMED + 2 else labels[:NAMED]
    more = f" and {len(labels) - len(few)} more" if len(few) < len(labels) else ""
    word = name.replace("_", " ").capitalize()
    return f"{word} of {', '.join(few)}{more}: {tidy(value) or 'not given'}."


def find_seen(study: Study) -> int:
    """The number of the record's last entry."""
    return study.audit.order_by("n").values_list("n", flat=True).last() or 0


def refuse_stale(
    study: Study, cases: list[Case], name: str, value: str, seen: int
) -> None:
    """What a colleague said of these cases since then is not replaced unseen."""
    since = study.audit.filter(verb="change_stratum", n__gt=seen).order_by("n")
    entries = [entry for entry in since if entry.payload["stratum"] == name]
    touched = {label for entry in entries for label in entry.payload["cases"]}
    stored: dict[str, list[str]] = {}
    for case in cases:
        now = str(case.strata.get(name) or "")
        if case.label in touched and now != value:
            stored.setdefault(now, []).append(case.label)
    if stored:
        word = name.replace("_", " ").capitalize()
        raise Stale(entries[-1], [
            Difference(
                f"{word} of {', '.join(sorted(labels))}",
                now or "not given", value or "not given",
            )
            for now, labels in stored.items()
        ])  # fmt: skip


def refuse_unless_free(study: Study, name: str) -> None:
    """A draw's numbers stand by its strata, so those stay until the draw is gone."""
    if name not in list_names(study):
        raise ImportRefused(["Choose what is changed: contrast, site or the like."])
    if name in study.selection.get("rule", {}).get("by", ()):
        raise ImportRefused(
            [
                f"The cases were drawn by {name.replace('_', ' ')}, so the numbers of "
                "the draw would no longer hold. Under “Choose which are rated” take "
                "every case, change it here, then draw again."
            ]
        )
