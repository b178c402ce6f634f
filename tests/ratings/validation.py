"""The validation table of docs/statistics.md; run as a module to write it anew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ratings.statistics.blinding_index import bang, james
from ratings.statistics.clustered import clustered_signed_rank
from ratings.statistics.comparison import equivalence, non_inferiority
from tests.ratings import golden

PAGE = Path(__file__).resolve().parents[2] / "docs" / "statistics.md"
START, END = "<!-- validation table: made by a test -->", "<!-- end of the table -->"
BOUNDS = (1e-9, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2)
SET = "paper_8x40"
Row = tuple[str, str, float | None, float, str]


def make_table() -> str:
    """Our value, the reference value and the bound of their difference, as Markdown."""
    head = "| number | data | ours | reference | difference | reference from |"
    lines = [head, "|---|---|---|---|---|---|"]
    for what, data, ours, theirs, source in rows():
        if ours is None:
            raise AssertionError(f"{what} of {data} has no value")
        # A search for a maximum ends a little elsewhere on another machine.
        digits, least = (4, 1e-3) if "clmm" in source else (6, 1e-9)
        shown = (f"{ours:.{digits}g}", f"{theirs:.{digits}g}")
        cells = (what, data, *shown, _bound(ours, theirs, least), source)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def read_table() -> str:
    """The table as it stands in the page."""
    text = PAGE.read_text()
    return text[text.index(START) + len(START) : text.index(END)].strip()


def write_table() -> None:
    text = PAGE.read_text()
    head, tail = text[: text.index(START)], text[text.index(END) :]
    PAGE.write_text(f"{head}{START}\n\n{make_table()}\n\n{tail}")


def rows() -> Iterator[Row]:
    yield from _primary()
    yield from _sensitivity()
    yield from _agreement()
    yield from _conduct()


def _primary() -> Iterator[Row]:
    c = golden.analysis(SET).comparisons[0]
    both = c.difference.both
    want = golden.values("golden_R_extra")[SET]["two_way"]["satterthwaite"]
    exact = golden.brute(SET)["two_way"]
    low, high = both.ci or (np.nan, np.nan)
    df = float(both.detail["df"] or 0)
    enumerated = "exact arithmetic"
    yield "mean difference", SET, both.value, exact["mean"], enumerated
    yield "its standard error", SET, both.se, exact["se"], enumerated
    yield (
        "degrees of freedom",
        SET,
        df,
        exact["satterthwaite_df"],
        enumerated,
    )
    yield "lower limit", SET, low, want["lo"], "R"
    yield "upper limit", SET, high, want["hi"], "R"
    yield "p", SET, both.p, want["p"], "R"
    yield (
        "non-inferiority p, δ = 0.5", SET, non_inferiority(both, margin=0.5).p,
        want["p_noninferior_margin_0.5"], "R",
    )  # fmt: skip
    yield (
        "equivalence p, δ = 0.5", SET, equivalence(both, margin=0.5).p,
        want["p_tost_margin_0.5"], "R",
    )  # fmt: skip


def _sensitivity() -> Iterator[Row]:
    d = golden.table(SET).difference(arm="pred", reference="manual")
    exact = golden.brute(SET)["clustered_exact"]
    flips = "full enumeration"
    for by in ("case", "rater"):
        found = clustered_signed_rank(d, by=by, seed=1)
        want = exact[f"{by}_level_signed_rank_pratt"]["p_two_sided"]
        yield f"signed-rank p, {by}s flipped", SET, found.p, want, flips
    free = golden.analysis(SET).comparisons[0].sensitivity.rank_free.detail["z"]
    want = golden.brute(SET)["datta_satten"]["by_case"]["Z"]
    yield "Datta–Satten z", SET, float(free or 0), want, "exact arithmetic"
    for rater in ("R02", "R03"):
        one = next(
            r for r in golden.analysis(SET).comparisons[0].per_rater if r.rater == rater
        )
        p = golden.brute(SET)["per_rater"][rater]["pratt"]["p_two_sided"]
        yield f"signed-rank p of {rater}", SET, one.signed_rank.p, p, flips
    for name in (SET, "missing_6x24"):
        model = golden.analysis(name).comparisons[0].sensitivity.model.detail
        want = golden.values("golden_R_extra")[name]["clmm_crossed_slopes"]
        ours = (float(model["beta"] or 0), float(model["se"] or 0))
        yield "mixed model, β", name, ours[0], want["beta"], "R ordinal::clmm"
        yield "its standard error", name, ours[1], want["se"], "R ordinal::clmm"
    several = golden.analysis("arms3_6x20").several
    chi2 = golden.brute("arms3_6x20")["friedman_case_means"]["chisq"]
    found_chi2 = None if several is None else several.friedman.detail["chi2"]
    yield "Friedman χ²", "arms3_6x20", float(found_chi2 or 0), chi2, "R"


def _agreement() -> Iterator[Row]:
    exact = "exact arithmetic"
    arm = golden.analysis(SET).arms[0]
    pair = golden.brute(SET)["kappa"]["manual"]["R01|R02"]["quadratic"]
    kappa = arm.agreement.pairs[0].quadratic
    yield "kappa R01, R02, quadratic", SET, kappa.value, pair["value"], exact
    yield "its standard error", SET, kappa.se, pair["se"], exact
    want = golden.brute(SET)["panel"]["manual"]
    for name, found, key in (
        ("Gwet's AC1", arm.panel.ac1, "unweighted"),
        ("Gwet's AC2", arm.panel.ac2, "quadratic"),
    ):
        gwet = want["gwet"][key]["gwet_ac"]
        yield name, SET, found.value, gwet["value"], exact
        yield "its standard error", SET, found.se, gwet["se"], exact
    alpha = want["krippendorff"]["ordinal"]
    yield "Krippendorff's alpha", SET, arm.panel.alpha.value, alpha, exact
    w = want["kendall"]["W"]
    yield "Kendall's W", SET, arm.panel.kendall_w.value, w, exact
    icc = golden.values("golden_R_panels")[SET]["manual"]
    low, high = arm.panel.icc_single.ci or (np.nan, np.nan)
    yield (
        "ICC(2,1)",
        SET,
        arm.panel.icc_single.value,
        icc["icc_single"]["value"],
        "R irr",
    )
    yield "its lower limit", SET, low, icc["icc_single"]["lo"], "R irr"
    yield "its upper limit", SET, high, icc["icc_single"]["hi"], "R irr"


def _conduct() -> Iterator[Row]:
    name = "james1996_like"
    counts = np.array(golden.values("blinding_tables")[name], dtype=float)
    want = golden.values("golden_bruteforce")["blinding"][name]["bang_manual"]
    found = bang(counts, truth=0, label="manual")
    yield "Bang's index", name, found.value, want["value"], "exact arithmetic"
    yield "its standard error", name, found.se, want["se"], "exact arithmetic"
    value, se, *_ = golden.values("golden_R_panels")["blinding"][name]["james"]
    yield "James' index", name, james(counts).value, value, "R BI"
    yield "its standard error", name, james(counts).se, se, "R BI"


def _bound(ours: float, theirs: float, least: float) -> str:
    gap = max(abs(ours - theirs), 0.99 * least)
    return next((f"< {bound:.0e}" for bound in BOUNDS if gap < bound), f"{gap:.1g}")


if __name__ == "__main__":
    write_table()
