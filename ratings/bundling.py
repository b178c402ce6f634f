"""What a study adds to its bundle: protocol, order, record, and words for a paper."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from django.conf import settings

from ratings import blinding, conflicts, files, protocol, writing
from ratings.models import AuditEntry, ScoreImport, Study
from ratings.statistics.cells import as_csv
from ratings.statistics.withdrawn import Withdrawn, tell, withdrawn_csv

if TYPE_CHECKING:
    from ratings.statistics.summary import Analysis

# Entries of the record that say how far the study was, in order.
MILESTONES = ("locked", "collecting", "closed", "unblinded", "import_scores")
PACKAGES = ("numpy", "scipy", "statsmodels", "matplotlib", "seaborn", "django")


def describe(
    study: Study, analyses: Sequence[Analysis], taken: Sequence[Withdrawn] = ()
) -> dict[str, bytes]:
    """The files by name; the same bytes until the study itself changes.

    `taken` are the cases and raters that were withdrawn, with their counts.
    """
    moved = ScoreImport.objects.filter(study=study).first()
    words = tell(taken)
    texts = {
        "protocol.json": as_json(study.protocol),
        "amendments.json": as_json(list_amendments(study)),
        "record.json": as_json(describe_record(study)),
        "methods.md": writing.methods(
            analyses, version=settings.VERSION, moved=moved is not None, withdrawn=words
        ),
        "grras.csv": writing.grras(
            analyses,
            moved=moved is not None,
            withdrawn=words,
            sampled=tell_sampling(study.protocol or {}),
        ),
        "references.bib": writing.bibliography(analyses[0].primary),
        "environment.txt": describe_environment(),
        **({"withdrawn.csv": withdrawn_csv(taken)} if taken else {}),
    }
    found = {name: text.encode() for name, text in texts.items()}
    if moved is None:
        return {**found, "allocation.csv": list_allocation(study).encode()}
    plan = {"plan": moved.mapping, "choices": moved.choices, "report": moved.report}
    sources = [{k: f[k] for k in ("name", "size", "sha256")} for f in moved.files]
    return {
        **found,
        "moved.json": as_json({"files": sources, **plan}).encode(),
        "moved_report.csv": files.locate(moved.report_path).read_bytes(),
    }


def tell_sampling(protocol: Mapping[str, Any]) -> str:
    """How the cases were chosen, as the locked protocol has it; empty if all were.

    After the text of a draw comes what was changed by hand since; of cases removed
    from the study that text speaks itself.
    """
    chosen = protocol.get("selection", {})
    out = dict(chosen.get("left_out", ()))
    drawn = set(chosen.get("chosen", ()))
    rated = {case["label"] for case in protocol.get("cases", ())}
    gone = set(chosen.get("removed", ()))
    lost = sorted(drawn - rated - gone if drawn else out)
    parts = [chosen.get("text", "")]
    if lost:
        named = (f"{one} ({out[one]})" if out.get(one) else one for one in lost)
        parts.append(f"Left out by hand: {', '.join(named)}.")
    if drawn and (more := sorted(rated - drawn)):
        parts.append(f"Taken in by hand: {', '.join(more)}.")
    return " ".join(part for part in parts if part)


def as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def list_amendments(study: Study) -> list[dict[str, Any]]:
    """Every version of the protocol after the first, with its reason."""
    return [
        {
            "number": one.number,
            "at": f"{one.created_at:%Y-%m-%d %H:%M} UTC",
            "reason": one.reason,
            "sha256": one.sha256,
            "protocol": one.document,
        }
        for one in study.protocol_versions.filter(number__gt=1)
    ]


def describe_record(study: Study) -> dict[str, Any]:
    """The head of the record when the key was opened, and the way there.

    Not the head of today: every download of a bundle is itself put on record.
    """
    entries = AuditEntry.objects.filter(study=study, verb__in=MILESTONES).order_by("n")
    last = entries.last()
    return {
        "study": str(study.pk),
        "protocol_sha256": study.protocol_sha256,
        "head": last.hash if last else "",
        "entries": last.n if last else 0,
        "milestones": [{"n": e.n, "what": e.verb, "at": e.at} for e in entries],
        "early_unblinding": protocol.tell_unblinding(study),
    }


def list_allocation(study: Study) -> str:
    """Who saw which mask when and on which side, one row an item."""
    placements = sorted(
        blinding.list_placements(study),
        key=lambda p: (p.rater, p.session, p.position, p.slot),
    )
    flagging = conflicts.read_rule(study.design) == "flag"
    flagged = conflicts.find_flagged(study)
    together = {(p.rater, p.session, p.position) for p in placements if p.slot}
    return as_csv(
        (
            *("rater", "session", "position", "side", "kind", "repeat"),
            *("case", "arm", "conflict"),
        ),
        (
            (
                *(p.rater, p.session, p.position),
                p.slot + 1 if (p.rater, p.session, p.position) in together else None,
                *(p.kind, p.repeat, p.case, p.arm),
                int((p.rater, p.case) in flagged) if flagging else None,
            )
            for p in placements
        ),
    )


def describe_environment() -> str:
    import platform

    lines = [f"blindfold=={settings.VERSION}", f"python=={platform.python_version()}"]
    for name in PACKAGES:
        try:
            lines.append(f"{name}=={version(name)}")
        except PackageNotFoundError:
            lines.append(f"{name} is not installed")
    return "\n".join(lines) + "\n"
