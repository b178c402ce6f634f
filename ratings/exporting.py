"""A report as files: scores, results, tables and figures, in a folder or a zip."""

from __future__ import annotations

import hashlib
import io
import json
import re
import shlex
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ratings.statistics.cells import Cell, as_csv
from ratings.statistics.family import tell_over_questions
from ratings.statistics.primary import CROSSED
from ratings.statistics.rows import COLUMNS, ScoreRow
from ratings.statistics.sentences import LEVEL, of_margin
from ratings.statistics.table import ScoreTable, natural
from ratings.statistics.withdrawn import SCORES as WITHDRAWN

if TYPE_CHECKING:
    from ratings.figures.canvas import Figure
    from ratings.statistics.summary import Analysis

# The first moment a zip can hold; no date of writing goes into the bytes.
RECIPE = "analysis.json"
EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class StudyFacts:
    """What the files say about the study beside its numbers."""

    title: str
    simulated: bool = False
    version: str = ""
    withdrawn: str = ""


@dataclass(frozen=True)
class Report:
    """One question: its scores, its analysis and its drawn figures."""

    table: ScoreTable
    analysis: Analysis
    figures: tuple[Figure, ...]


def make_report(
    *, table: ScoreTable, analysis: Analysis, simulated: bool = False
) -> Report:
    """Draw every figure of an analysis."""
    # Here and not above: a web process that only reads pays nothing for matplotlib.
    from ratings.figures.report import draw_all

    drawn = draw_all(table=table, analysis=analysis, simulated=simulated)
    return Report(table, analysis, tuple(drawn))


def write_report(*, folder: Path, reports: Sequence[Report], facts: StudyFacts) -> None:
    """Write the files of a report into a folder, replacing those of the same name."""
    for name, data in report_files(reports=reports, facts=facts).items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


def write_bundle(
    *,
    reports: Sequence[Report],
    facts: StudyFacts,
    more: Mapping[str, bytes] | None = None,
) -> bytes:
    """The same files as one zip, and `more`; the same report gives the same bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as bundle:
        found = report_files(reports=reports, facts=facts, more=more)
        for name, data in found.items():
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            bundle.writestr(entry, data)
    return out.getvalue()


def report_files(
    *,
    reports: Sequence[Report],
    facts: StudyFacts,
    more: Mapping[str, bytes] | None = None,
) -> dict[str, bytes]:
    """Every file by its path, in order; with several questions a folder for each."""
    rows = [row for report in reports for row in report.table.rows]
    files = {"scores_long.csv": long_csv(rows).encode()}
    if apart := [row for report in reports for row in report.table.withdrawn]:
        files[WITHDRAWN] = long_csv(apart).encode()
    for number, report in enumerate(reports, 1):
        folder = "" if len(reports) == 1 else _folder(number, report.table.question)
        for name, data in _of_question(report, facts).items():
            files[folder + name] = data
    files[RECIPE] = recipe_json(reports, facts).encode()
    files |= more or {}
    files = {"README.txt": _readme(reports, facts, files).encode(), **files}
    return {**files, "SHA256SUMS": _sums(files).encode()}


def long_csv(rows: Iterable[ScoreRow]) -> str:
    """One row a score in the columns that `read_scores` takes, in natural order."""
    order = sorted(rows, key=_row_order)
    return as_csv(COLUMNS, ([getattr(row, name) for name in COLUMNS] for row in order))


def wide_csv(table: ScoreTable) -> str:
    """One row a case and rater, one column an arm and, after them, its repeats."""
    columns = sorted(
        {(row.arm, row.rep) for row in table.rows},
        key=lambda column: (column[1], natural(column[0])),
    )
    scores: dict[tuple[str, str], dict[tuple[str, int], int | None]] = {}
    for row in table.rows:
        scores.setdefault((row.rater, row.case), {})[row.arm, row.rep] = row.score
    header = ("rater", "case", *table.strata, *(_column(*c) for c in columns))
    return as_csv(header, _wide_rows(table, columns, scores))


def results_json(report: Report, facts: StudyFacts) -> str:
    """Every number of the analysis as strict JSON, with the facts of the study."""
    study = {
        "title": facts.title,
        "simulated": facts.simulated,
        "blindfold": facts.version or None,
    }
    tree = {"study": study, **report.analysis.to_json()}
    return json.dumps(tree, allow_nan=False, ensure_ascii=False, indent=1) + "\n"


def recipe_json(reports: Sequence[Report], facts: StudyFacts) -> str:
    """What `manage.py analyse BUNDLE` needs to compute everything again."""
    questions = [
        {
            "question": report.table.question,
            "scale": [report.analysis.levels[0], report.analysis.levels[-1]],
            "reference": report.analysis.reference,
            "seed": report.analysis.seed,
            "margin": report.analysis.margin,
            **_name_test(report.analysis),
            **({"every_place": True} if report.table.every_place else {}),
            "data_sha256": report.analysis.data_sha256,
            "versions": dict(report.analysis.versions),
        }
        for report in reports
    ]
    study = {
        "title": facts.title,
        "simulated": facts.simulated,
        "blindfold": facts.version,
    }
    tree = {"schema": "blindfold-bundle-1", **study, "questions": questions}
    return json.dumps(tree, ensure_ascii=False, indent=1) + "\n"


def _name_test(analysis: Analysis) -> dict[str, str]:
    """The primary test where it was chosen; a recipe without one means the usual."""
    return {} if analysis.primary == CROSSED else {"primary": analysis.primary}


def _of_question(report: Report, facts: StudyFacts) -> dict[str, bytes]:
    from ratings.statistics.tabulation import tabulate

    texts = {
        "scores_wide.csv": wide_csv(report.table),
        "results.json": results_json(report, facts),
    }
    for name, text in tabulate(report.analysis).items():
        texts[f"tables/{name}.csv"] = text
    captions = [f"{f.name}\n{f.caption}\n" for f in report.figures]
    texts["figures/captions.txt"] = "\n".join(captions)
    files = {name: text.encode() for name, text in texts.items()}
    for figure in report.figures:
        files[f"figures/{figure.name}.svg"] = figure.svg
        files[f"figures/{figure.name}.png"] = figure.png
        files[f"figures/{figure.name}.csv"] = figure.csv.encode()
    return files


def _row_order(row: ScoreRow) -> tuple[object, ...]:
    names = (row.question, row.rater, row.case, row.arm)
    return (*(natural(name) for name in names), row.rep)


def _wide_rows(
    table: ScoreTable,
    columns: Sequence[tuple[str, int]],
    scores: Mapping[tuple[str, str], Mapping[tuple[str, int], int | None]],
) -> Iterator[list[Cell]]:
    for rater in table.raters:
        for c, case in enumerate(table.cases):
            found = scores.get((rater, case), {})
            strata = [labels[c] for labels in table.strata.values()]
            yield [rater, case, *strata, *(found.get(column) for column in columns)]


def _column(arm: str, rep: int) -> str:
    return arm if rep == 0 else f"{arm} (repeat {rep})"


def _folder(number: int, question: str) -> str:
    word = re.sub(r"[^a-z0-9]+", "-", question.lower()).strip("-")
    return f"question_{number}{'_' + word if word else ''}/"


def _sums(files: Mapping[str, bytes]) -> str:
    lines = [
        f"{hashlib.sha256(data).hexdigest()}  {name}" for name, data in files.items()
    ]
    return "\n".join(lines) + "\n"


def _readme(
    reports: Sequence[Report], facts: StudyFacts, files: Mapping[str, bytes]
) -> str:
    parts = [f"{facts.title}\n{'=' * len(facts.title)}\n"]
    if facts.simulated:
        parts.append("SIMULATED DATA: no person gave these scores.\n")
    if facts.withdrawn:
        parts.append(f"{facts.withdrawn}\n")
    parts += [_question_text(report) for report in reports]
    parts.append(FILES)
    parts += [_again(report, several=len(reports) > 1) for report in reports]
    software = {**reports[0].analysis.versions, "blindfold": facts.version}
    listed = ", ".join(f"{name} {v}" for name, v in sorted(software.items()) if v)
    parts.append(f"Software: {listed}.\n{len(files)} files beside this one.\n")
    return "\n".join(parts)


def _question_text(report: Report) -> str:
    analysis = report.analysis
    heading = f"{analysis.question}: " if analysis.question else ""
    over_all = tell_over_questions(analysis)
    lines = [heading + analysis.sentence, *([over_all] if over_all else [])]
    for comparison in analysis.comparisons:
        lines += comparison.sentences[int(len(analysis.comparisons) == 1) :]
    if margins := [text for c in analysis.comparisons if (text := of_margin(c))]:
        lines += [*margins, LEVEL]
    return "\n".join([*lines, *analysis.sentences]) + "\n"


def _again(report: Report, *, several: bool) -> str:
    analysis = report.analysis
    words = {
        "--scale": f"{analysis.levels[0]}-{analysis.levels[-1]}",
        "--reference": analysis.reference,
        "--seed": str(analysis.seed),
    }
    if analysis.margin is not None:
        words["--margin"] = str(analysis.margin)
    words |= {f"--{name}": key for name, key in _name_test(analysis).items()}
    if several:
        words["--question"] = analysis.question
    flags = " ".join(f"{flag} {shlex.quote(word)}" for flag, word in words.items())
    flags += " --every-place" if report.table.every_place else ""
    flags += f" --withdrawn {WITHDRAWN}" if report.table.withdrawn else ""
    return (
        f"To compute this again:\n  manage.py analyse scores_long.csv {flags} "
        f"--out FOLDER\nSHA-256 of the scores: {analysis.data_sha256}\n"
    )


FILES = """\
Files
  scores_long.csv      one row a score; rep 0 is the main rating, rep 1, 2, ... hidden
                       repeats; an empty score was not given (see reason), and
                       in the bundle of a study every score that was to be given has
                       its row; seconds are active seconds, of all looks where a score
                       was changed. An apostrophe before =, +, - or @ only keeps a
                       spreadsheet from running the cell.
  withdrawn_scores.csv where cases were withdrawn after the lock: the same columns, for
                       the scores asked for on those cases; they enter no result
  scores_wide.csv      one row a case and rater, one column an arm
  results.json         every number with interval, p, n, method, scope and warnings;
                       null where it cannot be given, with the reason
  tables/*.csv         the same numbers as tables; value, se, low and high (95 %), p
  figures/*            each figure as SVG, PNG and the numbers it shows; captions.txt
  analysis.json        how it was analysed: given the whole bundle, the command analyse
                       computes every number again and compares
  SHA256SUMS           check with: sha256sum -c SHA256SUMS, or manage.py verify BUNDLE
In the bundle of a study also
  protocol.json        as locked; amendments.json: later versions, with their reasons
  schedule.json        seed, protocol and order, now revealed; draw it again with
                       manage.py verify_allocation
  allocation.csv       who saw which mask when, and on which side
  withdrawn.csv        where cases or raters were withdrawn after the lock: which, when,
                       by whom, why, how many scores had been given, and how many of
                       them are in the results
  record.json          head of the study's record when the key was opened; compare with
                       manage.py verify STUDY --head HASH
  comparison/          once the masks are compared: tables/ (Tables 1 to 5, by level,
                       cut to the cord, from coarser images, as CSV and
                       LaTeX), figures/ (flow of the images, thresholds,
                       levels, calibration, scores against Dice), every case in
                       cases.csv and every lesion in lesions.csv
  moved.json           for scores given elsewhere: files, columns, decisions; every odd
                       row is in moved_report.csv
  methods.md           a paragraph for a paper, citing references.bib
  grras.csv            the checklist for agreement studies, filled in where known
  environment.txt      the versions that computed all this
"""
