"""Words for a paper, filled in from an analysis: methods, checklist, references."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ratings.statistics.cells import as_csv
from ratings.statistics.family import tell_over_questions
from ratings.statistics.primary import (
    CASE_FLIPS,
    CASES,
    CROSSED,
    HILLIS,
    TESTS,
)
from ratings.statistics.sentences import LEVEL, interval, number, of_margin
from ratings.statistics.summary import Analysis

HERE = (
    "Raters saw every mask without its source, in an order drawn for each rater from a "
    "seed to which the study was committed before the first rating; scores were joined "
    "to their sources only after the study was closed and unblinded."
)
ELSEWHERE = (
    "The scores were given elsewhere and moved into Blindfold for analysis, which "
    "neither controlled the blinding nor the order."
)
OURS = "(for the authors to write)"


def methods(
    analyses: Sequence[Analysis], *, version: str, moved: bool, withdrawn: str = ""
) -> str:
    """Methods and results as Markdown, with citations of `references.bib`.

    `withdrawn` says which cases and raters were withdrawn, as `withdrawn.tell` does.
    """
    first = analyses[0]
    parts = [_setting(first, len(analyses)), ELSEWHERE if moved else HERE]
    if withdrawn:
        parts.insert(1, withdrawn)
    parts.append(_analysis(first))
    for one in analyses:
        heading = f"{one.question}. " if len(analyses) > 1 and one.question else ""
        parts.append(heading + " ".join(_results(one)))
        if one.multiplicity is not None:
            parts.append(one.multiplicity.text)
    software = ", ".join(f"{name} {v}" for name, v in sorted(first.versions.items()))
    parts.append(f"Analyses were computed with Blindfold {version} ({software}).")
    return "\n\n".join(parts) + "\n"


def _setting(one: Analysis, questions: int) -> str:
    d = one.design
    arms = ", ".join(arm.arm for arm in one.arms)
    asked = f", {questions} questions each," if questions > 1 else ""
    repeats = f" Hidden repeats added {d.n_repeats} scores." if d.n_repeats else ""
    who = f"{d.n_raters} raters"
    if one.heard < d.n_raters:
        who = f"{one.heard} of {who}"
    return (
        f"{who}{asked} scored {d.n_cases} cases in {d.n_arms} arms "
        f"({arms}) on a scale from {one.levels[0]} to {one.levels[-1]}; "
        f"{d.n_scored} of {d.n_expected} scores were given.{_gaps(one)}{repeats}"
    )


def _gaps(one: Analysis) -> str:
    """Whose scores are missing and why, as it was typed when the study was closed."""
    told = [f"{gap.rater} {gap.n} ({gap.reason})" for gap in one.conduct.gaps]
    return f" Missing: {'; '.join(told)}." if told else ""


def _analysis(one: Analysis) -> str:
    text = "The primary estimate was the mean over raters and cases, both random, "
    if one.comparisons and one.primary in (CASES, CASE_FLIPS):
        text = "The primary estimate was the mean over these raters and random cases, "
    if one.comparisons:
        text += (
            f"of the paired difference in score from {one.reference}, "
            f"{TESTS[one.primary].methods}. Each rater was tested with the exact "
            "signed-rank test, zeros ranked [@wilcoxon1945; @pratt1959], corrected "
            "over raters [@holm1979]. "
        )
    else:
        text += "of the scores, with a crossed 95 % interval [@cameron2011]. "
    text += (
        "Agreement between raters is the mean of pairwise quadratically weighted "
        "kappas [@cohen1968; @light1971] with standard errors over cases "
        "[@fleiss1969]."
    )
    if one.margin is not None:
        text += f" A margin of {one.margin:g} points was set beforehand. {LEVEL}"
    return text


def _results(one: Analysis) -> Iterator[str]:
    yield one.sentence
    if over_all := tell_over_questions(one):
        yield over_all
    for comparison in one.comparisons:
        yield from comparison.sentences[int(len(one.comparisons) == 1) :]
    yield from tell_margins(one)
    yield from one.sentences


def tell_margins(one: Analysis) -> Iterator[str]:
    """The verdict on the margin for each comparison, where one was set."""
    return filter(None, map(of_margin, one.comparisons))


def grras(
    analyses: Sequence[Analysis],
    *,
    moved: bool,
    withdrawn: str = "",
    sampled: str = "",
) -> str:
    """The reporting checklist of Kottner and others (2011), filled in where known.

    `sampled` says how the cases came to be these.
    """
    one = analyses[0]
    d = one.design
    blind = ELSEWHERE if moved else HERE
    filled = {
        2: f"A score from {one.levels[0]} to {one.levels[-1]}, {len(analyses)} "
        f"question(s); arms: {', '.join(arm.arm for arm in one.arms)}.",
        7: f"Cases: {sampled} Raters: {OURS}" if sampled else OURS,
        8: blind,
        9: "See the blinding statement; raters could not see each other's scores."
        if not moved
        else OURS,
        10: _tell_analysis(analyses),
        11: f"{d.n_raters} raters, {d.n_cases} cases, {d.n_arms} arms, {d.n_scored} of "
        f"{d.n_expected} scores, {d.n_repeats} repeated scores.{_gaps(one)}"
        + (f" {withdrawn}" if withdrawn else ""),
        13: " ".join(_estimates(one)),
        15: "All scores are in scores_long.csv, all estimates in results.json.",
    }
    rows = [(n, asks, filled.get(n, OURS)) for n, asks in enumerate(CHECKLIST, 1)]
    return as_csv(("item", "asks_for", "answer"), rows)


def _tell_analysis(analyses: Sequence[Analysis]) -> str:
    """How it was analysed, and behind it what came of the margin."""
    text = _analysis(analyses[0]).replace("[@", "[").replace("; @", "; ")
    for one in analyses:
        heading = f"{one.question}: " if len(analyses) > 1 and one.question else ""
        text += "".join(f" {heading}{verdict}" for verdict in tell_margins(one))
    return text


def _estimates(one: Analysis) -> Iterator[str]:
    for arm in one.arms:
        kappa = arm.agreement.mean.quadratic
        if kappa.value is None:
            yield f"{arm.arm}: no kappa ({kappa.reason_text})."
        else:
            yield (
                f"{arm.arm}: mean quadratic kappa {number(kappa.value)} "
                f"({interval(kappa)})."
            )


CHECKLIST = (
    "Title or abstract says that reliability or agreement was studied",
    "The rating and its device or scale are named and described",
    "The population of subjects",
    "The population of raters",
    "What is known about reliability and why this study was done",
    "How the numbers of subjects, raters and repeats were chosen",
    "How subjects and raters were sampled",
    "The rating process: intervals, information given, blinding",
    "Whether ratings were independent",
    "The statistical analysis",
    "The actual numbers of raters, subjects and repeated ratings",
    "Characteristics of raters and subjects",
    "Estimates of reliability and agreement with their uncertainty",
    "The practical relevance of the results",
    "Detailed results, for example as a supplement",
)
ENTRIES: dict[str, tuple[str, str, str, int, str]] = {
    "cameron2011": (
        "Cameron, A. C. and Gelbach, J. B. and Miller, D. L.",
        "Robust inference with multiway clustering",
        "Journal of Business and Economic Statistics", 2011, "29:238--249",
    ),
    "cohen1968": (
        "Cohen, J.", "Weighted kappa", "Psychological Bulletin", 1968, "70:213--220",
    ),
    "fleiss1969": (
        "Fleiss, J. L. and Cohen, J. and Everitt, B. S.",
        "Large sample standard errors of kappa and weighted kappa",
        "Psychological Bulletin", 1969, "72:323--327",
    ),
    "hillis2007": (
        "Hillis, S. L.",
        "A comparison of denominator degrees of freedom methods for multiple observer "
        "ROC analysis",
        "Statistics in Medicine", 2007, "26:596--619",
    ),
    "holm1979": (
        "Holm, S.", "A simple sequentially rejective multiple test procedure",
        "Scandinavian Journal of Statistics", 1979, "6:65--70",
    ),
    "kottner2011": (
        "Kottner, J. and others",
        "Guidelines for Reporting Reliability and Agreement Studies (GRRAS)",
        "Journal of Clinical Epidemiology", 2011, "64:96--106",
    ),
    "light1971": (
        "Light, R. J.", "Measures of response agreement for qualitative data",
        "Psychological Bulletin", 1971, "76:365--377",
    ),
    "obuchowski1995": (
        "Obuchowski, N. A. and Rockette, H. E.",
        "Hypothesis testing of diagnostic accuracy for multiple readers and tests",
        "Communications in Statistics: Simulation and Computation", 1995, "24:285--308",
    ),
    "pratt1959": (
        "Pratt, J. W.",
        "Remarks on zeros and ties in the Wilcoxon signed rank procedures",
        "Journal of the American Statistical Association", 1959, "54:655--667",
    ),
    "rosner2006": (
        "Rosner, B. and Glynn, R. J. and Lee, M.-L. T.",
        "The Wilcoxon signed rank test for paired comparisons of clustered data",
        "Biometrics", 2006, "62:185--192",
    ),
    "wilcoxon1945": (
        "Wilcoxon, F.", "Individual comparisons by ranking methods",
        "Biometrics Bulletin", 1945, "1:80--83",
    ),
}  # fmt: skip


# Cited only where that primary test was chosen.
OF_TESTS = {"hillis2007": HILLIS, "rosner2006": CASE_FLIPS}


def bibliography(primary: str = CROSSED) -> str:
    """Every reference that the methods cite, as BibTeX."""
    cited = {k: v for k, v in ENTRIES.items() if OF_TESTS.get(k, primary) == primary}
    parts = []
    for key, (author, title, journal, year, place) in sorted(cited.items()):
        volume, pages = place.split(":")
        fields = {
            "author": author, "title": f"{{{title}}}", "journal": journal,
            "year": str(year), "volume": volume, "pages": pages,
        }  # fmt: skip
        body = ",\n".join(f"  {name} = {{{value}}}" for name, value in fields.items())
        parts.append(f"@article{{{key},\n{body}\n}}\n")
    return "\n".join(parts)
