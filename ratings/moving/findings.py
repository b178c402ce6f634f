"""Judge every entry, list what is odd with file and row, and do what was chosen."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ratings.moving.entries import Entry, find_alike
from ratings.statistics.rows import ScoreRow

STRATA = ("contrast", "site", "acquisition")
NUMBERS = ("position", "seconds", "session", "confidence", "unlooked", "conflict")
WORDS = (*STRATA, "guess", "side", "comment")
MISSING = ("missing", "keep it as “not rated”")
NUMBER = re.compile(r"[+-]?([0-9]+([.,][0-9]*)?|[.,][0-9]+)")
DROP = ("drop", "leave it out, as if it had never been asked")


@dataclass(frozen=True)
class Kind:
    """One sort of oddity, and what can be done with all of it."""

    title: str
    rule: str
    options: tuple[tuple[str, str], ...]
    default: str = ""


KINDS: dict[str, Kind] = {
    "unrated": Kind(
        "Not rated",
        "The score is empty or null.",
        (MISSING, DROP),
        default="missing",
    ),
    "cleared": Kind(
        "Cleared",
        "The score is 0, which is not on the scale: quality-control reports store 0 "
        "when a rating is taken back.",
        (MISSING, DROP),
    ),
    "out_of_scale": Kind(
        "Outside the scale",
        "The score is a whole number that the scale does not have. If the scale above "
        "is wrong, change it there.",
        (MISSING, DROP),
    ),
    "not_whole": Kind(
        "Not a whole number",
        "The score lies between two points of the scale.",
        (MISSING, DROP),
    ),
    "text": Kind(
        "Text in place of a score",
        "The score is not a number. It is kept as the reason of the missing score.",
        (MISSING, DROP),
    ),
    "decimal": Kind(
        "Whole numbers written with decimals",
        "A score such as “4,0” or “4.0” is read as 4.",
        (("accept", "read it as the whole number"), MISSING, DROP),
        default="accept",
    ),
    "duplicate": Kind(
        "Rated twice",
        "The same rater scored the same mask more than once.",
        (
            ("first", "keep the first"),
            ("last", "keep the last"),
            ("repeat", "take later ones as planned repeats"),
            ("drop", "leave all of them out"),
        ),
    ),
    "unknown": Kind(
        "Unknown case or mask",
        "The key of the study does not have this item, so its arm is not known.",
        (("drop", "leave it out"),),
    ),
    "incomplete": Kind(
        "No rater, case or arm",
        "Without all three nobody knows what was scored.",
        (("drop", "leave it out"),),
    ),
    "absent": Kind(
        "Not in the rater's file",
        "The key has this mask, but the rater's report does not mention it.",
        (("missing", "count it as “not rated”"), ("drop", "say nothing of it")),
        default="missing",
    ),
    "number": Kind(
        "Unusable detail",
        "Repeat, position, session, seconds or the like is not a number of 0 or more.",
        (("blank", "keep the score and leave the detail empty"), DROP),
    ),
    "stratum": Kind(
        "Two contrasts, sites or acquisitions for one case",
        "Every row of a case must have the same.",
        (("first", "use the first for the case"), ("blank", "leave it empty")),
    ),
    "alike_raters": Kind(
        "Raters named alike",
        "These may be one person written in different ways.",
        (("same", "one person"), ("different", "different people")),
    ),
    "alike_arms": Kind(
        "Arms named alike",
        "These may be one arm written in different ways.",
        (("same", "one arm"), ("different", "different arms")),
    ),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One oddity: where it stands and what it says."""

    kind: str
    file: str
    row: int
    what: str
    entry: Entry | None = None


@dataclass(frozen=True)
class Verdict:
    """All rows that result, and every finding; `open` are kinds without a choice."""

    rows: tuple[ScoreRow, ...]
    findings: tuple[Finding, ...]
    choices: dict[str, str]
    n_entries: int
    n_dropped: int

    @property
    def kinds(self) -> tuple[str, ...]:
        found = {finding.kind for finding in self.findings}
        return tuple(kind for kind in KINDS if kind in found)

    @property
    def open(self) -> tuple[str, ...]:
        return tuple(kind for kind in self.kinds if not self.choices.get(kind))

    def count(self, kind: str) -> int:
        return sum(finding.kind == kind for finding in self.findings)


@dataclass
class _Judge:
    """What has been found so far; a kind without a choice is treated as missing."""

    scales: dict[str, tuple[int, int]]
    choices: dict[str, str]
    findings: list[Finding] = field(default_factory=list)
    n_dropped: int = 0

    def note(self, kind: str, entry: Entry, what: str) -> str:
        """List a finding; returns what was chosen for its kind."""
        self.findings.append(Finding(kind, entry.file, entry.row, what, entry))
        return self.choices.get(kind, "")


def judge(
    entries: Iterable[Entry],
    *,
    scales: dict[str, tuple[int, int]],
    choices: dict[str, str],
    expected: Sequence[tuple[str, str]] = (),
) -> Verdict:
    """Turn entries into rows, doing with each oddity what was chosen for its kind.

    Args:
        scales: lowest and highest score by question.
        choices: by kind, a value of its options; kinds with a default need none.
        expected: (case, arm) of every mask that each rater should have rated.
    """
    given = {k: v for k, v in choices.items() if _allowed(k, v)}
    defaults = {kind: one.default for kind, one in KINDS.items() if one.default}
    judge_ = _Judge(scales, {**defaults, **given})
    listed = list(entries)
    merged = _merge(listed, judge_)
    whole = [sound for entry in merged if (sound := _sound(entry, judge_)) is not None]
    kept = _settle_duplicates(whole, judge_)
    rows = [row for entry in kept if (row := _row(entry, judge_)) is not None]
    rows += _absent(whole, expected, judge_)
    rows = _settle_strata(rows, kept, judge_)
    shown = {kind: judge_.choices.get(kind, "") for kind in KINDS}
    return Verdict(
        tuple(rows), tuple(judge_.findings), shown, len(listed), judge_.n_dropped
    )


def _allowed(kind: str, value: str) -> bool:
    return kind in KINDS and value in dict(KINDS[kind].options)


def _merge(entries: list[Entry], judge_: _Judge) -> list[Entry]:
    """Names that are alike, joined where they were said to be the same."""
    renamed: dict[str, dict[str, str]] = {"rater": {}, "arm": {}}
    for axis, kind in (("rater", "alike_raters"), ("arm", "alike_arms")):
        counts = Counter(getattr(entry, axis) for entry in entries)
        firsts: dict[str, int] = {}
        for number, entry in enumerate(entries):
            firsts.setdefault(getattr(entry, axis), number)
        for group in find_alike(set(counts) - {""}):
            first = entries[min(firsts[name] for name in group)]
            chosen = judge_.note(kind, first, " · ".join(group))
            if chosen == "same":
                usual = max(group, key=lambda name: (counts[name], name))
                renamed[axis] |= dict.fromkeys(group, usual)
    if not any(renamed.values()):
        return entries
    return [
        replace(
            entry,
            rater=renamed["rater"].get(entry.rater, entry.rater),
            arm=renamed["arm"].get(entry.arm, entry.arm),
        )
        for entry in entries
    ]


def _sound(entry: Entry, judge_: _Judge) -> Entry | None:
    """The entry if it says who scored what, its repeat as "" or a whole number."""
    if not entry.known:
        judge_.note("unknown", entry, entry.case)
    elif not (entry.rater and entry.case and entry.arm):
        lacking = [n for n in ("rater", "case", "arm") if not getattr(entry, n)]
        judge_.note("incomplete", entry, f"no {' and no '.join(lacking)}")
    elif not entry.rep:
        return entry
    else:
        repeat = read_detail(entry.rep, whole=True)
        if repeat is not None or _kept_without(entry, "rep", judge_):
            return replace(entry, rep=str(int(repeat)) if repeat else "")
        return None
    judge_.n_dropped += 1
    return None


def _kept_without(entry: Entry, detail: str, judge_: _Judge) -> bool:
    """Note an unusable detail; False if the entry is to be left out because of it."""
    what = f"{_name(entry)}: {detail} is “{entry.details.get(detail)}”"
    if judge_.note("number", entry, what) == "drop":
        judge_.n_dropped += 1
        return False
    return True


def _settle_duplicates(entries: list[Entry], judge_: _Judge) -> list[Entry]:
    groups: dict[tuple[str, ...], list[Entry]] = {}
    repeats: dict[tuple[str, ...], int] = {}
    mask: tuple[str, ...]
    for entry in entries:
        mask = (entry.question, entry.rater, entry.case, entry.arm)
        groups.setdefault((*mask, entry.rep), []).append(entry)
        if entry.rep:
            repeats[mask] = max(repeats.get(mask, 0), int(entry.rep))
    kept = []
    for key, group in groups.items():
        if len(group) == 1:
            kept.append(group[0])
            continue
        chosen = _note_duplicates(group, judge_)
        mask = key[:4]
        left = _of_duplicates(group, chosen, repeats.get(mask, 0))
        repeats[mask] = repeats.get(mask, 0) + max(len(left) - 1, 0)
        judge_.n_dropped += len(group) - len(left)
        kept += left
    return kept


def _note_duplicates(group: list[Entry], judge_: _Judge) -> str:
    places = ", ".join(str(entry.row) for entry in group)
    scores = ", ".join(entry.score or "not rated" for entry in group)
    chosen = ""
    for entry in group:
        what = f"{_name(entry)}: rows {places} say {scores}"
        chosen = judge_.note("duplicate", entry, what)
    return chosen


def _of_duplicates(group: list[Entry], chosen: str, last: int) -> list[Entry]:
    """What is kept of a group; repeats are numbered on from the `last` there is."""
    if chosen == "drop":
        return []
    if chosen == "last":
        return [group[-1]]
    if chosen == "repeat":
        later = enumerate(group[1:], last + 1)
        return [group[0], *(replace(entry, rep=str(n)) for n, entry in later)]
    return [group[0]]


def _row(entry: Entry, judge_: _Judge) -> ScoreRow | None:
    low, high = judge_.scales.get(entry.question, (1, 5))
    score, kind, what = read_score(entry.score, low, high)
    reason = entry.details.get("reason", "")
    if kind:
        chosen = judge_.note(kind, entry, f"{_name(entry)}: {what}")
        if chosen == "drop":
            judge_.n_dropped += 1
            return None
        if chosen != "accept":
            score, reason = None, reason or what
    numbers: dict[str, float | None] = {}
    for name in NUMBERS:
        text = entry.details.get(name, "")
        numbers[name] = read_detail(text, whole=name != "seconds") if text else None
        if text and numbers[name] is None and not _kept_without(entry, name, judge_):
            return None
    return _make_row(entry, score, reason, numbers)


def _make_row(
    entry: Entry, score: int | None, reason: str, numbers: dict[str, float | None]
) -> ScoreRow:
    more: dict[str, Any] = {name: entry.details.get(name, "") for name in WORDS}
    for name, number in numbers.items():
        whole = name != "seconds" and number is not None
        more[name] = int(number or 0) if whole else number
    return ScoreRow(
        rater=entry.rater, case=entry.case, arm=entry.arm, score=score,
        rep=int(entry.rep or 0), question=entry.question, reason=reason, **more,
    )  # fmt: skip


def read_score(text: str | None, low: int, high: int) -> tuple[int | None, str, str]:
    """(score, kind of oddity or "", what it says) of one cell."""
    if text is None:
        return None, "unrated", "not rated"
    if text.isascii() and text.isdigit() and low <= int(text) <= high:
        return int(text), "", ""
    shown = text.strip()
    if shown.lower() in ("", "na", "n/a", "nan", "null", "none"):
        return None, "unrated", "not rated"
    if not NUMBER.fullmatch(shown):
        return None, "text", f"“{shown}”"
    number = float(shown.replace(",", "."))
    if number % 1:
        return None, "not_whole", f"“{shown}”"
    score = int(number)
    if not low <= score <= high:
        kind = "cleared" if score == 0 else "out_of_scale"
        return None, kind, f"{score} is not on the scale {low} to {high}"
    return score, "decimal" if re.search("[.,]", shown) else "", f"“{shown}”"


def read_detail(text: str, *, whole: bool) -> float | None:
    """A number of 0 or more, with a decimal point or comma; None if it is not one."""
    if not text:
        return None
    try:
        number = float(text.replace(",", "."))
    except ValueError:
        return None
    usable = math.isfinite(number) and number >= 0 and not (whole and number % 1)
    return number if usable else None


def _absent(
    entries: list[Entry], expected: Sequence[tuple[str, str]], judge_: _Judge
) -> list[ScoreRow]:
    seen = {(entry.rater, entry.case, entry.arm) for entry in entries}
    files = {entry.rater: entry.file for entry in entries}
    rows = []
    for rater, file in files.items():
        for case, arm in expected:
            if (rater, case, arm) in seen:
                continue
            entry = Entry(file, 0, rater, case, arm, None)
            if judge_.note("absent", entry, _name(entry)) != "drop":
                reason = "not in the rater's file"
                rows.append(ScoreRow(rater, case, arm, None, reason=reason))
    return rows


def _settle_strata(
    rows: list[ScoreRow], entries: list[Entry], judge_: _Judge
) -> list[ScoreRow]:
    """One contrast and one site a case, which every row of it carries."""
    for name in STRATA:
        labels: dict[str, dict[str, Entry]] = {}
        for entry in entries:
            label = entry.details.get(name, "")
            if label:
                labels.setdefault(entry.case, {}).setdefault(label, entry)
        if not labels:
            continue
        settled = {case: next(iter(found)) for case, found in labels.items()}
        for case, found in labels.items():
            if len(found) > 1:
                what = f"{case}: {name} is {' and '.join(found)}"
                chosen = judge_.note("stratum", list(found.values())[1], what)
                settled[case] = "" if chosen == "blank" else settled[case]
        rows = [
            row
            if getattr(row, name) == settled.get(row.case, "")
            else replace(row, **changed(name, settled.get(row.case, "")))
            for row in rows
        ]
    return rows


def changed(name: str, label: str) -> dict[str, Any]:
    return {name: label}


def _name(entry: Entry) -> str:
    asked = f", {entry.question}" if entry.question else ""
    return f"{entry.rater}, {entry.case}, {entry.arm}{asked}"
