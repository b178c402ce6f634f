"""From files to an analysis-only study, with every decision on its record."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import User
from django.core.files.base import File
from django.db import transaction
from django.utils import timezone

from ratings import audit, files
from ratings.models import Enrolment, ScoreImport, Study
from ratings.moving import mapping as mapped
from ratings.moving import sct
from ratings.moving.entries import Entry, MoveRefused
from ratings.moving.findings import KINDS, Verdict, judge
from ratings.moving.grid import Grid, read_grid
from ratings.moving.mapping import Mapping
from ratings.statistics.cells import as_csv
from ratings.statistics.rows import ScoreRow, read_rows
from ratings.statistics.table import ScoreTable, make_table, natural


@dataclass(frozen=True)
class Source:
    """What the files of an import are: tables, or reports with their key."""

    grids: tuple[Grid, ...] = ()
    reports: dict[str, Any] = field(default_factory=dict)
    key_name: str = ""
    key_value: Any = None

    @property
    def is_table(self) -> bool:
        return bool(self.grids)

    def arms_of_key(self) -> tuple[str, ...]:
        """What the key calls the arms, before they are renamed."""
        entries = self.key_value.values() if self.key_value else ()
        names = (n for e in entries for n, v in e.items() if isinstance(v, str))
        return tuple(dict.fromkeys(n for n in names if n not in sct.NOT_ARMS))


@dataclass(frozen=True)
class Plan:
    """How the files are to be read: the columns or names, the scales, the reference."""

    mapping: Mapping | None
    names: dict[str, str]
    scales: dict[str, tuple[int, int]]
    reference: str
    choices: dict[str, str]
    sheet: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "columns": self.mapping.to_json() if self.mapping else None,
            "names": self.names,
            "scales": {q: list(scale) for q, scale in self.scales.items()},
            "reference": self.reference,
            "sheet": self.sheet,
        }


def read_plan(found: ScoreImport) -> Plan | None:
    """The plan as it was last kept; None before the first look."""
    stored = found.mapping
    if not stored:
        return None
    columns = stored["columns"]
    return Plan(
        mapping=mapped.read_mapping(columns) if columns else None,
        names=stored["names"],
        scales={q: (low, high) for q, (low, high) in stored["scales"].items()},
        reference=stored["reference"],
        choices=dict(found.choices),
        sheet=stored["sheet"],
    )


def receive(
    *, user: User, title: str, uploads: Sequence[tuple[str, File[bytes]]]
) -> ScoreImport:
    """Keep the files of an import."""
    listed = []
    for name, upload in _name_apart(uploads):
        path = files.new_name(folder="moved", suffix=".upload")
        digest = files.write_durably(files.locate(path), upload.chunks())
        listed.append(
            {"name": name, "path": path, "size": upload.size, "sha256": digest}
        )
    return ScoreImport.objects.create(created_by=user, title=title, files=listed)


def open_source(found: ScoreImport, *, sheet: str = "") -> Source:
    """Read the kept files of an import again."""
    uploads = [(f["name"], files.locate(f["path"]).read_bytes()) for f in found.files]
    return read_source(uploads, sheet=sheet)


def read_source(uploads: Sequence[tuple[str, bytes]], *, sheet: str = "") -> Source:
    """Tell what files are, by their names and contents.

    Raises:
        MoveRefused: no file, a mixture, two keys, or reports without a key.
    """
    if not uploads:
        raise MoveRefused("No file arrived. Choose the files that hold the scores.")
    reports = [(n, d) for n, d in uploads if n.lower().endswith(".json")]
    if not reports:
        grids = tuple(read_grid(n, d, sheet=sheet) for n, d in uploads)
        return Source(grids=grids)
    if len(reports) < len(uploads):
        other = next(n for n, _ in uploads if not n.lower().endswith(".json"))
        raise MoveRefused(
            f"{other}: JSON reports and tables can't be read together; import either."
        )
    return _read_reports([(name, sct.load(name, data)) for name, data in reports])


def _read_reports(values: Sequence[tuple[str, Any]]) -> Source:
    keys = [(name, value) for name, value in values if sct.is_key(value)]
    reports = {name: v for name, v in sorted(values) if not sct.is_key(v)}
    for name, value in reports.items():
        sct.list_items(name, value)
    if not keys:
        raise MoveRefused(
            "No file tells which mask is which arm: add the study's "
            "conversion_dict.json to the reports."
        )
    if len(keys) > 1:
        raise MoveRefused(
            f"{keys[0][0]} and {keys[1][0]} are both keys; keep the one of this study."
        )
    if not reports:
        raise MoveRefused(
            f"{keys[0][0]}: only the key is there; add the raters' reports."
        )
    sct.read_key(*keys[0], {})
    return Source(reports=reports, key_name=keys[0][0], key_value=keys[0][1])


def _name_apart(
    uploads: Sequence[tuple[str, File[bytes]]],
) -> list[tuple[str, File[bytes]]]:
    """Files of one name, as browsers send them, get a number behind it."""
    seen: dict[str, int] = {}
    named = []
    for name, upload in uploads:
        seen[name] = seen.get(name, 0) + 1
        stem, dot, ending = name.rpartition(".")
        new = f"{stem} ({seen[name]}){dot}{ending}" if seen[name] > 1 else name
        named.append((new, upload))
    return named


def propose(source: Source) -> Plan:
    """The plan that names and contents suggest."""
    if not source.is_table:
        arms = {arm: sct.ARM_NAMES.get(arm, arm) for arm in source.arms_of_key()}
        names = {file: mapped.name_rater(file, {}) for file in source.reports}
        plan = Plan(None, {**arms, **names}, {"": (1, 5)}, "", {})
    else:
        columns = mapped.propose(source.grids[0])
        plan = Plan(columns, {}, {}, "", {}, source.grids[0].sheet)
    return settle(source, plan)


def settle(source: Source, plan: Plan) -> Plan:
    """Fill in what the plan leaves open: a scale a question, and the reference."""
    if list_faults(source, plan):
        return plan
    entries = list(list_entries(source, plan))
    questions = list(dict.fromkeys(entry.question for entry in entries)) or [""]
    scales = {
        question: plan.scales.get(question) or _propose_scale(entries, question)
        for question in questions
    }
    arms = sorted({entry.arm for entry in entries if entry.arm}, key=natural)
    usual = next((a for a in arms if a.lower() in ("manual", "reference")), "")
    reference = plan.reference if plan.reference in arms else usual or (arms or [""])[0]
    return Plan(plan.mapping, plan.names, scales, reference, plan.choices, plan.sheet)


def _propose_scale(entries: Iterable[Entry], question: str) -> tuple[int, int]:
    """1–5 where nearly all scores fit it, else up to the highest score."""
    found = [
        int(entry.score)
        for entry in entries
        if entry.question == question and entry.score and entry.score.isdigit()
    ]
    high = max(found, default=5)
    if sum(1 <= score <= 5 for score in found) >= 0.95 * len(found):
        high = 5
    low = 0 if found.count(0) > 0.05 * len(found) else 1
    return low, min(max(high, low + 1), low + 100)


def list_faults(source: Source, plan: Plan) -> list[str]:
    """What must be said before the scores can be read at all."""
    if plan.mapping is None:
        return []
    faults = []
    for grid in source.grids:
        faults += mapped.check(plan.mapping, grid)
    return list(dict.fromkeys(faults))


def list_entries(source: Source, plan: Plan) -> Iterable[Entry]:
    if plan.mapping is not None:
        return mapped.list_entries(source.grids, plan.mapping)
    key = sct.read_key(source.key_name, source.key_value, plan.names)
    return sct.list_entries(source.reports, key, plan.names)


def look(source: Source, plan: Plan) -> Verdict:
    """Judge every score by the plan."""
    expected: Sequence[tuple[str, str]] = ()
    if plan.mapping is None:
        key = sct.read_key(source.key_name, source.key_value, plan.names)
        expected = list(dict.fromkeys(key.masks.values()))
    return judge(
        list_entries(source, plan),
        scales=plan.scales,
        choices=plan.choices,
        expected=expected,
    )


def keep_plan(
    found: ScoreImport, plan: Plan, *, reading: dict[str, Any], report_path: str = ""
) -> None:
    """Remember what was said so far, so that nothing is asked twice.

    An import that was discarded or became a study meanwhile stays as it is.
    """
    ScoreImport.objects.filter(pk=found.pk, study=None).update(
        mapping=plan.to_json(), choices=plan.choices,
        reading=reading, report_path=report_path,
    )  # fmt: skip


def summarise(verdict: Verdict) -> dict[str, Any]:
    """What was read, kept and left out, and what was done with each oddity."""
    return {
        "read": verdict.n_entries,
        "rows": len(verdict.rows),
        "scored": sum(row.score is not None for row in verdict.rows),
        "left_out": verdict.n_dropped,
        "findings": {
            kind: {
                "title": KINDS[kind].title,
                "count": verdict.count(kind),
                "choice": verdict.choices[kind],
                "done": dict(KINDS[kind].options).get(verdict.choices[kind], ""),
            }
            for kind in verdict.kinds
        },
    }


def report_csv(verdict: Verdict) -> str:
    """The row-by-row report: every finding with its file, row and fate."""
    return as_csv(
        ("file", "row", "finding", "what", "done"),
        (
            (
                *(f.file, f.row or None, KINDS[f.kind].title, f.what),
                dict(KINDS[f.kind].options).get(verdict.choices[f.kind], ""),
            )
            for f in verdict.findings
        ),
    )


def commit(
    *,
    found: ScoreImport,
    plan: Plan,
    verdict: Verdict,
    ask: Callable[[], None] = lambda: None,
) -> Study:
    """Make the study: unblinded from the start, because its key was known elsewhere.

    `ask` raises when the study is no longer wanted.

    Raises:
        MoveRefused: something is undecided, nothing is left to analyse, or the import
            was discarded or became a study meanwhile.
    """
    _refuse_undecided(verdict)
    rows_path = files.new_name(folder="moved", suffix=".csv")
    report_path = files.new_name(folder="moved", suffix=".csv")
    digest = files.write_durably(files.locate(rows_path), _long(verdict.rows))
    files.write_durably(files.locate(report_path), report_csv(verdict).encode())
    ask()
    try:
        study = _store(found, plan, verdict, digest, (rows_path, report_path))
    except Exception:
        files.remove(rows_path)
        files.remove(report_path)
        raise
    files.remove(found.report_path)
    return study


def _store(
    found: ScoreImport,
    plan: Plan,
    verdict: Verdict,
    digest: str,
    paths: tuple[str, str],
) -> Study:
    """The study, its coordinator and its record, or nothing of them."""
    actor, summary = found.created_by, summarise(verdict)
    with transaction.atomic():
        study = Study.objects.create(**_describe(found, actor, plan, digest))
        Enrolment.objects.create(
            study=study, user=actor, role=Enrolment.Role.COORDINATOR
        )
        waiting = ScoreImport.objects.filter(pk=found.pk, study=None)
        stored = waiting.update(
            study=study, mapping=plan.to_json(), choices=plan.choices, reading={},
            report=summary, rows_path=paths[0], report_path=paths[1],
        )  # fmt: skip
        if not stored:
            raise MoveRefused("Nothing was imported now: it was discarded or done.")
        audit.record(
            study=study, actor=actor, verb="import_scores",
            payload={
                "files": [{k: f[k] for k in ("name", "sha256")} for f in found.files],
                "plan": plan.to_json(), "report": summary, "rows": digest,
            },
        )  # fmt: skip
    return study


def _refuse_undecided(verdict: Verdict) -> None:
    if verdict.open:
        titles = ", ".join(f"“{KINDS[kind].title}”" for kind in verdict.open)
        raise MoveRefused(f"Nothing was imported. Choose what to do with: {titles}.")
    if not any(row.score is not None for row in verdict.rows):
        raise MoveRefused(
            "Nothing was imported: with these choices not one score is left. Check the "
            "columns and the scale."
        )


def _describe(
    found: ScoreImport, actor: User, plan: Plan, digest: str
) -> dict[str, Any]:
    questions = [
        {"key": q, "text": q or "Score", "scale": list(scale)}
        for q, scale in plan.scales.items()
    ]
    low, high = next(iter(plan.scales.values()))
    protocol = {
        "title": found.title,
        "moved": {"files": [f["sha256"] for f in found.files], "rows": digest},
        "plan": plan.to_json(),
        "choices": plan.choices,
    }
    return {
        "title": found.title,
        "created_by": actor,
        "state": Study.State.UNBLINDED,
        "unblinded_at": timezone.now(),
        "reference_arm": plan.reference,
        "questions": questions,
        "scale": [{"value": v, "anchor": ""} for v in range(low, high + 1)],
        "design": {},
        "protocol": protocol,
        "protocol_sha256": audit.digest(protocol),
    }


def _long(rows: Iterable[ScoreRow]) -> bytes:
    from ratings.exporting import long_csv

    return long_csv(rows).encode()


def read_tables(study: Study, found: ScoreImport) -> dict[str, ScoreTable]:
    """A table of scores per question of a moved study, each on its own scale."""
    path = files.locate(found.rows_path)
    tables = {}
    for question in study.questions:
        low, high = question["scale"]
        file = read_rows(path, scale=(low, high), question=question["key"])
        tables[question["key"]] = make_table(file.rows, levels=range(low, high + 1))
    return tables
