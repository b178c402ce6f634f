"""Help beside the comparison's terms: no column and no rule is left unexplained."""

from __future__ import annotations

from ratings.statistics.mask_tables import make_tables
from ratings.statistics.segmentation import RULES
from ratings.templatetags.sheets import heading, meaning, rule_in_words
from tests.ratings.test_mask_tables import A, B

ROWS = [*A, *B]
# What needs no explanation: words of the house, arms and strata.
PLAIN = {
    "Method", "Set", "Contrast", "Metric", "Against", "Mean difference", "All",
    "Reference (mm³)", "Prediction (mm³)", "Lesions, reference",
    "Lesions, prediction",
}  # fmt: skip


def test_every_column_that_is_not_plain_is_explained() -> None:
    own = {row.arm for row in ROWS} | {row.strata.get("contrast", "") for row in ROWS}
    for sheet in make_tables(ROWS):
        for name in sheet.header:
            assert bool(meaning(name)) != (name in PLAIN | own), name


def test_a_column_reads_well_and_its_file_keeps_the_name() -> None:
    assert heading("n_empty") == "n empty"
    assert heading("a_model") == "a_model", "an arm's name is its own"
    assert any("n_empty" in sheet.header for sheet in make_tables(ROWS))


def test_every_rule_of_matching_is_told_in_words() -> None:
    for rule in RULES:
        assert "lesion" in rule_in_words(rule.name)
