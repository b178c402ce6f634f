"""The blinding audit of a study: all checks, each with what it found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from ratings.models import Study
from ratings.proof.canonical import check_files
from ratings.proof.schedule import check_schedule
from ratings.proof.tokens import check_tokens
from ratings.proof.twins import check_twins


@dataclass(frozen=True)
class Finding:
    """One check in words, and a sentence for each fault that it found."""

    check: str
    faults: tuple[str, ...]


def audit_blinding(study: Study, *, every: bool = False) -> list[Finding]:
    """Run every check; a study whose findings have a fault must not be locked.

    The exchange of arms is tried on some cases of a large study, or on `every` one.
    """
    checks: list[tuple[str, Callable[[Study], list[str]]]] = [
        ("Every stored file is canonical and unchanged", check_files),
        ("Identifiers are random and used once", check_tokens),
        (
            "Exchanging the arms changes nothing that raters are served",
            partial(check_twins, every=every),
        ),
        ("The order is balanced and is the one committed to", check_schedule),
    ]
    return [Finding(check, tuple(run(study))) for check, run in checks]


def list_faults(findings: list[Finding]) -> list[str]:
    return [fault for finding in findings for fault in finding.faults]
