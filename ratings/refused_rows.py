"""Keeps the faults of a table's rows in the list, where they stop an import."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.auth.models import User

from ratings.images import Verdict
from ratings.models import Study, Upload
from ratings.steps import plural

# so many sentences are read; of a table that is wrong in all its rows the first will do
MOST = 100
CODE = "manifest"


def keep(*, study: Study, user: User, faults: Iterable[str]) -> None:
    """Each sentence once, until somebody dismisses it."""
    told = [clean(fault) for fault in shorten(list(faults))]
    known = set(list_faults(study))
    Upload.objects.bulk_create(
        Upload(
            study=study, name=name_row(fault), kind=Upload.Kind.REFUSED,
            verdict=Verdict(name_row(fault), "reject", CODE, fault).to_json(),
            facts={"row": True}, uploaded_by=user,
        )
        for fault in dict.fromkeys(told)
        if fault not in known
    )  # fmt: skip


def shorten(faults: list[str]) -> list[str]:
    if len(faults) <= MOST:
        return faults
    more = plural(len(faults) - MOST, "more fault")
    return [*faults[:MOST], f"This set has {more}. Mend those that are named first."]


def clean(fault: str) -> str:
    """Without what a table's cell can hold and no database can."""
    return fault.encode(errors="replace").decode().replace("\0", "?")


def name_row(fault: str) -> str:
    """“manifest.csv, row 4”: what stands before the sentence itself."""
    return fault.partition(": ")[0][:255]


def list_faults(study: Study) -> list[str]:
    """What stands against the import of all that waits in a study."""
    found = study.uploads.filter(kind=Upload.Kind.REFUSED).order_by("created_at")
    return [str(one.verdict["message"]) for one in found if is_row(one)]


def is_row(upload: Upload) -> bool:
    return bool(upload.facts.get("row"))
