"""The tables of metrics, by hand from a few rows, and their spellings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from scipy.stats import wilcoxon

from ratings.statistics.mask_tables import (
    MaskRow,
    compare_arms,
    make_tables,
    table_by_set,
    table_dice_by_contrast,
    table_methods,
    table_methods_by_contrast,
)
from ratings.statistics.sheets import Sheet, Spread, sheet_csv, sheet_latex, show
from ratings.statistics.test_set import (
    CaseFacts,
    count_flow,
    find_plane,
    table_test_set,
)


def make_row(case: str, arm: str, dice: float, **more: object) -> MaskRow:
    row = MaskRow(
        case=case, arm=arm, dice=dice, dice_plain=dice, recall=dice, ppv=1.0, f1=dice,
        found=1, missed=0, false=0, reference_lesions=1, prediction_lesions=1,
        reference_mm3=10.0, prediction_mm3=12.0, reference_empty=False,
        prediction_empty=False, strata={"contrast": "T2w" if case < "C3" else "STIR"},
    )  # fmt: skip
    return replace(row, **more)  # type: ignore[arg-type]


def make_rows(arm: str, values: Sequence[float]) -> list[MaskRow]:
    return [make_row(f"C{n}", arm, value) for n, value in enumerate(values, 1)]


A = make_rows("A", (0.2, 0.4, 0.6, 0.8, 0.5, 0.3))
B = make_rows("B", (0.3, 0.6, 0.9, 0.9, 0.7, 0.7))


def test_each_set_has_mean_sd_and_the_number_of_empties() -> None:
    rows = [*A[:3], make_row("C4", "A", 1.0, reference_empty=True)]
    sheet = table_by_set(rows, by="contrast")
    assert [row[1:4] for row in sheet.rows] == [
        ("STIR", 2, 1), ("T2w", 2, 0), ("all", 4, 1)
    ]  # fmt: skip
    assert str(sheet.rows[1][4]) == "0.30 ± 0.14"
    assert "n_empty" in sheet.header


def test_one_method_alone_is_not_said_to_be_tested() -> None:
    assert not any("test" in note for note in table_methods(A, baseline="A").notes)
    assert "over all 3 tests" in table_methods([*A, *B], baseline="A").notes[0]


def test_a_stratum_that_no_case_has_leaves_one_line_an_arm() -> None:
    assert [row[:3] for row in table_by_set([*A, *B], by="set").rows] == [
        ("A", "all", 6), ("B", "all", 6)
    ]  # fmt: skip


def test_dice_by_contrast_counts_cases_not_masks() -> None:
    sheet = table_dice_by_contrast([*A, *B])
    assert sheet.header == ("Contrast", "n", "A", "B")
    assert [row[:2] for row in sheet.rows] == [("STIR", 4), ("T2w", 2), ("all", 6)]


def test_a_single_case_has_a_mean_and_no_sd() -> None:
    sheet = table_methods_by_contrast(A[:1])
    assert show(sheet.rows[0][2]) == "0.20"


def test_methods_are_compared_by_paired_tests_with_both_corrections() -> None:
    tests = {test.metric: test for test in compare_arms([*A, *B])}
    d = [a.dice - b.dice for a, b in zip(A, B, strict=True)]
    assert tests["dice"].p == pytest.approx(2 / 2**6)
    assert tests["dice"].p == pytest.approx(wilcoxon(d, method="exact").pvalue)
    # PPV is tied throughout, so three tests are the family
    assert tests["ppv"].p is None
    assert tests["dice"].p_bonferroni == pytest.approx(3 * 2 / 2**6)
    assert tests["f1"].p_holm == pytest.approx(3 * 2 / 2**6)


def test_marks_stand_behind_the_methods_that_differ_from_the_baseline() -> None:
    low = make_rows("low", [0.05 * n for n in range(10)])
    high = make_rows("high", [0.05 * n + 0.4 for n in range(10)])
    sheet = table_methods([*low, *high], baseline="low")
    cells = {row[0]: row[3] for row in sheet.rows}
    assert str(cells["high"]).endswith("**††")
    assert str(cells["low"]).endswith("± 0.15")
    assert "against low" in sheet.notes[0]


def test_only_cases_that_both_methods_have_are_paired() -> None:
    assert compare_arms([*A, *B[:4]])[0].n == 4


def test_a_table_is_safe_in_a_spreadsheet_and_in_latex() -> None:
    sheet = Sheet(
        key="t", title="50 % of A_B & {C}", header=("Name", "Dice"),
        rows=(("=cmd()", Spread(0.5, 0.25, 3, marks="*")), ("x_y", None)),
    )  # fmt: skip
    assert sheet_csv(sheet).splitlines() == [
        "Name,Dice mean,Dice SD,Dice marks", "'=cmd(),0.5,0.25,*", "x_y,,,"
    ]  # fmt: skip
    latex = sheet_latex(sheet)
    assert r"\caption{50 \% of A\_B \& \{C\}}" in latex
    assert r"=cmd() & 0.50 $\pm$ 0.25 * \\" in latex
    assert r"x\_y & -- \\" in latex


def test_a_vast_number_in_a_table_is_a_power_of_ten() -> None:
    assert show(Spread(1.5e14, -2e9, 3)) == "1.5 × 10¹⁴ ± −2.0 × 10⁹"
    assert show(-1.5e14) == "−1.5 × 10¹⁴"
    assert show(-1234.5) == "−1,234"
    latex = sheet_latex(Sheet("a", "A", ("b",), ((1.5e14,),)))
    assert r"1.5 $\times$ 10$^1$$^4$ \\" in latex


def test_small_and_large_numbers_read_well() -> None:
    numbers = (0.0001, 0.04217, 12.34, 1234.5, -0.5)
    assert [show(x) for x in numbers] == ["<0.001", "0.042", "12.3", "1,234", "−0.500"]


def test_all_tables_come_in_the_published_order() -> None:
    keys = [sheet.key for sheet in make_tables([*A, *B], by="contrast")]
    assert keys == ["by_set", "dice_by_contrast", "methods", "tests",
                    "methods_by_contrast", "volumes"]  # fmt: skip


CASES = [
    CaseFacts(case="C1", zooms=(0.5, 0.5, 5.0), site="Lyon", participant="sub-1",
              contrast="T2w", acquisition="axial", orientation="RPI"),
    CaseFacts(case="C2", zooms=(0.7, 0.5, 5.0), site="Lyon", participant="sub-1",
              contrast="T2w", acquisition="axial", orientation="LPI"),
    CaseFacts(case="C3", zooms=(3.0, 0.5, 0.5), site="Basel", contrast="STIR",
              acquisition="sagittal"),
]  # fmt: skip


def test_the_test_set_has_a_row_for_each_way_of_acquiring() -> None:
    sheet = table_test_set(CASES)
    assert [row[0] for row in sheet.rows] == ["Basel", "Lyon", "all"]
    lyon = sheet.rows[1]
    assert lyon[5] == 1  # one participant with two images
    assert (show(lyon[6]), lyon[9]) == ("0.60 ± 0.14", 2)
    assert sheet.rows[2][5] == 2


def test_the_flow_counts_images_on_every_path() -> None:
    assert count_flow(CASES) == {
        ("Basel", "sagittal", "STIR"): 1, ("Lyon", "axial", "T2w"): 2
    }  # fmt: skip


@pytest.mark.parametrize(
    ("zooms", "plane"),
    [((3.3, 0.5, 0.5), "sagittal"), ((0.5, 4.0, 0.5), "coronal"),
     ((0.5, 0.5, 5.0), "axial"), ((1.0, 1.0, 1.2), "3D")],
)  # fmt: skip
def test_the_plane_is_across_the_thickest_direction(
    zooms: tuple[float, float, float], plane: str
) -> None:
    assert find_plane(zooms) == plane
