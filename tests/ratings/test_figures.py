"""Every figure is drawn from any data, the same bytes each time, and explained."""

from __future__ import annotations

import csv
import io
import re
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.figure import Figure as Canvas
from PIL import Image

from ratings.figures import forest
from ratings.figures.canvas import (
    DPI,
    Figure,
    distinct,
    make_canvas,
    p_label,
    render,
    shortened,
)
from ratings.figures.conduct import bin_by_position, time_per_item
from ratings.figures.forest import forest_per_rater
from ratings.figures.report import draw_all
from ratings.figures.violin import density
from ratings.statistics.summary import analyse
from ratings.statistics.table import ScoreRow, make_table
from tests.ratings import golden
from tests.ratings.lettering import read_along

pytestmark = pytest.mark.slow

DEGENERATE = ["constant_4x10", "tiny_allzero_1x6", "tiny_onepair_1x1"]
OF_A_PAIR = {
    *("violin_overall", "likert_overall", "violin_per_rater", "likert_per_rater"),
    *("preference_per_rater", "forest_per_rater", "kappa_quadratic"),
    *("kappa_linear", "kappa_unweighted", "histogram_per_rater"),
    *("transition_matrix", "difference_map", "order_effects", "time_per_item"),
    *("forest_strata", "blinding_guesses"),
}


@dataclass(frozen=True)
class Drawn:
    figures: dict[str, Figure]
    faults: tuple[str, ...] = ()

    def rows(self, name: str) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(self.figures[name].csv)))


@cache
def drawn(name: str, simulated: bool = False) -> Drawn:
    table, analysis = golden.table(name), golden.analysis(name)
    with read_along() as faults:
        figures = list(draw_all(table=table, analysis=analysis, simulated=simulated))
    return Drawn({figure.name: figure for figure in figures}, tuple(faults))


def centimetres(figure: Figure) -> float:
    return Image.open(io.BytesIO(figure.png)).width / DPI * 2.54


def test_a_comparison_has_all_its_figures() -> None:
    assert set(drawn("paper_8x40").figures) == OF_A_PAIR


def test_figures_are_of_a_journal_column_width() -> None:
    for figure in drawn("paper_8x40").figures.values():
        assert min(abs(centimetres(figure) - w) for w in (8.5, 17.0)) < 0.05


@pytest.mark.parametrize("name", DEGENERATE)
def test_degenerate_data_are_drawn(name: str) -> None:
    for figure in drawn(name).figures.values():
        image = np.asarray(Image.open(io.BytesIO(figure.png)).convert("L"))
        assert (image < 200).sum() > 500
        ElementTree.fromstring(figure.svg)
        assert figure.csv.count("\n") > 1
        assert "nan" not in figure.csv


@pytest.mark.parametrize("name", ["paper_8x40", "missing_6x24", *DEGENERATE])
def test_no_words_lie_on_others_or_leave_the_page(name: str) -> None:
    assert drawn(name).faults == ()


def test_fourteen_arms_of_a_real_study_s_size_have_room_for_their_words() -> None:
    rng = np.random.default_rng(1)
    arms = [*("CT", "NDCT", "DDIM", "WGAN"), *(f"Network {n}" for n in range(10))]
    rows = [
        ScoreRow(f"{r}", f"{c}", arm, int(rng.integers(max(1, a - 2), a + 2)))
        for r in (1, 2, 3)
        for c in range(1, 16)
        for a, arm in enumerate(arms)
    ]
    table = make_table(rows, levels=range(1, 15))
    analysis = analyse(table, reference="CT", seed=1)
    with read_along() as faults:
        for figure in draw_all(table=table, analysis=analysis):
            if figure.name.startswith("02_"):
                break  # the first comparison stands for the others
    assert faults == []


def scored(
    raters: list[str], cases: list[str], arms: list[str], more: dict[str, str]
) -> tuple[ScoreRow, ...]:
    """Every mask scored by every rater, with positions, times and guesses."""
    rng = np.random.default_rng(2)
    return tuple(
        ScoreRow(
            *(rater, case, arm, int(rng.integers(1, 6))),
            position=2 * c + a + 1, seconds=float(rng.uniform(5, 60)),
            guess=(*arms, "unsure")[int(rng.integers(3))], **more,  # type: ignore[arg-type]
        )
        for rater in raters
        for c, case in enumerate(cases)
        for a, arm in enumerate(arms)
    )  # fmt: skip


def test_long_names_have_room_in_every_figure() -> None:
    arms = [
        "manual segmentation by the consensus of three experts",
        "nnU-Net ResEnc-L ensemble with test-time augmentation",
    ]
    rows = scored(
        [f"Dr. Wilhelmina van der Rosenberg-{n} (Hospital)" for n in range(4)],
        [f"sub-montreal{n:03d}_ses-baseline_acq-axial_T2w" for n in range(12)],
        arms,
        {"contrast": "acq-sagittal_part-magnitude_T2w_denoised", "site": "Montréal"},
    )
    table = make_table(rows, levels=range(1, 6))
    analysis = analyse(table, reference=arms[0], seed=1)
    with read_along() as faults:
        names = {figure.name for figure in draw_all(table=table, analysis=analysis)}
    assert names == OF_A_PAIR
    assert faults == []


def test_the_times_of_fifty_raters_have_room() -> None:
    rows = scored([f"R{n:02d}" for n in range(1, 51)], ["C1", "C2"], ["a", "b"], {})
    with read_along() as faults:
        time_per_item(table=make_table(rows, levels=range(1, 6)))
    assert faults == []


@pytest.mark.parametrize(
    "labels",
    [
        ["R1", "a name of many letters"],
        ["sub-lyon001_ses-1_T2w", "sub-lyon012_ses-1_T2w"],
        ["a" * 15 + "b" * 15, "a" * 14 + "b" * 15],
        ["sub-a01-of-a-long-name", "sub-a02-of-a-long-name", "another one"],
        ["one and the same name"] * 2,
        [],
    ],
)
def test_shortened_labels_stay_apart(labels: list[str]) -> None:
    found = distinct(labels, width=11)
    assert len(set(found)) == len(set(labels))
    assert max(map(len, found), default=0) <= 11


def test_a_shortened_label_keeps_the_number_that_tells_it_apart() -> None:
    cases = [f"sub-lyon{n:03d}_ses-baseline_T2w" for n in (1, 12, 110)]
    found = distinct(cases, width=12)
    assert found == ["sub…001…T2w", "sub…012…T2w", "sub…110…T2w"]


def test_words_that_overlap_or_are_cut_off_would_be_noticed() -> None:
    canvas = make_canvas(width=8, height=4)
    for x, word in ((0.5, "one"), (0.51, "two"), (0.99, "cut"), (0.2, "alone")):
        canvas.text(x, 0.5, word)
    with read_along() as faults:
        render(canvas, name="", caption="", header=(), rows=(), simulated=False)
    assert faults == ["“cut” is cut off", "“one” lies on “two”"]


def test_one_rater_has_no_kappa_figure() -> None:
    assert not any("kappa" in name for name in drawn("tiny_onepair_1x1").figures)


def test_one_arm_has_its_scores_and_agreement() -> None:
    assert set(drawn("paradox_2x100").figures) == {
        *("violin_overall", "likert_overall", "likert_per_rater"),
        *("kappa_quadratic", "kappa_linear", "kappa_unweighted"),
    }


def test_several_arms_are_shown_together_and_each_alone() -> None:
    rows = [
        ScoreRow("R1", case, arm, score)
        for arm, first in (("manual", 1), ("pred", 2), ("baseline", 3))
        for score, case in enumerate(("C1", "C2", "C3"), first)
    ]
    table = make_table(rows, levels=range(1, 6))
    analysis = analyse(table, reference="manual", seed=1)
    found = Drawn({f.name: f for f in draw_all(table=table, analysis=analysis)})
    names = set(found.figures)
    assert {"preference_per_arm", "forest_per_arm"} <= names
    assert {"01_violin_per_rater", "02_violin_per_rater"} <= names
    arms = [row["row"] for row in found.rows("forest_per_arm")]
    assert arms == ["baseline", "pred"]


def test_the_same_numbers_give_the_same_bytes() -> None:
    again = draw_all(
        table=golden.table("tiny_onepair_1x1"),
        analysis=golden.analysis("tiny_onepair_1x1"),
    )
    assert {f.name: f for f in again} == drawn("tiny_onepair_1x1").figures


@pytest.mark.slow
def test_another_process_gives_the_same_bytes() -> None:
    script = (
        "import hashlib; from tests.ratings.test_figures import drawn\n"
        "for f in drawn('tiny_ties_zeros_1x8').figures.values():\n"
        "    print(hashlib.sha256(f.svg + f.png + f.csv.encode()).hexdigest())"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", script], capture_output=True, check=True, text=True
        ).stdout
        for _ in range(2)
    ]
    assert runs[0]
    assert runs[0] == runs[1]


def test_nothing_in_the_bytes_tells_when_or_where() -> None:
    for figure in drawn("paper_8x40").figures.values():
        assert b"<dc:date>" not in figure.svg
        assert b"tEXt" not in figure.png[:200] or b"Software" not in figure.png[:200]
        assert not re.search(rb"20\d\d-\d\d-\d\dT", figure.svg)


def test_the_violin_shows_exact_and_corrected_p_of_each_rater() -> None:
    found = {r.rater: r for r in golden.analysis("paper_8x40").comparisons[0].per_rater}
    rows = drawn("paper_8x40").rows("violin_per_rater")
    assert len(rows) == 16
    for row in rows:
        rater = found[row["rater"]]
        assert float(row["p_signed_rank"]) == rater.signed_rank.p
        assert float(row["p_holm"]) == rater.p_holm


def test_the_kappa_table_has_a_reason_where_the_map_is_hatched() -> None:
    rows = drawn("constant_4x10").rows("kappa_quadratic")
    undefined = [row for row in rows if not row["kappa"]]
    assert len(undefined) == 3
    assert {row["reason"] for row in undefined} == {"both_constant_same"}
    caption = drawn("constant_4x10").figures["kappa_quadratic"].caption
    assert "Hatched: undefined (3 cells)" in caption


def test_the_forest_ends_in_the_primary_result() -> None:
    last = drawn("paper_8x40").rows("forest_per_rater")[-1]
    primary = golden.analysis("paper_8x40").comparisons[0].difference.both
    assert last["row"] == "All raters"
    assert float(last["difference"]) == primary.value
    assert (float(last["low"]), float(last["high"])) == primary.ci


def test_a_margin_is_drawn_and_told() -> None:
    with_margin = analyse(
        golden.table("null_5x16"), reference="manual", seed=1, margin=0.5
    )
    figure = forest_per_rater(
        comparison=with_margin.comparisons[0], margin=with_margin.margin
    )
    assert "margin of −0.50, set beforehand" in figure.caption


def test_the_bars_count_every_score() -> None:
    for row in drawn("paper_8x40").rows("likert_per_rater"):
        counts = [int(row[f"score_{level}"]) for level in range(1, 6)]
        assert sum(counts) == int(row["n"]) == 40
    shares = drawn("paper_8x40").rows("preference_per_rater")[0]
    assert [
        int(shares[key]) for key in ("arm_higher", "equal", "reference_higher")
    ] == [*(137, 106, 77)]


def test_simulated_data_are_said_to_be_so_in_words_and_in_the_picture() -> None:
    plain, marked = drawn("tiny_ties_zeros_1x8"), drawn("tiny_ties_zeros_1x8", True)
    for name, figure in marked.figures.items():
        assert figure.caption.startswith("Simulated data. ")
        assert not plain.figures[name].caption.startswith("Simulated")
        assert figure.svg != plain.figures[name].svg


def test_captions_say_how_many_and_for_whom() -> None:
    for figure in drawn("paper_8x40").figures.values():
        assert re.search(r"n = |n, |kappa", figure.caption)
        assert "matplotlib" in figure.caption
        assert figure.caption.endswith(".")


def test_labels_of_any_kind_are_drawn_as_they_are() -> None:
    rows = [
        ScoreRow(rater, case, arm, value)
        for rater in ("Dr. $x_1$ of a hospital with a long name", "=SUM(A1)")
        for value, case in enumerate(("C1", "C2", "C3"), 1)
        for arm in ("manual <b>&", "an arm whose name does not end for a long while")
    ]
    table = make_table(rows, levels=range(1, 6))
    analysis = analyse(table, reference="manual <b>&", seed=1)
    for figure in draw_all(table=table, analysis=analysis):
        ElementTree.fromstring(figure.svg)
        assert "\n=" not in figure.csv


@pytest.mark.slow
def test_twenty_levels_and_many_raters_fit() -> None:
    rng = np.random.default_rng(1)
    rows = [
        ScoreRow(f"R{r}", f"C{c}", arm, int(rng.integers(0, 20)))
        for r in range(23)
        for c in range(4)
        for arm in ("manual", "pred")
    ]
    table = make_table(rows, levels=range(20))
    analysis = analyse(table, reference="manual", seed=1)
    for figure in draw_all(table=table, analysis=analysis):
        image = Image.open(io.BytesIO(figure.png))
        assert image.height / DPI * 2.54 < 40


def test_a_violin_never_reaches_beyond_the_scores_given() -> None:
    grid, heights = density(np.array([2.0, 3, 3, 4]))
    assert (grid.min(), grid.max()) == (2, 4)
    assert (heights > 0).all()


@pytest.mark.parametrize(
    ("p", "text"), [(None, "–"), (0.0004, "<0.001"), (0.0444, "0.044"), (0.5, "0.50")]
)
def test_p_values_above_a_violin(p: float | None, text: str) -> None:
    assert p_label(p) == text


def test_long_labels_lose_their_middle_and_stay_apart() -> None:
    one, two = (shortened(f"a very long name of rater {n}", width=14) for n in (1, 2))
    assert len(one) <= 14
    assert one != two
    assert shortened("short") == "short"


def test_the_split_histogram_counts_every_score_of_every_rater() -> None:
    table = golden.table("missing_6x24")
    rows = drawn("missing_6x24").rows("histogram_per_rater")
    assert len(rows) == 2 * len(table.raters)
    for row in rows:
        scores = table.of_arm(row["arm"])[table.raters.index(row["rater"])]
        given = scores[~np.isnan(scores)]
        assert [int(row[f"score_{n}"]) for n in range(1, 6)] == [
            int((given == n).sum()) for n in range(1, 6)
        ]
        assert int(row["n"]) == len(given)


def test_the_transitions_are_the_pairs_and_their_diagonal_the_ties() -> None:
    rows = drawn("missing_6x24").rows("transition_matrix")
    found = golden.analysis("missing_6x24").comparisons[0].preference
    everybody = [row for row in rows if row["rater"] == "all raters"]
    assert len(everybody) == 25

    def count(sign: int) -> int:
        return sum(
            int(row["pairs"])
            for row in everybody
            if np.sign(int(row["arm_score"]) - int(row["reference_score"])) == sign
        )

    assert (count(1), count(0), count(-1)) == (found.better, found.tied, found.worse)


def test_the_map_of_differences_sorts_cases_and_hatches_what_is_missing() -> None:
    table = golden.table("missing_6x24")
    rows = drawn("missing_6x24").rows("difference_map")
    d = table.difference(arm="pred", reference="manual")
    assert len(rows) == d.size
    for row in rows:
        value = d[table.raters.index(row["rater"]), table.cases.index(row["case"])]
        assert row["difference"] == ("" if np.isnan(value) else str(value))
    means = [float(row["case_mean"]) for row in rows if row["case_mean"]]
    assert means == sorted(means)
    missing = int(np.isnan(d).sum())
    caption = drawn("missing_6x24").figures["difference_map"].caption
    assert f"Hatched: {missing} without both scores" in caption


def test_a_steady_drift_shows_in_the_order_and_no_rater_is_mistaken_for_it() -> None:
    rows = [
        ScoreRow(f"R{r}", f"C{n:02d}", "m", 1 + n // 10 + r, position=n + 1)
        for r in range(2)
        for n in range(40)
    ]
    table = make_table(rows, levels=range(1, 7))
    bins = bin_by_position(table)
    assert [one.n for one in bins] == [10] * 8
    assert [one.mean for one in bins] == [-1.5, -1.5, -0.5, -0.5, 0.5, 0.5, 1.5, 1.5]
    assert sum(one.n for one in bins) == len(rows)


def test_times_are_summed_up_per_rater_and_hasty_ones_are_counted() -> None:
    rows = [
        ScoreRow("R1", f"C{n}", "m", 3, seconds=seconds)
        for n, seconds in enumerate((1.0, 10.0, 20.0, 30.0, 700.0))
    ]
    figure = time_per_item(table=make_table(rows, levels=range(1, 6)))
    assert "1 items took less than 3 s and 1 more than 10 min" in figure.caption
    assert "R1,m,5,2.8,10.0,20.0,30.0,56" in figure.csv


def test_without_positions_and_times_nothing_is_said_of_them() -> None:
    rows = [ScoreRow("R1", f"C{n}", arm, 3) for n in range(3) for arm in ("a", "b")]
    table = make_table(rows, levels=range(1, 6))
    analysis = analyse(table, reference="a", seed=1)
    names = {figure.name for figure in draw_all(table=table, analysis=analysis)}
    assert not {"order_effects", "time_per_item"} & names


def test_the_guesses_are_counted_by_the_truth() -> None:
    rows = drawn("paper_8x40").rows("blinding_guesses")
    found = golden.analysis("paper_8x40").conduct.arms[0].blinding
    assert found is not None
    for i, row in enumerate(rows):
        counts = ("guessed_reference", "guessed_arm", "unsure")
        assert [int(row[c]) for c in counts] == [line[i] for line in found.table]
        assert int(row["n"]) == sum(line[i] for line in found.table)


def test_each_group_of_cases_stands_in_the_forest_and_small_ones_have_no_interval() -> (
    None
):
    rows = drawn("paper_8x40").rows("forest_strata")
    assert rows[-1]["row"] == "All cases"
    small = [row for row in rows if row["row"].startswith("contrast: STIR")]
    assert [(row["low"], row["reason"]) for row in small] == [("", "single_case")]


@pytest.mark.parametrize("name", DEGENERATE)
def test_values_all_alike_have_an_axis_in_points(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def keep(canvas: Canvas, **more: object) -> None:
        axes = canvas.axes[0]
        canvas.draw_without_rendering()
        low, high = axes.get_xlim()
        seen.append((high - low, axes.xaxis.get_offset_text().get_text()))

    monkeypatch.setattr(forest, "render", keep)
    comparison = golden.analysis(name).comparisons[0]
    forest_per_rater(comparison=comparison, margin=None)
    assert seen[0][0] >= 0.2
    assert seen[0][1] == ""
